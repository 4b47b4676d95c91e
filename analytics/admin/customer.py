"""The customer's page: one timeline over all channels, and beside it who this is."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext

from analytics.admin.shown import Links, Value, plain, see_as, shortened, value_of
from analytics.customer_picture import CustomerPicture, Interval, KnownTrait, picture
from analytics.memberships import memberships
from analytics.timeline import KINDS, Entry, Page, Place, Scope, timeline
from customers import clock
from customers.admin.presented import drawn, present
from customers.models import Brand, Customer
from customers.models.address import Channel
from customers.personal import MASK
from customers.places import unused
from customers.visibility import sight_of, visible_brands

_PER_PAGE = 40


def page(admin: Any, request: HttpRequest, customer: Customer) -> HttpResponse:
    sight, see = sight_of(request.user), see_as(request)
    seen = None if sight.everything else sight.brands
    known = picture(customer.pk, see, seen, clock.utcnow())
    brands = list(visible_brands(request.user))
    chosen = _chosen(request, brands)
    narrowed = seen if chosen["brand"] is None else frozenset({chosen["brand"]})
    scope = Scope(
        profiles=known.profile_ids,
        addresses=known.address_ids,
        see=see,
        brands=narrowed,
        kinds=frozenset(chosen["kinds"] or KINDS),
        channel=chosen["channel"],
    )
    told = _told(scope, request)
    links = Links(request)
    names = {brand.pk: brand.name for brand in brands}
    return drawn(
        admin, request, customer, "admin/analytics/customer.html", _name(known, customer),
        customer=customer,
        known=known,
        identifiers=[(one, links.to(("customers_profile", one.profile_id))) for one in known.identifiers],
        traits=[(one, plain(one.value), _unused(one), _history(one)) for one in known.traits],
        memberships=[(one, links.to(("customers_segment", one.segment.pk))) for one in memberships(customer.pk, see)],
        entries=[_row(entry, links, names) for entry in told.entries],
        older=_address(request, str(told.older)) if told.older else "",
        newest=_address(request, "") if "after" in request.GET else "",
        filters=_filters(chosen, brands),
    )  # fmt: skip


def _unused(trait: KnownTrait) -> str | Promise:
    """Why the value is not used, if it is not; a masked one is not spoken of."""
    if not trait.counts:
        return gettext("not of the trait's type, so not used")
    return "" if MASK in str(trait.value) else unused(trait.name, trait.value)


def _history(trait: KnownTrait) -> list[tuple[Interval, str]]:
    return [(one, plain(one.value)) for one in trait.history] if len(trait.history) > 1 else []


def _told(scope: Scope, request: HttpRequest) -> Page:
    """The page asked for; what names no place on a timeline asks for the newest."""
    try:
        after = Place.parse(request.GET["after"]) if "after" in request.GET else None
        return timeline(scope, after=after, limit=_PER_PAGE)
    except (ValueError, ValidationError, OverflowError):
        return timeline(scope, limit=_PER_PAGE)


def _name(known: CustomerPicture, customer: Customer) -> str:
    """As the person calls themselves, else what they are known by."""
    said = {trait.name: trait.value for trait in known.traits if isinstance(trait.value, str)}
    name = said.get("name") or " ".join(said[part] for part in ("first_name", "last_name") if part in said)
    if name.strip() and MASK not in name:
        return name
    open_ones = [one for one in known.identifiers if one.closed_at is None]
    return open_ones[0].original if open_ones else str(customer.pk)


def _chosen(request: HttpRequest, brands: list[Brand]) -> dict[str, Any]:
    """The filters asked for, as far as there are such."""
    asked = request.GET.get("brand", "")
    channel = request.GET.get("channel", "")
    return {
        "kinds": [kind for kind in request.GET.getlist("kind") if kind in KINDS],
        "channel": channel if channel in Channel.values else "",
        "brand": next((brand.pk for brand in brands if str(brand.pk) == asked), None),
    }


def _filters(chosen: dict[str, Any], brands: list[Brand]) -> dict[str, Any]:
    channels = [channel for channel in Channel if channel is not Channel.PERSON]
    return {
        "kinds": [(kind, label, kind in chosen["kinds"]) for kind, label in KINDS.items()],
        "channels": [(one.value, one.label, one.value == chosen["channel"]) for one in channels],
        "brands": [(brand.pk, brand.name, brand.pk == chosen["brand"]) for brand in brands],
        "any": bool(chosen["kinds"] or chosen["channel"] or chosen["brand"]),
    }


def _row(entry: Entry, links: Links, brands: dict[UUID, str]) -> dict[str, Any]:
    details: list[Value] = [value_of(name, shortened(value)) for name, value in entry.detail.items()]
    return {
        "entry": entry,
        "at": entry.place.at,
        "url": links.to(entry.link),
        "channel": Channel(entry.channel).label if entry.channel else "",
        "brand": brands.get(entry.brand_id, "") if entry.brand_id and len(brands) > 1 else "",
        "details": details,
    }


def _address(request: HttpRequest, after: str) -> str:
    asked = request.GET.copy()
    asked.pop("after", None)
    pairs = [(name, value) for name, values in asked.lists() for value in values]
    return "?" + urlencode(pairs + ([("after", after)] if after else []))


present(Customer, page)
