"""Outgoing webhooks: what is queued for whom, what is said, and who is told nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import WebhookDelivery, WebhookEndpoint
from channels.webhooks import endpoints, secrets
from channels.webhooks.body import body_of
from channels.webhooks.claim import claim, load
from channels.webhooks.privacy import cancel, stop
from consent.models import PrivacyRequest, Restriction
from customers import internal
from customers.ids import NIL
from customers.internal import Cause, Internal
from customers.models import AwaitedName, Event, EventPayload, MatchItem, Profile, ProfileBrand, Segment
from customers.pg import raw_cursor
from customers.privacy.subject import Subject
from tests.channels.listener import NAME, Stage, listening, make_endpoint, said
from tests.customers.segment_door import track

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None, settings: Any) -> Iterator[Stage]:
    with listening(settings) as one:
        one.system.answer(204, b"")
        yield one


def tell_inside(stage: Stage, what: str, *, historical: bool = False, **properties: Any) -> None:
    """Something happens here to the person of the first event."""
    profile = Profile.objects.get(pk=Event.objects.order_by("pk")[0].profile_id)
    ProfileBrand.objects.get_or_create(profile=profile, brand=stage.brand, defaults={"first_seen_at": stage.clock.now})
    happened = Internal(what, profile.pk, f"{what}-1", properties, Cause(historical=historical), stage.brand.pk)
    with raw_cursor() as cursor:
        internal.tell(
            cursor, [happened], frozenset(AwaitedName.objects.values_list("name", flat=True)), stage.clock.now
        )


def test_an_event_is_told_signed_and_once(stage: Stage) -> None:
    stage.accept(1)
    stage.deliver()
    stage.deliver()
    [received] = stage.system.received
    assert (received.method, received.path, received.headers["content-type"]) == ("POST", "/hooks", "application/json")
    assert stage.signed_with(received, stage.secret) == str(stage.only().pk)
    assert stage.state() == ("delivered", "", 1, 1)
    told = said(received)
    event = Event.objects.get()
    assert (told["type"], told["timestamp"]) == (NAME, told["data"]["occurred_at"])
    assert told["data"].pop("content")["properties"] == {"total": "•••"}
    assert {**told["data"], "occurred_at": "", "received_at": ""} == {
        "id": str(event.pk),
        "message_id": "m-1",
        "type": "track",
        "source": "shop",
        "brand": "acme",
        "profile": str(event.profile_id),
        "customer": str(event.profile.customer_id),
        "occurred_at": "",
        "received_at": "",
        "historical": False,
        "masked": True,
    }


def test_personal_data_is_told_by_whose_endpoint_says_so(stage: Stage) -> None:
    stage.endpoint.tells_personal = True
    endpoints.keep(stage.endpoint, stage.clock.now)
    stage.accept(7)
    stage.deliver()
    data = said(stage.system.received[0])["data"]
    assert (data["masked"], data["content"]["properties"]) == (False, {"total": 7})


def test_of_whose_processing_is_restricted_no_personal_data_is_told(stage: Stage) -> None:
    WebhookEndpoint.objects.update(tells_personal=True)
    stage.accept(7)
    asked = PrivacyRequest.objects.create(
        brand=stage.brand, kind="restrict", law="gdpr", channel="api", state="done", assurance=3,
        subject=[[str(NIL), "email", "a", "a"]], opened_at=stage.clock.now, due_on=stage.clock.now.date(),
    )  # fmt: skip
    Restriction.objects.create(request=asked, profile_id=Event.objects.get().profile_id, since=stage.clock.now)
    stage.deliver()
    assert said(stage.system.received[0])["data"]["content"]["properties"] == {"total": "•••"}


def test_only_names_asked_for_are_queued_and_only_in_their_brand(stage: Stage) -> None:
    other, _secret = make_endpoint(stage.brand, stage.endpoint.url, stage.clock.now, events=["Something Else"])
    stage.accept(1, event="Page Closed")
    stage.accept(2, event="Something Else")
    assert [(one.endpoint_id, one.name) for one in stage.deliveries()] == [(other.pk, "Something Else")]


def test_a_name_that_only_webhooks_ask_for_does_not_wait_to_be_matched(stage: Stage) -> None:
    stage.accept(1)
    assert (WebhookDelivery.objects.count(), MatchItem.objects.count()) == (1, 0)


def test_queueing_takes_as_many_statements_for_many_as_for_one(stage: Stage) -> None:
    stage.accept(0)

    def statements(*numbers: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            stage.accept(*numbers)
        return len([one for one in queries if "webhook" in one["sql"]])

    assert statements(1) == statements(*range(2, 40))
    assert WebhookDelivery.objects.count() == 40


def test_what_happens_inside_is_told_with_what_names_nobody(stage: Stage) -> None:
    stage.accept(1)
    stage.endpoint.events = ["segment.entered", "trait.changed"]
    endpoints.keep(stage.endpoint, stage.clock.now)
    WebhookDelivery.objects.all().delete()
    tell_inside(stage, "segment.entered", segment="gold")
    tell_inside(stage, "trait.changed", name="plan", before=None, after="gold")
    stage.deliver()
    told = {said(one)["type"]: said(one)["data"]["content"]["properties"] for one in stage.system.received}
    assert told == {
        "segment.entered": {"segment": "gold"},
        "trait.changed": {"name": "•••", "before": None, "after": "•••"},
    }


def test_a_segment_that_tells_of_people_by_its_rule_is_not_named(stage: Stage) -> None:
    stage.accept(1)
    Segment.objects.create(brand=stage.brand, key="ill", name="Ill", is_personal=True, created_at=stage.clock.now)
    stage.endpoint.events = ["segment.entered"]
    endpoints.keep(stage.endpoint, stage.clock.now)
    WebhookDelivery.objects.all().delete()
    tell_inside(stage, "segment.entered", segment="ill")
    stage.deliver()
    assert said(stage.system.received[0])["data"]["content"]["properties"] == {"segment": "•••"}


def test_history_is_told_to_whom_it_is_wanted_by_and_merges_are_news(stage: Stage) -> None:
    stage.accept(1)
    stage.endpoint.events = ["segment.entered", "customer.merged"]
    endpoints.keep(stage.endpoint, stage.clock.now)
    WebhookDelivery.objects.all().delete()
    tell_inside(stage, "segment.entered", historical=True)
    tell_inside(stage, "customer.merged", historical=True)
    assert [one.name for one in stage.deliveries()] == ["customer.merged"]
    stage.endpoint.tells_history = True
    stage.endpoint.save()
    tell_inside(stage, "segment.entered", historical=True)
    assert sorted(one.name for one in stage.deliveries()) == ["customer.merged", "segment.entered"]


def test_an_endpoint_that_is_off_is_neither_queued_for_nor_called(stage: Stage) -> None:
    stage.accept(1)
    endpoints.switch_off(stage.endpoint, WebhookEndpoint.Off.BY_HAND, stage.clock.now)
    stage.accept(2)
    stage.deliver()
    assert (stage.system.received, stage.state()[0]) == ([], "waiting")
    assert not AwaitedName.objects.exists()
    endpoints.switch_on(stage.endpoint, stage.clock.now)
    stage.deliver()
    assert len(stage.system.received) == 1


def test_a_removed_endpoint_keeps_what_was_told_and_cancels_the_rest(stage: Stage) -> None:
    stage.accept(1)
    stage.deliver()
    stage.accept(2)
    endpoints.remove(stage.endpoint, stage.clock.now)
    assert [(one.state, one.reason) for one in stage.deliveries()] == [("delivered", ""), ("cancelled", "removed")]
    assert bytes(stage.again().secrets) == b""


def test_what_was_erased_is_told_no_more(stage: Stage) -> None:
    stage.accept(1, 2)
    first, second = stage.deliveries()
    EventPayload.objects.filter(event_id=first.event_id or 0).delete()
    stage.deliver()
    assert [(one.state, one.reason) for one in stage.deliveries()] == [("cancelled", "forgotten"), ("delivered", "")]
    assert second.pk == UUID(stage.system.received[0].headers["webhook-id"])


def test_an_erasure_cancels_what_waits_and_waits_for_what_is_in_hand(stage: Stage) -> None:
    stage.accept(1)
    subject = Subject(profiles=(stage.only().profile_id or NIL,))
    _token, ids, _all = claim(stage.endpoint.pk, stage.clock.now, 10)
    assert (cancel(subject, stage.clock.now), len(ids), stage.state()[0]) == (0, 1, "sending")
    assert (stop(subject, stage.clock.now), stage.state()[:2]) == (1, ("cancelled", "erased"))
    stage.accept(2)
    assert cancel(subject, stage.clock.now) == 1


def test_both_secrets_hold_for_a_time_and_then_the_new_one_alone(stage: Stage) -> None:
    renewed = endpoints.rotate(stage.endpoint, stage.clock.now, timedelta(hours=24))
    stage.accept(1)
    stage.deliver()
    for secret in (stage.secret, renewed):
        stage.signed_with(stage.system.received[0], secret)
    stage.clock.on(hours=25)
    stage.accept(2)
    stage.deliver()
    stage.signed_with(stage.system.received[1], renewed)
    assert len(stage.system.received[1].headers["webhook-signature"].split(" ")) == 1
    assert renewed.encode() not in bytes(stage.again().secrets)
    assert secrets.opened(stage.endpoint.pk, bytes(stage.endpoint.secrets))[0].secret == renewed


def test_a_body_is_the_same_at_each_attempt(stage: Stage) -> None:
    stage.accept(1)
    bodies = set()
    for _attempt in range(2):
        token, ids, _all = claim(stage.endpoint.pk, stage.clock.now, 1)
        [claimed] = load(ids, token)
        assert claimed.telling is not None
        bodies.add(body_of(claimed.telling))
        stage.clock.on(hours=1)
    assert len(bodies) == 1


def test_a_test_says_that_it_is_one(stage: Stage) -> None:
    test = endpoints.ask_for_test(stage.endpoint, stage.clock.now)
    stage.deliver()
    told = said(stage.system.received[0])
    assert (told["type"], told["data"]) == ("trilha.test", {"test": True, "endpoint": "Warehouse"})
    test.refresh_from_db()
    assert (test.state, test.is_test) == ("delivered", True)


def test_a_message_that_is_sent_twice_is_told_once(stage: Stage) -> None:
    stage.accept(1)
    stage.door.batch(track(messageId="m-1", timestamp=stage.clock.now.isoformat(), properties={"total": 1}))
    stage.deliver()
    assert len(stage.system.received) == 1
