"""The ways to opt out, each done as those do it who use it; each returns once it was answered."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.urls import reverse

from channels.models import Connector
from config.processes import ProcessError
from consent.models import ConsentHead, State
from consent.preferences.link import Link, preferences_path
from consent.unsubscribe import Token, make_token
from tests.promises.calling_back import mailgun_tells, meta_hears, twilio_hears
from tests.promises.carriers import PURPOSE, SERVED
from tests.promises.client import Client
from tests.promises.staff import Staff, post
from tests.promises.stage import Stage

_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Person:
    user: str
    address: str
    address_id: UUID
    profile_id: UUID
    message_id: UUID


@dataclass
class WaysOut:
    """`purpose_id` is what they opt out of, but where a way knows nothing less than everything. `all` are the ways,
    `by` says by which connector those are written to who go one."""

    stage: Stage
    partner: Client
    connectors: Mapping[str, Connector]
    purpose_id: UUID

    def __post_init__(self) -> None:
        self.all: Mapping[str, Callable[[Person], None]] = {
            "link": self._link,
            "one-click": self._one_click,
            "preference centre": self._centre,
            "API": self._api,
            "admin": self._admin,
            "event": self._event,
            "STOP by SMS": self._stop_by_sms,
            "STOP by WhatsApp": self._stop_by_whatsapp,
            "the provider's unsubscription": self._unsubscribed_there,
            "complaint to the provider": self._complained_there,
        }
        self.by = dict.fromkeys(self.all, "mail") | {
            "STOP by SMS": "sms", "STOP by WhatsApp": "whatsapp",
            "the provider's unsubscription": SERVED, "complaint to the provider": SERVED,
        }  # fmt: skip
        self._staff = Staff(self.stage)

    def _link(self, person: Person) -> None:
        self._unsubscribe(person, {"unsubscribe": "1"})

    def _one_click(self, person: Person) -> None:
        self._unsubscribe(person, {"List-Unsubscribe": "One-Click"})

    def _unsubscribe(self, person: Person, form: Mapping[str, str]) -> None:
        token = make_token(Token(person.address_id, self.purpose_id, person.message_id))
        post(self.stage, reverse("consent:unsubscribe", args=[token]), form)

    def _centre(self, person: Person) -> None:
        link = Link(person.address_id, person.profile_id, self.stage.brand.pk, person.message_id)
        post(self.stage, preferences_path(link), {"all": "1"})

    def _api(self, person: Person) -> None:
        named = {"kind": "user_id", "value": person.user}
        told = {"identifier": named, "purpose": PURPOSE, "address": person.address}
        reply = self.partner.post("/api/v1/consents/withdraw", told)
        if reply is None or reply.status != 201:
            raise ProcessError(f"the API answered {reply}")

    def _event(self, person: Person) -> None:
        """Accepted is not applied: it counts from when it stands in the ledger."""
        about = {"purpose": PURPOSE, "address": person.address}
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
        form = {"address": str(person.address_id), "brand": ""}
        if self._staff.post(reverse("admin:consent_suppression_add"), form).status != 302:
            raise ProcessError("the form of suppressions was shown again")

    def _stop_by_sms(self, person: Person) -> None:
        twilio_hears(self.stage, self.connectors["sms"], person.address, "STOP")

    def _stop_by_whatsapp(self, person: Person) -> None:
        meta_hears(self.stage, self.connectors["whatsapp"], person.address, "Parar")

    def _unsubscribed_there(self, person: Person) -> None:
        """By a link of Mailgun's own, in a letter that came before."""
        mailgun_tells(self.stage, self.connectors[SERVED], person.message_id, "unsubscribed")

    def _complained_there(self, person: Person) -> None:
        mailgun_tells(self.stage, self.connectors[SERVED], person.message_id, "complained")
