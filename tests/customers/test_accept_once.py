"""However often and from wherever a message comes, it is stored once, and the first one stands."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from customers import keys
from customers.accept import strict_json
from customers.accept.batch import Outcome, Submission, accept
from customers.models import InboxItem, MessageKey, QuarantinedEvent, Source
from tests.customers.segment_door import NOW, Door, track

THREADS = 8


def test_a_repeated_batch_changes_nothing(door: Door) -> None:
    items = [track(messageId=f"m-{number}") for number in range(3)]
    assert door.batch(*items)["accepted"] == 3
    assert door.batch(*items) == {"success": True, "accepted": 0, "duplicates": 3, "rejected": []}
    assert InboxItem.objects.count() == MessageKey.objects.count() == 3


def test_a_message_stays_known_after_it_left_the_inbox(door: Door) -> None:
    door.batch(track())
    InboxItem.objects.all().delete()
    assert door.post("/v1/track", track()).json() == {"success": True}
    assert InboxItem.objects.count() == 0


def test_when_it_was_sent_makes_no_other_message(door: Door) -> None:
    door.batch(track(sentAt="2026-11-23T11:59:01Z", context={"a": 1, "b": 2}))
    again = track(sentAt="2026-11-23T11:59:09Z", context={"b": 2, "a": 1}, receivedAt="x", writeKey="y")
    assert door.batch(again)["duplicates"] == 1


def test_another_message_under_a_used_id_is_refused_and_the_first_stands(door: Door) -> None:
    door.batch(track())
    answer = door.batch(track(event="Other"), track(messageId="m-2"))
    assert (answer["accepted"], answer["duplicates"]) == (1, 0)
    assert [(item["index"], item["code"]) for item in answer["rejected"]] == [(0, "message_id_conflict")]
    assert InboxItem.objects.get(message_id="m-1").name == "Order Completed"
    assert QuarantinedEvent.objects.get().code == "message_id_conflict"


def test_a_conflict_of_a_single_message_is_a_bad_request(door: Door) -> None:
    door.batch(track())
    answer = door.post("/v1/track", track(event="Other"))
    assert (answer.status_code, answer.json()["code"]) == (400, "message_id_conflict")


def test_of_two_messages_under_one_id_in_a_batch_the_first_stands(door: Door) -> None:
    answer = door.batch(track(), track(event="Other"), track())
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    assert [(item["index"], item["code"]) for item in answer["rejected"]] == [(1, "message_id_conflict")]
    assert InboxItem.objects.get().name == "Order Completed"


def test_two_sources_may_use_the_same_ids(door: Door) -> None:
    door.batch(track())
    other = Source.objects.create(brand=door.source.brand, key="app", name="App")
    assert Door(other, keys.issue(other)[1]).batch(track(event="Other"))["accepted"] == 1
    assert InboxItem.objects.count() == 2


def submit(items: list[dict[str, Any]], writer: keys.Writer, start: Barrier) -> Outcome:
    try:
        connection.ensure_connection()
        start.wait()
        document = strict_json.Document({"batch": items}, b"", False, False)
        return accept(Submission(document, "segment", False, items), writer, NOW)
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_eight_senders_of_one_batch_in_opposite_orders_store_it_once(source: Source) -> None:
    writer = keys.find(keys.issue(source)[1], NOW)
    assert writer is not None
    items = [track(messageId=f"m-{number}") for number in range(200)]
    start = Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        turns = [items if number % 2 else items[::-1] for number in range(THREADS)]
        outcomes = list(pool.map(lambda turn: submit(turn, writer, start), turns))
    assert InboxItem.objects.count() == MessageKey.objects.count() == 200
    assert sum(outcome.accepted for outcome in outcomes) == 200
    assert all(outcome.accepted + outcome.duplicates == 200 and not outcome.refusals for outcome in outcomes)


@pytest.mark.django_db(transaction=True)
def test_of_eight_different_messages_under_one_id_one_stands(source: Source) -> None:
    writer = keys.find(keys.issue(source)[1], NOW)
    assert writer is not None
    start = Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        turns = [[track(event=f"Event {number}")] for number in range(THREADS)]
        outcomes = list(pool.map(lambda turn: submit(turn, writer, start), turns))
    assert sorted(outcome.accepted for outcome in outcomes) == [0] * 7 + [1]
    assert sum(len(outcome.refusals) for outcome in outcomes) == QuarantinedEvent.objects.count() == 7
    assert InboxItem.objects.count() == 1
