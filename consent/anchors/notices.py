"""Published notice versions as the database has them: each one's hash over all its words."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any, Final, NamedTuple

import orjson
from psycopg import Cursor

from consent import notices

_FORM: Final = "trilha-notice-1"
# As text, for whoever takes a table's guards away can make times that nobody reads.
_PUBLISHED: Final = """
    SELECT v.id, v.notice_id::text, v.number, to_char(v.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
           t.locale, t.text, t.digest
    FROM consent_noticeversion v LEFT JOIN consent_noticetext t ON t.version_id = v.id
    WHERE v.published_at IS NOT NULL ORDER BY v.id
"""


class Published(NamedTuple):
    """`digest` is made of the words as they stand now; `is_sealed` whether they are those of their own hashes."""

    version_id: int
    digest: bytes
    is_sealed: bool


def published(cursor: Cursor[Any]) -> list[Published]:
    """All of them, ascending: they are few."""
    rows = cursor.execute(_PUBLISHED).fetchall()
    return [_version(list(texts)) for _id, texts in groupby(rows, key=lambda row: row[0])]


def _version(rows: Sequence[tuple[Any, ...]]) -> Published:
    version_id, notice_id, number, at = rows[0][:4]
    texts = sorted((locale or "", text or "", bytes(digest or b"")) for *_version, locale, text, digest in rows)
    words = [[locale, notices.digest(text).hex()] for locale, text, _digest in texts]
    content = orjson.dumps([_FORM, notice_id, number, at, words])
    is_sealed = all(notices.digest(text) == digest for _locale, text, digest in texts)
    return Published(version_id, sha256(content).digest(), is_sealed)
