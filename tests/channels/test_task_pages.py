"""The work list on the staff pages: claimed, given back and done by those who may."""

import pytest
from django.test import Client
from django.urls import reverse

from channels.models import Task
from customers.models import AuditEntry, Brand, ProfileBrand
from tests.channels.pacing import quiet_hours
from tests.channels.test_tasks import SOON, callable_, calling, made
from tests.channels.world import NOW, Person, World
from tests.customers.test_import_pages import client_of, marketer

LIST = "admin:channels_task_changelist"
PHONE = "+5511987654321"


@pytest.fixture
def calls(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW + SOON)
    return calling(world)


@pytest.fixture
def ana(calls: World) -> Person:
    found = callable_(calls, PHONE)
    ProfileBrand.objects.create(profile=found.profile, brand=calls.brand, first_seen_at=NOW)
    return found


@pytest.fixture
def rita(calls: World) -> Client:
    return client_of(marketer("rita", calls.brand, "view_brand", "view_pii"))


def page(task: Task) -> str:
    return reverse("admin:channels_task_change", args=[task.pk])


def act(client: Client, task: Task, do: str, **fields: str) -> str:
    answer = client.post(reverse("admin:channels_task_act", args=[task.pk]), {"do": do} | fields, follow=True)
    return str(answer.content.decode())


def test_an_empty_list_says_what_would_be_there(rita: Client) -> None:
    assert "Nothing is to be done." in rita.get(reverse(LIST)).content.decode()


def test_claimed_called_and_done(rita: Client, calls: World, ana: Person) -> None:
    task = made(calls, ana)
    before = rita.get(page(task)).content.decode()
    assert ("Call Ana" in before, PHONE in before, "Claim" in before) == (True, False, True)
    claimed = act(rita, task, "claim")
    assert (PHONE in claimed, "What came of it" in claimed) == (True, True)
    done = act(rita, task, "complete", outcome="reached", note="glad")
    task.refresh_from_db()
    assert (task.state, task.outcome, task.note, PHONE in done) == ("done", "reached", "glad", False)
    assert ("Claim it first" in before, "Claim it first" in done) == (True, False)
    actions = AuditEntry.objects.filter(object_type="channels.task").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["task_claimed", "task_done"]


def test_who_said_no_is_not_called_and_the_page_says_why(rita: Client, calls: World, ana: Person) -> None:
    task = made(calls, ana)
    calls.tell(ana, "withdrawn", NOW + SOON / 2)
    told = act(rita, task, "claim")
    assert ("Do not call: consent withdrawn" in told, PHONE in told) == (True, False)
    assert Task.objects.get().state == "cancelled"


def test_given_back_it_is_open_for_others(rita: Client, calls: World, ana: Person) -> None:
    task = made(calls, ana)
    act(rita, task, "claim")
    beto = client_of(marketer("beto", calls.brand, "view_brand", "view_pii"))
    assert "Somebody else was quicker" in act(beto, task, "claim")
    act(rita, task, "release")
    act(beto, task, "claim")
    assert Task.objects.select_related("assignee").get().assignee.username == "beto"  # type: ignore[union-attr]  # he has it


def test_what_another_has_in_hand_can_be_opened_again_and_it_is_noted_who_did(
    rita: Client, calls: World, ana: Person
) -> None:
    task = made(calls, ana)
    act(rita, task, "claim")
    beto = client_of(marketer("beto", calls.brand, "view_brand", "view_pii"))
    assert "In the hand of somebody else" in beto.get(page(task)).content.decode()
    assert "open for others again" in act(beto, task, "take_back")
    assert "it is over" in act(beto, task, "take_back")
    assert Task.objects.get().state == "open"
    assert AuditEntry.objects.filter(action="task_taken_back").count() == 1


def test_in_quiet_hours_the_page_says_from_when_on(rita: Client, calls: World, ana: Person) -> None:
    task = made(calls, ana)
    quiet_hours(calls.brand, "12:00", "14:00")
    told = act(rita, task, "claim")
    assert ("Not now: outside the hours for sending." in told, PHONE in told) == (True, False)
    task.refresh_from_db()
    assert (task.state, task.not_before) == ("open", NOW.replace(hour=14))


def test_who_said_no_while_it_was_in_hand_is_seen_no_more(rita: Client, calls: World, ana: Person) -> None:
    task = made(calls, ana)
    act(rita, task, "claim")
    calls.tell(ana, "withdrawn", NOW + SOON / 2)
    shown = rita.get(page(task)).content.decode()
    assert ("They have said no meanwhile" in shown, PHONE in shown) == (True, False)


@pytest.mark.parametrize("fields", [{}, {"outcome": "glad"}, {"outcome": "reached", "note": "x" * 501}])
def test_what_makes_no_sense_ends_nothing(rita: Client, calls: World, ana: Person, fields: dict[str, str]) -> None:
    task = made(calls, ana)
    act(rita, task, "claim")
    assert "Say what came of it" in act(rita, task, "complete", **fields)
    assert Task.objects.get().state == "claimed"


def test_without_the_right_to_personal_data_neither_words_nor_number_are_shown(calls: World, ana: Person) -> None:
    task = made(calls, ana)
    masked = client_of(marketer("masked", calls.brand, "view_brand"))
    shown = act(masked, task, "claim") + masked.get(reverse(LIST)).content.decode()
    assert (PHONE in shown, "Call Ana" in shown) == (False, False)
    # Who may not know the number has no use for the task.
    assert Task.objects.get().state == "open"


def test_a_get_changes_nothing_and_a_stranger_finds_nothing(rita: Client, calls: World, ana: Person) -> None:
    task = made(calls, ana)
    rita.get(reverse("admin:channels_task_act", args=[task.pk]), {"do": "claim"})
    other = Brand.objects.create(key="other", name="Other")
    stranger = client_of(marketer("stranger", other, "view_brand"))
    act(stranger, task, "claim")
    assert Task.objects.get().state == "open"
