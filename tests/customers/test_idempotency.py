"""A call that names itself by an Idempotency-Key is done once and answered the same again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import orjson
import pytest
from django.db import OperationalError, connections
from django.test import Client

from customers import kept_answers
from customers.accept.batch import accept
from customers.models import Brand, InboxItem, KeptAnswer, QuarantinedEvent, Source
from tests.customers.partner_api import NOW, Api, api, code_of, event, issue

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


@pytest.fixture
def partner(source: Source) -> Api:
    return api(source)


def keyed(partner: Api, body: Any, key: str = "k-1", path: str = "events") -> Any:
    return partner.post(path, body, **{"Idempotency-Key": key})


def test_the_same_call_again_gets_the_same_answer_and_does_nothing(partner: Api) -> None:
    first, again = keyed(partner, event(id=None)), keyed(partner, event(id=None))
    assert (first.status_code, again.status_code, first.content) == (200, 200, again.content)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert InboxItem.objects.count() == 1


def test_without_a_key_a_repeated_message_id_is_a_duplicate(partner: Api) -> None:
    answers = [partner.post("events", event()).json() for _time in range(2)]
    assert answers == [{"status": "accepted"}, {"status": "duplicate"}]
    assert not KeptAnswer.objects.exists()


def test_a_refusal_is_an_answer_too(partner: Api) -> None:
    first, again = keyed(partner, event(name=5)), keyed(partner, event(name=5))
    assert code_of(first, 422) == "wrong_type"
    assert first.content == again.content
    assert QuarantinedEvent.objects.count() == 1


@pytest.mark.parametrize("changed", [{"id": "m-2"}, {"properties": {"a": 1}}])
def test_a_key_with_another_body_is_refused(partner: Api, changed: dict[str, Any]) -> None:
    keyed(partner, event())
    assert code_of(keyed(partner, event(**changed)), 422) == "idempotency_key_reused"
    assert InboxItem.objects.count() == 1


def test_a_key_with_another_query_is_refused(partner: Api) -> None:
    keyed(partner, event())
    assert code_of(keyed(partner, event(), path="events?source=shop"), 422) == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("x" * 256, "idempotency_key_too_long"),
        ("x" * 300, "idempotency_key_too_long"),
        ("", "invalid_idempotency_key"),
        ("a\tb", "invalid_idempotency_key"),
        ("é", "invalid_idempotency_key"),
    ],
)
def test_a_key_that_cannot_be_kept_is_refused(partner: Api, key: str, code: str) -> None:
    assert code_of(keyed(partner, event(), key), 400) == code
    assert not InboxItem.objects.exists()
    assert not KeptAnswer.objects.exists()


def test_a_key_may_have_255_characters(partner: Api) -> None:
    assert keyed(partner, event(), "x" * 255).status_code == 200


def test_keys_of_other_tokens_and_routes_are_other_keys(source: Source, partner: Api) -> None:
    other = api(source)
    answers = [
        keyed(partner, event()),
        keyed(other, event(id="m-2")),
        keyed(partner, {"events": [event(id="m-3")]}, path="events/batch"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert sorted(InboxItem.objects.values_list("message_id", flat=True)) == ["m-1", "m-2", "m-3"]


def test_trouble_of_ours_is_forgotten_so_that_the_key_is_good_again(
    partner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr("customers.api.events.accept", fail)
        assert code_of(keyed(partner, event()), 503) == "not_ready"
    assert not KeptAnswer.objects.exists()
    assert keyed(partner, event()).json() == {"status": "accepted"}


def test_what_a_dead_process_began_is_taken_over_after_a_minute(partner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed(partner, event())
    KeptAnswer.objects.update(status=None, body=b"")
    assert code_of(keyed(partner, event()), 409) == "idempotency_in_flight"
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW + kept_answers.IN_FLIGHT + timedelta(seconds=1))
    assert keyed(partner, event()).json() == {"status": "duplicate"}
    assert KeptAnswer.objects.get().status == 200


def test_answers_are_forgotten_after_a_week(partner: Api) -> None:
    keyed(partner, event())
    assert kept_answers.prune(NOW + timedelta(days=7)) == 0
    assert kept_answers.prune(NOW + timedelta(days=7, seconds=1)) == 1
    assert not KeptAnswer.objects.exists()


@pytest.fixture
def committed_token(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """At a time that passes: without an id or a time of its own, each event is then another one."""
    milliseconds = count()
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW + timedelta(milliseconds=next(milliseconds)))
    brand = Brand.objects.create(key="acme", name="Acme")
    return issue(Source.objects.create(brand=brand, key="shop", name="Shop"))[1]


def in_threads(text: str, calls: int, **headers: str) -> list[Any]:
    def call(_n: int) -> Any:
        try:
            return Client().post(
                "/api/v1/events",
                orjson.dumps(event(id=None, occurred_at=None)),
                "application/json",
                headers={"Authorization": f"Bearer {text}", **headers},
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(call, range(calls)))


def test_of_the_same_call_at_once_one_is_done(committed_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control below shows that without the key each of them would be."""
    meet = threading.Barrier(2)

    def slow(*args: Any) -> Any:
        outcome = accept(*args)
        # Held open until the others were refused.
        meet.wait(20)
        return outcome

    monkeypatch.setattr("customers.api.events.accept", slow)
    answers: list[Any] = []
    first = threading.Thread(target=lambda: answers.extend(in_threads(committed_token, 1, **{"Idempotency-Key": "k"})))
    first.start()
    while not KeptAnswer.objects.exists():
        pass
    others = in_threads(committed_token, 8, **{"Idempotency-Key": "k"})
    meet.wait(20)
    first.join()
    assert {code_of(answer, 409) for answer in others} == {"idempotency_in_flight"}
    assert {answer.headers["Retry-After"] for answer in others} == {"1"}
    assert [answer.json() for answer in answers] == [{"status": "accepted"}]
    assert InboxItem.objects.count() == 1


def test_whoever_races_a_key_finds_one_deed(committed_token: str) -> None:
    answers = in_threads(committed_token, 12, **{"Idempotency-Key": "k"})
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 409}
    assert 200 in statuses
    assert {answer.content for answer in answers if answer.status_code == 200} == {b'{"status":"accepted"}'}
    assert InboxItem.objects.count() == 1


def test_without_the_key_every_call_is_done(committed_token: str) -> None:
    answers = in_threads(committed_token, 6)
    assert {answer.status_code for answer in answers} == {200}
    assert InboxItem.objects.count() == 6
