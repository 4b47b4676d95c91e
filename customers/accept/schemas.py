"""Planned events: which schema version an event is held to, with compiled validators kept per process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NoReturn
from uuid import UUID

import jsonschema_rs
import orjson
from django.db import connection

from customers.accept.refusal import Refusal, pointer

# How long after an approval the old answer may still be given.
BELIEVED_FOR = timedelta(seconds=1)
_MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Version:
    """An approved version; without a validator its schema cannot be used and lets nothing pass."""

    id: int
    validator: jsonschema_rs.Validator | None

    def fault(self, value: Any) -> Refusal | None:
        """The first violation in `value`, described without quoting it."""
        if self.validator is None:
            return Refusal("schema_unusable", "The approved schema cannot be compiled.", "Tell the schema's owner.")
        if self.validator.is_valid(value):
            return None
        return _as_refusal(next(self.validator.iter_errors(value)))

    def faults(self, value: Any) -> list[Refusal]:
        """The first hundred violations, for somebody who is writing such events."""
        first = self.fault(value)
        if first is None or self.validator is None:
            return [] if first is None else [first]
        return [_as_refusal(error) for error in islice(self.validator.iter_errors(value), _MOST_FAULTS)]


def _as_refusal(error: jsonschema_rs.ValidationError) -> Refusal:
    where = f"See {pointer(*error.schema_path)} in the schema."
    return Refusal("schema_violation", error.message, where, pointer(*error.instance_path))


@dataclass(slots=True)
class Planned:
    """The approved versions of one event type by number."""

    versions: dict[int, Version] = field(default_factory=dict)

    def choose(self, number: object) -> Version | None:
        """The version asked for, else the latest."""
        if number is None:
            return self.versions[max(self.versions)] if self.versions else None
        return self.versions.get(number) if type(number) is int else None


Plan = Mapping[tuple[UUID, str], Planned]


@dataclass(slots=True)
class _Belief:
    read_at: datetime | None = None
    signature: str = ""
    plan: Plan = field(default_factory=dict)


_belief = _Belief()


def current(now: datetime) -> Plan:
    """The event types of all brands, read again when something about them has changed."""
    if _belief.read_at is None or not timedelta(0) <= now - _belief.read_at < BELIEVED_FOR:
        signature = _signature()
        if signature != _belief.signature:
            _belief.plan = _load()
            _belief.signature = signature
        _belief.read_at = now
    return _belief.plan


def forget() -> None:
    """Believe nothing any more."""
    _belief.read_at = None
    _belief.signature = ""


def _signature() -> str:
    """Where every row stands in its table: PostgreSQL moves a row with each change."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(md5(string_agg(concat_ws('.', t.id, t.ctid, t.xmin, v.id, v.ctid, v.xmin), ','"
            " ORDER BY t.id, v.id)), 'none') FROM customers_eventtype t"
            " LEFT JOIN customers_schemaversion v ON v.event_type_id = t.id"
        )
        return str(cursor.fetchone()[0])


def _load() -> Plan:
    plan: dict[tuple[UUID, str], Planned] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.brand_id, t.name, v.number, v.id, v.schema::text FROM customers_eventtype t"
            " JOIN customers_schemaversion v ON v.event_type_id = t.id AND v.status = 'approved'"
        )
        for brand, name, number, version, schema in cursor.fetchall():
            planned = plan.setdefault((brand, name), Planned())
            planned.versions[number] = Version(version, compile_schema(orjson.loads(schema)))
    return plan


def compile_schema(schema: Any) -> jsonschema_rs.Validator | None:
    """A validator that quotes no values, fetches nothing and matches patterns in linear time."""
    try:
        return jsonschema_rs.Draft202012Validator(
            schema, mask="the value", retriever=_refuse_to_fetch, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, jsonschema_rs.ReferencingError):
        return None


def _refuse_to_fetch(uri: str) -> NoReturn:
    raise ValueError(f"A schema refers to {uri}, outside itself.")
