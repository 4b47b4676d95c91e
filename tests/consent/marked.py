"""People with a marker of their own in every place that holds something of people."""

import json
from dataclasses import dataclass

from django.utils import timezone

from channels.models import Message, MessageContent
from consent.models import ConsentEntry
from customers.accept.naming import digests
from customers.ids import new_id
from customers.models import (
    DeadLetter,
    Hook,
    Identifier,
    Import,
    ImportChunk,
    InboxItem,
    KeptAnswer,
    PartnerToken,
    QuarantinedEvent,
    ReceivedBody,
    RefusedRow,
    UnitAttempt,
)
from tests.journeys.stage import Stage

# One that has a rule in it, and properties of the entry in its messages and runs.
_GOLD = {"leaf": "attribute", "name": "note", "op": "exists"}


@dataclass(frozen=True, slots=True)
class Marked:
    """Whatever they say begins with `stem`."""

    stem: str

    @property
    def user(self) -> str:
        return f"{self.stem}user"

    @property
    def email(self) -> str:
        return f"{self.stem}mail@example.com"

    def __call__(self, what: str) -> str:
        return f"{self.stem}{what}"


def live_through(stage: Stage, one: Marked) -> None:
    """What they tell goes through every stage: events, traits, consent with evidence, a run and its messages."""
    about = {"purpose": "news", "url": f"https://shop.example/?q={one('url')}", "ip": one("ip"), "address": one.email}
    stage.accept("identify", one.user, traits={"email": one.email, "note": one("note")}, email=one.email)
    stage.accept("consent.granted", one.user, properties=about)
    stage.run()
    stage.accept("customer.signed_up", one.user, properties={"cart": one("cart"), "gift": {"to": one("gift")}})
    stage.run()
    words = {"subject": one("subject"), "body": one("body"), "context": {"x": one("context")}}
    own = Message.objects.filter(profile__identifier__value__startswith=one.stem)
    MessageContent.objects.filter(message__in=own).update(**words)
    own.update(detail=one("detail"), provider_id=one("provider"))


def lie_about(stage: Stage, one: Marked) -> None:
    """What doors and machinery keep of them besides."""
    now = stage.now
    raw = {"userId": one.user, "traits": {"email": one.email.upper(), "x": one("raw")}}
    QuarantinedEvent.objects.create(
        received_at=now, source=stage.source, door="segment", code="wrong_type", detail=one("why"),
        raw=json.dumps(raw), naming=list(digests(raw)),
    )  # fmt: skip
    hook, _made = Hook.objects.get_or_create(source=stage.source, name="Payments")
    body = json.dumps({"payer": one.email, "said": one("body")}).encode()
    ReceivedBody.objects.create(
        hook=hook, received_at=now, key=new_id(), digest=new_id(), content_type="application/json",
        headers={"x-user": one.user}, body=body, status="done",
    )  # fmt: skip
    data = f"email,note\n{one.email},{one('cell')}\n"
    parent = Import.objects.create(
        source=stage.source, rows="customers", file_name="people.csv", size=1, digest="0" * 64, encoding="utf-16-le",
        delimiter=",", columns=["email", "note"], created_at=now,
    )  # fmt: skip
    ImportChunk.objects.create(parent=parent, number=0, data=data.encode("utf-16-le"))
    RefusedRow.objects.create(parent=parent, row=2, code="not_a_time", message="No.", cells=[one.email, one("cell")])
    item = InboxItem(identifiers=json.dumps([["email", one.email, one.email]]), payload=json.dumps({"a": one("dead")}))
    DeadLetter.objects.create(
        at=now, queue="inbox", unit_id=1, reason=one("reason"), attempts=5,
        row={"id": 1, "identifiers": item.identifiers, "payload": item.payload, "identifier_keys": []},
    )  # fmt: skip
    buried = {"id": 2, "body": "\\x" + body.hex()}
    DeadLetter.objects.create(at=now, queue="hook", unit_id=2, reason="died", attempts=5, row=buried)
    token, _made = PartnerToken.objects.get_or_create(
        digest=b"m" * 32,
        defaults={"brand": stage.brand, "name": "t", "scopes": ["events:write"], "prefix": "trilha_live_marked",
                  "created_at": now, "expires_at": timezone.now()},
    )  # fmt: skip
    customer = Identifier.objects.get(value=one.user).profile.customer_id
    answer = {"id": str(customer), "traits": {"n": one("answer")}}
    KeptAnswer.objects.create(
        token=token, route="POST api/v1/customers/lookup", key=one.stem[-6:][::-1], fingerprint=b"k" * 32,
        started_at=now, body=json.dumps(answer, separators=(",", ":")).encode(),
    )  # fmt: skip
    stage.accept("cart.viewed", one.user, properties={"waits": one("waits")})
    waiting = InboxItem.objects.latest("id")
    UnitAttempt.objects.create(queue="inbox", unit_id=waiting.pk, attempts=1, reason="OperationalError", next_at=now)


def entries_of(one: Marked) -> list[int]:
    profiles = Identifier.objects.filter(value__startswith=one.stem).values("profile_id")
    return list(ConsentEntry.objects.filter(profile_id__in=profiles).values_list("id", flat=True))
