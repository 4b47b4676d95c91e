"""Stores of what came in and is not, or no longer, somebody's: queues, quarantine, webhooks, files, answers."""

from datetime import datetime
from typing import Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from customers import jobs
from customers.imports.job import forget_file
from customers.models import (
    DeadLetter,
    Import,
    ImportChunk,
    InboxItem,
    KeptAnswer,
    MatchItem,
    MergeItem,
    QuarantinedEvent,
    ReceivedBody,
    RefusedRow,
    UnitAttempt,
)
from customers.privacy.patterns import mentions, mentions_bytes, mentions_cells
from customers.privacy.stores import Basis, Rank, Store, Table
from customers.privacy.subject import Subject

_OWN: Final = "t.profile_id = ANY(%(profiles)s)"
_NAMESPACE: Final = "(SELECT s.namespace FROM customers_source s WHERE s.id = t.source_id)"
_SOURCE: Final = "(SELECT s.name FROM customers_source s WHERE s.id = t.source_id)"
_HOOK_NAMESPACE: Final = (
    "(SELECT s.namespace FROM customers_hook h JOIN customers_source s ON s.id = h.source_id WHERE h.id = t.hook_id)"
)
_IMPORT_NAMESPACE: Final = """
    (SELECT s.namespace FROM customers_import i JOIN customers_source s ON s.id = i.source_id WHERE i.id = t.parent_id)
"""
_NAMED: Final = f"""
    t.naming && %(naming)s::bigint[] AND EXISTS (
        SELECT 1 FROM unnest(%(naming_spaces)s::uuid[], %(naming)s::bigint[]) AS u(space, naming)
        WHERE u.naming = ANY(t.naming)
          AND (u.space = '00000000-0000-0000-0000-000000000000' OR u.space = {_NAMESPACE})
    )
"""
_QUARANTINED: Final = f"({_NAMED}) OR {mentions('t.raw || chr(10) || t.detail', _NAMESPACE)}"
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
# A name may lie across two pieces, and what stands before it in the piece before. A letter where they are cut off keeps
# the cut from being taken for the edge of a name: that is looked at in its own piece.
_PIECE: Final = """
    coalesce((SELECT 'x'::bytea || substring(p.data FROM greatest(1, length(p.data) - 31)) FROM customers_importchunk p
              WHERE p.parent_id = t.parent_id AND p.number = t.number - 1), ''::bytea)
    || t.data
    || coalesce((SELECT substring(n.data FROM 1 FOR 400) || CASE WHEN length(n.data) > 400 THEN 'x' ELSE '' END::bytea
                 FROM customers_importchunk n
                 WHERE n.parent_id = t.parent_id AND n.number = t.number + 1), ''::bytea)
"""
_DELIMITER: Final = "(SELECT i.delimiter FROM customers_import i WHERE i.id = t.parent_id)"
_UNDER_WAY: Final = """
    EXISTS (SELECT 1 FROM customers_import i JOIN customers_job j ON j.id = i.job_id
            WHERE i.id = t.parent_id AND j.state IN ('waiting', 'working'))
"""
_IN_FILE: Final = mentions_cells(_PIECE, _IMPORT_NAMESPACE, _DELIMITER)
_WAITING: Final = "t.status = 'waiting'"
_IN_BODY: Final = mentions_bytes("t.body || '\\x0a'::bytea || convert_to(t.headers::text, 'UTF8')", _HOOK_NAMESPACE)


def forget_files(subject: Subject, now: datetime) -> int:
    """Remove the files that name them and that nobody is at work with: rows cannot be cut out of a file in pieces."""
    query = f"SELECT DISTINCT t.parent_id FROM customers_importchunk t WHERE {_IN_FILE} AND NOT ({_UNDER_WAY})"
    with connection.cursor() as cursor:
        cursor.execute(query, subject.values())
        found = [row[0] for row in cursor.fetchall()]
    for parent in Import.objects.filter(pk__in=found):
        forget_file(parent, now)
    return len(found)


def stop_imports(subject: Subject, now: datetime) -> int:
    """Cancel the imports of files that name them, so that nobody takes half a file for a whole one."""
    query = f"""
        SELECT DISTINCT i.job_id FROM customers_importchunk t JOIN customers_import i ON i.id = t.parent_id
        WHERE ({_IN_FILE}) AND ({_UNDER_WAY})
    """
    with connection.cursor() as cursor:
        cursor.execute(query, subject.values())
        found = [row[0] for row in cursor.fetchall()]
    return sum(jobs.cancel(one, now) for one in found)


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
                {"body": "''::bytea", "headers": "'{}'::jsonb"},
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
        "imports",
        _("imported files"),
        _("To bring in what another system knows."),
        Basis.INTEREST,
        Rank.DOORS,
        (
            Table(
                ImportChunk,
                _IN_FILE,
                {
                    "file": "(SELECT i.file_name FROM customers_import i WHERE i.id = t.parent_id)",
                    "handed_in_at": "(SELECT i.created_at FROM customers_import i WHERE i.id = t.parent_id)",
                },
                blocked=_UNDER_WAY,
            ),
            Table(
                RefusedRow,
                mentions("t.cells::text", _IMPORT_NAMESPACE),
                {"row": "t.row", "code": "t.code", "content": "t.cells"},
                {"cells": "'[]'::jsonb", "place": "''"},
            ),
        ),
        kept="refused_rows",
        note=_("A file that names the subject is removed whole, once no import is at work with it."),
        act=forget_files,
        stop=stop_imports,
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
