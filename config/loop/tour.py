"""A journey by every channel: a letter, a push, WhatsApp, an SMS and a call of another system, whose reply is in the
last letter. All of them say the code that the journey began with."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from channels.models import Connector
from channels.models.connector import CALLS
from channels.secrets import credentials_aad, seal
from config.loop.cast import Person
from config.loop.verdict import Check
from customers.models import Brand

BOOKED: Final = "trip.booked"
# By connector, its channel and provider.
CONNECTORS: Final = {
    "push": ("push", "fcm"),
    "whatsapp": ("whatsapp", "whatsapp"),
    "sms": ("sms", "twilio"),
    "crm": (CALLS, "webhook"),
}
TEXTS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "push": ("Your trip {{ event.code }}", {"link": "https://aurora.example.com/trip"}),
    "whatsapp": ("", {"template": "trip", "language": "en", "parameters": ["{{ event.code }}"]}),
    "sms": ("Your trip {{ event.code }}", {}),
}
_BY: Final = {"fcm": "push", "whatsapp": "whatsapp", "twilio": "sms", "webhook": "crm"}

TOUR: Final[dict[str, Any]] = {
    "purpose": "news",
    "states": [
        {"name": "booked", "kind": "initial"},
        {"name": "rewarded", "kind": "success"},
        {"name": "unrewarded", "kind": "failure"},
    ],
    "transitions": [("booked", "rewarded"), ("booked", "unrewarded")],
    "entry": {"event": BOOKED},
    "variables": [{"name": "gift", "kind": "text"}],
    "steps": [
        {"id": "letter", "type": "message", "state": "booked", "channel": "email", "connector": "mail",
         "template": "letter", "next": "push"},
        {"id": "push", "type": "message", "state": "booked", "channel": "push", "connector": "push",
         "template": "push", "next": "whatsapp"},
        {"id": "whatsapp", "type": "message", "state": "booked", "channel": "whatsapp", "connector": "whatsapp",
         "template": "whatsapp", "next": "sms"},
        {"id": "sms", "type": "message", "state": "booked", "channel": "sms", "connector": "sms",
         "template": "sms", "next": "ask"},
        {"id": "ask", "type": "webhook", "state": "booked", "connector": "crm", "path": "/gifts",
         "data": [{"name": "code", "property": "code"}], "reply": [{"variable": "gift", "pointer": "/gift"}],
         "time_out": "PT10S",
         "retry": [{"errors": ["all"], "interval": "PT1S", "max_attempts": 8, "backoff_rate": 1.0}],
         "catch": [{"errors": ["all"], "next": "without"}], "next": "gift"},
        {"id": "gift", "type": "message", "state": "booked", "channel": "email", "connector": "mail",
         "template": "gift", "next": "rewarded"},
        {"id": "rewarded", "type": "exit", "state": "rewarded"},
        {"id": "without", "type": "exit", "state": "unrewarded"},
    ],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrival:
    """What another system took. `to` is the address as it was named there, empty where none is."""

    by: str
    to: str
    said: str


def code_of(person: Person) -> str:
    return f"trip-{person.number:04}"


def connect(brand: Brand, spoken: Mapping[str, Any]) -> None:
    """Make the connectors, as the other side says that it is to be spoken to."""
    for key, (channel, provider) in CONNECTORS.items():
        config, credentials = spoken[provider]
        made = Connector(
            brand=brand, key=key, name=key, channel=channel, provider=provider, config=config, concurrency=2
        )
        if credentials:
            made.credentials = seal(credentials, credentials_aad(made.pk))
        made.save()


def read_arrivals(record: Path) -> list[Arrival]:
    """Every message written down whole so far."""
    lines = record.read_text().split("\n")[:-1] if record.exists() else []
    return [_arrival(**json.loads(line)) for line in lines]


def _arrival(by: str, said: dict[str, Any], **_at: float) -> Arrival:
    return Arrival(_BY[by], str(said.get("To") or said.get("token") or said.get("to") or ""), json.dumps(said))


def tour_checks(
    travellers: list[Person], arrivals: list[Arrival], unknown: Mapping[str, int], interrupted: int
) -> Iterator[Check]:
    """By channel: to everybody, once, with their own code; where a call was cut off, to nobody twice all the same."""
    for by, (channel, _provider) in CONNECTORS.items():
        those = [one for one in arrivals if one.by == by]
        codes = Counter(code for person in travellers for one in those if (code := code_of(person)) in one.said)
        if channel != CALLS:
            addresses = {address: code_of(person) for person in travellers for address in person.addresses}
            strange = [one for one in those if addresses.get(one.to, "nobody") not in one.said]
            least = len(travellers) - unknown.get(by, 0)
            yield Check(f"  {by} messages", range(least, len(travellers) + 1), len(codes))
            yield Check(f"  {by} messages that arrived twice", 0, sum(number - 1 for number in codes.values()))
            yield Check(f"  {by} messages with another's code", 0, len(strange))
        else:
            yield Check("calls of the customer system, by code", len(travellers), len(codes))
            again = sum(number - 1 for number in codes.values())
            yield Check("  asked again: no more than calls were interrupted", range(interrupted + 1), again)
