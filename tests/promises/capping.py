"""P23: nobody gets more than the cap, however many journeys write to them at once, and at night nobody gets any."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db.models import Q

from channels.models import Message, PacingPolicy
from channels.pacing import policies
from config.loop.checks import Check
from customers.clock import utcnow
from tests.promises.letters import PURPOSE, Letters, letter, signed_up
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import agree, email_of, kill, tell

_SENDERS: Final = 4
_ANSWER_SECONDS: Final = 0.02
_JOURNEYS: Final = tuple(f"offer-{number}" for number in range(10))
_MOST: Final = 2
# Which hour of their own day it is for most, and for every tenth.
_DAY, _NIGHT = 14, 2
_IN_HAND: Final = Q(state__in=("queued", "leased", "dispatching")) | Q(state="held", reason__in=("capped", "busy"))


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(2)
    stage.start_engine()
    partner = stage.partner()
    letters = Letters(
        stage, _SENDERS, _ANSWER_SECONDS, steps=_JOURNEYS, journeys={key: _document(key) for key in _JOURNEYS}
    )
    _put_in_force(stage)
    count = stage.size(1_000, 100)
    sleepers = count // 10
    users = [f"person-{number}" for number in range(count)]
    agree(stage, partner, users, PURPOSE)
    now = utcnow()
    zones = [zone_in_which_it_is(_NIGHT if number < sleepers else _DAY, now) for number in range(count)]
    tell(partner, [_lives_in(user, zone) for user, zone in zip(users, zones, strict=True)])
    stage.settle("where they live")
    tell(partner, [signed_up(user) for user in users])
    wanted = count * len(_JOURNEYS)
    for death in range(stage.size(10, 1)):
        stage.until(lambda death=death: _count(state="sent") > (death + 1) * count // 10, "a letter")  # type: ignore[misc]
        kill(stage, letters)
    stage.until(lambda: Message.objects.count() == wanted, "the letters", 300)
    stage.until(lambda: not Message.objects.filter(_IN_HAND).exists(), "what became of them", 600)

    arrived = Counter(mailbox for mailbox, _at in letters.times())
    asleep = [email_of(user) for user in users[:sleepers]]
    # A sender that was killed leaves a letter of which nobody knows: it counts, whether it had gone or not.
    at_night = _count(state="unknown", address__value__in=asleep)
    by_day = _count(state="unknown") - at_night
    sent = _count(state="sent")
    yield Check("letters that ten journeys wrote at once", wanted, Message.objects.count())
    yield Check("people who got more than the cap", 0, sum(got > _MOST for got in arrived.values()))
    most = _MOST * (count - sleepers)
    yield Check("letters sent by day", range(most - by_day, most + 1), sent)
    yield Check("  that arrived", range(sent, sent + by_day + 1), sum(arrived.values()))
    yield Check("  that arrived at night", 0, sum(arrived[one] for one in asleep))
    capped = Message.objects.filter(state="suppressed", reason="capped")
    yield Check("letters not sent for the cap, with the reason", wanted * 9 // 10 - sent - by_day, capped.count())
    counted = capped.filter(decision__pacing__counted__gte=_MOST)
    yield Check("  that say how many were counted", capped.count(), counted.count())
    held = Message.objects.filter(state="held", reason="quiet_hours")
    yield Check("letters held for the night, with the reason", wanted // 10 - at_night, held.count())
    ends = {_morning(zone, now) for zone in zones[:sleepers]}
    yield Check("  until eight in the morning", held.count(), held.filter(due_at__in=ends).count())


def _count(**of: Any) -> int:
    return Message.objects.filter(**of).count()


def _document(key: str) -> dict[str, Any]:
    return {
        "purpose": PURPOSE,
        "states": [{"name": "new", "kind": "initial"}, {"name": "told", "kind": "success"}],
        "transitions": [["new", "told"]],
        "entry": {"event": "customer.signed_up"},
        "steps": [letter(key, "new", "over"), {"id": "over", "type": "exit", "state": "told"}],
    }


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
