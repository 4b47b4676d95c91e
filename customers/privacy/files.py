"""The store of files handed in: their pieces, the rows that became nothing, and what the files were called."""

from datetime import datetime
from typing import Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from customers import jobs
from customers.imports.job import forget_file
from customers.models import Import, ImportChunk, Job, RefusedRow
from customers.privacy.patterns import mentions_cells
from customers.privacy.phrases import named_in, stem, unless_named
from customers.privacy.stores import Basis, Rank, Store, Table
from customers.privacy.subject import Subject

_NAMESPACE: Final = "(SELECT s.namespace FROM customers_source s WHERE s.id = t.source_id)"
_IMPORT_NAMESPACE: Final = """
    (SELECT s.namespace FROM customers_import i JOIN customers_source s ON s.id = i.source_id WHERE i.id = t.parent_id)
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
_OF_JOB: Final = "EXISTS (SELECT 1 FROM customers_job j WHERE j.id = t.job_id AND j.state IN ('waiting', 'working'))"
_CHOSEN: Final = ("t.columns::text", "t.choices::text", "t.mapping::text")
_IN_CHOSEN: Final = named_in(*_CHOSEN, namespace=_NAMESPACE)
_IN_IMPORT: Final = named_in("t.file_name", stem("t.file_name"), *_CHOSEN, namespace=_NAMESPACE)
# Its values alone: the keys are ours, and a job that is called by somebody's name would wait for itself to end.
_GIVEN: Final = "(SELECT coalesce(string_agg(v.value::text, ' '), '') FROM jsonb_each(t.arguments) v)"
# A job is nobody's source: whatever namespace a name is of, it may be meant.
_IN_JOB: Final = named_in("t.subject", stem("t.subject"), _GIVEN, namespace="u.space")
_WORKED_ON: Final = "t.state IN ('waiting', 'working')"


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
    """Cancel what is at work with files that name them, so that nobody takes half a file for a whole one."""
    query = f"""
        SELECT DISTINCT i.job_id FROM customers_importchunk t JOIN customers_import i ON i.id = t.parent_id
        WHERE ({_IN_FILE}) AND ({_UNDER_WAY})
        UNION SELECT t.job_id FROM customers_import t WHERE ({_IN_IMPORT}) AND ({_OF_JOB})
        UNION SELECT t.id FROM customers_job t WHERE ({_IN_JOB}) AND ({_WORKED_ON})
    """
    with connection.cursor() as cursor:
        cursor.execute(query, subject.values())
        found = [row[0] for row in cursor.fetchall()]
    return sum(jobs.cancel(one, now) for one in found)


STORES: Final = (
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
                named_in("t.message", "t.hint", "t.place", "t.cells::text", namespace=_IMPORT_NAMESPACE),
                {"row": "t.row", "code": "t.code", "content": "t.cells"},
                {
                    "cells": "'[]'::jsonb",
                    "place": "''",
                    "message": unless_named("message", namespace=_IMPORT_NAMESPACE),
                    "hint": unless_named("hint", namespace=_IMPORT_NAMESPACE),
                },
            ),
            # A first row that was taken for headings, and a file called after whom it is about.
            Table(
                Import,
                _IN_IMPORT,
                {"file": "t.file_name", "handed_in_at": "t.created_at"},
                {
                    "file_name": unless_named("file_name", "'…'", namespace=_NAMESPACE),
                    **{
                        name: f"CASE WHEN {_IN_CHOSEN} THEN '{empty}'::jsonb ELSE t.{name} END"
                        for name, empty in (("columns", "[]"), ("choices", "{}"), ("mapping", "{}"))
                    },
                },
                blocked=_OF_JOB,
            ),
            Table(
                Job,
                _IN_JOB,
                {"name": "t.subject", "at": "t.created_at"},
                {
                    "subject": unless_named("subject", namespace="u.space"),
                    "arguments": f"CASE WHEN {named_in(_GIVEN, namespace='u.space')} THEN '{{}}'::jsonb"
                    " ELSE t.arguments END",
                },
                blocked=_WORKED_ON,
            ),
        ),
        kept="refused_rows",
        note=_("A file that names the subject is removed whole, once no import is at work with it."),
        act=forget_files,
        stop=stop_imports,
    ),
)
