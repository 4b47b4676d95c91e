"""Who is called by a job, some at a time: the people of a segment, or those whom a list names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from psycopg import Cursor

from customers.models import Job

# By profile, which never changes. Who was merged is in a segment by several profiles, and is called by the first.
_NEXT: Final = """
    SELECT m.profile_id FROM customers_segmentmembership m
    WHERE m.segment_id = %b AND m.left_at IS NULL AND m.entered_at <= %b AND m.profile_id > %b AND NOT EXISTS (
        SELECT 1 FROM customers_segmentmembership o
        WHERE o.segment_id = m.segment_id AND o.customer_id = m.customer_id AND o.left_at IS NULL
          AND o.entered_at <= %b AND o.profile_id < m.profile_id
    )
    ORDER BY m.profile_id LIMIT %b
"""
_COUNT: Final = """
    SELECT count(DISTINCT customer_id) FROM customers_segmentmembership
    WHERE segment_id = %b AND left_at IS NULL AND entered_at <= %b
"""
_NEXT_LINES: Final = """
    SELECT r.profile_id, r.line, r.data FROM journeys_calllistrow r
    WHERE r.parent_id = %b AND r.line > %b AND r.problem = '' AND r.profile_id IS NOT NULL ORDER BY r.line LIMIT %b
"""
_COUNT_LINES: Final = """
    SELECT count(*) FROM journeys_calllistrow WHERE parent_id = %b AND problem = '' AND profile_id IS NOT NULL
"""
_NOBODY: Final = str(UUID(int=0))


class Called(NamedTuple):
    """`mark` is unique within the job, and where its next slice begins."""

    profile_id: UUID
    mark: str | int
    data: Mapping[str, Any] = {}


class People(Protocol):
    def count(self, cursor: Cursor[Any]) -> int: ...

    def next(self, cursor: Cursor[Any], after: str | int | None, most: int) -> list[Called]: ...


@dataclass(frozen=True, slots=True)
class InSegment:
    """Those who were in the segment at that moment and still are."""

    segment: UUID
    at: datetime

    def count(self, cursor: Cursor[Any]) -> int:
        return one_number(cursor, _COUNT, [self.segment, self.at])

    def next(self, cursor: Cursor[Any], after: str | int | None, most: int) -> list[Called]:
        values = [self.segment, self.at, UUID(str(after or _NOBODY)), self.at, most]
        return [Called(row[0], str(row[0])) for row in cursor.execute(_NEXT, values).fetchall()]


@dataclass(frozen=True, slots=True)
class OnList:
    """Those of a list who are known, in the order of its lines."""

    parent: UUID

    def count(self, cursor: Cursor[Any]) -> int:
        return one_number(cursor, _COUNT_LINES, [self.parent])

    def next(self, cursor: Cursor[Any], after: str | int | None, most: int) -> list[Called]:
        return [Called(*row) for row in cursor.execute(_NEXT_LINES, [self.parent, int(after or 0), most]).fetchall()]


def people_of(job: Job) -> People:
    said = job.arguments
    if "list" in said:
        return OnList(UUID(said["list"]))
    return InSegment(UUID(said["segment"]), datetime.fromisoformat(said["at"]))


def one_number(cursor: Cursor[Any], sql: str, values: list[Any]) -> int:
    row = cursor.execute(sql.encode(), values).fetchone()
    assert row is not None
    return int(row[0])
