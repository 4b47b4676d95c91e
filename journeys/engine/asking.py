"""What rules ask of many runs at once beside traits and events: one statement for each kind that is asked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from channels.entitlements.balance import held
from channels.entitlements.leaf import HELD, Held
from channels.models import Message
from consent.permission import Want, choose_addresses
from consent.permitted import PERMISSION, REFUSALS
from customers.rules import Facts
from customers.rules.in_segment import SEGMENTS
from journeys.engine.runs import People, RunState
from journeys.this_run import MESSAGES
from journeys.version import Version

# Never flattened: look-ups by key, however many the planner thinks there are.
_SEGMENTS: Final = """
    SELECT u.id, m.brand_id, m.key FROM unnest(%b::uuid[]) AS u(id), LATERAL (
        SELECT s.brand_id, s.key FROM customers_segmentmembership m JOIN customers_segment s ON s.id = m.segment_id
        WHERE m.customer_id = u.id AND m.left_at IS NULL AND s.key = ANY(%b) OFFSET 0
    ) m
"""
# What was refused, failed or was taken back is no message that somebody had.
_MESSAGES: Final = """
    SELECT m.origin_id, count(DISTINCT m.visit) FROM channels_message m
    WHERE m.origin_kind = %b AND m.origin_id = ANY(%b) AND NOT m.state = ANY(%b) GROUP BY 1
"""
_READ: Final = frozenset({SEGMENTS, PERMISSION, HELD, MESSAGES})
_IN_VAIN: Final = ("suppressed", "failed", "expired", "cancelled")


class Asked(NamedTuple):
    """Of whom rules may be asked before the next wait, and what they look at; no run yet of who is coming in."""

    customer_id: UUID
    version: Version
    inputs: frozenset[str]
    run_id: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What was read, by customer and brand, by want, and by run."""

    segments: Mapping[tuple[UUID, UUID], Collection[str]] = field(default_factory=dict)
    refusals: Mapping[Want, str] = field(default_factory=dict)
    held: Mapping[tuple[UUID, UUID], Sequence[Held]] = field(default_factory=dict)
    messages: Mapping[int, int] = field(default_factory=dict)

    def of(self, customer: UUID, version: Version, run_id: int) -> dict[str, Any]:
        asks, found = version.asks, dict[str, Any]()
        if asks.segments:
            found[SEGMENTS] = self.segments.get((customer, version.brand_id), ())
        if asks.permissions:
            wants = {place: Want(customer, place[1], purpose) for place, purpose in asks.permissions.items()}
            found[REFUSALS] = {place: self.refusals[want] for place, want in wants.items() if want in self.refusals}
        if asks.held:
            found[HELD] = self.held.get((customer, version.brand_id), ())
        if asks.messages:
            found[MESSAGES] = self.messages.get(run_id, 0)
        return found


def of_runs(runs: Iterable[RunState]) -> Iterable[Asked]:
    """What may be asked of these from where they stand to the next wait."""
    return (
        Asked(run.customer_id, run.version, run.version.asked[run.step], run.id) for run in runs if run.version.asks
    )


def of_any_step(runs: Iterable[RunState]) -> Iterable[Asked]:
    """The same of runs that may come further: of all their rules."""
    return (Asked(run.customer_id, run.version, _everything(run.version), run.id) for run in runs if run.version.asks)


def of_entries(candidates: Iterable[tuple[UUID, Version]]) -> Iterable[Asked]:
    return (Asked(customer, one, _everything(one)) for customer, one in candidates if one.asks)


def ask(cursor: Cursor[Any], people: People, asked: Iterable[Asked], now: datetime) -> People:
    """The people with the answers to all this; as they are where nothing is asked."""
    wanted = [one for one in asked if one.inputs & _READ]
    if not wanted:
        return people
    return replace(
        people,
        answers=Answers(
            _segments(cursor, [one for one in wanted if SEGMENTS in one.inputs]),
            _refusals([one for one in wanted if PERMISSION in one.inputs], now),
            _held(cursor, [one for one in wanted if HELD in one.inputs], now),
            _messages(cursor, [one.run_id for one in wanted if one.run_id and MESSAGES in one.inputs]),
        ),
    )


def _everything(version: Version) -> frozenset[str]:
    asks = version.asks
    asked = {SEGMENTS: asks.segments, PERMISSION: asks.permissions, HELD: asks.held, MESSAGES: asks.messages}
    return frozenset(name for name, is_asked in asked.items() if is_asked)


def _segments(cursor: Cursor[Any], asked: Collection[Asked]) -> dict[tuple[UUID, UUID], set[str]]:
    found: dict[tuple[UUID, UUID], set[str]] = defaultdict(set)
    if asked:
        keys = sorted({key for one in asked for key in one.version.asks.segments})
        rows = cursor.execute(_SEGMENTS, [sorted({one.customer_id for one in asked}), keys], prepare=True)
        for customer, brand, key in rows.fetchall():
            found[customer, brand].add(key)
    return found


def _refusals(asked: Collection[Asked], now: datetime) -> dict[Want, str]:
    wants = {
        Want(one.customer_id, channel, purpose)
        for one in asked
        for (_key, channel), purpose in one.version.asks.permissions.items()
    }
    ordered = sorted(wants)
    return {
        want: choices[0].verdict.reason for want, choices in zip(ordered, choose_addresses(ordered, now), strict=True)
    }


def _held(cursor: Cursor[Any], asked: Collection[Asked], now: datetime) -> Mapping[tuple[UUID, UUID], Sequence[Held]]:
    if not asked:
        return {}
    keys = {key for one in asked for key in one.version.asks.held}
    return held(cursor, {one.customer_id for one in asked}, keys, now)


def having(cursor: Cursor[Any], facts: dict[int, Facts], entitled: Iterable[RunState], now: datetime) -> None:
    """Put into the facts of these runs what their customers have now: the step just granted it, or took it back."""
    looking = {run.id: run for run in entitled if HELD in run.version.asked[run.step]}
    found = _held(cursor, list(of_runs(looking.values())), now)
    for id_, run in looking.items():
        has = found.get((run.customer_id, run.version.brand_id), ())
        facts[id_] = replace(facts[id_], extra={**facts[id_].extra, HELD: has})


def _messages(cursor: Cursor[Any], run_ids: Collection[int]) -> dict[int, int]:
    if not run_ids:
        return {}
    given = [Message.Origin.RUN.value, [str(id_) for id_ in run_ids], list(_IN_VAIN)]
    return {int(origin): count for origin, count in cursor.execute(_MESSAGES, given, prepare=True).fetchall()}
