"""Finding rows by a whole value, without telling anybody of rows they may not see."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db.models import ForeignObjectRel, Model, QuerySet

from customers import personal
from customers.visibility import OwnedQuerySet, visible

if TYPE_CHECKING:
    from customers.sight import Person


def rows_by(model: type[Model], path: str, values: Collection[Any], user: "Person") -> QuerySet[Any]:
    """Rows from which `path` leads to one of `values`, every row on the way being in sight.

    A personal value is only sought where the person reads it unmasked: finding it would tell what the mask hides.
    """
    name, _dots, rest = path.partition("__")
    rows = visible(model._default_manager.all(), user)
    if not rest:
        if name in personal.names(model) and isinstance(rows, OwnedQuerySet):
            rows = rows.personal_to(user)
        return rows.filter(**{f"{name}__in": values})
    field = model._meta.get_field(name)
    related = field.related_model
    assert isinstance(related, type)
    matching = rows_by(related, rest, values, user).order_by()
    if isinstance(field, ForeignObjectRel):
        return rows.filter(pk__in=matching.values(field.field.attname))
    return rows.filter(**{f"{name}__in": matching.values("pk")})
