"""Who sees what: the questions that pages, API, exports and tasks ask about a person."""

from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from customers.models.brand import Brand
from customers.models.owned import Owned, OwnedManager, OwnedQuerySet, beside
from customers.sight import Sight, sight_of

if TYPE_CHECKING:
    from customers.sight import Person

__all__ = [
    "Owned",
    "OwnedManager",
    "OwnedQuerySet",
    "Sight",
    "beside",
    "changeable",
    "may_change",
    "sees_pii",
    "sight_of",
    "visible",
    "visible_brands",
]

_M = TypeVar("_M", bound=Model)


def visible_brands(user: "Person") -> OwnedQuerySet[Brand]:
    return Brand.objects.visible_to(user)


def sees_pii(user: "Person", brand_id: UUID | None) -> bool:
    """Whether personal data of this brand is shown unmasked; `None` asks for what belongs to no single brand."""
    return sight_of(user).reads(brand_id)


def visible(rows: QuerySet[_M], user: "Person") -> QuerySet[_M]:
    """The rows of any model that this person may know of; what is not ours is the organisation's."""
    if isinstance(rows, OwnedQuerySet):
        return rows.visible_to(user)
    return rows if sight_of(user).everything else rows.none()


def changeable(rows: QuerySet[_M], user: "Person") -> QuerySet[_M]:
    """The rows of any model that this person may change."""
    if isinstance(rows, OwnedQuerySet):
        return rows.changeable_by(user)
    options = rows.model._meta
    may = user.has_perm(f"{options.app_label}.change_{options.model_name}")  # type: ignore[union-attr]  # any user has it
    return visible(rows, user) if may else rows.none()


def may_change(user: "Person", row: Model) -> bool:
    return changeable(type(row)._default_manager.filter(pk=row.pk), user).exists()
