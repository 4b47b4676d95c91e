"""The ways to opt out of mail, each done as those do it who use it; each returns once it was answered."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.contrib.auth import get_user_model
from django.urls import reverse

from config.processes import ProcessError
from consent.models import ConsentHead, State
from consent.preferences.link import Link, preferences_path
from consent.unsubscribe import Token, make_token
from tests.promises.client import Client, Reply
from tests.promises.letters import PURPOSE
from tests.promises.stage import Stage

_PASSWORD: Final = "a long password of the lab"
_SECONDS: Final = 30.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Person:
    user: str
    email: str
    address_id: UUID
    profile_id: UUID
    message_id: UUID


@dataclass
class WaysOut:
    """`purpose_id` is what they opt out of, but where a way knows nothing less than everything."""

    stage: Stage
    partner: Client
    purpose_id: UUID
    _staff: dict[str, str] = field(default_factory=dict)
    _token: str = ""

    def __post_init__(self) -> None:
        self.all: Mapping[str, Callable[[Person], None]] = {
            "link": self._link,
            "one-click": self._one_click,
            "preference centre": self._centre,
            "API": self._api,
            "admin": self._admin,
            "event": self._event,
        }
        self._log_in()

    def _link(self, person: Person) -> None:
        self._unsubscribe(person, {"unsubscribe": "1"})

    def _one_click(self, person: Person) -> None:
        self._unsubscribe(person, {"List-Unsubscribe": "One-Click"})

    def _unsubscribe(self, person: Person, form: Mapping[str, str]) -> None:
        token = make_token(Token(person.address_id, self.purpose_id, person.message_id))
        self._post(reverse("consent:unsubscribe", args=[token]), form)

    def _centre(self, person: Person) -> None:
        link = Link(person.address_id, person.profile_id, self.stage.brand.pk, person.message_id)
        self._post(preferences_path(link), {"all": "1"})

    def _api(self, person: Person) -> None:
        named = {"kind": "user_id", "value": person.user}
        told = {"identifier": named, "purpose": PURPOSE, "address": person.email}
        reply = self.partner.post("/api/v1/consents/withdraw", told)
        if reply is None or reply.status != 201:
            raise ProcessError(f"the API answered {reply}")

    def _event(self, person: Person) -> None:
        """Accepted is not applied: it counts from when it stands in the ledger."""
        about = {"purpose": PURPOSE, "address": person.email}
        event = {"name": "consent.withdrawn", "identifiers": {"user_id": person.user}, "properties": about}
        reply = self.partner.post("/api/v1/events", event)
        if reply is None or reply.status != 200:
            raise ProcessError(f"the door of events answered {reply}")
        until = time.monotonic() + _SECONDS
        mine = ConsentHead.objects.filter(address=person.address_id, state=State.WITHDRAWN)
        while not mine.exists():
            if time.monotonic() > until:
                raise ProcessError("a withdrawal told by an event was never applied")
            time.sleep(0.01)

    def _admin(self, person: Person) -> None:
        """A member of the staff suppresses the address."""
        form = {"address": str(person.address_id), "brand": "", "csrfmiddlewaretoken": self._token}
        reply = self._post(reverse("admin:consent_suppression_add"), form, self._cookies())
        if reply.status != 302:
            raise ProcessError("the form of suppressions was shown again")

    def _log_in(self) -> None:
        get_user_model().objects.create_superuser("lab", password=_PASSWORD)
        path = reverse("admin:login")
        self._read(self._ask("GET", path))
        form = {"username": "lab", "password": _PASSWORD, "csrfmiddlewaretoken": self._token}
        self._read(self._ask("POST", path, urlencode(form), {**_FORM, **self._cookies()}))
        self._read(self._ask("GET", reverse("admin:consent_suppression_add"), headers=self._cookies()))
        if "sessionid" not in self._staff:
            raise ProcessError("nobody could log in")

    def _read(self, reply: Reply) -> None:
        """Keep what a browser would."""
        for name, value in re.findall(r"(csrftoken|sessionid)=([^;,]+)", reply.headers.get("set-cookie", "")):
            self._staff[name] = value
        if found := re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', reply.body):
            self._token = found[1].decode()

    def _cookies(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._staff.items())}

    def _post(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        reply = self._ask("POST", path, urlencode(form), {**_FORM, **(headers or {})})
        if reply.status >= 400:
            raise ProcessError(f"{path.split('/')[1]} answered {reply.status}")
        return reply

    def _ask(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> Reply:
        connection = HTTPConnection(urlsplit(self.stage.url).netloc, timeout=_SECONDS)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            told: dict[str, str] = {}
            for name, value in response.getheaders():
                told[name.lower()] = f"{told[name.lower()]}, {value}" if name.lower() in told else value
            return Reply(response.status, response.read(), told)
        finally:
            connection.close()
