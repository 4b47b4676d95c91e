"""Data quality of an event: properties that are missing, of another type, or far out, in a sample of the newest."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from analytics.metrics.query import rows
from customers.personal import MASK

LABEL = _("Data quality")
DEFINITION = _(
    "Of the newest events of each name: a property is missing where the schema requires it, or four in five have it, "
    "and it is absent or null; of another type where four in five agree on one; far out where a number lies more than "
    "three times the middle half's width beyond it."
)
SAMPLE: Final = 200
# Of one name so many are looked through for those of the source.
_LOOKED_THROUGH: Final = 4_000
_USUAL: Final = 0.8
_NUMBERS: Final = 20
_WIDTH: Final = 3
# Somebody may have used data as a key.
_PLAIN: Final = re.compile(r"[A-Za-z_$][\w.$ -]{0,63}")
_SQL: Final = f"""
    SELECT n.name, coalesce(p.payload -> 'properties', p.payload -> 'traits')::text
    FROM unnest(%(names)s::text[]) AS n(name), LATERAL (
        SELECT id, received_at FROM (
            SELECT id, received_at, source_id FROM customers_event e
            WHERE e.name = n.name AND e.occurred_at >= %(since)s ORDER BY occurred_at DESC LIMIT {_LOOKED_THROUGH}
        ) newest WHERE source_id = %(source)s LIMIT {SAMPLE}
    ) e JOIN customers_eventpayload p ON p.event_id = e.id AND p.received_at = e.received_at
"""


@dataclass(frozen=True, slots=True)
class PropertyQuality:
    name: str
    missing: int
    other_type: int
    far_out: int


@dataclass(frozen=True, slots=True)
class EventQuality:
    """Only properties with something to say."""

    sampled: int
    properties: tuple[PropertyQuality, ...]


def samples(source_id: UUID, names: Collection[str], since: datetime) -> dict[str, list[dict[str, Any]]]:
    """The properties (of an identify, the traits) of the newest events of each name."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for name, text in rows(_SQL, {"names": list(names), "source": source_id, "since": since}):
        properties = json.loads(text or "{}")
        found[name].append(properties if isinstance(properties, dict) else {})
    return found


def quality(sample: Sequence[Mapping[str, Any]], required: Collection[str] = ()) -> EventQuality:
    names = sorted({name for one in sample for name in one} | set(required))
    judged = (_judge(name, [one.get(name) for one in sample], name in required) for name in names)
    telling = [one for one in judged if one.missing or one.other_type or one.far_out]
    return EventQuality(len(sample), tuple(telling))


def _judge(name: str, values: Sequence[Any], is_required: bool) -> PropertyQuality:
    there = [value for value in values if value is not None]
    is_usual = bool(there) and len(there) >= _USUAL * len(values)
    missing = len(values) - len(there) if is_required or is_usual else 0
    return PropertyQuality(_shown(name), missing, _of_another_type(there), _far_out(there))


def _of_another_type(there: Sequence[Any]) -> int:
    kinds = Counter(_type(value) for value in there)
    if not kinds:
        return 0
    others = len(there) - max(kinds.values())
    return others if others <= (1 - _USUAL) * len(there) else 0


def _far_out(there: Iterable[Any]) -> int:
    numbers = [float(value) for value in there if _type(value) == "number"]
    if len(numbers) < _NUMBERS:
        return 0
    low, _middle, high = quantiles(numbers, n=4)
    reach = _WIDTH * (high - low)
    # Where most are the same there is no width to measure by.
    return sum(not low - reach <= number <= high + reach for number in numbers) if reach else 0


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "string"


def _shown(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else MASK
