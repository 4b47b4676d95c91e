"""Control builds: each takes one safeguard out of the product, in the lab's processes only.

A promise whose test does not notice is not shown by that test.
"""

import os
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


def _put(module: ModuleType, name: str, value: object) -> None:
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
}
