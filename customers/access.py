"""Giving people a brand: to see it, to read personal data in it, to manage it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import Permission, User
from django.db import transaction

from customers import audit
from customers.models import Brand, BrandUserPermission, SquadMember
from customers.sight import CHANGE, PERSONAL, VIEW, sight_of

# In the order in which they build on one another: each needs the first.
RIGHTS: Final = (VIEW, PERSONAL, CHANGE)


class NotYours(Exception):
    """Nobody gives or takes away what they do not have themselves, nor changes their own rights."""


class NobodyThere(Exception):
    """No member of the staff goes by that name."""


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody may do in a brand, and by which squads they came to it."""

    user: User
    rights: frozenset[str]
    squads: tuple[str, ...]


def people_of(brand: Brand) -> list[Access]:
    """Everybody who sees the brand by a right or a squad of their own, by name."""
    rights: dict[int, set[str]] = {}
    squads: dict[int, list[str]] = {}
    given = BrandUserPermission.objects.filter(content_object=brand, permission__codename__in=RIGHTS)
    for user_id, right in given.values_list("user_id", "permission__codename"):
        rights.setdefault(user_id, set()).add(right)
    members = SquadMember.objects.filter(squad__brand=brand).values_list("user_id", "squad__name").distinct()
    for user_id, squad in members.order_by("squad__name"):
        squads.setdefault(user_id, []).append(squad)
    people = User.objects.filter(pk__in={*rights, *squads}).order_by("username")
    return [Access(person, frozenset(rights.get(person.pk, ())), tuple(squads.get(person.pk, ()))) for person in people]


def grantable(by: User, brand: Brand) -> frozenset[str]:
    """The rights that `by` may give or take away."""
    sight = sight_of(by)
    if sight.superuser:
        return frozenset(RIGHTS)
    if not sight.manages(brand.pk):
        return frozenset()
    return frozenset({VIEW, CHANGE, *([PERSONAL] if sight.reads(brand.pk) else [])})


def find(name: str) -> User:
    """A member of the staff by their whole name."""
    # No name has a NUL, and PostgreSQL would not even look for one.
    people = User.objects.filter(username=name.replace("\x00", " "), is_staff=True, is_active=True)
    found = people.first()
    if found is None:
        raise NobodyThere
    return found


@transaction.atomic
def set_rights(brand: Brand, user: User, wanted: Iterable[str], *, by: User, now: datetime) -> bool:
    """Give `user` exactly these rights in the brand; False if those are what they had."""
    # The brand's row keeps two managers from overtaking each other.
    Brand.objects.select_for_update().get(pk=brand.pk)
    rows = BrandUserPermission.objects.filter(content_object=brand, user=user, permission__codename__in=RIGHTS)
    had = frozenset(rows.values_list("permission__codename", flat=True))
    # Whoever may do anything in a brand sees it.
    have = frozenset(wanted) & set(RIGHTS)
    have |= {VIEW} if have else set()
    if have == had:
        return False
    if (have ^ had) - grantable(by, brand) or (by.pk == user.pk and not by.is_superuser):
        raise NotYours
    rows.exclude(permission__codename__in=have).delete()
    kinds = Permission.objects.filter(
        content_type__app_label="customers", content_type__model="brand", codename__in=have - had
    )
    BrandUserPermission.objects.bulk_create(
        BrandUserPermission(content_object=brand, user=user, permission=kind) for kind in kinds
    )
    before, after = ({"person": user.get_username(), "rights": sorted(rights)} for rights in (had, have))
    audit.record(by, "access", brand, before, after, now=now)
    return True
