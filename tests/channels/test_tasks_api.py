"""Tasks at the partner API: listed by pages, claimed by one, done with an outcome."""

from datetime import timedelta
from typing import Any

import pytest

from channels.dispatch import dispatch_all
from channels.models import Message, Task
from customers.models import Scope
from tests.channels.pacing import quiet_hours
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import Api, code_of, pointer_of
from tests.journeys.test_task_step import PHONE, calling, with_calls

pytestmark = pytest.mark.django_db


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    return ready(make_partners(), monkeypatch)


def ready(partners: Partners, monkeypatch: pytest.MonkeyPatch) -> Partners:
    monkeypatch.setattr("customers.clock.utcnow", lambda: partners.stage.now)
    with_calls(partners.stage)
    partners.stage.publish(calling(not_later_than="P3D"))
    for user in ("ana", "bia"):
        # What is granted for a person as such holds for calls as well, what is granted for a mailbox does not.
        partners.know(partners.shop, user, email=False, phone=PHONE[:-1] + str(len(user) + ord(user[0]) % 7))
        partners.stage.happen("customer.signed_up", user)
    partners.stage.pass_time(days=1)
    dispatch_all(partners.stage.now)
    assert list(Message.objects.filter(channel="call").values_list("state", "reason")) == [("sent", "")] * 2
    return partners


def one(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get("tasks", limit="1").json()["items"][0]
    return found


def do(api: Api, task: dict[str, Any], verb: str, **body: Any) -> Any:
    return api.post(f"tasks/{task['id']}/{verb}", body)


def test_listed_page_by_page_without_numbers(partners: Partners) -> None:
    first = partners.shop.get("tasks", limit="1").json()
    second = partners.shop.get("tasks", limit="1", cursor=first["next"]).json()
    assert len({first["items"][0]["id"], second["items"][0]["id"]}) == 2
    assert second["next"] is None
    assert {(task["phone"], task["state"], task["title"]) for task in first["items"] + second["items"]} == {
        ("", "open", "Call them")
    }
    assert partners.shop.get("tasks", state="done").json()["items"] == []


def test_claimed_its_number_is_told_and_done_it_is_told_no_more(partners: Partners) -> None:
    task = one(partners.shop)
    claimed = do(partners.shop, task, "claim").json()
    assert (claimed["state"], claimed["is_yours"], claimed["phone"][:6]) == ("claimed", True, PHONE[:6])
    done = do(partners.shop, task, "complete", outcome="reached", note="glad").json()
    assert (done["state"], done["outcome"], done["phone"]) == ("done", "reached", "")
    assert do(partners.shop, task, "complete", outcome="reached").status_code == 200
    assert code_of(do(partners.shop, task, "complete", outcome="no_more"), 409) == "task_not_yours"


def test_who_acted_meanwhile_is_not_to_be_called(partners: Partners) -> None:
    for user in ("ana", "bia"):
        partners.stage.happen("login.succeeded", user)
    answer = do(partners.shop, one(partners.shop), "claim").json()
    assert (answer["state"], answer["reason"], answer["phone"]) == ("cancelled", "acted", "")


def test_in_quiet_hours_the_answer_says_from_when_on_and_no_number(partners: Partners) -> None:
    now = partners.stage.now
    quiet_hours(None, f"{now - timedelta(hours=1):%H:%M}", f"{now + timedelta(hours=1):%H:%M}")
    answer = do(partners.shop, one(partners.shop), "claim").json()
    assert (answer["state"], answer["reason"], answer["phone"]) == ("open", "quiet_hours", "")
    assert (
        answer["not_before"] == f"{now.replace(second=0, microsecond=0) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S+00:00}"
    )


def test_another_partner_neither_sees_nor_does_anything(partners: Partners) -> None:
    task = one(partners.shop)
    for other in (partners.till, partners.rival):
        assert other.get("tasks").json()["items"] == []
        for verb in ("claim", "release"):
            assert code_of(do(other, task, verb), 404) == "not_found"
    assert Task.objects.filter(state="open").count() == 2


def test_without_the_scopes_numbers_are_masked_and_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    scopes = tuple(one.value for one in Scope if one != Scope.CUSTOMERS_PERSONAL)
    partners = ready(make_partners(shop=scopes), monkeypatch)
    claimed = do(partners.shop, one(partners.shop), "claim").json()
    assert claimed["phone"]
    assert claimed["phone"] not in set(Task.objects.values_list("address__value", flat=True))
    assert claimed["title"] != "Call them"


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({}, 422, "missing_field", "/outcome"),
        ({"outcome": "glad"}, 422, "unknown_value", "/outcome"),
        ({"outcome": 7}, 422, "unknown_value", "/outcome"),
        ({"outcome": "reached", "note": "x" * 501}, 422, "too_long", "/note"),
        ({"outcome": "reached", "colour": "red"}, 422, "unknown_field", "/colour"),
        (b"{", 400, "invalid_json", ""),
    ],
)
def test_what_makes_no_sense_is_a_problem_with_its_place(
    partners: Partners, body: Any, status: int, code: str, pointer: str
) -> None:
    task = one(partners.shop)
    do(partners.shop, task, "claim")
    answer = partners.shop.post(f"tasks/{task['id']}/complete", body)
    assert (code_of(answer, status), pointer_of(answer)) == (code, pointer)
    assert Task.objects.filter(state="claimed").count() == 1


@pytest.mark.parametrize("verb", ["claim", "release", "complete"])
def test_no_such_task_is_not_found(partners: Partners, verb: str) -> None:
    for id_ in ("0195577f-7400-7000-8000-000000000000", "none", "'--"):
        body = {"outcome": "reached"} if verb == "complete" else {}
        assert partners.shop.post(f"tasks/{id_}/{verb}", body).status_code == 404
