"""Mailgun, Postmark, Brevo and SparkPost, as far as one letter goes: each minds its log-in and has its way to say no.

Written after https://documentation.mailgun.com/docs/mailgun/api-reference, https://postmarkapp.com/developer,
https://developers.brevo.com/reference/sendtransacemail and https://developers.sparkpost.com/api/transmissions.
"""

import base64
import hashlib
import hmac
import json
from typing import Any, Final
from urllib.parse import parse_qsl

from tests.channels.web_server import Handler, OtherSystem, Received

KEY: Final = "the-key-of-the-api"
SIGNING: Final = "the-signing-key"
LOG_IN: Final = "trilha:s3cret"
SERVICES: Final = ("mailgun", "postmark", "brevo", "sparkpost")
# Whom none of them writes to.
NOBODY: Final = "nobody@example.com"
INACTIVE: Final = (
    f"You tried to send to a recipient that has been marked as inactive.\nFound inactive addresses: {NOBODY}.\n"
    "Inactive recipients are ones that have generated a hard bounce or a spam complaint."
)
Said = tuple[int, Any]


class EspServer:
    """`taken` are letters as the service was given them: fields of a form, or a JSON document."""

    def __init__(self, system: OtherSystem, service: str) -> None:
        self.system = system
        self.service = service
        self.taken: list[dict[str, Any]] = []
        system.answers = [self.answer]

    def config(self) -> dict[str, str]:
        return {"service": self.service, "base_url": self.system.url + ("/v3" if self.service == "mailgun" else "")}

    def answer(self, handler: Handler) -> None:
        asked = handler.asked
        status, said = getattr(self, f"_{self.service}")(asked)
        body = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _mailgun(self, asked: Received) -> Said:
        if asked.headers.get("authorization") != "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode():
            return 401, "Forbidden"
        if asked.path != "/v3/acme.example/messages":
            return 404, {"message": "Domain not found"}
        form = dict(parse_qsl(asked.body.decode(), strict_parsing=True))
        if form["to"] == NOBODY:
            return 400, {"message": f"to parameter is not a valid address: {NOBODY}"}
        self.taken.append(form)
        return 200, {"id": form["h:Message-Id"], "message": "Queued. Thank you."}

    def _postmark(self, asked: Received) -> Said:
        if asked.headers.get("x-postmark-server-token") != KEY:
            return 401, {"ErrorCode": 10, "Message": "No Account or Server API tokens were supplied"}
        if asked.path != "/email":
            return 404, {"ErrorCode": 404, "Message": "Not found"}
        letter = json.loads(asked.body)
        if letter["To"] == NOBODY:
            return 422, {"ErrorCode": 406, "Message": INACTIVE}
        if "unknown.example" in letter["From"]:
            return 422, {"ErrorCode": 400, "Message": "The 'From' address you supplied is not a Sender Signature"}
        self.taken.append(letter)
        id_ = f"b7bc2f4a-e38e-4336-af7d-{len(self.taken):012d}"
        return 200, {
            "To": letter["To"],
            "SubmittedAt": "2026-03-02T12:00:00Z",
            "MessageID": id_,
            "ErrorCode": 0,
            "Message": "OK",
        }

    def _brevo(self, asked: Received) -> Said:
        if asked.headers.get("api-key") != KEY:
            return 401, {"message": "Key not found", "code": "unauthorized"}
        if asked.path != "/smtp/email":
            return 404, {"message": "Not found", "code": "document_not_found"}
        letter = json.loads(asked.body)
        if letter["to"] == [{"email": NOBODY}]:
            return 400, {"message": "email is not valid in to", "code": "invalid_parameter"}
        self.taken.append(letter)
        return 201, {"messageId": f"<2026030212.{len(self.taken)}@smtp-relay.mailin.fr>"}

    def _sparkpost(self, asked: Received) -> Said:
        if asked.headers.get("authorization") != KEY:
            return 401, {"errors": [{"message": "Unauthorized."}]}
        if asked.path != "/transmissions/":
            return 404, {"errors": [{"message": "Resource could not be found"}]}
        letter = json.loads(asked.body)
        if letter["recipients"][0]["address"]["email"] == NOBODY:
            error = {
                "message": "At least one valid recipient is required",
                "code": "5001",
                "description": "no valid one",
            }
            return 400, {"errors": [error]}
        self.taken.append(letter)
        results = {"total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": f"1166{len(self.taken)}"}
        return 200, {"results": results}


def mailgun_told(event: str, ours: str = "", key: str = SIGNING, **more: Any) -> bytes:
    """A webhook of Mailgun's: what happened, and the signature of its time and token."""
    token, at = f"{event}{len(more)}".ljust(50, "0"), "1772452800"
    data = {
        "event": event,
        "id": "Ase7i2zsRYeDXztHGENqRA",
        "timestamp": float(at),
        "recipient": "ana@example.com",
        "message": {"headers": {"message-id": "not-ours@acme.example"}},
        "user-variables": {"message": ours} if ours else {},
    }
    signature = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    return json.dumps(
        {"signature": {"timestamp": at, "token": token, "signature": signature}, "event-data": data | more}
    ).encode()


def basic(log_in: str = LOG_IN) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(log_in.encode()).decode()}
