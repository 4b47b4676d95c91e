"""Who a customer is, on a page: merged with another, taken apart again, and what an identifier is worth."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers import kinds
from customers.models import AuditEntry, Identifier, IdentifierKind, Profile
from journeys.models import Run
from tests.journeys.stage import Stage, make_stage, welcome


@pytest.fixture
def stage(db: None, monkeypatch: pytest.MonkeyPatch) -> Stage:
    kinds.forget()
    stage = make_stage()
    monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
    return stage


@pytest.fixture
def client(stage: Stage) -> Client:
    return logged_in(stage, "agent", "view_brand", "view_pii")


def logged_in(stage: Stage, role: str, *rights: str) -> Client:
    person = User.objects.create_user(f"{role} {len(rights)}", is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    for right in rights:
        assign_perm(right, person, stage.brand)
    client = Client()
    client.force_login(person)
    return client


def profile(value: str) -> UUID:
    return Identifier.objects.get(value=value, closed_at=None).profile_id


def home(value: str) -> UUID:
    return Profile.objects.get(pk=profile(value)).customer_id


def address(value: str) -> str:
    return reverse("admin:customers_customer_identity", args=[home(value)])


def shown(client: Client, value: str, **asked: Any) -> str:
    answer = client.get(address(value), asked)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_merge_is_looked_at_and_then_done(stage: Stage, client: Client) -> None:
    stage.publish(welcome())
    for name in ("ana", "anna"):
        stage.know(name, plan=name)
        stage.happen("customer.signed_up", name)
        stage.pass_time(minutes=1)
    text = shown(client, "ana", **{"with": "anna@example.com"})
    assert "ends for the sake of the elder one" in text
    assert "plan: ana → anna" in text
    assert home("ana") != home("anna")
    client.post(address("ana"), {"do": "merge", "other": str(home("anna"))})
    assert home("ana") == home("anna")
    stage.run()
    assert sorted(Run.objects.values_list("status", flat=True)) == [Run.Status.ACTIVE, Run.Status.MERGED]
    assert AuditEntry.objects.filter(action="merge").count() == 1
    text = shown(client, "ana")
    assert "decided by agent 2" in text
    assert "Undo…" in text


def test_a_permission_that_would_be_lost_is_told(stage: Stage, client: Client) -> None:
    stage.know("ana")
    stage.know("anna", granted=False)
    stage.happen("consent.withdrawn", "anna", properties={"purpose": "news"})
    assert "permission lost" in shown(client, "ana", **{"with": "anna"})


def test_a_merge_that_is_asked_for_twice_is_done_once(stage: Stage, client: Client) -> None:
    stage.happen("identify", "ana")
    stage.happen("identify", "anna")
    gone, page = home("anna"), address("ana")
    for _click in range(2):
        answer = client.post(page, {"do": "merge", "other": str(gone)}, follow=True)
        assert answer.redirect_chain == [(page, 302)]
    assert "Nothing was done: this was decided meanwhile." in answer.content.decode()
    assert (home("anna"), AuditEntry.objects.filter(action="merge").count()) == (home("ana"), 1)
    # Whoever looks for the one that is gone finds nobody to merge with.
    assert "Nobody else is known by that." in shown(client, "ana", **{"with": str(gone)})


def test_what_was_merged_is_taken_apart_and_its_run_comes_back(stage: Stage, client: Client) -> None:
    stage.publish(welcome())
    for name in ("ana", "anna"):
        stage.know(name)
        stage.happen("customer.signed_up", name)
        stage.pass_time(minutes=1)
    client.post(address("ana"), {"do": "merge", "other": str(home("anna"))})
    stage.pass_time(minutes=1)
    out = [str(profile("anna")), str(profile("anna@example.com"))]
    assert "goes on from where it stood" in shown(client, "ana", out=out)
    client.post(address("ana"), {"do": "split", "out": out})
    assert home("anna") == home("anna@example.com") != home("ana")
    stage.run()
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.ACTIVE}
    assert AuditEntry.objects.filter(action="take_apart").count() == 1


def test_there_is_nothing_to_cut_off_from_nothing(stage: Stage, client: Client) -> None:
    stage.know("ana")
    everything = [str(profile("ana")), str(profile("ana@example.com"))]
    assert "There is no line to cut along" in shown(client, "ana", out=everything)
    client.post(address("ana"), {"do": "split", "out": everything})
    client.post(address("ana"), {"do": "split"})
    assert home("ana") == home("ana@example.com")


def test_an_identifier_of_too_many_is_treated_as_not_shared(stage: Stage, client: Client) -> None:
    IdentifierKind.objects.filter(key="email").update(most_people=1)
    kinds.forget()
    for name in ("ana", "bia"):
        stage.happen("identify", name, email="info@shop.example")
        stage.pass_time(minutes=1)
    assert home("info@shop.example") not in (home("ana"), home("bia"))
    text = shown(client, "info@shop.example")
    assert "Treat as not shared" in text
    assert "one of the two is shared by too many people" in text
    client.post(address("info@shop.example"), {"do": "exempt", "profile": str(profile("info@shop.example"))})
    assert home("info@shop.example") == home("ana")
    assert AuditEntry.objects.filter(action="exempt").count() == 1


def test_who_may_not_merge_or_read_looks_on(stage: Stage) -> None:
    stage.know("ana")
    stage.know("anna")
    for role, rights in (("agent", ["view_brand"]), ("squad member", ["view_brand", "view_pii"])):
        client = logged_in(stage, role, *rights)
        assert "You may look at this, but not change it" in shown(client, "ana")
        answer = client.post(address("ana"), {"do": "merge", "other": str(home("anna"))})
        assert answer.status_code == 403
    assert "ana@example.com" not in shown(logged_in(stage, "marketer", "view_brand"), "ana")
    assert AuditEntry.objects.filter(action="refused").count() == 2
    assert home("ana") != home("anna")


@pytest.mark.parametrize("other", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_nobody_is_merged_with_whom_one_does_not_know(stage: Stage, client: Client, other: str) -> None:
    stage.know("ana")
    assert client.post(address("ana"), {"do": "merge", "other": other}).status_code == 403
    assert client.post(address("ana"), {"do": "merge", "other": str(home("ana"))}).status_code == 403
    assert client.post(address("ana"), {"do": "dance"}).status_code == 403
    assert "Nobody else is known by that." in shown(client, "ana", **{"with": other or "x"})
