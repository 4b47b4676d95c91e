"""The staff as they may see one another: people of the same brands, and one's own squads."""

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from customers.models import BrandGroupPermission, BrandUserPermission, Squad, SquadMember
from customers.sight import sight_of

if TYPE_CHECKING:
    from customers.sight import Person


def colleagues(people: QuerySet[Any], user: "Person") -> QuerySet[Any]:
    """Those who work in a brand that `user` sees, and `user`."""
    sight = sight_of(user)
    if sight.superuser:
        return people
    brands = list(sight.brands)
    return people.filter(
        Q(pk=user.pk)
        | Exists(SquadMember.objects.filter(user=OuterRef("pk"), squad__brand__in=brands))
        | Exists(BrandUserPermission.objects.filter(user=OuterRef("pk"), content_object__in=brands))
        | Exists(BrandGroupPermission.objects.filter(group__user=OuterRef("pk"), content_object__in=brands))
    )


def own_squads(squads: QuerySet[Squad], user: "Person") -> QuerySet[Squad]:
    """Squads that `user` may give work to: their own, and all of the brands they manage."""
    sight = sight_of(user)
    if sight.superuser:
        return squads
    return squads.filter(Q(pk__in=sight.squads | sight.led) | Q(brand__in=sight.managed))
