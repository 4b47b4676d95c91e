"""A push service and the browsers that subscribed there: it checks the signature and the headers (RFC 8030, 8292), and
each browser decrypts what came for it by the keys it made (http-ece, which is not ours, does the work of RFC 8291).

What it has to say of a subscription is in the endpoint: `/push/gone/7` is answered 410.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from channels.push.points import encoded, point_of, read, written
from tests.channels.web_server import Handler, OtherSystem

CONTACT = "mailto:push@acme.example"
_SAID: dict[str, tuple[int, dict[str, str]]] = {
    "gone": (410, {}),
    "unknown": (404, {}),
    "large": (413, {}),
    "busy": (429, {"Retry-After": "9"}),
    "down": (503, {"Retry-After": "9"}),
    "broken": (500, {}),
    "stranger": (401, {}),
    "theirs": (403, {}),
    "odd": (400, {}),
    "moved": (302, {"Location": "https://elsewhere.example/"}),
    "proxy": (407, {}),
}


@dataclass
class Subscribed:
    """A browser: what it tells of itself, and what it alone knows."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"sixteen bytes..."

    @property
    def p256dh(self) -> bytes:
        return encoded(self.private.public_key())

    def as_json(self) -> dict[str, Any]:
        keys = {"p256dh": written(self.p256dh), "auth": written(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body: bytes) -> bytes:
        plain: bytes = http_ece.decrypt(body, private_key=self.private, auth_secret=self.auth, version="aes128gcm")
        return plain


@dataclass
class Pushed:
    path: str
    headers: dict[str, str]
    plain: bytes
    claims: dict[str, Any]

    @property
    def said(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.plain)
        return told


class PushServer:
    def __init__(self, system: OtherSystem, public_key: str) -> None:
        self.system, self.public_key = system, public_key
        self.browsers: dict[str, Subscribed] = {}
        self.pushed: list[Pushed] = []
        system.answers = [self.answer]

    def subscribe(self, kind: str = "good") -> Subscribed:
        browser = Subscribed(f"{self.system.url}/push/{kind}/{len(self.browsers)}")
        self.browsers[urlsplit(browser.endpoint).path] = browser
        return browser

    @property
    def asked(self) -> list[str]:
        return [one.path.split("/")[2] for one in self.system.received]

    def answer(self, handler: Handler) -> None:
        asked = self.system.received[-1]
        kind = asked.path.split("/")[2]
        status, headers = _SAID.get(kind, (0, {}))
        if not status:
            status, headers = self._take(asked)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    def _take(self, asked: Any) -> tuple[int, dict[str, str]]:
        claims = self.claims_of(asked.headers.get("authorization", ""))
        if claims is None:
            return 401, {}
        browser = self.browsers.get(asked.path)
        if browser is None:
            return 404, {}
        if not asked.headers.get("ttl", "").isdigit() or asked.headers.get("content-encoding") != "aes128gcm":
            return 400, {}
        if len(asked.body) > 4096:
            return 413, {}
        self.pushed.append(Pushed(asked.path, asked.headers, browser.decrypt(asked.body), claims))
        return 201, {"Location": f"{self.system.url}/m/{len(self.pushed)}"}

    def claims_of(self, authorization: str) -> dict[str, Any] | None:
        """What the token says, if it is one by the key that the browsers subscribed with; else nothing."""
        scheme, _, rest = authorization.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        if scheme != "vapid" or parts.get("k") != self.public_key:
            return None
        try:
            claims: dict[str, Any] = jwt.decode(
                parts["t"],
                point_of(read(parts["k"], 65)),
                algorithms=["ES256"],
                audience=self.system.url,
                options={"require": ["aud", "exp", "sub"], "verify_exp": False},
            )
        except (jwt.InvalidTokenError, KeyError):
            return None
        return claims


def drops_after(server: PushServer) -> Any:
    """Takes the push and says nothing."""

    def answer(handler: Handler) -> None:
        server._take(server.system.received[-1])
        handler.close_connection = True
        handler.connection.close()

    return answer


def dawdles(handler: Handler) -> None:
    time.sleep(1.2)
    handler.close_connection = True
