"""A message put on somebody's screen: once, with its words, or not at all and with the reason."""

from datetime import timedelta
from uuid import UUID

import pytest

from channels.dispatch import dispatch_due, sweep
from channels.dispatch.claim import claim
from channels.models import InAppItem, Message, WebPlacement, WebSlot
from channels.onscreen import place
from channels.providers.base import ConfigurationError, DeliveryError, build
from consent.permission import Want, choose_addresses
from customers.ids import new_id
from customers.models import AddressProfile, Assurance, Identifier, VisitorSecret
from customers.pg import raw_cursor
from tests.channels.onscreen.stage import NOW, SCRIPT, Shop, item_of, join, make_shop, placement_of, state


def test_an_inbox_item_holds_what_was_said(shop: Shop) -> None:
    ana = shop.customer()
    profile = shop.profile(ana, "user_id", "u-17")
    shop.grant(profile)

    message = shop.send(ana)

    item = item_of(message)
    assert state(message) == "sent"
    assert (item.title, item.body, item.link, item.button) == (
        "Hello Ana", "Still there.", "https://acme.example/cart", "To the cart",
    )  # fmt: skip
    assert (item.brand_id, item.profile_id, item.purpose_id) == (shop.brand.pk, profile.pk, shop.purpose.pk)
    assert item.expires_at - item.placed_at == timedelta(days=30)
    assert Message.objects.get(pk=message).provider_id == f"inbox-{item.key}"


def test_who_signs_in_is_reached_there_and_who_only_visits_by_the_latest_visit(shop: Shop) -> None:
    ana, visitor, known_by_mail = shop.customer(), shop.customer(), shop.customer()
    signed_in = shop.profile(ana, "user_id", "u-17", opened=NOW - timedelta(days=3))
    shop.profile(ana, "anonymous_id", "a-1", opened=NOW)
    shop.profile(visitor, "anonymous_id", "a-2", opened=NOW - timedelta(days=1))
    latest = shop.profile(visitor, "anonymous_id", "a-3", opened=NOW)
    shop.profile(known_by_mail, "email", "ana@example.com")

    wants = [Want(one.pk, "in_app", shop.purpose.pk) for one in (ana, visitor, known_by_mail)]
    found = [choices[0] for choices in choose_addresses(wants, NOW)]

    assert [one.profile_id for one in found] == [signed_in.pk, latest.pk, None]
    assert found[2].verdict.reason == "no_address"


def test_where_nobody_can_prove_to_be_signed_in_only_browsers_are_reached(shop: Shop) -> None:
    ana, bia = shop.customer(), shop.customer()
    known = shop.profile(ana, "user_id", "u-17")
    browser = shop.profile(ana, "anonymous_id", "a-1")
    join(known, browser, Assurance.LOGIN)
    shop.profile(bia, "user_id", "u-18")
    VisitorSecret.objects.update(ended_at=NOW)

    wants = [Want(one.pk, "in_app", shop.purpose.pk) for one in (ana, bia)]

    assert [choices[0].profile_id for choices in choose_addresses(wants, NOW)] == [browser.pk, None]


def test_an_identifier_of_too_many_or_of_another_brand_reaches_nobody(shop: Shop) -> None:
    ana, bia, other = shop.customer(), shop.customer(), make_shop("other")
    shared = shop.profile(ana, "anonymous_id", "kiosk")
    Identifier.objects.filter(profile=shared).update(shared_at=NOW)
    other.profile(bia, "user_id", "u-17")

    wants = [Want(one.pk, "web", shop.purpose.pk) for one in (ana, bia)]

    assert [choices[0].address_id for choices in choose_addresses(wants, NOW)] == [None, None]


def test_the_address_is_written_once_with_the_first_message(shop: Shop) -> None:
    ana = shop.customer()
    profile = shop.profile(ana, "user_id", "u-17")
    shop.grant(profile)

    shop.send(ana)
    shop.send(ana)

    [known] = AddressProfile.objects.filter(profile=profile, address__channel="in_app")
    assert known.address.value == str(profile.pk)


def test_a_second_call_for_one_message_leaves_one_item(shop: Shop) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    message = shop.send(ana)
    item = item_of(message)
    # As after a crash between the call and its result, were they not one.
    Message.objects.filter(pk=message).update(state="queued", due_at=NOW, settled_at=None)

    dispatch_due(shop.connectors["in_app"].pk, NOW)

    assert state(message) == "sent"
    assert InAppItem.objects.get() == item


