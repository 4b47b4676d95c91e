"""Why a message was sent or not: the explanation cites what was recorded, and says what was not kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analytics.why import Explanation, as_json, explain_message
from channels import stops
from channels.dispatch import dispatch_all
from channels.models import Broadcast, Campaign, CampaignMember, Message, RecentSend
from consent.models import ConsentEntry, ConsentEvidence, Suppression
from customers.models import EventType, Profile, SchemaVersion, Segment
from journeys.models import RuleInputs
from tests.channels.pacing import at_most, quiet_hours
from tests.journeys.stage import T0, Stage, message, welcome

HIGH_VALUE = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "gold"}


def the_message(**chosen: Any) -> Message:
    return Message.objects.select_related("brand", "connector", "template_version__template", "purpose", "address").get(
        **chosen
    )


def facts(explanation: Explanation, part: str) -> dict[str, Any]:
    found = explanation.part(part)
    assert found is not None, part
    return {fact.key: fact.value for fact in found.facts}


def texts(explanation: Explanation) -> list[str]:
    path = explanation.part("path")
    assert path is not None
    return [move.text for move in path.moves]


@pytest.fixture
def sent(stage: Stage) -> Stage:
    """Ana signs up and is welcomed."""
    type_ = EventType.objects.create(brand=stage.brand, name="customer.signed_up")
    SchemaVersion.objects.create(event_type=type_, number=3, schema={}, status="approved")
    stage.publish(welcome())
    stage.know(plan="gold")
    stage.accept("customer.signed_up", properties={"campaign": "spring"})
    stage.run()
    dispatch_all(stage.now)
    return stage


def test_a_sent_message_names_its_event_journey_and_way(sent: Stage) -> None:
    explained = explain_message(the_message())
    assert (explained.outcome, explained.reason, explained.would_have_allowed) == ("sent", "", "")
    assert explained.verdict == "It was sent: the provider took it."
    event = facts(explained, "event")
    assert (event["event"], event["source"], event["properties"]) == (
        "customer.signed_up", "Shop", {"campaign": "spring"}
    )  # fmt: skip
    journey = facts(explained, "journey")
    assert (journey["journey"], journey["version"], journey["step"]) == ("welcome", 1, "welcome")
    assert texts(explained) == [
        "“customer.signed_up” brought them in.",
        "The message of “welcome” was asked for, and the run went on.",
    ]


def test_the_parts_stand_in_the_order_of_what_happened(sent: Stage) -> None:
    assert [part.key for part in explain_message(the_message()).parts] == [
        "event", "journey", "consent_at_entry", "path", "address", "consent_when_asked_for", "words", "guards",
        "consent_at_send", "provider", "times",
    ]  # fmt: skip


def test_the_consent_at_entry_and_at_send_is_proven(sent: Stage) -> None:
    explained = explain_message(the_message())
    entry = ConsentEntry.objects.get()
    proof = facts(explained, "consent_at_entry")
    assert (proof["entry_id"], proof["position"], proof["state"]) == (entry.pk, 1, "given")
    assert (proof["method"], proof["source"], proof["recorded_at"]) == ("event of a source", "Shop", T0)
    for key in ("consent_when_asked_for", "consent_at_send"):
        part = explained.part(key)
        assert part is not None
        assert part.text == "“News” was given: the same ledger entry as above."
        assert facts(explained, key) == {"entry_id": entry.pk}


def test_a_later_withdrawal_does_not_change_what_is_explained(sent: Stage) -> None:
    before = as_json(explain_message(the_message()), masked=False)
    sent.happen("consent.withdrawn", properties={"purpose": "news"})
    assert as_json(explain_message(the_message()), masked=False) == before


def test_erased_evidence_is_said_to_be_missing(sent: Stage) -> None:
    ConsentEvidence.objects.all().delete()
    part = explain_message(the_message()).part("consent_at_entry")
    assert part is not None
    assert part.not_kept == ("The evidence (page, device) was erased; the chain still holds.",)


def test_the_address_is_said_to_be_the_only_one_or_the_one_seen_last(sent: Stage) -> None:
    explained = explain_message(the_message())
    part = explained.part("address")
    assert part is not None
    assert (part.text, facts(explained, "address")["address"]) == (
        "The only one known for this channel.", "ana@example.com"
    )  # fmt: skip
    sent.accept("identify", "bia", email="old@example.com")
    sent.run()
    sent.now += timedelta(hours=1)
    sent.accept("identify", "bia", email="new@example.com")
    sent.accept("consent.granted", "bia", properties={"purpose": "news", "address": "old@example.com"})
    sent.accept("consent.granted", "bia", properties={"purpose": "news", "address": "new@example.com"})
    sent.run()
    sent.happen("customer.signed_up", "bia")
    made = the_message(address__value="new@example.com")
    part = explain_message(made).part("address")
    assert part is not None
    assert (part.text, part.at) == ("Of those permitted none was verified; this one was seen last.", sent.now)
    assert made.addresses_known == 2


def test_the_words_name_version_and_language(sent: Stage) -> None:
    part = explain_message(the_message()).part("words")
    assert part is not None
    assert part.text == "Made from version 1 of “Note”, in its text for “en”."


def test_the_guards_that_let_it_pass_are_named(sent: Stage) -> None:
    asked = facts(explain_message(the_message()), "guards")
    assert asked == {"guards": "journeys.guard"}


def test_a_cancelled_message_names_the_event_that_decided(sent: Stage) -> None:
    sent.pass_time(days=1)
    assert sent.messages()[1] == ("queued", "")
    sent.accept("login.succeeded", at=sent.now)
    sent.run()
    dispatch_all(sent.now)
    explained = explain_message(the_message(reason="acted"))
    assert explained.outcome == "cancelled"
    assert explained.verdict == (
        "It was not sent, because it was no longer needed. "
        "The person did what the message was to bring about before it went out."
    )
    decided = facts(explained, "guards")
    assert (decided["event"], decided["watched"], decided["event_occurred_at"]) == (
        "login.succeeded", "login.succeeded", sent.now
    )  # fmt: skip
    assert texts(explained)[-2:] == [
        "Nothing that “hold” awaited came in time.",
        "The message of “remind” was asked for, and the run went on.",
    ]


def test_an_event_that_was_still_in_the_inbox_is_found_once_it_is_resolved(sent: Stage) -> None:
    sent.pass_time(days=1)
    sent.accept("login.succeeded", at=sent.now)
    dispatch_all(sent.now)
    assert (the_message(reason="acted").decision or {})["event"]["id"] is None
    sent.run()
    assert facts(explain_message(the_message(reason="acted")), "guards")["event"] == "login.succeeded"


def test_a_message_without_permission_says_what_would_have_allowed_it(stage: Stage) -> None:
    stage.publish(welcome(entry={"event": "customer.signed_up", "guard": "none", "guard_reason": "a test"}))
    stage.know(granted=False)
    stage.happen("customer.signed_up")
    explained = explain_message(the_message())
    assert (explained.outcome, explained.reason) == ("suppressed", "no_consent")
    assert explained.would_have_allowed == (
        "A consent for this purpose, given before the message was asked for and in force when it was to go."
    )
    entry = explained.part("consent_at_entry")
    decided = explained.part("consent_when_asked_for")
    assert entry is not None
    assert decided is not None
    assert entry.text == "The journey lets people in without asking for consent: a test"
    assert decided.text == "No ledger entry decided: there was none for this purpose."


def test_a_withdrawal_between_asking_and_sending_is_cited(sent: Stage) -> None:
    sent.pass_time(days=1)
    sent.happen("consent.withdrawn", properties={"purpose": "news"})
    dispatch_all(sent.now)
    explained = explain_message(the_message(reason="withdrawn"))
    given, withdrawn = ConsentEntry.objects.order_by("pk")
    assert facts(explained, "consent_when_asked_for")["entry_id"] == given.pk
    assert facts(explained, "consent_at_send")["entry_id"] == withdrawn.pk


def test_a_suppressed_address_names_its_suppression(sent: Stage) -> None:
    sent.pass_time(days=1)
    address = the_message(state="queued").address
    assert address is not None
    Suppression.objects.create(address=address, reason="bounce", created_at=sent.now - timedelta(days=3), lifted_at=T0)
    standing = Suppression.objects.create(address=address, reason="complaint", created_at=sent.now)
    dispatch_all(sent.now)
    explained = explain_message(the_message(reason="suppressed"))
    assert facts(explained, "address")["suppression"] == "complaint"
    Suppression.objects.filter(pk=standing.pk).update(lifted_at=sent.now + timedelta(hours=1))
    assert facts(explain_message(the_message(reason="suppressed")), "address")["suppression"] == "complaint"


def test_a_stopped_message_tells_who_stopped_it_and_why(sent: Stage) -> None:
    sent.pass_time(days=1)
    stops.stop(sent.journeys["welcome"].pk, None, "the offer is wrong", sent.now)
    dispatch_all(sent.now)
    explained = explain_message(the_message(state="held"))
    part = explained.part("stop")
    assert part is not None
    assert (explained.reason, part.text, part.at) == ("stopped", "the offer is wrong", sent.now)


def test_a_second_copy_names_the_first(sent: Stage) -> None:
    sent.pass_time(days=1)
    first, second = the_message(state="sent"), the_message(state="queued")
    assert second.address_id is not None
    RecentSend.objects.create(
        address_id=second.address_id, copy_key=second.copy_key, sent_at=sent.now, message_id=first.pk
    )
    dispatch_all(sent.now)
    explained = explain_message(the_message(reason="address_duplicate"))
    assert facts(explained, "copy") == {"other_message": str(first.pk)}


def test_a_run_that_is_gone_is_said_to_be_gone(sent: Stage) -> None:
    Message.objects.update(origin_id="999999")
    part = explain_message(the_message()).part("origin")
    assert part is not None
    assert part.not_kept == ("The run it comes from is no longer there.",)


def test_a_broadcasts_message_leads_to_it_and_to_its_campaign(sent: Stage, client: Client) -> None:
    segment = Segment.objects.create(brand=sent.brand, key="all", name="All", is_static=True)
    one = the_message()
    broadcast = Broadcast.objects.create(
        brand=sent.brand,
        key="spring",
        name="Spring sale",
        segment=segment,
        purpose=one.purpose,
        template=one.template_version.template,
        channel="email",
        connector=one.connector,
    )
    campaign = Campaign.objects.create(brand=sent.brand, key="spring", name="Spring")
    CampaignMember.objects.create(scope_id=broadcast.pk, campaign=campaign, added_at=T0)
    Message.objects.update(origin_kind="broadcast", origin_id="x", scope_id=broadcast.pk)
    told = facts(explain_message(the_message()), "origin")
    assert (told["broadcast"], told["campaign"]) == ("Spring sale", "Spring")
    client.force_login(User.objects.create_superuser("root", "root@acme.example", "-"))
    page = client.get(reverse("admin:channels_message_change", args=[one.pk])).content.decode()
    for name, row in (("broadcast", broadcast), ("campaign", campaign)):
        assert page.count(f'href="{reverse(f"admin:channels_{name}_change", args=[row.pk])}"') == 2
    CampaignMember.objects.all().delete()
    broadcast.delete()
    part = explain_message(the_message()).part("origin")
    assert part is not None
    assert part.not_kept == ("The broadcast it comes from is no longer there.",)


def test_a_journeys_message_leads_to_the_campaign_it_serves(sent: Stage) -> None:
    assert explain_message(the_message()).part("campaign") is None
    campaign = Campaign.objects.create(brand=sent.brand, key="spring", name="Spring")
    CampaignMember.objects.create(scope_id=the_message().scope_id, campaign=campaign, added_at=T0)
    assert facts(explain_message(the_message()), "campaign") == {"campaign": "Spring"}


def test_a_message_that_its_campaign_stopped_tells_of_that_stop(sent: Stage) -> None:
    campaign = Campaign.objects.create(brand=sent.brand, key="spring", name="Spring")
    CampaignMember.objects.create(scope_id=the_message().scope_id, campaign=campaign, added_at=T0)
    stops.stop(campaign.pk, None, "the offer is over", sent.now)
    Message.objects.update(state="held", reason="stopped")
    part = explain_message(the_message()).part("stop")
    assert part is not None
    assert part.text == "the offer is over"


def split_journey() -> dict[str, Any]:
    document = welcome()
    branches = [{"rule": {"all": [HIGH_VALUE]}, "next": "welcome"}]
    split = {"type": "split", "id": "split", "state": "not_activated", "branches": branches, "otherwise": "hold"}
    return document | {"steps": [split, *document["steps"]]}


def test_what_a_rule_saw_is_what_it_was_then(stage: Stage) -> None:
    stage.publish(split_journey())
    stage.know(plan="gold")
    stage.happen("customer.signed_up")
    stage.happen("identify", traits={"plan": "free"})
    path = explain_message(the_message()).part("path")
    assert path is not None
    assert [(move.text, move.saw) for move in path.moves][1] == (
        'At “split” branch 1 was taken, as plan eq "gold".', {"traits.plan": "gold"}
    )  # fmt: skip
    RuleInputs.objects.all().delete()
    path = explain_message(the_message()).part("path")
    assert path is not None
    assert path.moves[1].not_kept == "What the rule saw of the person's traits was not kept, or was erased."


def test_masked_values_leave_the_words(sent: Stage) -> None:
    masked = as_json(explain_message(the_message()), masked=True)
    address = next(part for part in masked["parts"] if part["part"] == "address")
    event = next(part for part in masked["parts"] if part["part"] == "event")
    assert address["facts"]["address"] == "a•••@e•••"
    assert event["facts"]["properties"] == {"campaign": "•••"}
    assert "spring" not in str(masked)


def test_a_providers_words_are_masked_too(sent: Stage) -> None:
    Message.objects.update(state="failed", reason="refused", detail="no such user: Ana Souza")
    explained = explain_message(the_message())
    assert facts(explained, "provider")["detail"] == "no such user: Ana Souza"
    assert "Souza" not in str(as_json(explained, masked=True))


def test_explaining_asks_a_fixed_number_of_questions(sent: Stage, django_assert_max_num_queries: Any) -> None:
    sent.pass_time(days=1)
    dispatch_all(sent.now)
    for made in Message.objects.select_related(
        "brand", "connector", "template_version__template", "purpose", "address"
    ):
        with django_assert_max_num_queries(12):
            explain_message(made)


def test_a_journey_of_another_step_keeps_its_own_reason(stage: Stage) -> None:
    stage.publish(welcome(steps=[message("welcome", next="lost", not_later_than="PT1H"), welcome()["steps"][-1]]))
    stage.know()
    stage.happen("customer.signed_up")
    stage.now += timedelta(hours=2)
    dispatch_all(stage.now)
    explained = explain_message(the_message())
    assert (explained.outcome, explained.reason) == ("expired", "late")
    assert explained.part("consent_at_send") is None


def test_what_a_cap_counted_is_cited(sent: Stage) -> None:
    cap = at_most(sent.brand, 1)
    sent.know("bia", plan="free")
    Message.objects.filter(state="sent").update(profile_id=Profile.objects.order_by("-pk")[0].pk, settled_at=sent.now)
    sent.accept("customer.signed_up", "bia")
    sent.run()
    dispatch_all(sent.now)
    explained = explain_message(the_message(reason="capped"))
    told = facts(explained, "pacing")
    assert (told["policy"], told["most"], told["counted"], told["span"]) == (str(cap.pk), 1, 1, "1 day, 0:00:00")
    assert explained.would_have_allowed


def test_what_was_let_through_cites_what_was_counted(stage: Stage) -> None:
    cap = at_most(stage.brand, 3)
    quiet_hours(stage.brand, "22:00", "08:00")
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    dispatch_all(stage.now)
    explained = explain_message(the_message())
    told = facts(explained, "pacing")
    assert (told["counted"], told["zone"]) == ({str(cap.pk): 0}, "UTC")
    found = explained.part("pacing")
    assert found is not None
    assert found.not_kept


def test_a_template_that_calls_it_off_is_heard_by_everybody(sent: Stage) -> None:
    Message.objects.update(state="suppressed", reason="aborted", detail="nothing left in the cart")
    explained = explain_message(the_message())
    assert facts(explained, "no_words")["detail"] == "nothing left in the cart"
    assert "provider" not in {part["part"] for part in as_json(explained, masked=False)["parts"]}
    assert "nothing left in the cart" in str(as_json(explained, masked=True))
