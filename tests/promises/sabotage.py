"""Control builds: each takes one safeguard out of the product, in the lab's processes only.

A promise whose test does not notice is not shown by that test.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from django.apps import AppConfig


class Sabotage(AppConfig):
    """Installed by the lab's settings, never by the product's; does nothing unless the lab names a control."""

    name = "tests.promises"
    label = "lab"

    def ready(self) -> None:
        control = os.environ.get("TRILHA_LAB_CONTROL", "")
        if control:
            CONTROLS[control]()
        if os.environ.get("TRILHA_LAB_FAULT") == "slow resolve":
            slow_resolve()


def slow_resolve() -> None:
    """Not a broken build: resolve takes up to a tenth of a second more, between reading the names and its commit."""
    from customers import awaited

    read = awaited.under_lock

    def slowly() -> awaited.Awaited:
        found = read()
        time.sleep(random.random() / 10)
        return found

    _put(awaited, "under_lock", slowly)


def no_key_table() -> None:
    """Idempotency-Keys are not looked at."""
    from customers.api import base

    _put(base, "call_of", lambda request, token_id: None)


def select_then_insert() -> None:
    """What is new is found out first and written afterwards."""
    from customers.accept import store

    safe = """INSERT INTO customers_messagekey (key, fingerprint, received_at)
    SELECT key, fingerprint, %s::timestamptz FROM item ORDER BY key
    ON CONFLICT DO NOTHING RETURNING key"""
    naive = """SELECT key FROM item WHERE NOT EXISTS
        (SELECT 1 FROM customers_messagekey k WHERE k.key = item.key)
), noted AS (
    INSERT INTO customers_messagekey (key, fingerprint, received_at)
    SELECT key, fingerprint, %s::timestamptz FROM item ORDER BY key ON CONFLICT DO NOTHING"""
    _put(store, "_STORE", _replaced(store._STORE, safe, naive))


def partial_commit() -> None:
    """A batch is written item by item as far as it is good; what follows the first bad item is dropped unsaid."""
    from customers.accept import batch

    put = batch.put

    def careless(messages: Any, refused: Any, source_id: Any, now: Any, outcome: Any) -> None:
        first_bad = min(outcome.refusals, default=None)
        before = {index: one for index, one in messages.items() if first_bad is None or index < first_bad}
        put(before, refused, source_id, now, outcome)
        outcome.accepted += len(messages) - len(before)

    _put(batch, "put", careless)


def answer_before_commit() -> None:
    """The answer leaves at once; what was accepted is written a moment later."""
    from django.db import connection

    from customers.accept import batch
    from customers.accept.store import store

    def later(messages: Any, refused: Any, source_id: Any, now: Any) -> set[str]:
        def write() -> None:
            try:
                store(messages, refused, source_id, now)
            finally:
                connection.close()

        threading.Timer(0.3, write).start()
        return {message.key for message in messages}

    _put(batch, "store", later)


def synchronous_commit_off() -> None:
    """PostgreSQL answers a commit before it is on disk."""
    from django.db import connections

    options = connections.settings["default"]["OPTIONS"]
    options["options"] += " -c synchronous_commit=off"


def unbounded_queue() -> None:
    """The inbox is never too long."""
    from customers import load

    _put(load, "_is_longer_than", lambda limit: False)


def last_edge_wins() -> None:
    """Of edges that contradict each other the one that was written last is followed."""
    from customers.resolve.graph import Evidence

    _put(Evidence, "place", lambda edge, by_id: -edge.id)


def names_without_the_lock() -> None:
    """Resolve reads the awaited names with nobody to wait for it."""
    from customers import awaited
    from customers.models import AwaitedName

    def read() -> awaited.Awaited:
        return awaited.Awaited(frozenset(AwaitedName.objects.values_list("name", flat=True)), {})

    _put(awaited, "under_lock", read)


def _put(module: ModuleType | type, name: str, value: object) -> None:
    if not hasattr(module, name):
        raise RuntimeError("the control no longer fits the product")
    setattr(module, name, value)


def _replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        raise RuntimeError("the control no longer fits the product")
    return text.replace(old, new)


CONTROLS: Final[dict[str, Callable[[], None]]] = {
    "no key table": no_key_table,
    "select, then insert": select_then_insert,
    "partial commit": partial_commit,
    "answer before the commit": answer_before_commit,
    "synchronous_commit off": synchronous_commit_off,
    "unbounded queue": unbounded_queue,
    "the last edge wins": last_edge_wins,
    "names read without the lock": names_without_the_lock,
}
