"""A member of the staff at a browser, who may do everything."""

import re
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import get_user_model
from django.urls import reverse

from config.processes import ProcessError
from tests.promises.client import Reply
from tests.promises.stage import Stage

_PASSWORD: Final = "a long password of the lab"
_SECONDS: Final = 30.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}

Form = Mapping[str, str | Sequence[str]]


class Staff:
    """Logged in."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._cookies: dict[str, str] = {}
        self._token = ""
        get_user_model().objects.create_superuser("lab", password=_PASSWORD)
        path = reverse("admin:login")
        self.get(path)
        self.post(path, {"username": "lab", "password": _PASSWORD})
        self.get(reverse("admin:consent_suppression_add"))
        if "sessionid" not in self._cookies:
            raise ProcessError("nobody could log in")

    def get(self, path: str) -> Reply:
        return self._read(ask(self._stage, "GET", path, headers=self._who()))

    def post(self, path: str, form: Form) -> Reply:
        return self._read(post(self._stage, path, {**form, "csrfmiddlewaretoken": self._token}, self._who()))

    def _read(self, reply: Reply) -> Reply:
        """Keep what a browser would."""
        for name, value in re.findall(r"(csrftoken|sessionid)=([^;,]+)", reply.headers.get("set-cookie", "")):
            self._cookies[name] = value
        if found := re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', reply.body):
            self._token = found[1].decode()
        return reply

    def _who(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}


def post(stage: Stage, path: str, form: Form, headers: Mapping[str, str] | None = None) -> Reply:
    reply = ask(stage, "POST", path, urlencode(form, doseq=True), {**_FORM, **(headers or {})})
    if reply.status >= 400:
        raise ProcessError(f"{path.split('/')[1]} answered {reply.status}")
    return reply


def ask(
    stage: Stage, method: str, path: str, body: str | bytes = "", headers: Mapping[str, str] | None = None
) -> Reply:
    connection = HTTPConnection(urlsplit(stage.url).netloc, timeout=_SECONDS)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        told: dict[str, str] = {}
        for name, value in response.getheaders():
            told[name.lower()] = f"{told[name.lower()]}, {value}" if name.lower() in told else value
        return Reply(response.status, response.read(), told)
    finally:
        connection.close()
