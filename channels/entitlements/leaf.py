"""Leaf kind `entitlement`: whether the customer has something that was granted: still good, and enough of it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NamedTuple
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.models.entitlement import KEY, MOST_AT_ONCE, Entitlement
from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.leaf import BLANK, PEOPLE, WALK, Facts, Holds, Leaf
from customers.rules.reading import Fragment, Reading

if TYPE_CHECKING:
    from customers.sight import Person

# What segments watch.
KIND: Final = "entitled"
# By which facts bring what a customer has.
HELD: Final = "held"
_OFFERED: Final = 500
_GOOD: Final = "(e.expires_at IS NULL OR e.expires_at > %s)"
_NOW: Final = f"""
    SELECT {{customer}}bool_or(e.quantity IS NULL) AS is_free, sum(e.remaining) AS n, min(e.expires_at) AS until
    FROM {{people}} w JOIN channels_entitlement e ON e.profile_id = w.id
    WHERE e.brand_id = %s AND e.key = %s AND e.state = 'open' AND {_GOOD}{{grouped}}
"""
# From the ledger: what a grant has become since does not count.
_THEN: Final = f"""
    SELECT {{customer}}bool_or(e.quantity IS NULL) AS is_free, sum(e.quantity - l.gone) AS n, min(e.expires_at) AS until
    FROM {{people}} w JOIN channels_entitlement e ON e.profile_id = w.id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(n.quantity) FILTER (WHERE n.kind = 'use'), 0) AS gone,
               coalesce(bool_or(n.kind IN ('revoke', 'expire')), false) AS is_over
        FROM channels_entitlemententry n WHERE n.entitlement_id = e.id AND n.at <= %s
    ) l
    WHERE e.brand_id = %s AND e.key = %s AND e.granted_at <= %s AND {_GOOD} AND NOT l.is_over{{grouped}}
"""


class Held(NamedTuple):
    """A grant that is open: what is left of it (None: it is not counted), and until when it is good."""

    key: str
    remaining: int | None
    until: datetime | None


class Entitled(Leaf, frozen=True, kw_only=True):
    """SQL reads `c`, a row of customers_customer. Grants of all profiles of a customer count together."""

    kind: ClassVar[str] = "entitlement"
    label: ClassVar[Text] = _("Has an entitlement")
    inputs: ClassVar[frozenset[str]] = frozenset({HELD})
    suggests: ClassVar[Mapping[str, str]] = MappingProxyType({"key": "entitlement"})
    places: ClassVar[frozenset[str]] = frozenset({PEOPLE, WALK})

    key: Annotated[str, form(_("what"), _("Its key, as free_shipping."))]
    at_least: Annotated[
        int, form(_("at least so often"), _("What is used without counting is always enough, while it is good."))
    ] = 1

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        key, least = said.get("key", BLANK), said.get("at_least", "1")
        if least == "1":
            return gettext("has the entitlement %(key)s") % {"key": key}
        return gettext("has the entitlement %(key)s at least %(least)s times") % {"key": key, "least": least}

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        """Names of what was granted lately; whom it was granted to is told to nobody by that."""
        lately = Entitlement.objects.filter(brand=brand_id).order_by("-granted_at").values_list("key", flat=True)
        return {"entitlement": ((key, key) for key in sorted(set(lately[:_OFFERED])))}

    @property
    def watched(self) -> frozenset[tuple[str, str]]:
        return frozenset({(KIND, self.key)})

    @property
    def is_timed(self) -> bool:
        return True

    def problems(self) -> Iterator[Problem]:
        if not KEY.fullmatch(self.key):
            hint = _("Small letters, digits and _ . - alone, a letter first.")
            yield Problem("name_invalid", "/key", _("This cannot be the key of an entitlement."), hint)
        if not 1 <= self.at_least <= MOST_AT_ONCE:
            yield Problem("out_of_range", "/at_least", _("This is from 1 to 1,000,000."))

    def python(self) -> Holds:
        return lambda facts: self._left(facts) is None or (self._left(facts) or 0) >= self.at_least

    def seen(self, facts: Facts) -> Mapping[str, Any]:
        left = self._left(facts)
        return {f"entitlement.{self.key}": "uncounted" if left is None else left}

    def _left(self, facts: Facts) -> int | None:
        """How many are left; None: there is something that is not counted."""
        held: Iterable[Held] = facts.extra.get(HELD, ())
        mine = [one for one in held if one.key == self.key and (one.until is None or one.until > facts.now)]
        if any(one.remaining is None for one in mine):
            return None
        return sum(one.remaining or 0 for one in mine)

    def sql(self, reading: Reading) -> Fragment:
        return self._asked(reading, _NOW, [reading.brand_id, self.key, reading.now])

    def as_of(self, reading: Reading) -> Fragment:
        now = reading.now
        return self._asked(reading, _THEN, [now, reading.brand_id, self.key, now, now])

    def _asked(self, reading: Reading, source: str, given: list[Any]) -> Fragment:
        text = source.format(
            customer="" if reading.by_key else "w.customer_id, ",
            people=reading.people,
            grouped=" AND w.customer_id = c.id" if reading.by_key else " GROUP BY w.customer_id",
        )
        alias = reading.beside((text, given))
        reading.turns.append((f"{alias}.until", []))
        return f"coalesce({alias}.is_free OR {alias}.n >= %s, false)", [self.at_least]