def test_a_message_without_consent_is_no_item(shop: Shop) -> None:
    ana = shop.customer()
    profile = shop.profile(ana, "user_id", "u-17")
    shop.grant(profile)
    message = shop.write(ana)
    shop.grant(profile, "withdrawn", NOW)

    dispatch_due(shop.connectors["in_app"].pk, NOW)

    assert (state(message), Message.objects.get(pk=message).reason) == ("suppressed", "withdrawn")
    assert not InAppItem.objects.exists()


def test_nothing_is_unknown_after_workers_died(shop: Shop) -> None:
    """What was not committed with its result was certainly not taken."""
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    connector = shop.connectors["in_app"].pk
    message = shop.write(ana)
    announced = {"state": "dispatching", "leased_until": NOW - timedelta(seconds=1), "lease_token": 7}
    Message.objects.filter(pk=message).update(**announced)
    assert sweep(NOW).queued == 1
    Message.objects.filter(pk=message).update(**announced, crashes=4)

    assert sweep(NOW).failed == 1

    assert (state(message), Message.objects.get(pk=message).reason) == ("failed", "crashed")
    late = shop.write(ana, expires_at=NOW)
    leave_copy(late)
    claim(connector, NOW, 10, certain=True)
    assert state(late) == "expired"


def test_what_the_database_will_not_take_is_a_failure_that_left_nothing(shop: Shop) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    shop.say("in_app", subject="", text="")

    message = shop.send(ana)

    assert state(message) == "failed"
    assert not InAppItem.objects.exists()


@pytest.mark.parametrize(("days", "kept"), [("3", 3), ("", 30)])
def test_a_text_says_how_long_it_stays(shop: Shop, days: str, kept: int) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    shop.say("in_app", options={"days": days})

    item = item_of(shop.send(ana))

    assert item.expires_at - item.placed_at == timedelta(days=kept)


@pytest.mark.parametrize("days", ["0", "366", "-1", "many", "1e3", "٣"])
def test_no_other_number_of_days_is_taken(shop: Shop, days: str) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    shop.say("in_app", options={"days": days})

    assert state(shop.send(ana)) == "failed"
    assert not InAppItem.objects.exists()


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://x.example", "/a\\b"]
)
def test_no_link_leads_to_a_script_or_in_disguise(shop: Shop, link: str) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    shop.say("in_app", options={"link": "{{ event.link }}"})

    assert state(shop.send(ana, context={"link": link})) == "failed"
    assert not InAppItem.objects.exists()


@pytest.mark.parametrize("provider", ["inapp", "web"])
@pytest.mark.parametrize("days", [0, 366, "x"])
def test_a_connector_keeps_things_for_a_year_at_most(provider: str, days: object) -> None:
    with pytest.raises(ConfigurationError):
        build(provider, {"days": days}, {})


def test_a_placement_stands_in_its_slot_with_its_priority(shop: Shop) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "anonymous_id", "a-1"))
    shop.say("web", subject=SCRIPT)

    placement = placement_of(shop.send(ana, "web", priority=80))

    assert (placement.slot, placement.priority, placement.title) == (shop.slot, 80, SCRIPT)
    assert placement.expires_at - placement.placed_at == timedelta(days=7)


def test_a_newer_placement_of_one_journey_takes_the_place_of_the_older(shop: Shop) -> None:
    ana, journey = shop.customer(), new_id()
    shop.grant(shop.profile(ana, "anonymous_id", "a-1"))
    first = shop.send(ana, "web", scope_id=journey)
    another = shop.send(ana, "web")

    second = shop.send(ana, "web", scope_id=journey)

    assert placement_of(first).off_reason == "replaced"
    assert [placement_of(one).off_at for one in (another, second)] == [None, None]


def test_an_older_message_that_comes_late_does_not_take_the_place_of_a_newer(shop: Shop) -> None:
    ana, journey, later = shop.customer(), new_id(), NOW + timedelta(minutes=1)
    shop.grant(shop.profile(ana, "anonymous_id", "a-1"))
    older = shop.write(ana, "web", scope_id=journey, due_at=later)
    newer = shop.send(ana, "web", scope_id=journey, created_at=NOW + timedelta(seconds=1))

    dispatch_due(shop.connectors["web"].pk, later)

    assert [state(one) for one in (older, newer)] == ["sent", "sent"]
    overtaken = placement_of(older)
    assert (overtaken.off_at, overtaken.off_reason) == (overtaken.placed_at, "replaced")
    assert (placement_of(newer).off_at, placement_of(newer).off_reason) == (None, "")


