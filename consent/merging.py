"""What a merge, or taking apart, would change of permission: asked as if it had been done already."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from consent.models import Purpose
from consent.permission import Ask, permissions
from customers.merging import Effect, Regrouped, as_if
from customers.models import AddressProfile, ProfileBrand

# More than a person reads; whoever has more addresses is a fault to be seen elsewhere.
_ADDRESSES: Final = 50


def tell(regrouped: Regrouped) -> list[Effect]:
    uses = list(
        AddressProfile.objects.filter(profile_id__in=regrouped.profiles)
        .select_related("address")
        .order_by("address_id", "profile_id")[:_ADDRESSES]
    )
    brands = ProfileBrand.objects.filter(profile_id__in=regrouped.profiles).values("brand_id")
    purposes = list(Purpose.objects.filter(brand_id__in=brands).select_related("brand").order_by("pk"))
    asked = [(use, purpose) for use in uses for purpose in purposes]
    before = _allowed(asked, regrouped.before, regrouped.now)
    with as_if(regrouped):
        after = _allowed(asked, regrouped.after, regrouped.now)
    found: dict[tuple[UUID, UUID], Effect] = {}
    for (use, purpose), was, will_be in zip(asked, before, after, strict=True):
        if was != will_be:
            what = _("permission gained") if will_be else _("permission lost")
            words = f"{use.address.value} · {purpose.name} ({purpose.brand.name})"
            found.setdefault((use.address_id, purpose.pk), Effect(what, words, is_loss=not will_be))
    return list(found.values())


def _allowed(asked: Sequence[tuple[AddressProfile, Purpose]], whose: Mapping[UUID, UUID], now: datetime) -> list[bool]:
    asks = [Ask(whose[use.profile_id], use.address_id, purpose.pk) for use, purpose in asked]
    return [verdict.allowed for verdict in permissions(asks, now)]
