"""Who is in a segment and who is not, settled by one statement: for a few people by their keys, or for all in a range.

It closes the memberships of those in whom the rule holds no more, opens those of others, and notes when time alone may
change the answer. Whoever calls it for people by key has locked them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from customers.models import Segment
from customers.rules import PEOPLE, Fragment, Reading, Rule, parse

# Of people asked for by key: the customer, and whether what brings them here is history.
_BY_KEY: Final = (
    "customers_customer c JOIN unnest(%s::uuid[], %s::boolean[]) AS u(id, historical) ON u.id = c.id",
    "u.historical",
)
_IN_BRAND: Final = (
    "EXISTS (SELECT 1 FROM {people} o JOIN customers_profilebrand b ON b.profile_id = o.id"
    " WHERE o.customer_id = c.id AND b.brand_id = %s)"
)
# SQL, each true of customers `c` who are in no segment, whatever its rule says.
_left_out: list[str] = []
_GONE: Final = """gone AS (
        UPDATE customers_segmentmembership m SET left_at = %s
        WHERE m.segment_id = %s AND m.left_at IS NULL AND {concerned}
        RETURNING m.customer_id
    )"""
_COME: Final = """, come AS (
        INSERT INTO customers_segmentmembership
            (segment_id, profile_id, customer_id, entered_at, rule_version, historical)
        SELECT %s, t.id, t.id, %s::timestamptz, %s, t.historical FROM truth t
        WHERE t.holds AND NOT EXISTS (
            SELECT 1 FROM customers_segmentmembership m
            WHERE m.customer_id = t.id AND m.segment_id = %s AND m.left_at IS NULL
        )
        ON CONFLICT (segment_id, profile_id) WHERE left_at IS NULL DO NOTHING
        RETURNING customer_id
    )"""
_TURNED: Final = """, turned AS (
        INSERT INTO customers_segment_turn AS d (segment_id, profile_id, due_at)
        SELECT %s, t.id, t.turn FROM truth t WHERE t.turn IS NOT NULL {known}
    )"""
_MOVED: Final = """
        ON CONFLICT (segment_id, profile_id) DO UPDATE SET due_at = excluded.due_at
        WHERE d.due_at <> excluded.due_at
