"""On whose word an event's time is: the sender's, the sender's corrected, or the server's (BAD_INPUTS 26 to 36)."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from customers.models import InboxItem, TimeSource
from tests.customers.partner_api import api, code_of, event
from tests.customers.segment_door import NOW, Door, track

pytestmark = pytest.mark.django_db


def at(hour: int, minute: int = 0, second: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


def the_item() -> tuple[datetime, int]:
    row = InboxItem.objects.get()
    return row.occurred_at, row.time_source


def test_the_senders_time_is_kept_as_told(door: Door) -> None:
    door.post("/v1/batch", {"batch": [track()], "sentAt": "2026-11-23T11:59:55Z"})
    assert the_item() == (at(11, 59), TimeSource.TOLD)


def test_without_a_time_it_is_the_servers(door: Door) -> None:
    door.batch(track(timestamp=None))
    assert the_item() == (NOW, TimeSource.SERVER)


@pytest.mark.parametrize(
    ("sent", "told", "occurred"),
    [
        # Two days ahead, and two years behind: what counts is how long before sending it happened.
        ("2026-11-25T12:00:00Z", "2026-11-25T11:30:00Z", at(11, 30)),
        ("2024-11-23T12:00:00+00:00", "2024-11-23T11:00:00+00:00", at(11)),
        ("2026-11-23T11:49:00Z", "2026-11-23T11:48:00Z", at(11, 59)),
    ],
)
def test_a_clock_that_is_wrong_is_corrected_and_its_word_kept(
    door: Door, sent: str, told: str, occurred: datetime
) -> None:
    answer = door.post("/v1/batch", {"batch": [track(timestamp=told)], "sentAt": sent})
    assert answer.json()["accepted"] == 1
    assert the_item() == (occurred, TimeSource.CORRECTED)
    kept = orjson.loads(InboxItem.objects.get().payload)["clock"]
    assert kept["told"] == told
    assert datetime.fromisoformat(kept["sent"]) == datetime.fromisoformat(sent)


def test_a_single_message_tells_when_it_was_sent_as_well(door: Door) -> None:
    door.post("/v1/track", track(timestamp="2026-11-25T11:30:00Z", sentAt="2026-11-25T12:00:00Z"))
    assert the_item() == (at(11, 30), TimeSource.CORRECTED)


@pytest.mark.parametrize("sent", ["yesterday", 5, None, "2026-11-23T12:00:00", "0001-01-01T00:00:00+23:59", []])
def test_a_sending_time_that_is_no_moment_corrects_nothing(door: Door, sent: Any) -> None:
    door.post("/v1/batch", {"batch": [track()], "sentAt": sent})
    assert the_item() == (at(11, 59), TimeSource.TOLD)


def test_the_same_message_sent_again_later_is_a_repetition(door: Door) -> None:
    for sent in ("2026-11-23T12:00:00Z", "2026-11-23T11:00:00Z", None):
        door.post("/v1/batch", {"batch": [track()], "sentAt": sent})
    assert InboxItem.objects.count() == 1


def test_a_time_a_little_ahead_is_marked(door: Door) -> None:
    door.batch(track(timestamp="2026-11-23T12:03:00Z"))
    assert the_item() == (at(12, 3), TimeSource.AHEAD)


def test_history_may_lie_as_far_back_as_it_likes(door: Door) -> None:
    partner = api(door.source)
    old = {"occurred_at": "1997-01-01T12:00:00Z"}
    assert code_of(partner.post("events", event(**old)), 422) == "too_old"
    assert partner.post("events", event(**old, historical=True)).status_code == 200
    row = InboxItem.objects.get()
    assert (row.historical, row.occurred_at.year, row.time_source) == (True, 1997, TimeSource.TOLD)
    ancient = event(id="m-2", occurred_at="1850-01-01T12:00:00Z", historical=True)
    assert code_of(partner.post("events", ancient), 422) == "invalid_timestamp"


def test_history_and_the_present_are_not_one_message(door: Door) -> None:
    partner = api(door.source)
    assert partner.post("events", event()).json() == {"status": "accepted"}
    assert code_of(partner.post("events", event(historical=True)), 409) == "message_id_conflict"
