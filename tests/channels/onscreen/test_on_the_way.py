"""From a journey to the screen: what its run, its person and their consent do to what stands there."""

import json
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest

from channels.dispatch import dispatch_all
from channels.models import (
    Connector,
    InAppItem,
    Message,
    Template,
    TemplateText,
    TemplateVersion,
    WebPlacement,
    WebSlot,
)
from channels.onscreen import inbox, slots
from channels.onscreen.marks import Mark, mark_items
from channels.onscreen.slots import Content
from consent.models import PrivacyArchive
from consent.privacy import erasure, export, requests
from consent.privacy.requests import Asking
from customers import jobs, keys, merging
from customers.keys import Writer
from customers.models import Address, AddressProfile, Identifier
from customers.visitors import profiles, secrets
from journeys.definition import InvalidDefinition
from tests.journeys.stage import Stage, make_stage, message, welcome
from tests.statements import counted

pytestmark = pytest.mark.django_db
SHOWN = "Hello"


@pytest.fixture
def stage(db: None) -> Stage:
    stage = make_stage()
    secrets.issue(stage.source, stage.now)
    WebSlot.objects.create(brand=stage.brand, key="home-hero", name="Home")
    for channel, provider in (("in_app", "inapp"), ("web", "web")):
        template = Template.objects.create(brand=stage.brand, key=channel, name=channel, channel=channel)
        version = TemplateVersion.objects.create(template=template, number=1)
        options = {"slot": "home-hero"} if channel == "web" else {}
        TemplateText.objects.create(version=version, locale="en", subject=SHOWN, text="Hello", options=options)
        Connector.objects.create(brand=stage.brand, key=provider, name=provider, channel=channel, provider=provider)
    return stage


def document(**changes: Any) -> dict[str, Any]:
    """An inbox item, then a slot for a day."""
    usual = welcome()
    first = [
        message("hello", next="banner", channel="in_app", connector="inapp", template="in_app"),
        message("banner", next="hold", channel="web", connector="web", template="web"),
    ]
    last = [step for step in usual["steps"] if step["id"] not in ("welcome", "remind")]
    last[0]["timeout"]["next"] = "lost"
    return usual | {"steps": [*first, *last]} | changes


def send(stage: Stage) -> None:
    dispatch_all(stage.now)


def writer(stage: Stage) -> Writer:
    found = keys.writer_of(stage.source.pk)
    assert found is not None
    return found


def sees(stage: Stage, user: str) -> Content | None:
    visitor = profiles.find(writer(stage), user, "", stage.now)
    return slots.look(visitor, stage.brand.pk, ["home-hero"], "en", stage.now)["home-hero"]


def unread(stage: Stage, user: str) -> int:
    visitor = profiles.find(writer(stage), user, "", stage.now)
    return inbox.look(visitor, stage.brand.pk, stage.now).unread


def profile(value: str) -> UUID:
    return Identifier.objects.get(value=value, closed_at=None).profile_id


def begin(stage: Stage, user: str = "ana") -> None:
    stage.know(user)
    stage.happen("customer.signed_up", user)
    send(stage)
    stage.pass_time(seconds=1)


def test_a_journey_writes_to_who_has_signed_in(stage: Stage) -> None:
    stage.publish(document())
    begin(stage)

    assert [(one.channel, one.state) for one in Message.objects.order_by("visit")] == [
        ("in_app", "sent"),
        ("web", "sent"),
    ]
    seen = AddressProfile.objects.filter(address__channel__in=["in_app", "web"])
    assert {(one.profile_id, one.address.value) for one in seen} == {(profile("ana"), str(profile("ana")))}
    assert unread(stage, "ana") == 1
    assert sees(stage, "ana") == Content("Hello", "Hello", locale="en", placement=WebPlacement.objects.get().pk)


def test_an_exit_takes_the_slots_content_off_and_leaves_the_inbox(stage: Stage) -> None:
    stage.publish(document(exit_events=[{"event": "account.closed", "state": "lost"}]))
    begin(stage)
    assert sees(stage, "ana") is not None

    stage.happen("account.closed")

    assert sees(stage, "ana") is None
    assert WebPlacement.objects.get().off_reason == "ended"
    assert unread(stage, "ana") == 1


def test_a_run_that_came_to_its_end_leaves_what_it_put_there(stage: Stage) -> None:
    stage.publish(document())
    begin(stage)

    stage.happen("login.succeeded")

    assert sees(stage, "ana") is not None


def test_what_makes_it_needless_takes_it_off(stage: Stage) -> None:
    steps = document()["steps"]
    steps[1]["cancel_on"] = [{"event": "order.completed"}]
    stage.publish(document(steps=steps))
    begin(stage)
    assert sees(stage, "ana") is not None

    # Accepted and not yet resolved is enough.
    stage.accept("order.completed")

    assert sees(stage, "ana") is None
    assert WebPlacement.objects.get().off_reason == "acted"


def test_a_consent_withdrawn_meanwhile_hides_both(stage: Stage) -> None:
    stage.publish(document())
    begin(stage)

    stage.happen("consent.withdrawn", properties={"purpose": "news"})

    assert (sees(stage, "ana"), unread(stage, "ana")) == (None, 0)


