"""The journey that is measured: eight steps, of which every run takes seven, with a rule, exits and two messages."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from channels.models import Connector, Template, TemplateText, TemplateVersion
from consent.models import Purpose
from customers.models import Brand, Source
from journeys.models import Journey, JourneyVersion
from journeys.publish import publish

T0 = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAUSE = timedelta(hours=1)
PATIENCE = timedelta(days=1)
REST = timedelta(hours=1)
SIGN_UP, LOG_IN = "customer.signed_up", "login.succeeded"
STEPS_TAKEN = 7
MESSAGES_SENT = 2


@cache
def make_journey() -> JourneyVersion:
    """A brand with all a journey needs, and the journey live; made once."""
    brand = Brand.objects.create(key="acme", name="Acme", sender_name="Acme", sender_email="news@acme.example")
    Source.objects.create(brand=brand, key="shop", name="Shop")
    Purpose.objects.create(brand=brand, key="news", name="News", kind=Purpose.Kind.MARKETING)
    Connector.objects.create(brand=brand, key="mail", name="Mail", channel="email", provider="sandbox")
    template = Template.objects.create(brand=brand, key="note", name="Note", channel="email")
    text = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(version=text, locale="en", subject="Hello", text="Hello")
    journey = Journey.objects.create(brand=brand, key="welcome", name="Welcome")
    return publish(journey, definition(), by=None, now=T0)


def definition() -> dict[str, Any]:
    return {
        "purpose": "news",
        "states": [
            {"name": "new", "kind": "initial"},
            {"name": "active", "kind": "active"},
            {"name": "won", "kind": "success"},
            {"name": "lost", "kind": "failure"},
        ],
        "transitions": [("new", "active"), ("active", "won"), ("new", "lost"), ("active", "lost")],
        "entry": {"event": SIGN_UP},
        "exit_events": [{"event": "account.closed", "state": "lost"}],
        "exit_rules": [{"rule": {"leaf": "attribute", "name": "blocked", "op": "eq", "value": True}, "state": "lost"}],
        "steps": [
            {
                "type": "split",
                "id": "plan",
                "state": "new",
                "branches": [{"rule": _worth_a_call(), "next": "welcome_pro"}],
                "otherwise": "welcome_free",
            },
            _message("welcome_pro", "new", "pause"),
            _message("welcome_free", "new", "pause"),
            {"type": "delay", "id": "pause", "state": "new", "after": "PT1H", "next": "hold"},
            {
                "type": "hold",
                "id": "hold",
                "state": "new",
                "branches": [{"event": LOG_IN, "next": "tips"}],
                "timeout": {"after": "P1D", "next": "tips"},
            },
            _message("tips", "active", "rest"),
            {"type": "delay", "id": "rest", "state": "active", "after": "PT1H", "next": "done"},
            {"type": "exit", "id": "done", "state": "won"},
        ],
    }


def _worth_a_call() -> dict[str, Any]:
    return {
        "all": [
            {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"},
            {"leaf": "attribute", "name": "country", "op": "in", "value": ["BR", "PT"]},
            {
                "any": [
                    {"leaf": "attribute", "name": "seats", "op": "gt", "value": 5},
                    {"leaf": "event_property", "name": "referred", "op": "eq", "value": True},
                ]
            },
        ]
    }


def _message(id_: str, state: str, next_: str) -> dict[str, Any]:
    keys = {"channel": "email", "connector": "mail", "template": "note"}
    return {"type": "message", "id": id_, "state": state, "next": next_, **keys}
