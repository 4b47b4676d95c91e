"""What a stop can name besides brands and connectors: models that higher apps register."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db.models import Q

from customers.reach import AnyOf, ByBrand, Reach, Through
from customers.sight import Sight
from customers.visibility import changeable

if TYPE_CHECKING:
    from customers.sight import Person

_CONNECTOR = "channels.Connector"
_CAMPAIGN = "channels.Campaign"
_models: list[str] = [_CONNECTOR, _CAMPAIGN, "channels.Broadcast"]
# By these messages go, or are grouped; they ask for none themselves.
_ASKING_NOTHING = (_CONNECTOR, _CAMPAIGN)
_MOST_NAMES = 300


def register(model: str) -> None:
    """Let stops name rows of `model`, written as app.Model; its ids are uuids."""
    if model not in _models:
        _models.append(model)


def named(user: "Person") -> dict[str, str]:
    """Names of what asks for messages (journeys, broadcasts and the like), by id, as far as this person may see it; by
    one question, whatever there is."""
    rows = [
        model.objects.visible_to(user).order_by("name").values_list("pk", "name")[:_MOST_NAMES] for model in _asking()
    ]
    return {str(key): str(name) for key, name in _united(rows)}


def names_of(scopes: Collection[UUID]) -> dict[UUID, str]:
    """What these ids stand for, as far as it has a name."""
    rows = [model.objects.filter(pk__in=scopes).order_by().values_list("pk", "name") for model in _asking()]
    return {key: str(name) for key, name in _united(rows)}


def _united(rows: "list[Any]") -> "Any":
    first, *others = rows
    return first.union(*others, all=True) if others else first


def _asking() -> "list[Any]":
    return [apps.get_model(model) for model in _models if model not in _ASKING_NOTHING]


def changeable_in(user: "Person", brand_id: UUID) -> dict[UUID, str]:
    """What of a brand asks for messages and may be changed by this person: names by id, the first ones by name."""
    return {
        key: str(name)
        for model in _asking()
        for key, name in changeable(model.objects.filter(brand_id=brand_id), user)
        .order_by("name")
        .values_list("pk", "name")[:_MOST_NAMES]
    }


def may_stop(user: "Person", scope_id: UUID) -> bool:
    """Whether there is such a thing, and this person may change it; a brand is for those who manage it."""
    named = (apps.get_model(model)._default_manager.filter(pk=scope_id) for model in ("customers.Brand", *_models))
    return any(changeable(rows, user).exists() for rows in named)


@dataclass(frozen=True, slots=True)
class ByScope(Reach):
    """The row names a brand, or something of a brand, by its id alone."""

    column: str = "scope_id"

    def within(self, brands: Collection[UUID]) -> Q:
        named = (Through(self.column, model) for model in _models)
        return AnyOf((ByBrand(self.column), *named)).within(brands)

    def changed(self, sight: Sight) -> Q:
        """Whoever may change a thing may stop it; a whole brand is stopped by those who manage it."""
        may = ByBrand(self.column).within(sight.managed)
        for model in _models:
            may |= Through(self.column, model).changed(sight)
        return may