"""
_UNTURNED: Final = """, unturned AS (
        DELETE FROM customers_segment_turn d USING truth t
        WHERE d.segment_id = %s AND d.profile_id = t.id AND t.turn IS NULL
    )"""
_NAMES: Final = " SELECT 'came', customer_id FROM come UNION ALL SELECT DISTINCT 'left', customer_id FROM gone"
_NOT_FOUND: Final = " AND NOT EXISTS (SELECT 1 FROM truth t WHERE t.id = m.customer_id AND t.holds)"
_NO_LONGER: Final = ("m.customer_id IN (SELECT t.id FROM truth t WHERE NOT t.holds)", ())
_COUNTS: Final = " SELECT 'came', count(*) FROM come UNION ALL SELECT 'left', count(DISTINCT customer_id) FROM gone"


def leave_out(condition: str) -> None:
    """Whoever makes it true or untrue of somebody has them looked at again (`follow.look_again`)."""
    if condition not in _left_out:
        _left_out.append(condition)


@dataclass(frozen=True, slots=True)
class Changed:
    came: Sequence[UUID] = ()
    left: Sequence[UUID] = ()


class Range(NamedTuple):
    """Customers after the one and up to the other, in the order of their keys; without an end, everybody there."""

    after: UUID | None
    upto: UUID | None

    def of(self, column: str) -> Fragment:
        """The condition that a column lies in it."""
        ends = ((f"{column} > %s", self.after), (f"{column} <= %s", self.upto))
        asked = [(text, end) for text, end in ends if end is not None]
        return " AND ".join(text for text, _end in asked) or "true", [end for _text, end in asked]


@dataclass(slots=True)
class Statement:
    """A statement while it is put together, with its parameters in the order of its text."""

    text: str = ""
    parameters: list[Any] = field(default_factory=list)

    def add(self, text: str, *parameters: Any) -> None:
        self.text += text
        self.parameters += parameters


def settle(
    cursor: CursorWrapper, segment: Segment, people: Mapping[UUID, bool], now: datetime, *, names: bool
) -> Changed:
    """Settle these customers, each with whether only history brings them here; with `names` tell who came and left."""
    reading = Reading(now, segment.brand_id, by_key=True)
    statement = Statement("WITH ")
    _truth(statement, segment, reading, _BY_KEY, [array(people), array(people.values())])
    _write(statement, segment, reading, now, _NO_LONGER)
    statement.add(_NAMES if names else _COUNTS)
    cursor.execute(statement.text, statement.parameters)
    return _changed(cursor.fetchall()) if names else Changed()


def place(cursor: CursorWrapper, segment: Segment, people: Sequence[UUID], now: datetime, *, inside: bool) -> Changed:
    """Put these customers on a list, or take them off it."""
    statement = Statement("WITH ")
    statement.add(
        "truth AS (SELECT c.id, %s AS holds, false AS historical FROM customers_customer c WHERE c.id = ANY(%s::uuid[])"
        f" AND {_may_be_in('customers_profile', heed_left_out=inside)}), ",
        inside, array(people), segment.brand_id,
    )  # fmt: skip
    _write(statement, segment, Reading(now), now, _NO_LONGER)
    statement.add(_NAMES)
    cursor.execute(statement.text, statement.parameters)
    return _changed(cursor.fetchall())


def build(cursor: CursorWrapper, segment: Segment, within: Range, now: datetime) -> tuple[int, int]:
    """Settle everybody in the range; how many came and left. All of it is history, and no turn of time is noted yet."""
    reading = Reading(now, segment.brand_id, people="people")
    statement = Statement("WITH ")
    statement.add(*_flat("people AS NOT MATERIALIZED (SELECT id, customer_id FROM customers_profile WHERE ",
                         within.of("customer_id"), "), "))  # fmt: skip
    asked = _flat("(SELECT id, traits FROM customers_customer WHERE ", within.of("id"), ") c")
    _truth(statement, segment, reading, (asked[0], "true"), asked[1:])
    concerned = _flat(within.of("m.customer_id"), _NOT_FOUND)
    _write(statement, segment, reading, now, (concerned[0], concerned[1:]))
    statement.add(_COUNTS)
    cursor.execute(statement.text, statement.parameters)
    counts = dict(cursor.fetchall())
    return counts["came"], counts["left"]


def _may_be_in(people: str, *, heed_left_out: bool = True) -> str:
    left_out = [f"NOT ({condition})" for condition in _left_out if heed_left_out]
    return " AND ".join((_IN_BRAND.format(people=people), *left_out))


def array(values: Iterable[object]) -> str:
    """Keys, numbers or flags as PostgreSQL writes an array: a thousand are quoted as one text."""
    return f"{{{','.join(map(str, values))}}}"


def truth_of(rule: Rule, reading: Reading, asked: Fragment, historical: str = "true") -> Fragment:
    """A relation of customers (id, holds, turn, historical) out of `asked`, a relation `c` of customers. Read by key
    it has all of them; else only those in whom the rule holds, or may come to hold by itself."""
    in_brand = (_may_be_in(reading.people), [reading.brand_id])
    holds = rule.sql(reading)
    most, least, turn = rule.bound(reading, most=True), rule.bound(reading, most=False), reading.next_turn()
    found = Statement("SELECT c.id, ")
    if reading.by_key:
        # What is read already is asked first, what has to be looked up last.
        found.add(*_flat(holds, " AND ", in_brand, " AS holds, CASE WHEN ", most, " AND NOT ", least, " AND "))
        found.add(*_flat(turn, " IS NOT NULL AND ", in_brand, " THEN ", turn, " END AS turn, "))
        found.add(*_flat(f"{historical} AS historical FROM "))
        found.add(*_flat(asked, reading.joined()))
    elif rule.is_timed:
        found.add(*_flat(holds, " AS holds, CASE WHEN NOT ", least, " THEN ", turn, " END AS turn, "))
        found.add(*_flat(f"{historical} AS historical FROM ", asked, reading.joined(), " WHERE ", in_brand))
        found.add(*_flat(" AND ", most, " AND (", holds, " OR ", turn, " IS NOT NULL)"))
    else:
        found.add(*_flat(f"true AS holds, NULL::timestamptz AS turn, {historical} AS historical FROM ", asked))
        found.add(*_flat(reading.joined(), " WHERE ", in_brand, " AND ", holds))
    return found.text, found.parameters


def _flat(*parts: Fragment | str) -> list[Any]:
    """The texts as one, and then all their parameters."""
    pairs = [part if isinstance(part, tuple) else (part, []) for part in parts]
    return ["".join(text for text, _given in pairs), *(one for _text, given in pairs for one in given)]


def _truth(
    statement: Statement, segment: Segment, reading: Reading, asked: tuple[str, str], given: Sequence[Any]
) -> None:
    relation, historical = asked
    text, parameters = truth_of(parse(segment.rule, PEOPLE), reading, (relation, list(given)), historical)
    statement.add(f"truth AS MATERIALIZED ({text}), ", *parameters)


def _write(
    statement: Statement,
    segment: Segment,
    reading: Reading,
    now: datetime,
    concerned: tuple[str, Sequence[Any]],
) -> None:
    key = segment.pk
    statement.add(_GONE.format(concerned=concerned[0]), now, key, *concerned[1])
    statement.add(_COME, key, now, segment.rule_version, key)
    if reading.turns and reading.by_key:
        statement.add(_TURNED.format(known=_MOVED), key)
        statement.add(_UNTURNED, key)
    elif reading.turns:
        # Nobody writes turns of a segment that is being built, but its build.
        statement.add(_TURNED.format(known=""), key)


def _changed(rows: Sequence[tuple[str, UUID]]) -> Changed:
    return Changed([id_ for what, id_ in rows if what == "came"], [id_ for what, id_ in rows if what == "left"])
