"""A stage for journeys in virtual time: events go in by the inbox, every stage runs, the clock is moved by hand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from channels.models import Connector, Message, Template, TemplateText, TemplateVersion
from consent.models import Purpose
from customers.ids import NIL, hash64
from customers.models import Brand, Customer, InboxItem, Source
from journeys.engine.drain import work_through
from journeys.models import EntryRefusal, Journey, JourneyVersion, Run, Transition
from journeys.publish import publish

T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_serial = count(1)
ORGANISATION_WIDE = ("email",)


def welcome(**changes: Any) -> dict[str, Any]:
    """Welcome, then hold until the log-in or a day, then remind."""
    return {
        "purpose": "news",
        "states": [
            {"name": "not_activated", "kind": "initial"},
            {"name": "activated", "kind": "success"},
            {"name": "lost", "kind": "failure"},
        ],
        "transitions": [("not_activated", "activated"), ("not_activated", "lost")],
        "entry": {"event": "customer.signed_up"},
        "steps": [
            message("welcome", next="hold"),
            {
                "type": "hold",
                "id": "hold",
                "state": "not_activated",
                "branches": [{"event": "login.succeeded", "next": "done"}],
                "timeout": {"after": "P1D", "next": "remind"},
            },
            message("remind", next="lost"),
            {"type": "exit", "id": "done", "state": "activated"},
            {"type": "exit", "id": "lost", "state": "lost"},
        ],
    } | changes


def message(id_: str, *, next: str, state: str = "not_activated", **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "id": id_,
        "state": state,
        "channel": "email",
        "connector": "mail",
        "template": "note",
        "next": next,
    } | more


@dataclass(slots=True)
class Stage:
    brand: Brand
    source: Source
    purpose: Purpose
    connector: Connector
    now: datetime = T0
    journeys: dict[str, Journey] = field(default_factory=dict)

    def publish(self, document: dict[str, Any], key: str = "welcome") -> JourneyVersion:
        if key not in self.journeys:
            self.journeys[key] = Journey.objects.create(brand=self.brand, key=key, name=key)
        return publish(self.journeys[key], document, by=None, now=self.now)

    def accept(
        self,
        name: str,
        user: str = "ana",
        *,
        at: datetime | None = None,
        properties: dict[str, Any] | None = None,
        traits: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        historical: bool = False,
        received: datetime | None = None,
        **identifiers: str,
    ) -> str:
        """Put one message into the inbox, as the door would; return its id."""
        named = [("user_id", user)] if user else []
        named += list(identifiers.items())
        message_id = f"m{next(_serial):06}"
        payload = {"properties": properties, "traits": traits, "context": context}
        InboxItem.objects.create(
            received_at=received or self.now,
            source=self.source,
            message_id=message_id,
            kind="identify" if name == "identify" else "track",
            name=name,
            occurred_at=at or self.now,
            historical=historical,
            identifiers=json.dumps([[kind, value, value] for kind, value in named]),
            identifier_keys=[
                hash64(str(NIL if kind in ORGANISATION_WIDE else self.source.namespace), kind, value)
                for kind, value in named
            ],
            payload=json.dumps({name: value for name, value in payload.items() if value}),
        )
        return message_id

    def know(self, user: str = "ana", *, granted: bool = True, **traits: Any) -> None:
        """A person with an e-mail address, by default one who agreed."""
        self.accept("identify", user, traits=traits | {"email": f"{user}@example.com"}, email=f"{user}@example.com")
        if granted:
            self.accept("consent.granted", user, properties={"purpose": "news"})
        self.run()

    def run(self) -> None:
        """Let every stage work until none finds anything."""
        while work_through(lambda: self.now, {}):
            pass

    def happen(self, name: str, user: str = "ana", **more: Any) -> None:
        self.accept(name, user, **more)
        self.run()

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)
        self.run()

    def runs(self) -> Sequence[Run]:
        return list(Run.objects.order_by("id"))

    def the_run(self) -> Run:
        return Run.objects.get()

    def steps_of(self, run: Run) -> list[str | None]:
        """Ids of the steps the run came to, in order; None for an exit by event or rule."""
        ids = [step["id"] for step in run.version.definition["steps"]]
        moves = Transition.objects.filter(run_id=run.pk).order_by("seq").values_list("step_to", flat=True)
        return [None if to is None else ids[to] for to in moves]

    def messages(self) -> list[tuple[str, str]]:
        """(state, reason) of every message, in the order they were made."""
        return list(Message.objects.order_by("created_at", "id").values_list("state", "reason"))

    def refusals(self) -> list[str]:
        return list(EntryRefusal.objects.order_by("id").values_list("reason", flat=True))

    def customers(self) -> int:
        return Customer.objects.filter(profiles__isnull=False).distinct().count()


def make_stage() -> Stage:
    brand = Brand.objects.create(key="acme", name="Acme", sender_name="Acme", sender_email="news@acme.example")
    source = Source.objects.create(brand=brand, key="shop", name="Shop")
    purpose = Purpose.objects.create(brand=brand, key="news", name="News", kind=Purpose.Kind.MARKETING)
    template = Template.objects.create(brand=brand, key="note", name="Note", channel="email")
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(version=version, locale="en", subject="Hello", text="Hello")
    connector = Connector.objects.create(brand=brand, key="mail", name="Mail", channel="email", provider="sandbox")
    return Stage(brand, source, purpose, connector)
