"""What comes late of the erased and is refused besides, at every door: malformed, too old, torn, not to be mapped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import orjson

from config.loop.checks import Check
from customers import keys
from customers.clock import utcnow
from customers.hooks import secrets
from customers.imports import file, plan
from customers.imports.job import begin
from customers.models import Hook, Import, QuarantinedEvent, ReceivedBody, RefusedRow
from tests.consent.marked import Marked
from tests.promises.client import Client, basic
from tests.promises.deliveries import FORM, JSON, SECRET, Delivery, signed
from tests.promises.stage import Stage

_ORIGIN: Final = "https://shop.example"
# How many of each person are refused at each door, and leave a row in quarantine.
_EACH: Final = {"api": 5, "cloudevents": 1, "segment": 2}
_PAID: Final[dict[str, Any]] = {
    "key": "paid",
    "when": [{"path": "/type", "is": ["paid"]}],
    "name": {"constant": "Payment Received"},
    "identifiers": {"user_id": "/customer"},
    "properties": {"amount": {"path": "/amount", "steps": ["number"], "required": True}},
}
_ROWS: Final[dict[str, Any]] = {
    "events": [
        {
            "key": "order",
            "name": {"constant": "Order"},
            "occurred_at": {"path": "/when", "steps": [{"do": "time", "format": "iso", "zone": "UTC"}]},
            "identifiers": {"user_id": "/customer"},
            "properties": {"total": {"path": "/total", "steps": [{"do": "number"}]}},
        }
    ]
}


@dataclass(slots=True)
class Malformed:
    """`at` is before they were erased."""

    stage: Stage
    gone: Sequence[Marked]
    at: datetime
    _began: datetime = field(default_factory=utcnow)

    def send(self) -> None:
        self._events()
        self._calls()
        self._bodies()
        self._file()
        self.stage.settle("what is late and malformed")

    def checks(self) -> Iterator[Check]:
        erased = QuarantinedEvent.objects.filter(reason="erased", raw="", message_id="", naming=[], status="discarded")
        by_door = {door: erased.filter(door=door, settled_at__gte=self._began).count() for door in _EACH}
        yield Check("late and malformed: refusals kept without a word", self._times(_EACH), by_door)
        emptied = ReceivedBody.objects.filter(hook__name="Late", body=b"", delivery_id="").count()
        yield Check("  bodies of webhooks", 3 * len(self.gone), emptied)
        rows = RefusedRow.objects.filter(parent__file_name="late.csv", cells=[]).count()
        yield Check("  rows of a file", 2 * len(self.gone), rows)

    def _times(self, each: dict[str, int]) -> dict[str, int]:
        return {door: count * len(self.gone) for door, count in each.items()}

    def _events(self) -> None:
        partner, at = self.stage.partner(), self.at.isoformat()
        for one in self.gone:
            named = {"user_id": one.user, "email": one.email}
            good: dict[str, Any] = {"name": "Late", "id": one("id"), "occurred_at": at, "identifiers": named}
            partner.post("/api/v1/events", {**good, "shoe": one("size")})
            partner.post("/api/v1/events", orjson.dumps(good)[:-9])
            wrong = [{**good, "name": ""}, {**good, "occurred_at": "2001-01-01T00:00:00Z"}, {**good, "properties": 1}]
            partner.post("/api/v1/events/batch", {"events": wrong})
            told = {
                "specversion": "9", "id": one("id"), "source": "/x", "type": "late", "time": at, "userid": one.user,
                "data": {"x": [one.email]},
            }  # fmt: skip
            partner.post("/api/v1/cloudevents", told, {"Content-Type": "application/cloudevents+json"})

    def _calls(self) -> None:
        server = Client(self.stage.url, basic(self.stage.segment()))
        page = Client(self.stage.url, basic(keys.issue_browser(self.stage.source, [_ORIGIN]).public))
        for one in self.gone:
            call = {"type": "track", "userId": one.user, "timestamp": self.at.isoformat(), "messageId": one("m")}
            for client, more in ((server, {}), (page, {"Origin": _ORIGIN})):
                client.post("/v1/batch", {"batch": [{**call, "event": "", "properties": {"x": one.email}}]}, more)

    def _bodies(self) -> None:
        hook = Hook(source=self.stage.source, name="Late", mapping={"events": [_PAID]}, per_minute=100_000)
        secrets.add(hook, SECRET)
        hook.save()
        client = Client(self.stage.url, "")
        for one in self.gone:
            paid = {"type": "paid", "customer": one.user, "amount": one("much")}
            bodies = (
                (orjson.dumps(paid), JSON),
                (orjson.dumps(paid)[:-5], JSON),
                (f"payer={one.email.replace('@', '%40')}&type=other".encode(), FORM),
            )
            for number, (body, kind) in enumerate(bodies):
                sent = signed(replace(Delivery(f"{one('d')}-{number}", "late", body), type=kind))
                client.post(f"/hooks/{hook.pk}", sent.body, {**sent.headers, "Content-Type": kind, "X-Who": one.user})

    def _file(self) -> None:
        lines = ["customer,when,total"]
        lines += [f"{one.user},{self.at.isoformat()},much\n{one.email},never,{one('x')}" for one in self.gone]
        parent: Import = file.hand_in(self.stage.source, "events", "late.csv", ["\n".join(lines).encode()], utcnow())
        plan.keep(parent, _ROWS, utcnow())
        job = begin(parent, utcnow())
        self.stage.until(lambda: type(job).objects.get(pk=job.pk).is_over, "the file", 120.0)