def test_reading_resumes_the_hold_that_waits_for_it(stage: Stage) -> None:
    steps = document()["steps"]
    steps[2]["branches"] = [{"event": "message.opened", "next": "done"}]
    stage.publish(document(steps=steps))
    begin(stage)
    visitor = profiles.find(writer(stage), "ana", "", stage.now)
    mark_items(visitor, stage.brand.pk, {InAppItem.objects.get().pk: [Mark.READ]}, stage.now)
    stage.run()

    assert stage.steps_of(stage.the_run())[-1] == "done"


def test_people_who_are_one_have_one_inbox_and_apart_each_their_own(stage: Stage) -> None:
    stage.publish(document())
    for user in ("ana", "bia"):
        begin(stage, user)
    stage.pass_time(seconds=1)

    def decided(at: datetime) -> merging.Decision:
        return merging.decide.decision(stage.brand.pk, 1, "test", at)

    # Their mails make two, whom a person declares one.
    merging.join(profile("ana"), profile("bia"), decided(stage.now))
    stage.run()
    together = (unread(stage, "ana"), unread(stage, "bia"))
    stage.pass_time(seconds=1)
    merging.split([profile("bia"), profile("bia@example.com")], decided(stage.now))
    stage.run()

    assert together == (2, 2)
    assert (unread(stage, "ana"), unread(stage, "bia")) == (1, 1)


def test_an_erasure_leaves_nothing_of_them_and_all_of_others(stage: Stage) -> None:
    stage.publish(document())
    for user in ("ana", "bia"):
        begin(stage, user)
    theirs = profile("ana")
    names = requests.naming("user_id", "ana", [stage.source.namespace], stage.now)
    asking = Asking(brand=stage.brand, kind="erasure", law="lgpd", channel="email", names=names, assurance=4)

    erasure.ask(requests.take_down(asking, stage.now), stage.now, None)
    for _turn in range(9):
        jobs.work_on(lambda: stage.now, 2)
        stage.pass_time(seconds=61)

    assert not Address.objects.filter(value=str(theirs)).exists()
    assert [InAppItem.objects.get().profile_id, WebPlacement.objects.get().profile_id] == [profile("bia")] * 2
    assert (unread(stage, "bia"), sees(stage, "bia") is not None) == (1, True)


@pytest.mark.parametrize("field", ["connector", "template"])
def test_what_is_of_another_channel_is_not_published(stage: Stage, field: str) -> None:
    steps = document()["steps"]
    steps[0][field] = {"connector": "web", "template": "web"}[field]
    with pytest.raises(InvalidDefinition):
        stage.publish(document(steps=steps))


def test_what_is_on_their_screens_is_handed_out_to_them_alone(stage: Stage) -> None:
    stage.publish(document())
    for user in ("ana", "bia"):
        begin(stage, user)
    InAppItem.objects.filter(profile_id=profile("bia")).update(title="Of Bia alone")
    names = requests.naming("user_id", "ana", [stage.source.namespace], stage.now)
    asking = Asking(brand=stage.brand, kind="access", law="gdpr", channel="form", names=names, assurance=4)
    request = requests.take_down(asking, stage.now)

    export.ask(request, stage.now, None)
    jobs.work_on(lambda: stage.now, 2)

    archive = PrivacyArchive.objects.get(request=request)
    with ZipFile(BytesIO(export.opened(archive, stage.now))) as file:
        [item] = json.loads(file.read("in_app_items.json"))["tables"]["inappitem"]
        [placement] = json.loads(file.read("web_placements.json"))["tables"]["webplacement"]
    assert (item["title"], item["text"], item["read_at"]) == (SHOWN, "Hello", None)
    assert (placement["title"], placement["slot"]) == (SHOWN, "home-hero")


def test_four_slots_cost_the_guard_one_look_as_one_slot_does(stage: Stage) -> None:
    keys, steps = [f"slot-{n}" for n in range(4)], []
    for key, then in zip(keys, [*keys[1:], "hold"], strict=True):
        WebSlot.objects.create(brand=stage.brand, key=key, name=key)
        template = Template.objects.create(brand=stage.brand, key=key, name=key, channel="web")
        version = TemplateVersion.objects.create(template=template, number=1)
        TemplateText.objects.create(version=version, locale="en", subject=SHOWN, text="Hello", options={"slot": key})
        steps.append(message(key, next=then, channel="web", connector="web", template=key))
    stage.publish(document(steps=[*steps, *document()["steps"][2:]]))
    begin(stage)
    visitor = profiles.find(writer(stage), "ana", "", stage.now)

    def statements(*asked: str) -> list[str]:
        with counted() as made:
            found = slots.look(visitor, stage.brand.pk, asked, "en", stage.now)
        assert [one is not None and one.placement is not None for one in found.values()] == [True] * len(asked)
        return made

    one, four = statements(keys[0]), statements(*keys)
    looks = [len([each for each in made if "JOIN journeys_run r" in each]) for made in (one, four)]
    assert (looks, len(four) - len(one)) == ([1, 1], 0)
