"""Permission at any moment past, by the same rule as now: from the entries themselves, since heads know only now."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from consent.decision import Head, Verdict
from consent.heads import InForce, follow
from consent.models import Method
from consent.under_law import object_to
from consent.weighing import Ask, Facts, weigh
from customers.pg import raw_cursor

# So many asks by one statement: none is too long, and what comes back stays small.
_AT_ONCE: Final = 2_000
_EVER: Final = datetime.max.replace(tzinfo=UTC)
_TODAY: Final = """
        SELECT ask.n, p.id AS profile_id, p.customer_since AS since
        FROM ask JOIN customers_profile p ON p.customer_id = ask.customer_id
"""
# Whose profiles were whose: where one is since before the moment, or where it was until after it.
_THEN: Final = f"""{_TODAY} AND p.customer_since <= ask.moment
        UNION ALL
        SELECT ask.n, m.profile_id, m.was_since
        FROM ask JOIN customers_profilemove m
            ON m.from_customer_id = ask.customer_id AND m.was_since <= ask.moment AND m.at > ask.moment
"""
# Whatever is looked up of an ask's members is looked up of all at once, and found by the ask's number: looked up ask by
# ask, the members of all would be gone through for each.
_FACTS: Final = """
    WITH ask AS MATERIALIZED (
        SELECT t.*, purpose.kind, purpose.law, purpose.brand_id
        FROM unnest(%(customers)b::uuid[], %(addresses)b::uuid[], %(purposes)b::uuid[], %(moments)b::timestamptz[])
            WITH ORDINALITY AS t(customer_id, address_id, purpose_id, moment, n)
        -- Outer, as the server expects an inner join to leave few, and loops over what it then takes for few.
        LEFT JOIN consent_purpose purpose ON purpose.id = t.purpose_id
    ), member AS MATERIALIZED ({members}), unsettled AS MATERIALIZED (
        SELECT ask.n
        FROM customers_deadletter d JOIN member ON member.profile_id = (d.row ->> 'profile_id')::uuid
        JOIN ask ON ask.n = member.n
        WHERE d.queue = 'consent' AND d.at <= ask.moment AND (d.replayed_at IS NULL OR d.replayed_at > ask.moment)
    ), restricted AS MATERIALIZED (
        SELECT ask.n
        FROM ask JOIN member ON member.n = ask.n JOIN consent_restriction r ON r.profile_id = member.profile_id
        WHERE r.since <= ask.moment AND (r.lifted_at IS NULL OR r.lifted_at > ask.moment)
    ), about AS MATERIALIZED (
        SELECT n, address_id, purpose_id, brand_id, moment, NULL::uuid AS profile_id, NULL::timestamptz AS since
        FROM ask
        UNION ALL
        -- A pseudo-address has the id of its profile, for whom it speaks.
        SELECT n, member.profile_id, purpose_id, brand_id, moment, member.profile_id, member.since
        FROM ask JOIN member USING (n) WHERE member.profile_id <> ask.address_id
    ), paused AS MATERIALIZED (
        SELECT about.n
        FROM about JOIN consent_pause s ON s.address_id = about.address_id AND s.brand_id = about.brand_id
        WHERE s.since <= about.moment AND s.until > about.moment
          AND (s.ended_at IS NULL OR s.ended_at > about.moment)
    ), said AS MATERIALIZED (
        SELECT about.n, c.address_id, c.profile_id, coalesce(about.profile_id, member.profile_id) AS spoken_for,
               coalesce(about.since, member.since) AS since,
               c.id, c.state, c.method, c.effective_at, c.valid_until, c.position
        FROM about JOIN consent_consententry c
            ON c.address_id = about.address_id AND c.purpose_id = about.purpose_id
        LEFT JOIN member ON member.n = about.n AND member.profile_id = c.profile_id AND about.profile_id IS NULL
        WHERE c.effective_at <= about.moment AND c.recorded_at <= %(heard_by)b
          AND (about.profile_id IS NOT NULL OR c.profile_id IS NULL OR member.profile_id IS NOT NULL)
    )
    SELECT ask.n, ask.kind,
           EXISTS (
               SELECT 1 FROM consent_suppression s
               WHERE s.address_id = ask.address_id AND (s.brand_id IS NULL OR s.brand_id = ask.brand_id)
                 AND s.created_at <= ask.moment AND (s.lifted_at IS NULL OR s.lifted_at > ask.moment)
           ),
           ask.n IN (SELECT n FROM unsettled),
           ask.n IN (SELECT n FROM restricted),
           ask.n IN (SELECT n FROM paused),
           ask.law,
           said.address_id, said.profile_id, said.spoken_for, said.since,
           said.id, said.state, said.method, said.effective_at, said.valid_until
    FROM ask LEFT JOIN said ON said.n = ask.n
    WHERE ask.kind IS NOT NULL
    ORDER BY ask.n, said.address_id, said.position
