"""Twilio, as far as its Messages API goes: it knows its own magic numbers, minds the log-in, and signs what it tells.

What it answers is written after https://www.twilio.com/docs/messaging/api/message-resource and the list of its errors.
"""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qsl, urlencode

from tests.channels.web_server import Handler, OtherSystem

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "a-token-of-twilio"
# Twilio's magic numbers, and what it says of them.
NOBODYS = "+15005550001"
LANDLINE = "+15005550009"
STOPPED = "+15005550004"
_REFUSED = {
    NOBODYS: (21211, "The 'To' number +15005550001 is not a valid phone number."),
    LANDLINE: (21614, "'To' number is not a valid mobile number"),
    STOPPED: (21610, "Attempt to send to unsubscribed recipient"),
}


class TwilioServer:
    def __init__(self, system: OtherSystem) -> None:
        self.system = system
        self.taken: list[dict[str, str]] = []
        system.answers = [self.answer]

    def config(self, sender: str = "+15005550006") -> dict[str, str]:
        return {"account_sid": ACCOUNT, "sender": sender, "base_url": self.system.url}

    def answer(self, handler: Handler) -> None:
        asked = handler.asked
        form = dict(parse_qsl(asked.body.decode(), strict_parsing=True))
        status, said = self._answer(asked.path, asked.headers.get("authorization", ""), form)
        body = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _answer(self, path: str, who: str, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        if who != "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode():
            return 401, _error(401, 20003, "Authenticate")
        if path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return 404, _error(404, 20404, "The requested resource was not found")
        to = form.get("To", "").removeprefix("whatsapp:")
        if not to:
            return 400, _error(400, 21604, "A 'To' phone number is required.")
        if "Body" not in form and "ContentSid" not in form:
            return 400, _error(400, 21602, "Message body is required.")
        if "From" not in form and "MessagingServiceSid" not in form:
            return 400, _error(400, 21603, "A 'From' phone number is required.")
        if to in _REFUSED:
            return 400, _error(400, *_REFUSED[to])
        self.taken.append(form)
        return 201, {"sid": self.sid(len(self.taken)), "status": "queued", "error_code": None, "to": form["To"]}

    @staticmethod
    def sid(number: int) -> str:
        return f"SM{number:032x}"


def _error(status: int, code: int, message: str) -> dict[str, object]:
    return {
        "status": status,
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
    }


def signed(url: str, form: dict[str, str], token: str = TOKEN) -> tuple[bytes, str]:
    """A form as Twilio posts it, and its X-Twilio-Signature."""
    said = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()
    return urlencode(form).encode(), base64.b64encode(digest).decode()
