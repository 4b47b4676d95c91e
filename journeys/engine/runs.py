"""A run in the engine's hands, and what the database knows of many at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg import Cursor

from customers.rules import Facts
from journeys.compiling import version
from journeys.models import Run
from journeys.steps.base import ZONE
from journeys.version import Version

if TYPE_CHECKING:
    from journeys.engine.asking import Answers

ACTIVE = int(Run.Status.ACTIVE)


@dataclass(slots=True, eq=False)
class RunState:
    """The columns of a run, changed in memory while it walks and written once. `id` 0: not yet written."""

    id: int
    version: Version
    customer_id: UUID
    profile_id: UUID
    entry_key: str
    status: int
    step: int
    state: int
    seq: int
    timed_out_step: int | None
    entered_at: datetime
    stepped_at: datetime
    due_at: datetime | None
    # Of a journey that ends runs at some age; `due_at` is the earlier of the two.
    ends_at: datetime | None = None
    waits_until: datetime | None = None
    ended_at: datetime | None = None
    # None where nobody has read them, or its version has none.
    variables: dict[str, Any] | None = None

    @property
    def journey_id(self) -> UUID:
        return self.version.journey_id

    @property
    def is_too_old(self) -> bool:
        """Whether what is due is its end."""
        return self.ends_at is not None and self.due_at is not None and self.due_at >= self.ends_at

    def had_ended_by(self, moment: datetime) -> bool:
        """Whether its age ends it before that. Without a due time it rests, and the time of its journey stands."""
        return self.ends_at is not None and self.due_at is not None and moment > self.ends_at


@dataclass(frozen=True, slots=True)
class Began:
    """The entry event's place in time: what came later is in the run's window."""

    occurred_at: datetime
    message_id: str
    event_id: int | None


_COLUMNS = (
    "r.id, r.version_id, r.customer_id, r.profile_id, r.entry_key, r.status, r.step, r.state, r.seq,"
    " r.timed_out_step, r.entered_at, r.stepped_at, r.due_at,"
    " r.ends_at, r.waits_until"
)
_DUE = f"""
    SELECT {_COLUMNS} FROM journeys_run r WHERE r.id = ANY(%b) AND r.status + 0 = 1 AND r.due_at <= %b
    FOR NO KEY UPDATE SKIP LOCKED
"""
# Of a run set aside, when it came due; none while its journey's time stands.
_LIVE_COLUMNS = _COLUMNS.replace(
    "r.due_at",
    "coalesce(r.due_at, CASE WHEN NOT EXISTS (SELECT 1 FROM journeys_halt h WHERE h.journey_id = r.journey_id"
    " AND h.settled_at IS NULL AND h.waiting = 'time_stands') THEN r.rests_due_at END) AS due_at",
)
_LIVE = f"""
    WITH r AS MATERIALIZED (
        SELECT {_LIVE_COLUMNS} FROM journeys_run r WHERE r.{{column}} = ANY(%b::{{type}}[]) AND r.status = 1
        FOR NO KEY UPDATE
    )
    SELECT r.*, c.occurred_at, c.message_id, c.event_id FROM r, LATERAL (
        SELECT c.occurred_at, c.message_id, c.event_id FROM journeys_runcontext c WHERE c.run_id = r.id OFFSET 0
    ) c
"""
_TYPES = {"id": "bigint", "customer_id": "uuid", "profile_id": "uuid"}


def _run(row: Sequence[Any]) -> RunState:
    return RunState(row[0], version(row[1]), *row[2:15])


def lock_due(cursor: Cursor[Any], ids: Sequence[int], now: datetime) -> list[RunState]:
    """Those of the runs that are still due and that nobody else holds: a timer passed over comes again."""
    return [_run(row) for row in cursor.execute(_DUE, [sorted(ids), now], prepare=True).fetchall()]


def lock_live(cursor: Cursor[Any], column: str, values: Collection[Any]) -> list[tuple[RunState, Began]]:
    """The live runs by id, customer or profile, waited for: a run passed over would be a lost wake-up."""
    statement = _LIVE.format(column=column, type=_TYPES[column])
    rows = cursor.execute(statement, [sorted(values)]).fetchall()
    return [(_run(row), Began(*row[15:18])) for row in rows]


_LIVE_OF = f"SELECT {_COLUMNS} FROM journeys_run r WHERE r.customer_id = ANY(%b::uuid[]) AND r.status = 1"


def live_of(cursor: Cursor[Any], customers: Collection[UUID]) -> list[RunState]:
    """Their live runs, to look at: whoever holds the customers knows that none begins, and any may be ending."""
    return [_run(row) for row in cursor.execute(_LIVE_OF, [sorted(customers)]).fetchall()]


_GIVEN_UP = f"""
    SELECT {_COLUMNS} FROM journeys_run r WHERE r.id = ANY(%b) AND r.status = 4
      AND EXISTS (SELECT 1 FROM journeys_runcontext c WHERE c.run_id = r.id)
    ORDER BY r.entered_at, r.id FOR NO KEY UPDATE
