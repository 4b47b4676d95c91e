"""P24: a provider that hangs, and then fails, holds up nobody who is written to by another, and is soon found out."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Final

from django.db.models import F

from channels.models import Message
from channels.models.care import BreakerTurn
from config.loop.checks import Check
from customers.clock import utcnow
from tests.promises.carrier import FAULT, HANG, WELL
from tests.promises.carriers import CHANNELS, Carriers, greeting
from tests.promises.client import Client
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_SENDERS: Final = 2
_THREADS: Final = 4
# Of each connector: all of them together have no more than there are threads.
_CONCURRENCY: Final = 2
_ILL: Final = "sms"
_ANSWER_SECONDS: Final = 0.03
_PER_SECOND: Final = 5
_WARM: Final = 3
_OPENS_WITHIN: Final = 30
_CLOSES_WITHIN: Final = 60
_IN_HAND: Final = ("queued", "held", "leased", "dispatching")
_SECONDS: Final = 300.0
# Less than this is not worth to be called slow, on a machine that may be busy otherwise.
_QUICK_MS: Final = 400

State = Message.State


@dataclass
class _Flow:
    """People who sign up at a steady pace; each is written to by every channel."""

    carriers: Carriers
    partner: Client
    number: int = 0
    # From when to when, by what it was.
    phases: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def go_on(self, phase: str, seconds: float, is_over: Callable[[], object] = lambda: False) -> None:
        began, until = utcnow(), time.monotonic() + seconds
        beat = time.monotonic()
        while time.monotonic() < until and not is_over():
            self.carriers.greet(self.partner, [self.number])
            self.number += 1
            beat += 1 / _PER_SECOND
            time.sleep(max(0.0, beat - time.monotonic()))
        self.phases[phase] = began, utcnow()


def run(stage: Stage) -> Iterator[Check]:
    carriers = Carriers(
        stage, _SENDERS, _THREADS, delay=_ANSWER_SECONDS, concurrency=_CONCURRENCY, fault="hurried retries",
        journeys={"hello": greeting({_ILL: f"PT{stage.size(120, 12)}S"})},
    )  # fmt: skip
    partner = stage.partner()
    calm, ill = stage.size(300, 10), stage.size(300, 14)
    carriers.agree(partner, range(_PER_SECOND * (_WARM + calm + ill + _CLOSES_WITHIN + 1)))
    flow = _Flow(carriers, partner)
    flow.go_on("warm", _WARM)
    flow.go_on("calm", calm)
    fell_ill = utcnow()
    carriers.be(_ILL, HANG)
    flow.go_on("ill", ill * 0.75)
    carriers.be(_ILL, FAULT)
    flow.go_on("still ill", ill * 0.25)
    healed = utcnow()
    carriers.be(_ILL, "")
    # A build without a breaker is not waited for.
    flow.go_on("well again", 1 if stage.control else _CLOSES_WITHIN, lambda: _turn("closed", healed))
    stage.until(lambda: Message.objects.count() == flow.number * len(CHANNELS), "the messages", _SECONDS)
    in_hand = Message.objects.filter(state__in=_IN_HAND)
    stage.until(lambda: not in_hand.exists(), "their end", _SECONDS)

    opened, closed = _turn("opened", fell_ill), _turn("closed", healed)
    yield Check("seconds until the breaker opened", range(_OPENS_WITHIN), _seconds(fell_ill, opened))
    yield Check("seconds from the healing until it closed", range(_CLOSES_WITHIN), _seconds(healed, closed))
    yield from _others(carriers, flow)
    yield from _own(carriers, flow.number)


def _turn(turn: str, since: datetime) -> datetime | None:
    turns = BreakerTurn.objects.filter(connector__key=_ILL, turn=turn, at__gt=since)
    return turns.order_by("at").values_list("at", flat=True).first()


def _seconds(since: datetime, at: datetime | None) -> int | None:
    return None if at is None else ceil((at - since).total_seconds())


def _others(carriers: Carriers, flow: _Flow) -> Iterator[Check]:
    """How long those of the other channels took, from the outbox to their provider."""
    at = {(one.by, one.to): one.at for one in carriers.arrivals()}
    rows = Message.objects.exclude(connector__key=_ILL).values_list("connector__key", "address__value", "created_at")
    took = [(begun, at[by, to] - begun.timestamp()) for by, to, begun in rows if (by, to) in at]
    for by in CHANNELS:
        if by != _ILL:
            sent = Message.objects.filter(connector__key=by, state=State.SENT)
            yield Check(f"sent by {by}", flow.number, sent.count())
    ends = flow.phases["ill"][0], flow.phases["still ill"][1]
    before, meanwhile = _p95(took, *flow.phases["calm"]), _p95(took, *ends)
    yield Check("  95 of 100 in so many ms, in health", range(1, 10**6), before)
    yield Check("  95 of 100 in so many ms, beside the trouble", range(max(2 * before, _QUICK_MS)), meanwhile)


def _p95(took: Sequence[tuple[datetime, float]], since: datetime, until: datetime) -> int:
    times = sorted(seconds for begun, seconds in took if since <= begun < until)
    return round(1000 * times[ceil(0.95 * len(times)) - 1])


def _own(carriers: Carriers, number: int) -> Iterator[Check]:
    """What became of those of the provider in trouble."""
    mine = Message.objects.filter(connector__key=_ILL)
    arrived = [one for one in carriers.arrivals() if one.by == _ILL]
    left_open = {one.to for one in arrived if one.does != WELL}
    unknown = set(mine.filter(state=State.UNKNOWN).values_list("address__value", flat=True))
    late = mine.filter(state=State.EXPIRED, reason="late")
    sent = mine.filter(state=State.SENT).count()
    yield Check(
        "by the one in trouble: sent, too late by its rule, or unknown", number, sent + late.count() + len(unknown)
    )
    yield Check("  that were calls in the trouble", len(left_open), len(unknown & left_open))
    yield Check("  unknown otherwise", 0, len(unknown - left_open))
    yield Check("  too late before their time", 0, late.filter(settled_at__lt=F("expires_at")).count())
    yield Check("  sent, by their arrivals", sent, len(arrived) - len(left_open))


PROMISE = Promise(
    "P24",
    "A provider in trouble is found out soon and holds up nobody else",
    run,
    controls=("shared pool without limits",),
    code=("channels/dispatch/", "channels/care/", "channels/providers/"),
    minutes=16,
)
