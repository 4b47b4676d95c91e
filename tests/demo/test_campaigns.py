"""The demo's campaigns: journeys that are there, and orders that can be counted."""

import pytest

from channels.models import Campaign
from config.demo import campaigns, company
from customers.models import Brand, EventType
from journeys.models import Journey
from tests.channels.world import NOW


@pytest.mark.django_db
def test_each_shop_has_campaigns_whose_orders_can_be_counted() -> None:
    campaigns.plan(company.found(NOW), NOW)
    assert Campaign.objects.count() == 2 * Brand.objects.count()
    for one in Campaign.objects.all():
        served = Journey.objects.filter(pk__in=one.members.values("scope_id"))
        assert {(journey.brand_id, journey.squad_id) for journey in served} == {(one.brand_id, one.squad_id)}
        assert served.count() == 2
        assert EventType.objects.filter(brand_id=one.brand_id, role="order").exclude(amount_property="").exists()
    assert all(brand.web_hosts for brand in Brand.objects.all())
