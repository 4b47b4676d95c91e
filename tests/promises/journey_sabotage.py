"""Control builds of journeys: entry, arms and versions without their safeguards."""

import os
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import psycopg

from tests.promises.patching import put, replaced

_ONE_LIVE_RUN: Final = "one_live_run_per_key"


def check_then_insert() -> None:
    """Who is in is looked up, and who is let in is written down, with nobody held back meanwhile, be it by a lock or
    by the index that takes one live run of a key alone."""
    from journeys.engine import match
    from journeys.engine.enroll import open_gate as opened

    def slowly(*arguments: Any) -> Any:
        gate = opened(*arguments)
        # Long enough for the next batch, of the same people, to come to another worker.
        time.sleep(0.2 + random.random() / 5)
        return gate

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"DROP INDEX IF EXISTS {_ONE_LIVE_RUN}")
    put(match, "_left", lambda cursor, arrivals: set())
    put(match, "open_gate", slowly)


def nothing_on_its_way() -> None:
    """A timer fires when its time has come, whatever was accepted before and is not looked at yet."""
    from journeys.engine import advance

    put(advance, "_in_time", lambda run, arriving: False)


def lots_by_chance() -> None:
    """An arm is drawn as dice are thrown."""
    from journeys.steps.base import Here

    put(Here, "draw", lambda here, salt, sides, *, is_fresh: random.randrange(sides))


def current_version() -> None:
    """A run is read by what is published now."""
    from journeys.compiling import version as pinned
    from journeys.engine import runs
    from journeys.models import JourneyVersion

    def current(id_: int) -> Any:
        of = JourneyVersion.objects.filter(pk=id_).values_list("journey__live_version_id", flat=True).get()
        return pinned(of or id_)

    put(runs, "version", current)


def calls_of_the_dead_are_left() -> None:
    """What somebody had in hand stays in that hand, whoever it was and whatever became of them."""
    from journeys.engine.calls import claim

    put(claim, "_CLAIM", replaced(claim._CLAIM, "c.state IN ('waiting', 'calling') AND", "c.state = 'waiting' AND"))


def calls_of_the_living_are_taken() -> None:
    """Whoever comes by makes a call, though somebody else just does."""
    from journeys.engine.calls import claim

    at_once = replaced(claim._CLAIM, "due_at = %b\n    FROM", "due_at = least(%b, c.due_at)\n    FROM")
    put(claim, "_CLAIM", at_once)


def each_attempt_has_a_key() -> None:
    """Each attempt of a call has a key of its own, so nobody knows what was asked before."""
    from customers.ids import new_id
    from journeys.engine.calls import make

    put(make, "idempotency_key", lambda *visit: new_id())


def whoever_sees_it_calls() -> None:
    """A moment of a schedule is looked up, and then its people are called, with nobody held back meanwhile; the next
    one is noted by whoever comes first."""
    from journeys.compiling import version
    from journeys.entry import occurrences
    from journeys.models import Occurrence

    carry_out = occurrences._carry_out

    def slowly(*arguments: Any) -> Any:
        time.sleep(random.random() / 10)
        return carry_out(*arguments)

    def plan(journey_id: Any, live: Any, after: Any) -> None:
        schedule = version(live.pk).definition.entry.schedule
        moment = schedule.next(after) if schedule else None
        if moment is not None:
            Occurrence.objects.get_or_create(journey_id=journey_id, at=moment, defaults={"version": live})

    put(occurrences, "_LOCK", replaced(occurrences._LOCK, "FOR NO KEY UPDATE SKIP LOCKED", ""))
    put(occurrences, "_carry_out", slowly)
    put(occurrences, "_plan", plan)


def made_up_however_late() -> None:
    """Not a broken build: what nothing ran for is made up after months, as the lab cannot wait for days to pass."""
    from journeys.entry import occurrences

    put(occurrences, "LATEST", timedelta(days=4_000))


CONTROLS: Final[dict[str, Callable[[], None]]] = {
    "check, then insert": check_then_insert,
    "nobody looks what is on its way": nothing_on_its_way,
    "lots by chance": lots_by_chance,
    "the current version": current_version,
    "whoever sees it calls": whoever_sees_it_calls,
    "calls of the dead are left": calls_of_the_dead_are_left,
    "calls of the living are taken": calls_of_the_living_are_taken,
    "each attempt has a key": each_attempt_has_a_key,
}

FAULTS: Final[dict[str, Callable[[], None]]] = {"made up however late": made_up_however_late}
