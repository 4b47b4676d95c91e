"""What a campaign amounts to: its messages, what people and machines did with them, and what followed."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from analytics.metrics.campaign_basis import CampaignBasis
from analytics.metrics.campaign_conversions import Conversions, campaign_conversions
from analytics.metrics.campaign_links import campaign_links
from analytics.metrics.campaign_messages import campaign_messages
from analytics.metrics.campaign_responses import campaign_responses
from channels.models import Broadcast, Campaign, CampaignMember, Message, MessageContent, Receipt, Template
from consent.unsubscribe import Token, make_token, withdraw_by_token
from customers.ids import new_id
from customers.models import Brand, EventType, Segment
from tests.analytics.test_pages import as_, shown, staff
from tests.journeys.stage import T0, Stage, make_stage, welcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    made = make_stage()
    made.publish(welcome())
    return made


@pytest.fixture
def spring(stage: Stage) -> Campaign:
    EventType.objects.create(
        brand=stage.brand, name="Order Completed", role="order", amount_property="total",
        currency_property="currency", key_property="order_id",
    )  # fmt: skip
    made = Campaign.objects.create(
        brand=stage.brand, key="spring", name="Spring", conversion_role="order", conversion_days=2
    )
    CampaignMember.objects.create(scope_id=stage.journeys["welcome"].pk, campaign=made, added_at=T0)
    return made


def sent_to(stage: Stage, *users: str) -> list[Message]:
    for user in users:
        stage.know(user)
        stage.happen("customer.signed_up", user)
    Message.objects.filter(state="queued").update(state="sent", settled_at=stage.now)
    return list(Message.objects.order_by("created_at", "id"))


def ordered(stage: Stage, user: str, number: str, total: Any = 1_990, currency: Any = "BRL") -> None:
    said = {"order_id": number, "total": total, "currency": currency}
    stage.happen("Order Completed", user, properties=said)


def conversions(campaign: Campaign) -> Conversions:
    found = campaign_conversions(CampaignBasis.of(campaign))
    assert found is not None
    return found


def followed(message: Message, link: int, *, machine: bool = False) -> None:
    Receipt.objects.create(
        connector_id=message.connector_id, message=message, message_key=message.pk, happened="clicked", at=T0,
        received_at=T0, link=link, is_machine=machine, key=new_id(), look_at=T0, applied_at=T0,
    )  # fmt: skip


def test_messages_are_counted_by_state_and_add_up(stage: Stage, spring: Campaign) -> None:
    first, second, *_rest = sent_to(stage, "ana", "bia", "caio")
    Message.objects.filter(pk=first.pk).update(state="clicked")
    Message.objects.filter(pk=second.pk).update(state="suppressed", reason="withdrawn")
    found = campaign_messages(CampaignBasis.of(spring))
    assert [(part.key, part.count) for part in found.parts] == [("sent", 1), ("clicked", 1), ("suppressed", 1)]
    assert (found.total, found.holds) == (3, True)


def test_what_serves_no_or_another_campaign_or_is_a_test_does_not_count(stage: Stage, spring: Campaign) -> None:
    sent_to(stage, "ana", "bia")
    Message.objects.filter(pk=Message.objects.latest("id").pk).update(origin_kind="test")
    assert campaign_messages(CampaignBasis.of(spring)).total == 1
    CampaignMember.objects.all().delete()
    assert campaign_messages(CampaignBasis.of(spring)).total == 0
    assert campaign_responses(CampaignBasis.of(spring)).sent == 0


def test_only_the_days_of_the_campaign_count(stage: Stage, spring: Campaign) -> None:
    sent_to(stage, "ana")
    spring.starts_on = T0.date() + timedelta(days=1)
    assert campaign_messages(CampaignBasis.of(spring)).total == 0
    spring.starts_on = spring.ends_on = T0.date()
    assert campaign_messages(CampaignBasis.of(spring)).total == 1


def test_responses_of_people_and_of_machines_are_apart(stage: Stage, spring: Campaign) -> None:
    first, second, third, fourth = sent_to(stage, "ana", "bia", "caio", "duda")
    Message.objects.filter(pk=first.pk).update(state="clicked")
    Message.objects.filter(pk=second.pk).update(state="opened")
    Message.objects.filter(pk=third.pk).update(state="delivered")
    followed(first, 0)
    followed(first, 0, machine=True)
    followed(third, 0, machine=True)
    assert fourth.address_id is not None
    token = make_token(Token(fourth.address_id, fourth.purpose_id, fourth.pk))
    withdraw_by_token(token, "link", stage.now)
    found = {part.key: part.count for part in campaign_responses(CampaignBasis.of(spring)).parts}
    assert found == {
        "sent": 4, "delivered": 3, "opened": 2, "clicked": 1, "opened_by_machines": 0, "clicked_by_machines": 1,
        "unsubscribed": 1,
    }  # fmt: skip


def test_links_are_ranked_by_people_without_what_is_about_one_of_them(stage: Stage, spring: Campaign) -> None:
    first, second, third = sent_to(stage, "ana", "bia", "caio")
    for number, one in enumerate((first, second, third)):
        leads = [f"https://shop.example/new?who={number}#x", "https://shop.example/sale"]
        MessageContent.objects.filter(message=one).update(links=leads)
        followed(one, 0)
    followed(first, 0)
    followed(first, 1)
    followed(second, 1, machine=True)
    followed(second, 1, machine=True)
    found = [
        (one.url, one.people, one.messages, one.by_machines) for one in campaign_links(CampaignBasis.of(spring)).links
    ]
    assert found == [("https://shop.example/new", 3, 3, 0), ("https://shop.example/sale", 1, 1, 2)]


def test_what_followed_within_the_window_converts_once(stage: Stage, spring: Campaign) -> None:
    sent_to(stage, "ana", "bia", "caio")
    stage.pass_time(hours=1)
    ordered(stage, "ana", "1")
    # Told twice, by two systems; and another one.
    ordered(stage, "ana", "1")
    ordered(stage, "ana", "2", 10, "USD")
    stage.pass_time(hours=47)
    ordered(stage, "bia", "3", 2_000)
    stage.pass_time(seconds=1)
    ordered(stage, "caio", "4")
    found = conversions(spring)
    assert (found.events, found.people, found.messages, found.sent) == (3, 2, 2, 3)
    assert found.revenue == (("BRL", 3_990), ("USD", 10))
    assert found.share == pytest.approx(2 / 3)


def test_each_goes_to_the_last_message_before_it(stage: Stage, spring: Campaign) -> None:
    [first] = sent_to(stage, "ana")
    second = Message.objects.get(pk=first.pk)
    second.pk, second.visit = new_id(), 99
    second.settled_at = stage.now + timedelta(hours=2)
    del second.step_id
    second.save(force_insert=True)
    stage.pass_time(hours=1)
    ordered(stage, "ana", "1")
    stage.pass_time(hours=2)
    ordered(stage, "ana", "2")
    ordered(stage, "ana", "3")
    found = conversions(spring)
    assert (found.events, found.people, found.messages) == (3, 1, 2)
    Message.objects.filter(pk=first.pk).delete()
    assert (conversions(spring).events, conversions(spring).messages) == (2, 1)


@pytest.mark.parametrize(("total", "currency"), [("1990", "BRL"), (19.9, "BRL"), (1_990, "real"), (1_990, None),
                                                 (None, "BRL"), (1_990, {"a": 1}), (10**17, "BRL")])  # fmt: skip
def test_an_amount_that_is_none_is_no_revenue_though_it_converts(
    stage: Stage, spring: Campaign, total: Any, currency: Any
) -> None:
    sent_to(stage, "ana")
    stage.pass_time(hours=1)
    ordered(stage, "ana", "1", total, currency)
    assert (conversions(spring).events, conversions(spring).revenue) == (1, ())


def test_what_is_before_the_message_or_of_another_role_or_person_does_not_convert(
    stage: Stage, spring: Campaign
) -> None:
    stage.know("ana")
    ordered(stage, "ana", "1")
    stage.pass_time(seconds=1)
    sent_to(stage, "ana")
    stage.pass_time(hours=1)
    stage.happen("Order Viewed", "ana", properties={"order_id": "2", "total": 1, "currency": "BRL"})
    ordered(stage, "stranger", "3")
    assert conversions(spring).events == 0
    spring.conversion_role = ""
    assert campaign_conversions(CampaignBasis.of(spring)) is None


def numbers_page(campaign: Campaign) -> str:
    return reverse("admin:channels_campaign_numbers", args=[campaign.pk])


def test_the_page_shows_it_and_keeps_links_of_few_from_whoever_may_not_see_people(
    stage: Stage, spring: Campaign
) -> None:
    [only] = sent_to(stage, "ana")
    MessageContent.objects.filter(message=only).update(links=["https://shop.example/of-ana"])
    followed(only, 0)
    stage.pass_time(hours=1)
    ordered(stage, "ana", "1")
    page = shown(as_(staff("full", stage.brand, personal=True)), numbers_page(spring))
    assert "https://shop.example/of-ana" in page
    assert "R$19.90" in page
    masked = shown(as_(staff("masked", stage.brand)), numbers_page(spring))
    assert "of-ana" not in masked
    assert "fewer than three people" in masked


def of_a_segment(stage: Stage, campaign: Campaign, *, is_personal: bool) -> None:
    """The campaign has a broadcast as well, to a segment that tells personal data or not."""
    segment = Segment.objects.create(
        brand=stage.brand, key="ill", name="Ill", is_static=True, state=Segment.State.LIVE, is_personal=is_personal
    )
    broadcast = Broadcast.objects.create(
        brand=stage.brand, key="ill", name="Ill", segment=segment, purpose=stage.purpose, channel="email",
        connector=stage.connector, template=Template.objects.get(),
    )  # fmt: skip
    CampaignMember.objects.create(scope_id=broadcast.pk, campaign=campaign, added_at=T0)


def numbers_on(page: str) -> list[str]:
    """What stands in its boxes and tables, without the words."""
    return [found.strip() for found in re.findall(r'(?:<dd>|<td class="t-number[^"]*">)(.*?)</t?dd?>', page)]


def test_a_broadcast_to_a_segment_that_tells_makes_its_numbers_coarse(stage: Stage, spring: Campaign) -> None:
    people = sent_to(stage, *(f"user-{number}" for number in range(12)))
    MessageContent.objects.filter(message__in=people).update(links=["https://shop.example/new"])
    for one in people[:4]:
        followed(one, 0)
    stage.pass_time(hours=1)
    ordered(stage, "user-1", "1")
    of_a_segment(stage, spring, is_personal=True)
    page = shown(as_(staff("masked", stage.brand)), numbers_page(spring))
    few, all_ = "fewer than 10", "about 10"
    # Of the sent; by state, with the total; conversions; and the one link.
    assert [one for one in numbers_on(page) if one not in ("", "order", "2")] == [
        all_, *[few] * 6, all_, all_, few, few, *[few] * 3,
    ]  # fmt: skip
    assert "Conversions: fewer than 10" in page
    assert " %" not in page
    assert "19.90" not in page
    full = shown(as_(staff("full", stage.brand, personal=True)), numbers_page(spring))
    assert few not in full
    assert "Conversions: 1<" in full
    assert "R$19.90" in full
    assert "8.3 %" in full


def test_a_broadcast_to_a_segment_that_tells_nothing_leaves_them_exact(stage: Stage, spring: Campaign) -> None:
    sent_to(stage, "ana")
    of_a_segment(stage, spring, is_personal=False)
    page = shown(as_(staff("masked", stage.brand)), numbers_page(spring))
    assert "fewer than 10" not in page
    assert "100.0 %" in page


def test_the_page_of_a_message_tells_who_followed_its_links(stage: Stage, spring: Campaign) -> None:
    [only] = sent_to(stage, "ana")
    MessageContent.objects.filter(message=only).update(links=["https://shop.example/of-ana", "https://shop.example/b"])
    followed(only, 0)
    followed(only, 0, machine=True)
    address = reverse("admin:channels_message_change", args=[only.pk])
    page = shown(as_(staff("full", stage.brand, personal=True)), address)
    assert "https://shop.example/of-ana" in page
    assert "https://shop.example/b" in page
    assert "of-ana" not in shown(as_(staff("masked", stage.brand)), address)


def test_a_campaign_of_another_brand_is_not_shown(stage: Stage, spring: Campaign) -> None:
    stranger = staff("stranger", Brand.objects.create(key="other", name="Other"))
    assert as_(stranger).get(numbers_page(spring)).status_code in (302, 403)
