"""Control builds: each takes one safeguard out of the product, in the lab's processes only.

A promise whose test does not notice is not shown by that test.
"""

import importlib
import os
import random
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from django.apps import AppConfig

from tests.promises import broadcast_sabotage, dispatch_sabotage, engine_sabotage, journey_sabotage, webhook_sabotage
from tests.promises.patching import put, replaced


class Sabotage(AppConfig):
    """Installed by the lab's settings, never by the product's; does nothing unless the lab names a control."""

    name = "tests.promises"
    label = "lab"

    def ready(self) -> None:
        # A provider that only the lab's processes know.
        importlib.import_module("tests.promises.keyed")
        control = os.environ.get("TRILHA_LAB_CONTROL", "")
        if control:
            CONTROLS[control]()
        fault = os.environ.get("TRILHA_LAB_FAULT", "")
        if fault:
            FAULTS[fault]()


def slow_resolve() -> None:
    """Not a broken build: resolve takes up to a tenth of a second more, between reading the names and its commit."""
    from customers import awaited

    read = awaited.under_lock

    def slowly() -> awaited.Awaited:
        found = read()
        time.sleep(random.random() / 10)
        return found

    put(awaited, "under_lock", slowly)


def interpretation_throws() -> None:
    """Not a broken build either: whoever reads certain bodies by their mapping fails in a way nobody foresaw."""
    from customers.hooks import interpret

    read = interpret.read_body

    def sometimes(body: Any) -> interpret.Reading:
        if b"payment.throws" in bytes(body.body):
            raise LookupError("what nobody foresaw")
        return read(body)

    put(interpret, "read_body", sometimes)


def no_key_table() -> None:
    """Idempotency-Keys are not looked at."""
    from customers.api import base

    put(base, "call_of", lambda request, token_id: None)


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
    put(store, "_STORE", replaced(store._STORE, safe, naive))


def partial_commit() -> None:
    """A batch is written item by item as far as it is good; what follows the first bad item is dropped unsaid."""
    from customers.accept import batch

    write = batch.put

    def careless(messages: Any, refused: Any, source_id: Any, now: Any, outcome: Any) -> None:
        first_bad = min(outcome.refusals, default=None)
        before = {index: one for index, one in messages.items() if first_bad is None or index < first_bad}
        write(before, refused, source_id, now, outcome)
        outcome.accepted += len(messages) - len(before)

    put(batch, "put", careless)


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

    put(batch, "store", later)


def synchronous_commit_off() -> None:
    """PostgreSQL answers a commit before it is on disk."""
    from django.db import connections

    options = connections.settings["default"]["OPTIONS"]
    options["options"] += " -c synchronous_commit=off"


def parse_before_store() -> None:
    """A body is kept only once its mapping has made something of it."""
    from customers.accept.refusal import Refused
    from customers.hooks import receive
    from customers.hooks.documents import read_document
    from customers.mapping import apply, parse

    keep = receive.keep

    def careless(hook: Any, delivery: receive.Delivery, delivery_id: str, now: Any) -> bool:
        result = apply(parse(hook.mapping), read_document(delivery.body, delivery.content_type))
        if result.problems or not result.applies:
            raise Refused("wrong_type", "Nothing can be made of it.", "Send something else.")
        return keep(hook, delivery, delivery_id, now)

    put(receive, "keep", careless)


def signature_of_trimmed_body() -> None:
    """White space at the end is nothing that anybody would sign."""
    from customers.hooks import signatures

    verify = signatures.verify

    def lenient(signing: Any, headers: Any, body: bytes, now: Any) -> str:
        try:
            return verify(signing, headers, body, now)
        except signatures.BadSignature:
            return verify(signing, headers, body.removesuffix(b"\n"), now)

    put(signatures, "verify", lenient)


def deliveries_not_told_apart() -> None:
    """Every body that comes is new."""
    from uuid import uuid4

    from customers.hooks import receive

    put(receive, "hash_uuid", lambda *names: uuid4())


def unbounded_queue() -> None:
    """The inbox is never too long."""
    from customers import load

    put(load, "_refuse", lambda seen, now: None)


def last_edge_wins() -> None:
    """Of edges that contradict each other the one that was written last is followed."""
    from customers.resolve.graph import Evidence

    put(Evidence, "place", lambda edge, by_id: -edge.id)


def last_consent_wins() -> None:
    """Of what the profiles of one customer say the latest word counts, whoever said it."""
    from consent import decision, weighing

    decide = decision.decide

    def latest(kind: str, suppressed: bool, heads: Any, now: Any, **more: Any) -> decision.Verdict:
        last = sorted(heads, key=lambda head: head.effective_at)[-1:]
        return decide(kind, suppressed, last, now, **more)

    put(weighing, "decide", latest)


def one_phone_one_person() -> None:
    """Whoever shares something is one, whatever tells them apart."""
    from customers.resolve.graph import _Groups

    put(_Groups, "clash", lambda groups, one, other: False)


def no_row_for_a_copy() -> None:
    """Nobody looks whether the address had this one."""
    from channels.dispatch import send

    text = send._ANNOUNCE
    start, end = text.index("INSERT INTO channels_recentsend"), text.index("RETURNING message_id")
    put(
        send,
        "_ANNOUNCE",
        replaced(text, text[start:end], "SELECT id AS message_id FROM mine ").replace(
            "mine RETURNING message_id", "mine"
        ),
    )


