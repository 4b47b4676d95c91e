"""Control builds of journeys: entry, arms and versions without their safeguards."""

import random
import time
from collections.abc import Callable
from typing import Any, Final

from tests.promises.patching import put


def check_then_insert() -> None:
    """Who is in is looked up, and who is let in is written down, with nobody held back meanwhile."""
    from journeys.engine import match
    from journeys.engine.enroll import open_gate as opened

    def slowly(*arguments: Any) -> Any:
        gate = opened(*arguments)
        time.sleep(random.random() / 20)
        return gate

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
    from journeys.engine import runs
    from journeys.models import JourneyVersion
    from journeys.version import version as pinned

    def current(id_: int) -> Any:
        of = JourneyVersion.objects.filter(pk=id_).values_list("journey__live_version_id", flat=True).get()
        return pinned(of or id_)

    put(runs, "version", current)


CONTROLS: Final[dict[str, Callable[[], None]]] = {
    "check, then insert": check_then_insert,
    "nobody looks what is on its way": nothing_on_its_way,
    "lots by chance": lots_by_chance,
    "the current version": current_version,
}
