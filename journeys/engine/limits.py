"""What keeps people out of a journey who would be let in otherwise: an excluded segment and caps.

All of it is decided for a customer whose row is locked: entries and memberships of one person wait for each other, so
that counts are exact whatever number of workers there is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from journeys.engine.entries import Entries
from journeys.engine.runs import ACTIVE, RunState
from journeys.entry.parts import Ramp
from journeys.models import EntryRefusal
from journeys.steps.base import drawn
from journeys.version import Version

Reason = EntryRefusal.Reason
Pair = tuple[UUID, Version]
_WHOLE: Final = 100

_MEMBERS = """
    SELECT m.customer_id, m.segment_id FROM customers_segmentmembership m
    WHERE m.customer_id = ANY(%b) AND m.segment_id = ANY(%b) AND m.left_at IS NULL
"""
_ENTERED = """
    SELECT u.customer_id, u.journey_id, r.entered_at
    FROM unnest(%b::uuid[], %b::uuid[], %b::timestamptz[]) AS u(customer_id, journey_id, since),
    LATERAL (
        SELECT r.entered_at FROM customers_profile p, LATERAL (
            SELECT r.entered_at FROM journeys_run r
            WHERE r.profile_id = p.id AND r.journey_id = u.journey_id AND r.entered_at > u.since OFFSET 0
        ) r
        WHERE p.customer_id = u.customer_id OFFSET 0
    ) r
"""


def is_first(journey_id: UUID, profile_id: UUID, ramp: Ramp) -> bool:
    """Whether the person is in the group: always the same ones, and all of a smaller group in a greater one."""
    # No step is called so: the lots of a split fall apart from it.
    return drawn(f"{journey_id}:%ramp:{profile_id}", _WHOLE) < ramp.percent


@dataclass(frozen=True, slots=True)
class Limit:
    """Which limit refuses, and of a cap how many were counted and how many there may be."""

    reason: Reason
    counted: int | None = None
    most: int | None = None


@dataclass(slots=True)
class Limits:
    """What was read of the customers of a batch."""

    # (customer, segment) of those who are in a segment that some candidate excludes.
    members: set[tuple[UUID, UUID]] = field(default_factory=set)
    # By (customer, journey), when they came in.
    entered: dict[tuple[UUID, UUID], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    # By brand, in how many marketing journeys somebody may be at once.
    at_once: Mapping[UUID, int] = field(default_factory=dict)
    # Journeys whose ramp is over: everybody is let in.
    widened: Collection[UUID] = ()
    # Runs that end in the move in which their customer is let in.
    leaving: set[int] = field(default_factory=set)

    def refusal(
        self, candidate: Version, customer: UUID, profile: UUID, runs: Iterable[RunState], now: datetime
    ) -> Limit | None:
        if candidate.excluded is not None and (customer, candidate.excluded) in self.members:
            return Limit(Reason.EXCLUDED)
        return (
            self._entry_cap(candidate, customer, now)
            or self._ramp(candidate, profile)
            or self._concurrency_cap(candidate, runs)
        )

    def remember(self, run: RunState, now: datetime) -> None:
        if run.version.definition.entry.cap is not None:
            self.entered[run.customer_id, run.journey_id].append(now)

    def _entry_cap(self, candidate: Version, customer: UUID, now: datetime) -> Limit | None:
        cap = candidate.definition.entry.cap
        if cap is None:
            return None
        counted = sum(at > now - cap.per for at in self.entered[customer, candidate.journey_id])
        return Limit(Reason.ENTRY_CAP, counted, cap.most) if counted >= cap.most else None

    def _ramp(self, candidate: Version, profile: UUID) -> Limit | None:
        ramp = candidate.definition.entry.ramp
        if ramp is None or candidate.journey_id in self.widened or is_first(candidate.journey_id, profile, ramp):
            return None
        return Limit(Reason.OUTSIDE_RAMP)

    def _concurrency_cap(self, candidate: Version, runs: Iterable[RunState]) -> Limit | None:
        most = self.at_once.get(candidate.brand_id)
        if most is None or not candidate.is_marketing:
            return None
        in_them = {
            run.journey_id
            for run in runs
            if run.status == ACTIVE
            and run.id not in self.leaving
            and run.version.is_marketing
            and run.version.brand_id == candidate.brand_id
        }
        # Another run of a journey that they are in already is not another journey.
        is_full = candidate.journey_id not in in_them and len(in_them) >= most
        return Limit(Reason.CONCURRENCY_CAP, len(in_them), most) if is_full else None


def read_limits(cursor: Cursor[Any], candidates: Collection[Pair], entries: Entries, now: datetime) -> Limits:
    """Read what these (customer, version) pairs are limited by; no statement for versions that limit nothing."""
    limits = Limits(at_once=entries.at_once, widened=entries.widened)
    excluding = {(customer, live.excluded) for customer, live in candidates if live.excluded is not None}
    if excluding:
        asked = [list({pair[n] for pair in excluding}) for n in (0, 1)]
        limits.members.update(cursor.execute(_MEMBERS, asked).fetchall())
    capped = [(who, live.journey_id, now - cap.per) for who, live in candidates if (cap := live.definition.entry.cap)]
    if capped:
        rows = cursor.execute(_ENTERED, [list(column) for column in zip(*capped, strict=True)])
        for customer, journey, at in rows:
            limits.entered[customer, journey].append(at)
    return limits
