"""Secrets at rest moved to the ring's current key, so that an old one can be taken off the ring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models, transaction

from customers.sealing import SecretError, is_current, open_sealed, seal

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Sealed:
    """A field in which secrets lie, and the place a row's secret is bound to."""

    model: type[models.Model]
    field: str
    place: Callable[[Any], str]

    @property
    def name(self) -> str:
        return f"{self.model._meta.db_table}.{self.field}"


@dataclass(slots=True)
class Count:
    """Of one field: how many are under the current key, were moved to it, and do not open, by row."""

    current: int = 0
    moved: int = 0
    closed: list[str] = field(default_factory=list)


_fields: dict[str, Sealed] = {}


def register(*sealed: Sealed) -> None:
    """Have secrets of this field follow the ring; one that is not named here is lost with its key."""
    _fields.update({one.name: one for one in sealed})


def fields() -> Mapping[str, Sealed]:
    return _fields


def reseal(*, only_count: bool = False) -> dict[str, Count]:
    """Seal everything under the ring's first key that is sealed under another; what became of it, by field."""
    return {name: _reseal(one, only_count) for name, one in sorted(_fields.items())}


def _reseal(sealed: Sealed, only_count: bool) -> Count:
    count, ids = Count(), list(sealed.model._default_manager.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), _AT_ONCE):
        # Locked: a secret that somebody sets meanwhile must not be written over by the one before it.
        with transaction.atomic():
            rows = sealed.model._default_manager.filter(pk__in=ids[start : start + _AT_ONCE]).order_by("pk")
            for row in rows if only_count else rows.select_for_update():
                _reseal_row(sealed, row, count, only_count)
    return count


def _reseal_row(sealed: Sealed, row: models.Model, count: Count, only_count: bool) -> None:
    held, place = bytes(getattr(row, sealed.field)), sealed.place(row)
    try:
        secret = open_sealed(held, place)
    except SecretError:
        count.closed.append(str(row.pk))
        return
    if is_current(held):
        count.current += bool(held)
        return
    count.moved += 1
    if not only_count:
        setattr(row, sealed.field, seal(secret, place))
        row.save(update_fields=[sealed.field])
