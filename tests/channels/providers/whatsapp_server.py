"""Meta's Cloud API, as far as it takes messages and signs what it tells.

Written after https://developers.facebook.com/docs/whatsapp/cloud-api (messages, webhooks, error codes).
"""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.channels.web_server import Handler, OtherSystem

NUMBER = "106540352242922"
ACCOUNT = "102290129340398"
TOKEN = "EAAG-token"
SECRET = "the-apps-secret"
# People of whom it has something else to say.
NOT_THERE = "5511900000001"
STOPPED = "5511900000002"
SILENT = "5511900000003"
HURRIED = "5511900000004"
_REFUSED = {
    NOT_THERE: (400, 131026, "Message undeliverable"),
    STOPPED: (400, 131050, "User has stopped marketing messages"),
    SILENT: (400, 131047, "Re-engagement message"),
    HURRIED: (400, 131056, "(Business Account, Consumer Account) pair rate limit hit"),
}


class WhatsAppServer:
    def __init__(self, system: OtherSystem) -> None:
        self.system = system
        self.taken: list[dict[str, Any]] = []
        self.templates: list[dict[str, Any]] = []
        system.answers = [self.answer]

    def config(self) -> dict[str, str]:
        return {"phone_number_id": NUMBER, "base_url": self.system.url}

    def answer(self, handler: Handler) -> None:
        asked = handler.asked
        if asked.method == "GET":
            status, said = self._listed(asked.path, asked.headers)
        else:
            status, said = self._answer(asked.path, asked.headers, json.loads(asked.body))
        body = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json; charset=UTF-8")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _answer(self, path: str, headers: dict[str, str], said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, _error(190, "Invalid OAuth access token.")
        if path != f"/v23.0/{NUMBER}/messages":
            return 400, _error(100, f"Unsupported post request. Object with ID '{path}' does not exist")
        if said.get("messaging_product") != "whatsapp" or not str(said.get("to", "")).isdigit():
            return 400, _error(100, "Invalid parameter")
        if said["type"] == "template" and said["template"]["name"] == "unapproved":
            return 404, _error(132001, "Template name does not exist in the translation")
        if said["to"] in _REFUSED:
            status, code, message = _REFUSED[said["to"]]
            return status, _error(code, message)
        self.taken.append(said)
        contact = {"input": said["to"], "wa_id": said["to"]}
        return 200, {
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [{"id": self.wamid(len(self.taken)), "message_status": "accepted"}],
        }

    def _listed(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """A page of templates, with a cursor that says how many came before."""
        parts = urlsplit(path)
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, _error(190, "Invalid OAuth access token.")
        if parts.path != f"/v23.0/{ACCOUNT}/message_templates":
            return 400, _error(100, f"Unsupported get request. Object with ID '{path}' does not exist")
        asked = dict(parse_qsl(parts.query))
        start, most = int(asked.get("after", 0)), int(asked.get("limit", 25))
        end = start + most
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(self.templates):
            paging["next"] = f"https://graph.facebook.com{path}&after={end}"
        return 200, {"data": self.templates[start:end], "paging": paging}

    @staticmethod
    def wamid(number: int) -> str:
        return f"wamid.HBgN{number:08d}"


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "fbtrace_id": "Az8"}}


def told(number: str = NUMBER, field: str = "messages", **value: Any) -> bytes:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": number}
    change = {"value": {"messaging_product": "whatsapp", "metadata": metadata, **value}, "field": field}
    entry = {"id": "102290129340398", "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def changed(field: str, account: str = ACCOUNT, **value: Any) -> bytes:
    """Of a template of this account."""
    named = {"message_template_id": 594425479261596, "message_template_name": "order_ready",
             "message_template_language": "pt_BR"}  # fmt: skip
    entry = {"id": account, "time": 1739321024, "changes": [{"value": named | value, "field": field}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
