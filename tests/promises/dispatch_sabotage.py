"""Control builds of dispatch, and what makes the lab's senders of it."""

from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from typing import Final

from tests.promises.patching import put, replaced


def hurried_retries() -> None:
    """Not a broken build: what a provider did not take is tried again within a second or two."""
    from channels.dispatch import settle

    put(settle, "_FIRST_BACK_OFF", 1.0)
    put(settle, "_LAST_BACK_OFF", 2.0)


def lease_retry() -> None:
    """Whatever a worker had in hand when its lease ended is taken up again."""
    from channels.providers.base import provider_keys

    # The package calls the function by the module's name.
    put(import_module("channels.dispatch.sweep"), "idempotent_keys", provider_keys)


def auto_retry() -> None:
    """What nobody knows is sent once more, to be sure."""
    sweep = import_module("channels.dispatch.sweep")
    of_the_dead = "m.state IN ('leased', 'dispatching') AND m.leased_until < %(now)s"
    put(sweep, "_SWEEP", replaced(sweep._SWEEP, of_the_dead, f"({of_the_dead} OR m.state = 'unknown')"))


def shared_pool_without_limits() -> None:
    """Whoever is free sends what is due, by however many at once and whatever became of the last ones."""
    from channels.care import mind
    from channels.dispatch import due

    put(due, "slot", lambda connector_id, concurrency: nullcontext(True))
    put(mind, "after_error", lambda known, error, now: known)


CONTROLS: Final[dict[str, Callable[[], None]]] = {
    "lease retry": lease_retry,
    "auto retry": auto_retry,
    "shared pool without limits": shared_pool_without_limits,
}

FAULTS: Final[dict[str, Callable[[], None]]] = {
    "hurried retries": hurried_retries,
}
