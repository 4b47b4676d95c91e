"""Lists page by page: keyset cursors, opaque and signed, good for the list and the caller they were made for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core import signing
from django.db.models import Model, Q, QuerySet

from customers.api.parameters import CURSOR, LIMIT, Parameter, RefusedFilter, one_of
from customers.partner import Partner

DEFAULT_LIMIT = 50
_SALT = "customers.api.pages"

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Order:
    """The field a list is ordered by, made unique by the key; `-` before its name: the latest first."""

    field: str
    read: Callable[[Any], Any] = datetime.fromisoformat
    key: Callable[[Any], Any] = int

    def parameter(self) -> Parameter:
        return one_of((f"-{self.field}", self.field), "The latest first (-), or the earliest.")


def uuid_key(value: str) -> UUID:
    return UUID(value)


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: its name, its order, and the filters it knows."""

    name: str
    order: Order
    filters: Mapping[str, Parameter]

    def parameters(self) -> dict[str, Parameter]:
        return {**self.filters, "ordering": self.order.parameter(), "limit": LIMIT, "cursor": CURSOR}

    def page(
        self,
        rows: "QuerySet[Row]",
        given: Mapping[str, Any],
        partner: Partner,
        show: Callable[[list[Row]], list[dict[str, Any]]],
    ) -> dict[str, Any]:
        """One page of `rows`, each as `show` has it, and the cursor of the next page if there is one."""
        latest_first = given.get("ordering", f"-{self.order.field}").startswith("-")
        sign = "-" if latest_first else ""
        if cursor := given.get("cursor"):
            rows = rows.filter(self._beyond(self._open(cursor, given, partner), latest_first))
        limit = given.get("limit", DEFAULT_LIMIT)
        found = list(rows.order_by(f"{sign}{self.order.field}", f"{sign}pk")[: limit + 1])
        more = len(found) > limit
        shown = found[:limit]
        return {"items": show(shown), "next": self._seal(shown[-1], given, partner) if more else None}

    def _beyond(self, place: tuple[Any, Any], latest_first: bool) -> Q:
        value, key = place
        field, way = self.order.field, "lt" if latest_first else "gt"
        # The first condition is what an index can begin at.
        return Q(**{f"{field}__{way}e": value}) & (Q(**{f"{field}__{way}": value}) | Q(**{f"pk__{way}": key}))

    def _seal(self, row: Model, given: Mapping[str, Any], partner: Partner) -> str:
        value = getattr(row, self.order.field)
        place = [value.isoformat() if isinstance(value, datetime) else str(value), str(row.pk)]
        return signing.dumps([place, self._asked(given)], salt=self._salt(partner))

    def _open(self, cursor: str, given: Mapping[str, Any], partner: Partner) -> tuple[Any, Any]:
        try:
            (value, key), asked = signing.loads(cursor, salt=self._salt(partner))
        except signing.BadSignature:
            asked = None
        if asked != self._asked(given):
            hint = "Send the cursor of the page before, with the same parameters and token."
            raise RefusedFilter("invalid_cursor", "This is no cursor of this list.", hint, "cursor")
        return self.order.read(value), self.order.key(key)

    def _salt(self, partner: Partner) -> str:
        return f"{_SALT}:{self.name}:{partner.token_id}"

    def _asked(self, given: Mapping[str, Any]) -> list[list[str]]:
        """What else was asked: a cursor leads on within the same list only."""
        return sorted([name, str(value)] for name, value in given.items() if name not in ("cursor", "limit"))
