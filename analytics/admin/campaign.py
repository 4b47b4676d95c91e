"""A campaign's numbers: its messages, what people did with them, and what followed; each beside its definition."""

from collections.abc import Iterable
from typing import Any, Final

from babel.core import UnknownLocaleError
from babel.numbers import format_currency
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.metrics.campaign_basis import MOST, CampaignBasis
from analytics.metrics.campaign_conversions import campaign_conversions
from analytics.metrics.campaign_links import Link, campaign_links
from analytics.metrics.campaign_messages import campaign_messages
from analytics.metrics.campaign_responses import campaign_responses
from analytics.metrics.equation import Part
from channels.models import Broadcast, Campaign
from channels.scopes import names_of
from customers.admin.presented import ExtraPage, add_page, drawn
from customers.money import in_major_units
from customers.visibility import sees_pii

# An address that fewer people followed may have been made for one of them.
_FEW: Final = 3


def page(admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    basis = CampaignBasis.of(campaign)
    messages = campaign_messages(basis)
    responses = campaign_responses(basis)
    conversions = campaign_conversions(basis)
    links = campaign_links(basis)
    reads = sees_pii(request.user, campaign.brand_id)
    told = links.links if reads else _without_few(links.links)
    is_coarse = not reads and _tells_personal(campaign)
    return drawn(
        admin, request, campaign, "admin/analytics/campaign.html",
        _("Numbers of %(campaign)s") % {"campaign": campaign.name},
        campaign=campaign,
        serving=_serving(campaign),
        is_coarse=is_coarse,
        created=messages,
        parts=_shares(messages.parts, messages.total, is_coarse=is_coarse),
        sampled=MOST if messages.total == MOST else 0,
        responses=responses,
        response_parts=_shares(responses.parts, responses.sent, is_coarse=is_coarse),
        conversions=conversions,
        share=None if is_coarse or conversions is None or conversions.share is None else conversions.share * 100,
        # What few people paid tells how many they are, and more.
        revenue=[_money(*one) for one in conversions.revenue] if conversions and not is_coarse else [],
        links=links,
        told=told,
        hidden=len(links.links) - len(told),
    )  # fmt: skip


def _tells_personal(campaign: Campaign) -> bool:
    """A broadcast of it goes to a segment that tells personal data: how many got it is how many are in there."""
    scopes = campaign.members.values("scope_id")
    return Broadcast.objects.filter(pk__in=scopes, segment__is_personal=True).exists()


def _without_few(links: tuple[Link, ...]) -> tuple[Link, ...]:
    return tuple(link for link in links if link.people >= _FEW)


def _serving(campaign: Campaign) -> list[str]:
    ids = list(campaign.members.values_list("scope_id", flat=True))
    names = names_of(ids)
    return sorted(names.get(one, str(one)) for one in ids)


def _shares(parts: Iterable[Part], whole: int, *, is_coarse: bool) -> list[tuple[Part, float | None]]:
    """A share of a number that is told coarsely would tell it after all."""
    return [(part, part.count / whole * 100 if whole and not is_coarse else None) for part in parts]


def _money(currency: str, minor: int) -> str:
    """As people write it; a currency that nobody knows has two places."""
    amount = in_major_units(minor, currency)
    locale = translation.to_locale(translation.get_language() or "en")
    try:
        return format_currency(amount, currency, locale=locale)
    except UnknownLocaleError:
        return format_currency(amount, currency, locale="en")


add_page(Campaign, ExtraPage("numbers", gettext_lazy("Numbers"), page))
