"""P23: nobody gets more than the cap, however many journeys write to them at once, and at night nobody gets any."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import cycle
from typing import Any, Final

from django.db.models import Q

from channels.models import Message, PacingPolicy
from channels.pacing import policies
from config.loop.checks import Check
from customers.clock import utcnow
from tests.promises.carriers import CHANNELS, Carriers, address_of, journey, step, user
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import kill, tell

_SENDERS: Final = 4
_THREADS: Final = 8
_CONCURRENCY: Final = 16
_ANSWER_SECONDS: Final = 0.02
_JOURNEYS: Final = tuple(f"offer-{number}" for number in range(10))
_MOST: Final = 2
# Which hour of their own day it is for most, and for every tenth.
_DAY, _NIGHT = 14, 2
_IN_HAND: Final = Q(state__in=("queued", "leased", "dispatching")) | Q(state="held", reason__in=("capped", "busy"))


def run(stage: Stage) -> Iterator[Check]:
    carriers = Carriers(
        stage, _SENDERS, _THREADS, webs=2, delay=_ANSWER_SECONDS, concurrency=_CONCURRENCY, journeys=_journeys()
    )
    partner = stage.partner()
    _put_in_force(stage)
    count = stage.size(1_000, 100)
    sleepers = count // 10
    carriers.agree(partner, range(count))
    now = utcnow()
    zones = [zone_in_which_it_is(_NIGHT if number < sleepers else _DAY, now) for number in range(count)]
    tell(partner, [_lives_in(user(number), zone) for number, zone in enumerate(zones)])
    stage.settle("where they live")
    carriers.greet(partner, range(count))
    wanted = count * len(_JOURNEYS)
    for death in range(stage.size(10, 1)):
        stage.until(lambda death=death: _count(state="sent") > (death + 1) * count // 10, "a message")  # type: ignore[misc]
        kill(stage, carriers.senders)
    stage.until(lambda: Message.objects.count() == wanted, "the messages", 300)
    stage.until(lambda: not Message.objects.filter(_IN_HAND).exists(), "what became of them", 600)

    arrived = _arrived(carriers, count)
    asleep = [address_of(by, number) for by in CHANNELS for number in range(sleepers)]
    # A sender that was killed leaves a message of which nobody knows: it counts, whether it had gone or not.
    at_night = _count(state="unknown", address__value__in=asleep)
    by_day = _count(state="unknown") - at_night
    sent = _count(state="sent")
    yield Check("messages that ten journeys wrote at once", wanted, Message.objects.count())
    yield Check("people who got more than the cap", 0, sum(got > _MOST for got in arrived.values()))
    most = _MOST * (count - sleepers)
    yield Check("messages sent by day", range(most - by_day, most + 1), sent)
    yield Check("  that arrived", range(sent, sent + by_day + 1), sum(arrived.values()))
    yield Check("  that arrived at night", 0, sum(arrived[number] for number in range(sleepers)))
    capped = Message.objects.filter(state="suppressed", reason="capped")
    yield Check("messages not sent for the cap, with the reason", wanted * 9 // 10 - sent - by_day, capped.count())
    counted = capped.filter(decision__pacing__counted__gte=_MOST)
    yield Check("  that say how many were counted", capped.count(), counted.count())
    held = Message.objects.filter(state="held", reason="quiet_hours")
    yield Check("messages held for the night, with the reason", wanted // 10 - at_night, held.count())
    ends = {_morning(zone, now) for zone in zones[:sleepers]}
    yield Check("  until eight in the morning", held.count(), held.filter(due_at__in=ends).count())


def _count(**of: Any) -> int:
    return Message.objects.filter(**of).count()


def _journeys() -> dict[str, dict[str, Any]]:
    """Each writes by one of the channels: what a person had elsewhere only the cap looks at, under its own lock."""
    return {key: journey(step(by, "over")) for key, by in zip(_JOURNEYS, cycle(CHANNELS), strict=False)}


def _arrived(carriers: Carriers, count: int) -> Counter[int]:
    """By person, how many messages came to any of their addresses; a push that was told again is one."""
    whose = {(by, address_of(by, number)): number for by in CHANNELS for number in range(count)}
    return Counter(whose[by, to] for by, to, _key in {(one.by, one.to, one.key) for one in carriers.arrivals()})


def _put_in_force(stage: Stage) -> None:
    kinds = PacingPolicy.Kind
    now = utcnow()
    policies.make(PacingPolicy(brand=stage.brand, name="Two a day", kind=kinds.CAP, most=_MOST, span=1), None, now)
    night = PacingPolicy(brand=stage.brand, name="Night", kind=kinds.QUIET, starts=time(22), ends=time(8))
    policies.make(night, None, now)


def zone_in_which_it_is(hour: int, now: datetime) -> str:
    """A zone whose clocks show about that hour."""
    ahead = (hour - now.hour + 11) % 24 - 11
    # Their names have the sign the other way round.
    return f"Etc/GMT{-ahead:+d}"


def _morning(zone: str, now: datetime) -> datetime:
    ahead = timedelta(hours=-int(zone.removeprefix("Etc/GMT")))
    local = now + ahead
    return local.replace(hour=8, minute=0, second=0, microsecond=0) - ahead


def _lives_in(user: str, zone: str) -> dict[str, Any]:
    return {"type": "identify", "identifiers": {"user_id": user}, "traits": {"timezone": zone}}


PROMISE = Promise(
    "P23",
    "Caps and quiet hours are exact: never more than the cap, however many write at once, and none at night",
    run,
    controls=("read count, then send",),
    code=("channels/pacing/", "channels/dispatch/"),
    minutes=12,
)
