"""Which traits a person would have after a regrouping: the winners over their profiles, chosen as ever."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.merging.effects import Effect, Regrouped, as_if
from customers.models import Customer
from customers.resolve.traits import refresh

_SHOWN: Final = 20
_LONGEST: Final = 60


def tell(regrouped: Regrouped) -> list[Effect]:
    concerned = {*regrouped.before.values(), *regrouped.after.values()}
    before = _traits(concerned)
    with as_if(regrouped) as cursor:
        refresh(cursor, set(regrouped.after.values()), compare=False)
        after = _traits(concerned)
    changed: dict[str, None] = {}
    for profile, now in regrouped.after.items():
        was, will_be = before.get(regrouped.before[profile], {}), after.get(now, {})
        for name in sorted({*was, *will_be}):
            if was.get(name) != will_be.get(name):
                changed.setdefault(f"{name}: {_short(was.get(name))} → {_short(will_be.get(name))}")
    words = list(changed)
    effects = [Effect(_("trait"), text) for text in words[:_SHOWN]]
    if len(words) > _SHOWN:
        effects.append(Effect(_("trait"), f"+ {len(words) - _SHOWN}"))
    return effects


def _traits(customers: set[UUID]) -> Mapping[UUID, dict[str, Any]]:
    return dict(Customer.objects.filter(pk__in=customers).values_list("pk", "traits"))


def _short(value: Any) -> str:
    if value is None:
        return str(pgettext_lazy("trait", "nothing"))
    return str(value)[:_LONGEST]
