"""What the company offers: its products, a campaign, and a broadcast that is on its way as the doors open."""

from datetime import datetime, timedelta
from typing import Final

from channels.broadcasts.start import start
from channels.broadcasts.states import ITSELF
from channels.catalogue import coviews
from channels.catalogue.take import take
from channels.models import Broadcast, Campaign, CampaignMember, Connector, Recommending, Seed, SeedList, Template
from config.demo.brands import MARKETING
from config.demo.company import Company, Shop
from consent.models import Purpose
from customers.models import EventType, Segment

CAMPAIGN, BROADCAST = "this-week", "roasted-this-week"
_COUNT_SECONDS: Final = 20.0


def open_up(company: Company, now: datetime) -> None:
    """Once the history is there: what is viewed together is counted from it."""
    for shop in company.shops.values():
        purpose = Purpose.objects.get(brand=shop.brand, key=MARKETING)
        _stock(shop, now)
        Recommending.objects.create(brand=shop.brand, purpose=purpose)
        _seeds(shop)
        _campaign(shop, _broadcast(shop, purpose, now), now)
    coviews.count_all(now, _COUNT_SECONDS)


def _stock(shop: Shop, now: datetime) -> None:
    plan = shop.plan
    items = [
        {
            "key": product.sku,
            "name": product.name,
            "price": product.cents,
            "currency": plan.currency,
            "url": f"https://{plan.site}/p/{product.sku}",
            "category": "Accessories" if product.sku.startswith("ACC") else "Coffee",
        }
        for product in plan.products
    ]
    take(shop.brand.pk, items, now)


def _seeds(shop: Shop) -> None:
    team = SeedList.objects.create(brand=shop.brand, name="The team")
    domain = shop.plan.sender_email.partition("@")[2]
    for name in ("marina", "caio"):
        Seed.objects.create(list=team, channel="email", value=f"{name}@{domain}", label=name.title())


def _broadcast(shop: Shop, purpose: Purpose, now: datetime) -> Broadcast:
    broadcast = Broadcast.objects.create(
        brand=shop.brand,
        squad=shop.squads["Welcome"],
        key=BROADCAST,
        name=f"Roasted this week – {shop.plan.name}",
        segment=Segment.objects.get(brand=shop.brand, key="buyers"),
        purpose=purpose,
        channel="email",
        connector=Connector.objects.get(brand=shop.brand, key="mail"),
        template=Template.objects.get(brand=shop.brand, key=BROADCAST),
        per_minute=60,
        pilot_percent=20,
        pilot_wait=timedelta(minutes=10),
    )
    start(broadcast, ITSELF, now)
    return broadcast


def _campaign(shop: Shop, broadcast: Broadcast, now: datetime) -> None:
    campaign = Campaign.objects.create(
        brand=shop.brand,
        squad=shop.squads["Welcome"],
        key=CAMPAIGN,
        name=f"This week – {shop.plan.name}",
        notes="The weekly letter: what is new in the roaster.",
        conversion_role=EventType.Role.ORDER,
        conversion_days=7,
    )
    CampaignMember.objects.create(scope_id=broadcast.pk, campaign=campaign, added_at=now)