"""


def lock_given_up(cursor: Cursor[Any], ids: Sequence[int]) -> list[RunState]:
    """Those of the runs that were given up, the eldest first; of the erased nothing is left to go on with."""
    return [_run(row) for row in cursor.execute(_GIVEN_UP, [list(ids)]).fetchall()]


@dataclass(frozen=True, slots=True)
class Merged:
    """A run that ended for the sake of an elder one, as it was then."""

    run: RunState
    ended_at: datetime | None
    due_at: datetime | None
    left_its_elder: bool


_MERGED = f"""
    SELECT {_COLUMNS}, r.ended_at, r.merged_due_at, p.customer_id <> e.customer_id
    FROM journeys_run r JOIN customers_profile p ON p.id = r.profile_id
    JOIN journeys_run elder ON elder.id = r.merged_into_id JOIN customers_profile e ON e.id = elder.profile_id
    WHERE r.profile_id = ANY(%b) AND r.status = 6 ORDER BY r.id FOR NO KEY UPDATE OF r
"""


def lock_merged(cursor: Cursor[Any], profiles: Collection[UUID]) -> list[Merged]:
    """Runs of these profiles that were merged into others and may come back."""
    rows = cursor.execute(_MERGED, [list(profiles)]).fetchall()
    return [Merged(_run(row), *row[15:18]) for row in rows]


_STANDING = f"""
    SELECT {_COLUMNS} FROM journeys_run r
    WHERE r.journey_id = %b AND r.version_id = %b AND r.step = %b AND r.status = 1
    ORDER BY r.entered_at DESC, r.id DESC LIMIT %b
"""


def standing_at(cursor: Cursor[Any], journey_id: UUID, version_id: int, step: int, most: int) -> list[RunState]:
    """The newest of the live runs at this step; nobody locks them, so they are for looking at."""
    return [_run(row) for row in cursor.execute(_STANDING, [journey_id, version_id, step, most]).fetchall()]


def variables_of(cursor: Cursor[Any], run_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    if not run_ids:
        return {}
    rows = cursor.execute(
        "SELECT run_id, variables FROM journeys_runcontext WHERE run_id = ANY(%b)",
        [list(run_ids)],
        prepare=True,
    ).fetchall()
    return dict(rows)


@dataclass(frozen=True, slots=True)
class People:
    """What rules and steps look at of many customers at once."""

    traits: Mapping[UUID, Mapping[str, Any]] = field(default_factory=dict)
    zones: Mapping[UUID, str] = field(default_factory=dict)
    # Of a customer whose zone nobody knows.
    brand_zones: Mapping[UUID, str] = field(default_factory=dict)
    # To what else rules ask, where any do.
    answers: "Answers | None" = None

    def facts(self, customer: UUID, version: Version, properties: Mapping[str, Any], run_id: int = 0) -> Facts:
        zone = self.zones.get(customer) or self.brand_zones.get(version.brand_id, "UTC")
        extra: dict[str, Any] = {ZONE: zone}
        if self.answers is not None and version.asks:
            extra |= self.answers.of(customer, version, run_id)
        return Facts(traits=self.traits_of(customer), properties=properties, extra=extra)

    def traits_of(self, customer: UUID) -> Mapping[str, Any]:
        return self.traits.get(customer, {})


NOBODY = People()


def people_of(cursor: Cursor[Any], customer_ids: Collection[UUID]) -> People:
    if not customer_ids:
        return NOBODY
    rows = cursor.execute(
        "SELECT id, traits, zone FROM customers_customer WHERE id = ANY(%b)", [sorted(customer_ids)], prepare=True
    ).fetchall()
    zones = {id_: zone for id_, _traits, zone in rows}
    brands = {} if all(zones.values()) else dict(cursor.execute("SELECT id, zone FROM customers_brand").fetchall())
    return People({id_: traits for id_, traits, _zone in rows}, zones, brands)