@pytest.mark.parametrize("change", [{"is_active": False}, {"key": "elsewhere"}])
def test_a_slot_that_is_not_there_takes_nothing(shop: Shop, change: dict[str, object]) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "anonymous_id", "a-1"))
    WebSlot.objects.filter(pk=shop.slot.pk).update(**change)

    message = shop.send(ana, "web")

    assert (state(message), Message.objects.get(pk=message).reason) == ("failed", "refused")
    assert not WebPlacement.objects.exists()


def test_a_slot_of_another_brand_is_none(shop: Shop) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "anonymous_id", "a-1"))
    WebSlot.objects.filter(pk=shop.slot.pk).update(brand=make_shop("other", ()).brand, key="theirs")
    shop.say("web", options={"slot": "theirs"})

    assert state(shop.send(ana, "web")) == "failed"


def test_an_error_of_the_database_is_one_that_took_nothing(shop: Shop) -> None:
    with pytest.raises(DeliveryError) as raised:
        place._write([("SELECT 1 / %(n)s", {"n": 0})])
    assert (raised.value.accepted, raised.value.permanent) == ("no", False)


@pytest.mark.parametrize("code", ["08006", "40001", "40P01", "53200", "55P03", "57P01"])
@pytest.mark.parametrize("channel", ["in_app", "web"])
def test_a_trouble_of_the_database_that_passes_is_no_fault_of_the_message(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, channel: str, code: str
) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    with monkeypatch.context() as patched:
        for name in ("_ITEM", "_PLACEMENT"):
            raising = f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{code}'; END $$"
            patched.setattr(place, name, raising)
        message = shop.send(ana, channel)
    row = Message.objects.get(pk=message)
    assert (row.state in ("queued", "held"), row.attempts, row.settled_at) == (True, 0, None)
    assert not InAppItem.objects.exists()
    assert not WebPlacement.objects.exists()

    dispatch_due(shop.connectors[channel].pk, NOW + timedelta(seconds=5))

    assert state(message) == "sent"
    assert InAppItem.objects.count() + WebPlacement.objects.count() == 1


def test_what_broke_after_it_was_written_is_undone_and_never_unknown(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))

    def broken(*given: object) -> None:
        place_it(*given)  # type: ignore[arg-type]  # as it was called
        raise RuntimeError("broken")

    place_it = place._write
    with monkeypatch.context() as patched:
        patched.setattr(place, "_write", broken)
        message = shop.send(ana)
    assert (state(message), Message.objects.get(pk=message).crashes) == ("queued", 1)
    assert not InAppItem.objects.exists()

    dispatch_due(shop.connectors["in_app"].pk, NOW + timedelta(seconds=5))

    assert (state(message), InAppItem.objects.count()) == ("sent", 1)


def leave_copy(message: UUID) -> None:
    """As a worker leaves it that dies after it said that it would call."""
    with raw_cursor() as cursor:
        cursor.execute(
            "INSERT INTO channels_recentsend (address_id, copy_key, sent_at, message_id)"
            " SELECT address_id, copy_key, %s, id FROM channels_message WHERE id = %s",
            [NOW, message],
        )


def test_what_was_given_up_or_came_too_late_is_no_copy_of_the_next(shop: Shop) -> None:
    ana = shop.customer()
    shop.grant(shop.profile(ana, "user_id", "u-17"))
    connector = shop.connectors["in_app"].pk
    crashed = shop.write(ana, copy_key="welcome")
    leave_copy(crashed)
    ended = {"state": "dispatching", "leased_until": NOW - timedelta(seconds=1), "lease_token": 7, "crashes": 4}
    Message.objects.filter(pk=crashed).update(**ended)
    late = shop.write(ana, copy_key="offer", expires_at=NOW)
    leave_copy(late)
    sweep(NOW)
    dispatch_due(connector, NOW)
    assert (state(crashed), state(late), InAppItem.objects.count()) == ("failed", "expired", 0)

    after = [shop.send(ana, copy_key=key) for key in ("welcome", "offer")]

    assert [state(one) for one in after] == ["sent", "sent"]
    # And these are copies: the next of theirs is one too many.
    assert state(shop.send(ana, copy_key="welcome")) == "suppressed"
