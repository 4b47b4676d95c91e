"""What one person may see and change: the brands, squads and personal data that are theirs.

A person sees a brand by guardian's object permission `view_brand` (their own or a group's) or as a member of one of
its squads. `change_brand` lets them look after all its squads' things, `view_pii` read personal data unmasked.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import connection

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Person = AbstractBaseUser | AnonymousUser

VIEW, CHANGE, PERSONAL = "view_brand", "change_brand", "view_pii"
_NOTE = "_sight"
_MEMBER, _LEAD, _EXISTS = "member", "lead", "exists"


@dataclass(frozen=True, slots=True)
class Sight:
    """Ids of brands and squads. `superuser` needs none of them, and nobody else has it."""

    superuser: bool = False
    brands: frozenset[UUID] = frozenset()
    managed: frozenset[UUID] = frozenset()
    personal: frozenset[UUID] = frozenset()
    squads: frozenset[UUID] = frozenset()
    led: frozenset[UUID] = frozenset()
    existing: frozenset[UUID] = frozenset()

    @property
    def everything(self) -> bool:
        """Sees every brand, and with it what belongs to the organisation as a whole."""
        return self.superuser or (bool(self.existing) and self.brands >= self.existing)

    @property
    def everything_in_full(self) -> bool:
        """Reads personal data of every brand."""
        return self.superuser or (self.everything and self.personal >= self.existing)

    def sees(self, brand_id: UUID | None) -> bool:
        """`None` stands for what belongs to no single brand."""
        return self.everything if brand_id is None else self.superuser or brand_id in self.brands

    def reads(self, brand_id: UUID | None) -> bool:
        """Whether personal data of that brand, or of no single brand, is shown unmasked."""
        return self.everything_in_full if brand_id is None else self.superuser or brand_id in self.personal

    def manages(self, brand_id: UUID | None) -> bool:
        return self.superuser or brand_id in self.managed


BLIND: Final = Sight()
_ALL_SEEING: Final = Sight(superuser=True)

_READ = """
    SELECT p.codename, o.content_object_id, NULL::uuid
      FROM customers_branduserpermission o JOIN auth_permission p ON p.id = o.permission_id WHERE o.user_id = %(user)s
    UNION ALL
    SELECT p.codename, o.content_object_id, NULL
      FROM customers_brandgrouppermission o
      JOIN auth_user_groups g ON g.group_id = o.group_id JOIN auth_permission p ON p.id = o.permission_id
     WHERE g.user_id = %(user)s
    UNION ALL
    SELECT 'member', s.brand_id, s.id
      FROM customers_squadmember m JOIN customers_squad s ON s.id = m.squad_id WHERE m.user_id = %(user)s
    UNION ALL
    SELECT 'lead', s.brand_id, s.id
      FROM customers_squaduserpermission o
      JOIN auth_permission p ON p.id = o.permission_id JOIN customers_squad s ON s.id = o.content_object_id
     WHERE o.user_id = %(user)s AND p.codename = 'change_squad'
    UNION ALL
    SELECT 'lead', s.brand_id, s.id
      FROM customers_squadgrouppermission o
      JOIN auth_user_groups g ON g.group_id = o.group_id
      JOIN auth_permission p ON p.id = o.permission_id JOIN customers_squad s ON s.id = o.content_object_id
     WHERE g.user_id = %(user)s AND p.codename = 'change_squad'
    UNION ALL
    SELECT 'exists', b.id, NULL FROM customers_brand b
"""


def sight_of(user: "Person") -> Sight:
    """Read once and kept with the user object, as Django keeps permissions: a request has a new one.

    Whoever works longer than a request loads the user anew between two pieces of work.
    """
    if not user.is_active:
        return BLIND
    if getattr(user, "is_superuser", False):
        return _ALL_SEEING
    kept: Sight | None = user.__dict__.get(_NOTE)
    if kept is None:
        kept = _read(user.pk)
        user.__dict__[_NOTE] = kept
    return kept


def _read(user_id: int) -> Sight:
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"user": user_id})
        rows: list[tuple[str, UUID, UUID | None]] = cursor.fetchall()

    def brands(*grounds: str) -> frozenset[UUID]:
        return frozenset(brand for ground, brand, _squad in rows if ground in grounds)

    def squads(ground: str) -> frozenset[UUID]:
        return frozenset(squad for found, _brand, squad in rows if found == ground and squad is not None)

    seen = brands(VIEW, _MEMBER)
    return Sight(
        brands=seen,
        # Nobody changes or reads in full what they do not see.
        managed=brands(CHANGE) & seen,
        personal=brands(PERSONAL) & seen,
        squads=squads(_MEMBER),
        led=frozenset(squad for ground, brand, squad in rows if ground == _LEAD and brand in seen and squad),
        existing=brands(_EXISTS),
    )
