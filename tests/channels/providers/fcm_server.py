"""Firebase Cloud Messaging and Google's tokens, as far as one push goes: the assertion is checked by the account's
public key, the token by who was given it.

Written after https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages and its list of errors, and
https://developers.google.com/identity/protocols/oauth2/service-account.
"""

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.channels.web_server import Handler, OtherSystem

PROJECT = "acme-app"
EMAIL = f"trilha@{PROJECT}.iam.gserviceaccount.com"
KEY_ID = "0a1b2c"
# Devices of which it has something else to say.
GONE = "gone:APA91b"
MALFORMED = "no-token"
OF_ANOTHER = "theirs:APA91b"
BUSY = "busy:APA91b"
DOWN = "down:APA91b"
BROKEN = "broken:APA91b"
APPLE = "apple:APA91b"
_REFUSED: dict[str, tuple[int, str, str, str]] = {
    GONE: (404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found."),
    MALFORMED: (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "The registration token is not valid"),
    OF_ANOTHER: (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch"),
    BUSY: (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Quota exceeded"),
    DOWN: (503, "UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable."),
    BROKEN: (500, "INTERNAL", "INTERNAL", "Internal error encountered."),
    APPLE: (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", "Auth error from APNS or Web Push Service"),
}
Said = tuple[int, dict[str, Any]]


@cache
def a_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def another_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


class FcmServer:
    def __init__(self, system: OtherSystem) -> None:
        self.system = system
        self.taken: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.lasts = 3599
        system.answers = [self.answer]

    def config(self) -> dict[str, str]:
        return {"base_url": self.system.url}

    def service_account(self, key: rsa.RSAPrivateKey | None = None, **other: str) -> str:
        """The JSON file as the console hands it out; our own address stands in for Google's."""
        said = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": KEY_ID,
            "private_key": pem(key or a_key()),
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": f"{self.system.url}/token",
        }
        return json.dumps(said | other, indent=2)

    @property
    def asked(self) -> list[str]:
        return [one.path for one in self.system.received]

    def answer(self, handler: Handler) -> None:
        asked = handler.asked
        status, said = self._token(asked.body) if asked.path == "/token" else self._send(asked)
        body = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json; charset=UTF-8")
        handler.send_header("content-length", str(len(body)))
        if status == 503:
            handler.send_header("retry-after", "9")
        handler.end_headers()
        handler.wfile.write(body)

    def _token(self, body: bytes) -> Said:
        form = parse_qs(body.decode(), strict_parsing=True)
        if form["grant_type"] != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
            return 400, {"error": "unsupported_grant_type"}
        [assertion] = form["assertion"]
        try:
            said = jwt.decode(
                assertion,
                a_key().public_key(),
                algorithms=["RS256"],
                audience=f"{self.system.url}/token",
                issuer=EMAIL,
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except jwt.InvalidTokenError:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        if jwt.get_unverified_header(assertion)["kid"] != KEY_ID or said["exp"] - said["iat"] > 3600:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT"}
        if said["scope"] != "https://www.googleapis.com/auth/firebase.messaging":
            return 400, {"error": "invalid_scope"}
        self.tokens.append(f"ya29.{len(self.tokens)}")
        return 200, {"access_token": self.tokens[-1], "expires_in": self.lasts, "token_type": "Bearer"}

    def _send(self, asked: Any) -> Said:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if asked.path != f"/v1/projects/{PROJECT}/messages:send":
            return _error(404, "NOT_FOUND", "Requested entity was not found.")
        message = json.loads(asked.body)["message"]
        if not all(isinstance(one, str) for one in message.get("data", {}).values()):
            return _error(400, "INVALID_ARGUMENT", "Invalid value at 'message.data'", "INVALID_ARGUMENT")
        if message["token"] in _REFUSED:
            status, name, code, text = _REFUSED[message["token"]]
            return _error(status, name, text, code)
        self.taken.append(message)
        return 200, {"name": self.name(len(self.taken))}

    @staticmethod
    def name(number: int) -> str:
        return f"projects/{PROJECT}/messages/0:{number:016d}"


def _error(status: int, name: str, message: str, code: str = "") -> Said:
    said: dict[str, Any] = {"code": status, "message": message, "status": name}
    if code:
        said["details"] = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
    return status, {"error": said}
