"""`manage.py erase`: counted first, asked before anything goes, on the trail, and gone on with when it was stopped."""

import builtins
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from consent.models import Erasure, PrivacyRequest
from consent.privacy import requests
from consent.privacy.requests import Asking
from customers import clock
from customers.accept import erased as at_the_door
from customers.ids import new_id
from customers.models import AuditEntry, Identifier, Source
from customers.privacy import erase
from tests.consent.marked import Marked, leave_waiting, lie_about, live_through
from tests.journeys.stage import Stage, make_stage, welcome
from tests.promises.dump import search

pytestmark = pytest.mark.django_db

ANA, BIA = Marked("mkana7q"), Marked("mkbia7q")
BY_NAME = ("--brand=acme", "--kind=user_id", f"--value={ANA.user}")
NEW = ("--law=lgpd", "--checked=document", "--as=olga")


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    at_the_door.forget()
    stage = make_stage()
    stage.publish(welcome())
    for one in (ANA, BIA):
        live_through(stage, one)
    for one in (ANA, BIA):
        lie_about(stage, one)
        leave_waiting(stage, one)
    User.objects.create_user("olga", is_staff=True)
    monkeypatch.setattr(clock, "utcnow", lambda: stage.now)
    monkeypatch.setattr(time, "sleep", lambda _seconds: later(stage))
    monkeypatch.setattr(builtins, "input", lambda _prompt: pytest.fail("it asked"))
    return stage


def later(stage: Stage) -> None:
    stage.now += timedelta(seconds=61)


def called(*words: str) -> str:
    out = StringIO()
    call_command("erase", *words, stdout=out)
    return out.getvalue()


def counts(told: str) -> dict[str, int]:
    rows = [line.split() for line in told.splitlines() if line.startswith("  ")]
    return {key: int(count.replace(",", "")) for key, count in rows}


def test_a_dry_run_counts_by_store_and_writes_nothing(stage: Stage) -> None:
    before, trail = search(ANA.stem), AuditEntry.objects.count()
    told = called(*BY_NAME, "--dry-run")
    assert told.startswith("1 customers, 2 names, 1 addresses; 0 that others use too stay with them\n")
    found = counts(told)
    assert (found["quarantine"], found["webhooks"], found["imports"], found["events"]) == (1, 1, 2, 3)
    assert ANA.stem not in told
    assert (search(ANA.stem), AuditEntry.objects.count()) == (before, trail)
    assert not PrivacyRequest.objects.exists()


def test_it_erases_by_a_name_and_leaves_a_trail(stage: Stage) -> None:
    others = search(BIA.stem)
    told = called(*BY_NAME, *NEW, "--yes")
    assert (search(ANA.stem), search(BIA.stem)) == ({}, others)
    request, olga = PrivacyRequest.objects.get(), User.objects.get(username="olga")
    assert (request.state, request.law, request.assurance, request.opened_by) == ("done", "lgpd", 5, olga)
    assert Erasure.objects.get().by == olga
    assert f"erased: request {request.pk}, {sum(Erasure.objects.get().counts.values()):,} rows" in told
    trail = AuditEntry.objects.filter(object_id=str(request.pk)).order_by("id")
    assert list(trail.values_list("action", "actor__username")) == [
        ("privacy_open", "olga"), ("privacy_working", "olga"), ("privacy_done", "olga")
    ]  # fmt: skip
    assert called(f"--request={request.pk}", "--yes").startswith(f"erased: request {request.pk}")


@pytest.mark.parametrize(("answer", "is_done"), [("", False), ("y", False), ("no", False), ("yes", True)])
def test_it_asks_first(stage: Stage, monkeypatch: pytest.MonkeyPatch, answer: str, is_done: bool) -> None:
    monkeypatch.setattr(builtins, "input", lambda _prompt: answer)
    before = search(ANA.stem)
    if is_done:
        called(*BY_NAME, *NEW)
    else:
        with pytest.raises(CommandError, match="nothing was done"):
            called(*BY_NAME, *NEW)
    assert (search(ANA.stem) != before) is is_done
    assert PrivacyRequest.objects.count() == int(is_done)


@pytest.mark.parametrize("by_name", [True, False])
def test_stopped_it_goes_on_when_called_again(stage: Stage, monkeypatch: pytest.MonkeyPatch, by_name: bool) -> None:
    take, calls = erase.take, list[Any]()

    def dies(*args: Any) -> Any:
        calls.append(args[0])
        if len(calls) == 20:
            raise KeyboardInterrupt
        return take(*args)

    monkeypatch.setattr(erase, "take", dies)
    with pytest.raises(KeyboardInterrupt):
        called(*BY_NAME, *NEW, "--yes")
    request = PrivacyRequest.objects.get()
    assert (request.state, Identifier.objects.filter(value=ANA.user).exists()) == ("working", False)
    called(*(BY_NAME if by_name else (f"--request={request.pk}",)), "--as=olga", "--yes")
    request.refresh_from_db()
    assert (request.state, PrivacyRequest.objects.count()) == ("done", 1)
    assert search(ANA.stem) == {}


def test_a_request_waits_until_it_was_checked_who_asks(stage: Stage) -> None:
    before = search(ANA.stem)
    names = requests.naming("user_id", ANA.user, [stage.source.namespace], stage.now)
    asking = Asking(brand=stage.brand, kind="erasure", law="gdpr", channel="letter", names=names)
    request = requests.take_down(asking, stage.now)
    with pytest.raises(CommandError, match="add --checked"):
        called(f"--request={request.pk}", "--as=olga", "--yes")
    assert not Erasure.objects.exists()
    assert sum(search(ANA.stem).values()) == sum(before.values()) + 1
    called(f"--request={request.pk}", "--as=olga", "--yes", "--checked=one_time_code")
    request.refresh_from_db()
    assert (request.state, request.assurance) == ("done", 4)
    assert search(ANA.stem) == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "say whom"),
        (("--kind=user_id", "--value=x"), "which --brand it is asked, one of: acme"),
        (("--brand=acme", "--kind=email", "--value=x"), "Not an e-mail"),
        (("--brand=acme", "--kind=user_id", "--value=x", "--source=other"), "no source 'other'"),
        (BY_NAME, "say who does it"),
        ((*BY_NAME, "--as=nobody"), "say who does it"),
        ((*BY_NAME, "--as=olga", "--yes"), "needs --law"),
        ((*BY_NAME, "--law=lgpd", "--checked=observed", "--as=olga", "--yes"), "not checked well enough"),
        (("--request=018f0000-0000-7000-8000-000000000000",), "there is no request"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_done(stage: Stage, words: tuple[str, ...], told: str) -> None:
    before = search(ANA.stem)
    with pytest.raises(CommandError, match=told):
        called(*words)
    assert search(ANA.stem) == before
    assert not PrivacyRequest.objects.exists()


def test_an_id_of_several_systems_needs_its_source(stage: Stage) -> None:
    till = Source.objects.create(brand=stage.brand, key="till", name="Till", namespace=new_id())
    with pytest.raises(CommandError, match="--source gave it, one of: shop, till"):
        called(*BY_NAME, "--dry-run")
    assert called(*BY_NAME, "--source=till", "--dry-run").startswith("0 customers, 1 names")
    assert called(*BY_NAME, f"--namespace={till.namespace}", "--dry-run").startswith("0 customers, 1 names")
    assert called(*BY_NAME, "--source=shop", "--dry-run").startswith("1 customers, 2 names")
