"""The pages of broadcasts: written, looked at, started, watched, paused and stopped by those who may."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels.admin.broadcast_form import BroadcastForm
from channels.broadcasts import start
from channels.broadcasts.check import problems
from channels.broadcasts.states import By
from channels.models import Broadcast, BroadcastMove, BroadcastRecipient, Connector, Message, TemplateText
from customers.models import AuditEntry, Segment
from tests.channels.broadcasts.stage import (
    HOUR,
    bring_on,
    crowd,
    draft,
    fresh,
    make_segment,
    put_in,
    started,
)
from tests.channels.world import NOW, World
from tests.customers.test_import_pages import client_of, marketer

ADD = "admin:channels_broadcast_add"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


@pytest.fixture
def rita(world: World) -> Client:
    return client_of(marketer("rita", world.brand, "view_brand", "view_pii"))


@pytest.fixture
def readers(world: World) -> Segment:
    segment = make_segment(world, size=3)
    put_in(segment, [*crowd(world, 2), world.person("no@example.com", granted=False)])
    TemplateText.objects.filter(version=world.version).update(text="{{ unsubscribe_url }}", html="")
    return segment


def page(broadcast: Broadcast) -> str:
    return reverse("admin:channels_broadcast_change", args=[broadcast.pk])


def read(client: Client, broadcast: Broadcast, query: str = "") -> str:
    answer = client.get(page(broadcast) + query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def act(client: Client, broadcast: Broadcast, do: str, **fields: str) -> str:
    answer = client.post(reverse("admin:channels_broadcast_act", args=[broadcast.pk]), {"do": do} | fields, follow=True)
    return str(answer.content.decode())


def form(world: World, segment: Segment, **fields: Any) -> dict[str, Any]:
    values = {
        "name": "Spring news",
        "key": "spring-news",
        "brand": world.brand.pk,
        "segment": segment.pk,
        "purpose": world.purpose.pk,
        "connector": world.connector.pk,
        "template": world.version.template.pk,
        "when": "now",
        "late_after": "12",
        "priority": "50",
        "wait_for": "1.5",
        "pilot_verdict": "person",
    }
    return values | fields


def test_a_draft_is_written_looked_at_and_started(rita: Client, world: World, readers: Segment) -> None:
    answer = rita.post(reverse(ADD), form(world, readers, pilot_percent="10", most_bounced="2.5"), follow=True)
    made = Broadcast.objects.get()
    assert answer.redirect_chain[-1][0] == page(made)
    assert (made.state, made.channel, made.not_later_than) == ("draft", "email", 12 * HOUR)
    assert (made.pilot_wait, made.pilot_percent, made.most_bounced) == (timedelta(minutes=90), 10, 2.5)
    told = read(rita, made)
    assert "Nothing stands in its way." in told
    assert "Count how many would get it" in told
    act(rita, made, "start", sure="yes")
    assert fresh(made).state == "scheduled"
    assert fresh(made).template_version_id == world.version.pk
    move = BroadcastMove.objects.get()
    assert (move.by and move.by.username, move.state_to) == ("rita", "scheduled")
    assert AuditEntry.objects.filter(action="broadcast_start").count() == 1


def test_without_a_word_that_one_is_sure_nothing_is_started_or_stopped(
    rita: Client, world: World, readers: Segment
) -> None:
    made = draft(world, readers)
    assert "say that you are sure" in act(rita, made, "start")
    assert fresh(made).state == "draft"
    act(rita, made, "start", sure="yes")
    assert "say that you are sure" in act(rita, made, "stop")
    assert fresh(made).state == "scheduled"


def test_the_estimate_counts_by_the_very_rule_of_permission(rita: Client, world: World, readers: Segment) -> None:
    told = read(rita, draft(world, readers), "?estimate")
    assert "Now it would reach <strong>2</strong>" in told
    assert "no consent" in told


def test_what_stands_in_the_way_is_told_and_stops_it(rita: Client, world: World, readers: Segment) -> None:
    made = draft(world, readers)
    TemplateText.objects.update(html="", text="no way out", subject="x")
    Connector.objects.update(is_active=False)
    told = read(rita, made)
    assert "The words in en have no link to unsubscribe." in told
    assert "The connector is switched off." in told
    assert 'value="start"' not in told
    assert "The connector is switched off." in act(rita, made, "start", sure="yes")
    assert fresh(made).state == "draft"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"when": "at", "starts_at": NOW - HOUR}, "moment_past"),
        ({"when": "at"}, "no_moment"),
        ({"when": "local"}, "no_local_time"),
        ({"per_minute": 1, "not_later_than": timedelta(minutes=1)}, "too_slow"),
    ],
)
def test_a_moment_that_cannot_be_is_told(world: World, readers: Segment, fields: dict[str, Any], code: str) -> None:
    assert code in {problem.code for problem in problems(draft(world, readers, **fields), NOW)}


@pytest.mark.parametrize("state", ["draft", "stopped", "archived"])
def test_a_segment_without_people_to_be_is_told(world: World, readers: Segment, state: str) -> None:
    made = draft(world, readers)
    Segment.objects.update(state=state)
    assert [problem.code for problem in problems(fresh(made), NOW) if problem.stops] == ["segment_not_live"]


def test_it_is_paused_resumed_and_stopped_with_a_reason(rita: Client, world: World, readers: Segment) -> None:
    made = started(world, readers, per_minute=1)
    bring_on(made)
    assert 'value="pause"' in read(rita, made)
    act(rita, made, "pause", why="a wrong price")
    assert fresh(made).state == "paused"
    told = read(rita, made)
    assert ("a wrong price" in told, 'value="resume"' in told, 'value="pause"' in told) == (True, True, False)
    act(rita, made, "resume")
    assert fresh(made).state == "sending"
    act(rita, made, "stop", sure="yes")
    assert fresh(made).state == "stopped"
    actions = AuditEntry.objects.filter(action__startswith="broadcast_").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["broadcast_pause", "broadcast_resume", "broadcast_stop"]


def test_the_page_tells_how_far_it_is_and_leads_to_the_recipients(rita: Client, world: World, readers: Segment) -> None:
    made = started(world, readers)
    bring_on(made)
    part = read(rita, made, "?part=progress")
    assert 'data-state="sending"' in part
    assert "not written to: no consent" in part
    assert "<html" not in part
    listed = rita.get(
        reverse("admin:channels_broadcastrecipient_changelist"), {"broadcast": str(made.pk), "outcome": "no_consent"}
    ).content.decode()
    refused = BroadcastRecipient.objects.get(outcome="no_consent")
    assert str(refused.profile_id) in listed
    others = BroadcastRecipient.objects.filter(outcome="made").values_list("profile_id", flat=True)
    assert not any(str(one) in listed for one in others)


def test_the_pilot_is_compared_and_a_person_lets_it_go_on(rita: Client, world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 12))
    made = started(world, segment, pilot_percent=50, pilot_wait=timedelta(0), most_bounced=5.0)
    bring_on(made)
    Message.objects.filter(scope_id=made.pk).update(state="failed", reason="bounced", settled_at=NOW)
    told = read(rita, made)
    assert ("It is time to decide." in told, "at most 5.0 %" in told, "100.0 %" in told) == (True, True, True)
    act(rita, made, "go_on", sure="yes")
    assert fresh(made).state == "sending"


def test_what_is_started_is_changed_by_nobody(rita: Client, world: World, readers: Segment) -> None:
    made = started(world, readers)
    answer = rita.post(page(made), form(world, readers, name="Other"))
    assert answer.status_code == 403
    assert fresh(made).name == "Spring"


@pytest.mark.parametrize(
    ("language", "late", "wait"), [("en", "1 day", "90 minutes"), ("pt-br", "1 dia", "90 minutos")]
)
def test_how_long_is_said_in_the_words_of_whoever_reads(
    rita: Client, world: World, readers: Segment, language: str, late: str, wait: str
) -> None:
    made = started(world, readers, not_later_than=timedelta(days=1), pilot_wait=timedelta(minutes=90))
    rita.cookies["django_language"] = language
    told = read(rita, made)
    assert f">{late}</div>" in told
    assert f">{wait}</div>" in told


def test_the_template_must_be_of_the_connectors_channel(rita: Client, world: World, readers: Segment) -> None:
    sms = Connector.objects.create(brand=world.brand, key="sms", name="SMS", channel="sms", provider="sandbox")
    told = rita.post(reverse(ADD), form(world, readers, connector=sms.pk)).content.decode()
    assert "The connector sends by SMS, and the template is for e-mail." in told
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "Not A Key"},
        {"when": "at", "starts_at_0": "", "starts_at_1": ""},
        {"when": "local"},
        {"late_after": "0"},
        {"per_minute": "0"},
        {"pilot_percent": "51"},
        {"wait_for": "nan"},
        {"wait_for": "1e9"},
        {"most_bounced": "101"},
        {"priority": "101"},
        {"purpose": "0"},
    ],
)
def test_what_cannot_be_is_refused(rita: Client, world: World, readers: Segment, fields: dict[str, str]) -> None:
    answer = rita.post(reverse(ADD), form(world, readers, **fields))
    assert answer.status_code == 200
    assert not Broadcast.objects.exists()


def test_a_squad_member_writes_and_does_not_send(world: World, readers: Segment) -> None:
    from django.contrib.auth.models import Group, User

    from customers.models import Squad, SquadMember

    member = User.objects.create_user("sam", is_staff=True)
    member.groups.add(Group.objects.get(name="squad member"))
    SquadMember.objects.create(squad=Squad.objects.create(brand=world.brand, name="S"), user=member)
    made = draft(world, readers)
    sam = client_of(member)
    assert "Your role writes broadcasts; another starts them." in read(sam, made)
    answer = sam.post(reverse("admin:channels_broadcast_act", args=[made.pk]), {"do": "start", "sure": "yes"})
    assert answer.status_code == 403
    assert fresh(made).state == "draft"


def test_nobody_of_another_brand_knows_of_it(world: World, readers: Segment) -> None:
    from tests.consent.people import make_brand

    made = started(world, readers)
    stranger = client_of(marketer("ulf", make_brand("other"), "view_brand", "view_pii"))
    assert stranger.get(page(made)).status_code == 302
    stranger.post(reverse("admin:channels_broadcast_act", args=[made.pk]), {"do": "stop", "sure": "yes"})
    assert fresh(made).state == "scheduled"


def test_of_a_segment_that_tells_personal_data_others_learn_tens_and_no_names(world: World, readers: Segment) -> None:
    Segment.objects.update(is_personal=True)
    made = started(world, readers)
    bring_on(made)
    ulf = client_of(marketer("ulf", world.brand, "view_brand"))
    assert "fewer than 10" in read(ulf, made)
    listed = ulf.get(
        reverse("admin:channels_broadcastrecipient_changelist"), {"broadcast": str(made.pk)}
    ).content.decode()
    assert not any(str(one) in listed for one in BroadcastRecipient.objects.values_list("profile_id", flat=True))


def test_a_page_saved_after_the_start_makes_it_no_draft_again(
    rita: Client, world: World, readers: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = draft(world, readers)
    clean = BroadcastForm.clean

    def start_meanwhile(self: BroadcastForm) -> Any:
        cleaned = clean(self)
        start.start(Broadcast.objects.get(pk=made.pk), By(), NOW)
        return cleaned

    monkeypatch.setattr(BroadcastForm, "clean", start_meanwhile)
    answer = rita.post(page(made), form(world, readers, name="Other"), follow=True)
    assert "Nothing was saved: it was started meanwhile." in str(answer.content.decode())
    assert (fresh(made).state, fresh(made).name, fresh(made).begins_at) == ("scheduled", "Spring", NOW)
    assert fresh(made).template_version_id == world.version.pk
    assert not AuditEntry.objects.filter(action="change").exists()


def test_what_another_changed_meanwhile_stands_beside_what_is_saved(
    rita: Client, world: World, readers: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = draft(world, readers)
    clean = BroadcastForm.clean

    def changed_meanwhile(self: BroadcastForm) -> Any:
        cleaned = clean(self)
        Broadcast.objects.filter(pk=made.pk).update(priority=70, not_later_than=3 * HOUR)
        return cleaned

    monkeypatch.setattr(BroadcastForm, "clean", changed_meanwhile)
    rita.post(page(made), form(world, readers, name="Other", late_after="24"))
    assert (fresh(made).name, fresh(made).priority, fresh(made).not_later_than) == ("Other", 70, 3 * HOUR)
    assert fresh(made).pilot_wait == timedelta(minutes=90)
