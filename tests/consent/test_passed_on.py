"""A number that went to somebody else: the former owner's grants end at it, and at it only."""

import pytest

from consent.models import ConsentEntry, Purpose
from consent.permission import Ask, permissions
from consent.verify.consents import first_broken
from customers.models import Address, Profile
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db
PHONE = "+5511912345678"


@pytest.fixture
def stage(db: None) -> Stage:
    made = make_stage()
    Purpose.objects.create(brand=made.brand, key="orders", name="Orders", kind=Purpose.Kind.SERVICE)
    made.happen(
        "identify", "ana", phone=PHONE, email="ana@example.com", traits={"phone": PHONE, "email": "ana@example.com"}
    )
    made.happen("consent.granted", "ana", properties={"purpose": "news"})
    return made


def may(stage: Stage, user: str, purpose: str = "news", value: str = PHONE, channel: str = "sms") -> tuple[bool, str]:
    home = Profile.objects.get(identifier__value=user).customer_id
    ask = Ask(home, Address.objects.get(value=value, channel=channel).pk, Purpose.objects.get(key=purpose).pk)
    [verdict] = permissions([ask], stage.now)
    return verdict.allowed, verdict.reason


def ended() -> list[tuple[str, str]]:
    """At the number as one for SMS; at the same for WhatsApp the same is said."""
    rows = ConsentEntry.objects.filter(state="invalidated", address__channel="sms").order_by("purpose__key")
    return [(one.purpose.key, one.address.value) for one in rows.select_related("purpose", "address")]


def come(stage: Stage, user: str = "bia", **more: object) -> None:
    stage.happen("identify", user, phone=PHONE, traits={"phone": PHONE}, **more)


def test_after_a_long_silence_it_is_the_next_owners(stage: Stage) -> None:
    assert may(stage, "ana") == (True, "")
    stage.pass_time(days=91)
    come(stage)
    assert ended() == [("news", PHONE), ("orders", PHONE)]
    assert may(stage, "ana") == (False, "withdrawn")
    assert may(stage, "ana", "orders") == (False, "withdrawn")
    assert may(stage, "ana", "orders", "ana@example.com", "email") == (True, "")
    assert may(stage, "bia") == (False, "no_consent")
    entry = ConsentEntry.objects.filter(state="invalidated").earliest("id")
    assert (entry.event_id is not None, entry.source) == (True, stage.source)
    assert entry.evidence.fields == {"why": "the number went to somebody else"}
    assert first_broken(entry.address_id) is None


def test_it_ends_once_however_often_the_next_owner_is_seen(stage: Stage) -> None:
    stage.pass_time(days=91)
    come(stage)
    stage.pass_time(days=1)
    come(stage)
    assert len(ended()) == 2
    assert ConsentEntry.objects.filter(state="invalidated", address__channel="whatsapp").count() == 2


def test_people_who_share_a_phone_keep_what_they_granted(stage: Stage) -> None:
    stage.pass_time(days=60)
    stage.happen("identify", "ana", phone=PHONE, traits={"phone": PHONE})
    stage.pass_time(days=60)
    come(stage)
    assert ended() == []
    assert may(stage, "ana") == (True, "")


def test_a_fresh_grant_of_the_former_owner_counts_again(stage: Stage) -> None:
    stage.pass_time(days=91)
    come(stage)
    stage.pass_time(days=1)
    stage.happen("consent.granted", "ana", phone=PHONE, properties={"purpose": "news"})
    assert may(stage, "ana") == (True, "")


def test_a_refusal_stays_whose_ever_it_was(stage: Stage) -> None:
    stage.happen("consent.withdrawn", "ana", properties={"purpose": "news"})
    stage.pass_time(days=91)
    come(stage)
    assert ended() == [("orders", PHONE)]
    assert may(stage, "ana") == (False, "withdrawn")


def test_somebody_who_turns_out_to_be_the_same_person_loses_nothing(stage: Stage) -> None:
    stage.pass_time(days=91)
    stage.happen("identify", "ana", phone=PHONE, anonymous_id="tablet", traits={"phone": PHONE})
    assert ended() == []
