"""Stores of what came in and is not, or no longer, somebody's: queues, quarantine, webhooks, answers."""

from datetime import datetime
from typing import Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from customers.models import (
    DeadLetter,
    InboxItem,
    KeptAnswer,
    MatchItem,
    MergeItem,
    QuarantinedEvent,
    ReceivedBody,
    UnitAttempt,
)
from customers.privacy.patterns import mentions, mentions_bytes
from customers.privacy.phrases import named_in, unless_named
from customers.privacy.stores import Basis, Rank, Store, Table
from customers.privacy.subject import Subject

_OWN: Final = "t.profile_id = ANY(%(profiles)s)"
_NAMESPACE: Final = "(SELECT s.namespace FROM customers_source s WHERE s.id = t.source_id)"
_SOURCE: Final = "(SELECT s.name FROM customers_source s WHERE s.id = t.source_id)"
_HOOK_NAMESPACE: Final = (
    "(SELECT s.namespace FROM customers_hook h JOIN customers_source s ON s.id = h.source_id WHERE h.id = t.hook_id)"
)
_NAMED: Final = f"""
    t.naming && %(naming)s::bigint[] AND EXISTS (
        SELECT 1 FROM unnest(%(naming_spaces)s::uuid[], %(naming)s::bigint[]) AS u(space, naming)
        WHERE u.naming = ANY(t.naming)
          AND (u.space = '00000000-0000-0000-0000-000000000000' OR u.space = {_NAMESPACE})
    )
"""
_REFUSED: Final = ("t.raw", "t.detail", "t.message_id", "t.name", "t.pointer")
_QUARANTINED: Final = f"({_NAMED}) OR {named_in(*_REFUSED, namespace=_NAMESPACE)}"
# A row in the dead letters is as its queue had it: by its profile, by what the inbox knows people by, or in bytes.
_BURIED: Final = f"""
    t.row ->> 'profile_id' = ANY(%(profiles)s::text[])
    OR t.row ->> 'address_id' = ANY(%(addresses)s::text[])
    OR EXISTS (
        SELECT 1 FROM jsonb_array_elements_text(
            CASE WHEN jsonb_typeof(t.row -> 'identifier_keys') = 'array' THEN t.row -> 'identifier_keys' ELSE '[]' END
        ) AS k(key) WHERE k.key = ANY(%(keys)s::text[])
    )
    OR {mentions("t.row::text || chr(10) || t.reason")}
    OR CASE WHEN left(t.row ->> 'body', 2) = '\\x' THEN {mentions_bytes("(t.row ->> 'body')::bytea")} ELSE false END
"""
_WAITING: Final = "t.status = 'waiting'"
_BESIDE: Final = """concat(t.headers::text, ' "', t.delivery_id, '" ', t.problems::text)"""
_IN_BODY: Final = mentions_bytes(f"t.body || convert_to(chr(10) || {_BESIDE}, 'UTF8')", _HOOK_NAMESPACE)


def stop_reading(subject: Subject, now: datetime) -> int:
    """Have bodies that name them wait no more: soon there is nothing in them to interpret."""
    query = f"""
        UPDATE customers_receivedbody t SET status = 'failed', reason = 'erased', interpreted_at = %(now)s
        WHERE ({_IN_BODY}) AND ({_WAITING})
    """
    with connection.cursor() as cursor:
        cursor.execute(query, {**subject.values(), "now": now})
        return int(cursor.rowcount)


STORES: Final = (
    Store(
        "inbox",
        _("inbox and queues"),
        _("Work that is not done yet."),
        Basis.INTEREST,
        Rank.QUEUES,
        (
            Table(
                UnitAttempt,
                "t.queue = 'inbox' AND t.unit_id IN (SELECT i.id FROM customers_inbox i"
                " WHERE i.identifier_keys && %(keys)s::bigint[])",
            ),
            Table(
                InboxItem,
                # What came later begins somebody new.
                "t.identifier_keys && %(keys)s::bigint[]"
                " AND t.occurred_at <= coalesce(%(at)s, 'infinity'::timestamptz)",
                {
                    "name": "t.name",
                    "occurred_at": "t.occurred_at",
                    "received_at": "t.received_at",
                    "identifiers": "t.identifiers",
                    "content": "t.payload",
                },
            ),
            Table(MatchItem, _OWN),
            Table(MergeItem, _OWN),
        ),
        kept_words=_("until it is done, mostly seconds"),
    ),
    Store(
        "quarantine",
        _("quarantine"),
        _("What was refused, so that it can be mended and is not lost."),
        Basis.INTEREST,
        Rank.DOORS,
        (
            Table(
                QuarantinedEvent,
                _QUARANTINED,
                {
                    "received_at": "t.received_at",
                    "source": _SOURCE,
                    "code": "t.code",
                    "name": "t.name",
                    "content": "t.raw",
                },
                {
                    "raw": "''",
                    "detail": "''",
                    "message_id": "''",
                    "name": unless_named("name", namespace=_NAMESPACE),
                    "pointer": unless_named("pointer", namespace=_NAMESPACE),
                    "naming": "'{}'::bigint[]",
                    "status": "CASE WHEN t.status = 'open' THEN 'discarded' ELSE t.status END",
                    "reason": "'erased'",
                    "settled_at": "coalesce(t.settled_at, %(at)s)",
                },
            ),
        ),
        kept="quarantine_open",
        note=_("That something was refused, and why, stays."),
    ),
    Store(
        "webhooks",
        _("bodies that webhooks received"),
        _("To interpret again what was misunderstood."),
        Basis.INTEREST,
        Rank.DOORS,
        (
            Table(
                ReceivedBody,
                _IN_BODY,
                {
                    "received_at": "t.received_at",
                    "webhook": "(SELECT h.name FROM customers_hook h WHERE h.id = t.hook_id)",
                    "content_base64": "encode(t.body, 'base64')",
                },
                {"body": "''::bytea", "headers": "'{}'::jsonb", "delivery_id": "''", "problems": "'[]'::jsonb"},
                blocked=_WAITING,
            ),
        ),
        kept="webhook_bodies",
        note=_(
            "Of a body that tells of several people an export holds only the subject’s part; erasure takes all of it."
        ),
        stop=stop_reading,
    ),
    Store(
        "answers",
        _("kept answers of calls"),
        _("So that a call that is repeated does nothing twice."),
        Basis.INTEREST,
        Rank.DOORS,
        (
            Table(
                KeptAnswer,
                f"{mentions_bytes('t.body')} OR encode(t.body, 'escape') LIKE ANY(%(ids)s::text[])",
            ),
        ),
        kept_words=_("a week"),
        note=_("They repeat what other stores hold, so an export leaves them out."),
    ),
    Store(
        "dead_letters",
        _("dead letters"),
        _("Work that was given up, so that it can be taken up again."),
        Basis.INTEREST,
        Rank.DOORS,
        (
            Table(
                DeadLetter,
                _BURIED,
                {"at": "t.at", "queue": "t.queue", "content": "t.row - 'body'"},
                {"row": "'{}'::jsonb", "reason": "'erased'", "replayed_at": "coalesce(t.replayed_at, %(at)s)"},
            ),
        ),
        kept="dead_letters",
    ),
)