"""


class _Said(NamedTuple):
    """One entry that counts for an ask; `profile_id` is whose it is by the ledger, `spoken_for` by permission."""

    address_id: UUID
    profile_id: UUID | None
    spoken_for: UUID | None
    since: datetime | None
    entry_id: int
    state: str
    method: str
    effective_at: datetime
    valid_until: datetime | None


def permissions_as_of(asks: Sequence[Ask], moment: datetime, *, heard_by: datetime | None = None) -> list[Verdict]:
    """The verdict on each ask as things stood at `moment`, by one statement for all. An ask's customer is the one of
    then: whose profiles have moved to another since has them still.

    What had taken effect counts, also where it was heard of later; `heard_by` leaves out what was not in the ledger by
    that time, so that with the moment itself it says what a sender knew. Purposes are taken as they are today; for
    those that weigh the law, so is where people live and when they were born.
    """
    if not asks:
        return []
    with raw_cursor() as cursor:
        facts = _facts(cursor, _FACTS.format(members=_THEN), asks, [moment] * len(asks), heard_by or _EVER)
        return weigh(cursor, asks, facts, moment, by=moment)


def permissions_at(asks: Sequence[tuple[Ask, datetime]]) -> list[Verdict]:
    """The verdict on each ask at a moment of its own, by what had taken effect then, of people as they are known
    today: whoever turned out to be somebody is taken for them from the beginning."""
    verdicts: list[Verdict] = []
    with raw_cursor() as cursor:
        for part in _parts(asks):
            facts = _facts(
                cursor, _FACTS.format(members=_TODAY), [ask for ask, _at in part], [at for _ask, at in part], _EVER
            )
            for (ask, moment), fact in zip(part, facts, strict=True):
                verdicts += weigh(cursor, [ask], [fact], moment)
    return verdicts


def _parts(asks: Sequence[tuple[Ask, datetime]]) -> Iterator[Sequence[tuple[Ask, datetime]]]:
    for first in range(0, len(asks), _AT_ONCE):
        yield asks[first : first + _AT_ONCE]


def _facts(
    cursor: Cursor[Any], statement: str, asks: Sequence[Ask], moments: Sequence[datetime], heard_by: datetime
) -> list[Facts | None]:
    customers, addresses, purposes = map(list, zip(*asks, strict=True))
    facts: list[Facts | None] = [None] * len(asks)
    given = {
        "customers": customers,
        "addresses": addresses,
        "purposes": purposes,
        "moments": list(moments),
        "heard_by": heard_by,
    }
    rows = cursor.execute(statement, given).fetchall()
    for (n, kind, barred, unsettled, restricted, paused, law), said in groupby(rows, key=itemgetter(*range(7))):
        heads = list(_heads(_Said._make(row[7:]) for row in said if row[7] is not None))
        facts[n - 1] = Facts(kind, barred, unsettled, restricted, paused, law, heads)
    object_to(cursor, asks, facts, moments)
    return facts


def _heads(said: Iterable[_Said]) -> Iterator[Head]:
    """What was in force of these, told in the order in which they were written."""
    held: dict[tuple[UUID, UUID | None], tuple[InForce, _Said]] = {}
    for one in said:
        key = (one.address_id, one.profile_id)
        before = held[key][0] if key in held else None
        held[key] = follow(before, one.entry_id, one), one
    for head, one in held.values():
        yield Head(
            entry_id=head.entry_id,
            profile_id=one.spoken_for,
            state=head.state,
            effective_at=head.effective_at,
            valid_until=head.valid_until,
            proven_at=head.proven_at,
            customer_since=one.since,
            is_claim=head.method == Method.CLAIM,
        )
