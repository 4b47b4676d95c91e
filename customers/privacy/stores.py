"""Stores: what is kept of people, declared once. The data map, export and erasure all follow from this list.

An app registers its stores in `AppConfig.ready()`. A field marked personal in a model that no store covers fails the
build (`uncovered`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.db import connection
from django.db.models import Model, TextChoices
from django.utils.translation import gettext_lazy as _

from customers import personal
from customers.privacy.subject import Subject

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.functional import _StrOrPromise

# What becomes of a table's rows: they go; or these columns are overwritten (SQL by name) and the fact stays.
DELETE: Final = "delete"
Overwrite = Mapping[str, str]
KEEP: Final[Overwrite] = {}


class Rank(IntEnum):
    """The order in which stores are erased: what leads to others last, and locks as everywhere (DESIGN §2.5)."""

    QUEUES = 10
    RUNS = 20
    CONSENT = 30
    MESSAGES = 40
    DOORS = 50
    FACTS = 60
    IDENTITY = 90


class Basis(TextChoices):
    """On which ground something is kept, in the terms of LGPD and GDPR."""

    CONSENT = "consent", _("consent (LGPD 7 I, GDPR 6(1)(a))")
    DUTY = "duty", _("legal duty (LGPD 7 II, GDPR 6(1)(c))")
    CONTRACT = "contract", _("contract (LGPD 7 V, GDPR 6(1)(b))")
    INTEREST = "interest", _("legitimate interest (LGPD 7 IX, GDPR 6(1)(f))")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows `t` of a model: `where` is SQL that is true of a subject's (see `Subject.values`). `shown` is what an
    export tells, SQL by name; empty where the rows only repeat what another table tells. `fate` is what erasure does.
    `blocked` is SQL true of rows that work is going on with: erasure waits for it to end. `remains` is SQL that writes
    down which of the rows went, as `gone` tells by their keys; only of rows that go."""

    model: type[Model]
    where: str
    shown: Mapping[str, str] = field(default_factory=dict)
    fate: str | Overwrite = DELETE
    blocked: str = ""
    remains: str = ""

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(str(one.column) for one in self.model._meta.pk_fields)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Columns of anybody's rows in which the subject may be spoken of: their name is masked there, at an erasure.
    `namespace` is SQL for that of the row, in which local names mean somebody."""

    model: type[Model]
    columns: tuple[str, ...]
    namespace: str = "NULL::uuid"

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(str(one.column) for one in self.model._meta.pk_fields)

    @property
    def key_types(self) -> tuple[str, ...]:
        return tuple(one.db_type(connection) or "" for one in self.model._meta.pk_fields)

    def type_of(self, column: str) -> str:
        [field] = (one for one in self.model._meta.concrete_fields if one.column == column)
        return field.db_type(connection) or ""


@dataclass(frozen=True, slots=True)
class Store:
    """`kept` names a kind of retention, `kept_words` says it where there is none. `act` is done to a subject before
    the tables are erased: ending what is going on with them. `stop` is done where nothing else runs and nothing can be
    waited for, after a restore: it ends the work for which their rows are blocked. In `spoken` others may name them."""

    key: str
    label: "_StrOrPromise"
    why: "_StrOrPromise"
    basis: Basis
    rank: Rank
    tables: tuple[Table, ...]
    kept: str = ""
    kept_words: "_StrOrPromise" = ""
    note: "_StrOrPromise" = ""
    act: "Callable[[Subject, datetime], int] | None" = None
    stop: "Callable[[Subject, datetime], int] | None" = None
    spoken: tuple[Spoken, ...] = ()

    @property
    def is_exported(self) -> bool:
        return any(table.shown for table in self.tables)


_stores: dict[str, Store] = {}


def register(*stores: Store) -> None:
    _stores.update({store.key: store for store in stores})


def stores() -> Sequence[Store]:
    """In the order in which they are erased."""
    return sorted(_stores.values(), key=lambda store: (store.rank, store.key))


def uncovered() -> list[str]:
    """Fields marked personal in models that no store covers, or that an erasure would leave as they are."""
    erased: dict[type[Model], set[str]] = {}
    for store in _stores.values():
        for table in store.tables:
            names = {one.name for one in table.model._meta.concrete_fields} if table.fate == DELETE else set(table.fate)
            erased.setdefault(table.model, set()).update(names)
    return sorted(
        f"{model._meta.label}.{name}"
        for model in apps.get_models()
        for name in personal.names(model) - erased.get(model, set())
    )