def names_without_the_lock() -> None:
    """Resolve reads the awaited names with nobody to wait for it."""
    from customers import awaited
    from customers.models import AwaitedName

    def read() -> awaited.Awaited:
        return awaited.Awaited(frozenset(AwaitedName.objects.values_list("name", flat=True)), {})

    put(awaited, "under_lock", read)


def naive_check() -> None:
    """Permission is looked up before the message goes out, with nobody held back meanwhile."""
    from channels.dispatch import send

    check = send._check

    def careless(*arguments: Any) -> Any:
        found = check(*arguments)
        time.sleep(0.02)
        return found

    put(send, "lock_address", lambda address_id: None)
    put(send, "_check", careless)


def no_last_look() -> None:
    """What a letter is for was looked at when it was written, and that is enough."""
    from channels import guards

    put(guards, "ask", lambda message: None)


def stops_without_a_lock() -> None:
    """A sender looks whether its journey is stopped, and whoever stops it does not wait for that."""
    from channels.dispatch import send

    check = send._check

    def careless(*arguments: Any) -> Any:
        found = check(*arguments)
        time.sleep(0.02)
        return found

    put(send, "share", lambda cursor, scope_ids, patience=0: None)
    put(send, "_check", careless)


def read_count_then_send() -> None:
    """What somebody had is counted before their message goes, with nobody kept from counting the same meanwhile."""
    from channels.dispatch import send
    from channels.pacing import reading, sending

    check = send._check

    def careless(*arguments: Any) -> Any:
        found = check(*arguments)
        time.sleep(0.02)
        return found

    put(sending, "lock_key", lambda customer_id: secrets.randbits(62))
    put(reading, "_HISTORY", replaced(reading._HISTORY, "m.settled_at IS NULL", "m.settled_at IS NULL AND false"))
    put(send, "_check", careless)


def suppressed_by_profile() -> None:
    """A suppression holds for whoever used the address when it was made, and for nobody else."""
    from consent import permission

    by_address = "WHERE s.address_id = ask.address_id AND s.lifted_at IS NULL"
    by_profile = """JOIN customers_addressprofile ap
                 ON ap.address_id = s.address_id AND ap.first_seen_at <= s.created_at
               JOIN customers_profile sp ON sp.id = ap.profile_id AND sp.customer_id = ask.customer_id
               WHERE s.address_id = ask.address_id AND s.lifted_at IS NULL"""
    put(permission, "_FACTS", replaced(permission._FACTS, by_address, by_profile))


def unanchored_chain() -> None:
    """Chains have only themselves to be held against."""
    from consent.verify import report
    from consent.verify.anchors import Anchors

    put(report, "read_anchors", lambda place, supposed=(): Anchors())


def soft_delete() -> None:
    """Whoever is erased is found by nobody any more, and lies where they lay."""
    from customers.privacy import rows

    put(rows, "erase_some", lambda table, subject: 0)


def refused_and_kept() -> None:
    """What is refused is kept as it came, whomever it names."""
    from customers.accept import remains

    put(remains, "words_in", lambda text: set())


def friends_not_masked() -> None:
    """What others said of the erased stays as they said it."""
    from customers.privacy import erase

    put(erase, "mask_some", lambda table, subject, after: (0, None))


def others_not_masked() -> None:
    """Rows are told as they are, whomever they name."""
    from customers.privacy.others import Own

    put(Own, "_part", lambda own, value, *, is_own: value)


CONTROLS: Final[dict[str, Callable[[], None]]] = {
    "no key table": no_key_table,
    "select, then insert": select_then_insert,
    "partial commit": partial_commit,
    "answer before the commit": answer_before_commit,
    "synchronous_commit off": synchronous_commit_off,
    "parse before store": parse_before_store,
    "signature of a trimmed body": signature_of_trimmed_body,
    "deliveries not told apart": deliveries_not_told_apart,
    "unbounded queue": unbounded_queue,
    "the last edge wins": last_edge_wins,
    "the last consent wins": last_consent_wins,
    "user ids of one phone are one": one_phone_one_person,
    "no row for a copy": no_row_for_a_copy,
    "naive check": naive_check,
    "a look at enqueue only": no_last_look,
    "stops without a lock": stops_without_a_lock,
    "read count, then send": read_count_then_send,
    "suppression of the profile": suppressed_by_profile,
    "unanchored chain": unanchored_chain,
    "soft delete": soft_delete,
    "refused and kept": refused_and_kept,
    "friends not masked": friends_not_masked,
    "others are not masked": others_not_masked,
    "names read without the lock": names_without_the_lock,
    **broadcast_sabotage.CONTROLS,
    **dispatch_sabotage.CONTROLS,
    **engine_sabotage.CONTROLS,
    **journey_sabotage.CONTROLS,
    **webhook_sabotage.CONTROLS,
}

FAULTS: Final[dict[str, Callable[[], None]]] = {
    "slow resolve": slow_resolve,
    "interpretation throws": interpretation_throws,
    **dispatch_sabotage.FAULTS,
    **engine_sabotage.FAULTS,
    **journey_sabotage.FAULTS,
}
