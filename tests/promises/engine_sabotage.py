"""Control builds of what works: claims, timers, bells and connections without their safeguards."""

import base64
import pickle
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from tests.promises.patching import put


def work_only_in_the_broker() -> None:
    """What was accepted is handed to the broker, and whoever takes it from there writes it down."""
    from celery import current_app, shared_task

    from customers.accept import batch
    from customers.accept.store import store

    @shared_task(name="lab.store")
    def store_later(packed: str) -> None:
        store(*pickle.loads(base64.b64decode(packed)))

    def publish(messages: Any, refused: Any, source_id: Any, now: Any) -> set[str]:
        packed = base64.b64encode(pickle.dumps((messages, refused, source_id, now))).decode()
        with suppress(Exception):
            current_app.send_task("lab.store", args=[packed], queue="engine", retry=False)
        return {message.key for message in messages}

    put(batch, "store", publish)


def connections_kept() -> None:
    """A connection that was made is used for ever, whether anybody is at its other end or not."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    put(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda wrapper: None)


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
    "lots by chance": lots_by_chance,
    "the current version": current_version,
    "work only in the broker": work_only_in_the_broker,
    "connections are kept, alive or not": connections_kept,
}
