"""Where people can be reached besides e-mail: phones they gave, devices that take pushes."""

from datetime import UTC, datetime

import pytest

from customers.models import Address, AddressProfile, Customer, Identifier
from tests.journeys.stage import Stage, make_stage

TOKEN = "d3v1ce:token"


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def addresses() -> set[tuple[str, str, str]]:
    return set(Address.objects.values_list("channel", "value", "original"))


@pytest.mark.parametrize(
    "given", ["11 98765-4321", "+0 11 98765", "+5511", "+55119876543210123", "call me", "", "+55" + " " * 600 + "1198"]
)
def test_a_phone_among_traits_that_is_none_is_no_address(stage: Stage, given: str) -> None:
    stage.happen("identify", traits={"phone": given})
    assert addresses() == set()


def test_a_fixed_line_takes_calls_alone(stage: Stage) -> None:
    stage.happen("identify", phone="+551133334444")
    assert addresses() == {("call", "+551133334444", "+551133334444")}
    assert Identifier.objects.filter(kind_id="phone", value="+551133334444").exists()


def test_a_phone_takes_sms_whatsapp_and_calls(stage: Stage) -> None:
    stage.happen("identify", traits={"phone": "+55 11 98765-4321"})
    number = ("+5511987654321", "+55 11 98765-4321")
    assert addresses() == {("sms", *number), ("whatsapp", *number), ("call", *number)}
    owner = Identifier.objects.get(kind_id="user_id").profile_id
    assert set(AddressProfile.objects.values_list("profile_id", flat=True)) == {owner}


def test_a_device_takes_pushes_whatever_it_tells(stage: Stage) -> None:
    stage.happen("app.opened", context={"device": {"type": "ios", "token": TOKEN}})
    assert addresses() == {("push", TOKEN, TOKEN)}


@pytest.mark.parametrize("token", ["", 7, None, ["x"], "x" * 1001, "a\nb", "ção"])
def test_what_is_no_token_is_no_address(stage: Stage, token: object) -> None:
    stage.happen("app.opened", context={"device": {"token": token}})
    assert addresses() == set()


@pytest.mark.parametrize("device", [None, "phone", 7, [{"token": TOKEN}]])
def test_what_is_no_device_has_no_token(stage: Stage, device: object) -> None:
    stage.happen("app.opened", context={"device": device, "token": TOKEN})
    assert addresses() == set()


def test_a_phone_in_an_event_is_a_property_like_others(stage: Stage) -> None:
    stage.happen("order.completed", properties={"phone": "+5511987654321", "token": TOKEN})
    assert addresses() == set()


def test_a_shared_phone_is_one_address_of_two_people(stage: Stage) -> None:
    for user in ("ana", "rui"):
        stage.happen("identify", user, traits={"phone": "+5511987654321"})
    assert Address.objects.count() == 3
    assert AddressProfile.objects.count() == 6
    assert Customer.objects.filter(profiles__addresses__isnull=False).distinct().count() == 2


def test_seeing_an_address_again_moves_only_its_last_time(stage: Stage) -> None:
    first = stage.now
    stage.happen("identify", traits={"phone": "+5511987654321"})
    stage.pass_time(days=2)
    stage.happen("identify", traits={"phone": "+55 11 98765 4321"})
    seen = AddressProfile.objects.values_list("first_seen_at", "last_seen_at")
    assert set(seen) == {(first, stage.now)}
    assert {original for _channel, _value, original in addresses()} == {"+5511987654321"}
    assert stage.now > datetime(2026, 3, 2, tzinfo=UTC)
