"""What the shops' journeys serve together, with what counts as success."""

from datetime import datetime
from typing import Final

from channels.models import Campaign, CampaignMember
from config.demo.company import Company
from customers.models.registry import EventType

# (key, name, journeys, days within which an order counts)
_CAMPAIGNS: Final = (
    ("first-cup", "The first cup", ("onboarding", "club-card"), 14),
    ("no-cart-left", "No cart left behind", ("abandoned-cart", "payment-recovery"), 3),
)


def plan(company: Company, now: datetime) -> None:
    """Of what was sent so far the numbers are there at once; links to the shops carry marks from now on."""
    for shop in company.shops.values():
        shop.brand.web_hosts = [shop.plan.site]
        shop.brand.save(update_fields=("web_hosts",))
        for key, name, journeys, days in _CAMPAIGNS:
            served = [shop.journeys[one] for one in journeys]
            made = Campaign.objects.create(
                brand=shop.brand,
                squad=served[0].squad,
                key=key,
                name=name,
                notes="What the journeys of a squad are for, counted together.",
                conversion_role=EventType.Role.ORDER,
                conversion_days=days,
            )
            CampaignMember.objects.bulk_create(
                [CampaignMember(scope_id=one.pk, campaign=made, added_at=now) for one in served]
            )
