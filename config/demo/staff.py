"""Who works at the company: a person of each role, and the partner that writes through the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm

from config.demo.brands import AUSTRALIA, BRAZIL
from config.demo.company import Company
from customers import keys, tokens
from customers.models import PartnerToken, SquadMember, WriteKey
from customers.models.token import Scope

_BOTH: Final = (BRAZIL.key, AUSTRALIA.key)
_PARTNER: Final = "Storefront partner"
_TOKEN_DAYS: Final = 365
Role = SquadMember.Role


@dataclass(frozen=True, slots=True)
class Seat:
    """A log-in: its role's group, its brands, and whether personal data is shown unmasked there."""

    username: str
    first_name: str
    last_name: str
    what: str
    group: str = ""
    brands: tuple[str, ...] = _BOTH
    sees_personal: bool = False
    changes_brand: bool = False
    # (brand, squad, role)
    squads: tuple[tuple[str, str, Role], ...] = ()
    # Only these can log in; the others make the squads complete.
    logs_in: bool = True


SEATS: Final = (
    Seat("admin", "Ada", "Moreira", "superuser, sees and changes everything"),
    Seat("marketer", "Marina", "Prado", "marketer of both brands", "marketer", sees_personal=True, changes_brand=True),
    Seat(
        "squad",
        "Caio",
        "Nunes",
        "squad member: Checkout of Café Ipê, nothing else",
        "squad member",
        brands=(),
        squads=((BRAZIL.key, "Checkout", Role.PROCESS_OWNER),),
    ),
    Seat("auditor", "Audrey", "Lim", "auditor: reads everything, personal data masked, changes nothing", "auditor"),
    Seat("agent", "Tom", "Nguyen", "agent of Wattle Coffee", "agent", (AUSTRALIA.key,), sees_personal=True),
    *(
        Seat(f"{name.lower()}.{last.lower()}", name, last, "", "squad member", (), squads=(place,), logs_in=False)
        for name, last, place in (
            ("Bia", "Rocha", (BRAZIL.key, "Checkout", Role.DATA_OWNER)),
            ("Davi", "Lemos", (BRAZIL.key, "Checkout", Role.CHANNEL_OWNER)),
            ("Lia", "Campos", (BRAZIL.key, "Welcome", Role.PROCESS_OWNER)),
            ("Rui", "Matos", (BRAZIL.key, "Welcome", Role.DATA_OWNER)),
            ("Zoe", "Parker", (AUSTRALIA.key, "Checkout", Role.PROCESS_OWNER)),
            ("Max", "Hale", (AUSTRALIA.key, "Checkout", Role.CHANNEL_OWNER)),
            ("Ivy", "Stone", (AUSTRALIA.key, "Welcome", Role.PROCESS_OWNER)),
        )
    ),
)
LOG_INS: Final = tuple(seat for seat in SEATS if seat.logs_in)


def seat_everybody(company: Company) -> None:
    """Make the accounts, without passwords; again is the same as once."""
    for seat in SEATS:
        user, made = get_user_model().objects.get_or_create(
            username=seat.username,
            defaults={
                "first_name": seat.first_name,
                "last_name": seat.last_name,
                "email": f"{seat.username}@ipewattle.example.com",
                "is_staff": True,
                "is_superuser": not seat.group,
            },
        )
        if made:
            user.set_unusable_password()
            user.save()
            _place(user, seat, company)


def _place(user: Any, seat: Seat, company: Company) -> None:
    if seat.group:
        user.groups.add(Group.objects.get(name=seat.group))
    for key in seat.brands:
        brand = company.shops[key].brand
        wanted = {"view_brand": True, "view_pii": seat.sees_personal, "change_brand": seat.changes_brand}
        for permission, given in wanted.items():
            if given and seat.group:
                assign_perm(permission, user, brand)
    for key, squad, role in seat.squads:
        SquadMember.objects.get_or_create(squad=company.shops[key].squads[squad], user=user, role=role)


def set_passwords(passwords: Mapping[str, str]) -> None:
    """Have these log-ins open with these passwords."""
    for user in get_user_model().objects.filter(username__in=passwords):
        if not user.check_password(passwords[user.get_username()]):
            user.set_password(passwords[user.get_username()])
            user.save(update_fields=["password"])


def write_keys(company: Company, known: Mapping[str, str], now: datetime) -> dict[str, str]:
    """A key in the clear for every source, by "brand/source": those known if they still open, else new ones."""
    found = {}
    for shop in company.shops.values():
        for source in shop.sources.values():
            name = f"{shop.plan.key}/{source.key}"
            if name in known and keys.find(known[name], now) is not None:
                found[name] = known[name]
            else:
                servers = WriteKey.objects.filter(source=source, kind=WriteKey.Kind.SERVER)
                servers.filter(revoked_at=None).update(revoked_at=now)
                found[name] = keys.issue(source)[1]
    return found


def browser_keys(company: Company, origin: str, now: datetime) -> None:
    """A key for the shop page of each brand, good from this origin; one that is good already stays."""
    for shop in company.shops.values():
        source = shop.sources["shop"]
        there = WriteKey.objects.filter(source=source, kind=WriteKey.Kind.BROWSER, revoked_at=None)
        if not there.filter(origins__contains=[origin]).exists():
            there.update(revoked_at=now)
            keys.issue_browser(source, [origin])


def partner_token(company: Company, known: str, now: datetime) -> str:
    """The partner's token in the clear: the one known if it still opens, else a new one."""
    if known and tokens.find(known, now) is not None:
        return known
    shop = company.shops[AUSTRALIA.key]
    PartnerToken.objects.filter(brand=shop.brand, name=_PARTNER, revoked_at=None).update(revoked_at=now)
    _token, plaintext = tokens.issue(
        brand_id=shop.brand.pk,
        sources=[shop.sources["shop"], shop.sources["app"]],
        name=_PARTNER,
        scopes=Scope.values,
        expires_at=now + timedelta(days=_TOKEN_DAYS),
        now=now,
    )
    return plaintext
