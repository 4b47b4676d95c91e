"""A dead letter puts its unit back as it stood, once, and only where it is missing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from customers import dead_letters
from customers.attempts import MAX_ATTEMPTS
from customers.ids import new_id
from customers.models import DeadLetter, InboxItem, MatchItem, Source, UnitAttempt
from customers.work import Queue, work_once

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def new_item(**fields: Any) -> MatchItem:
    values = {"event_id": 7, "profile_id": new_id(), "brand_id": new_id(), "name": "Signed Up", "message_id": "m"}
    return MatchItem.objects.create(received_at=NOW, occurred_at=NOW, **values | fields)


def bury(item: MatchItem | InboxItem, queue: str = "match") -> DeadLetter:
    """Have the item given up the way the pipeline does it."""

    def fail(ids: Any, now: datetime) -> int:
        raise ValueError("poison")

    poisoned = Queue(
        name=queue,
        table=item._meta.db_table,
        pick=f"SELECT id FROM {item._meta.db_table} WHERE NOT EXISTS ("
        f"SELECT 1 FROM customers_unitattempt WHERE queue = '{queue}') LIMIT %(limit)s FOR UPDATE SKIP LOCKED",
        work=fail,
    )
    for attempt in range(MAX_ATTEMPTS):
        work_once(poisoned, NOW + timedelta(minutes=attempt))
    return DeadLetter.objects.latest("id")


def test_a_unit_comes_back_as_it_was() -> None:
    item = new_item()
    before = MatchItem.objects.values().get()
    letter = bury(item)
    assert not MatchItem.objects.exists()
    assert dead_letters.replay([letter.pk], NOW) == 1
    assert MatchItem.objects.values().get() == before
    letter.refresh_from_db()
    assert letter.replayed_at == NOW
    assert not UnitAttempt.objects.exists()


def test_texts_and_arrays_come_back_as_they_were(source: Source) -> None:
    item = InboxItem.objects.create(
        received_at=NOW,
        source=source,
        message_id="m",
        kind="track",
        name="Signed Up",
        occurred_at=NOW,
        identifiers='[["user_id", "ação", "Ação"]]',
        identifier_keys=[-(2**63), 2**63 - 1],
        payload='{"properties": {"n": 1e2}}',
    )
    before = InboxItem.objects.values().get()
    assert dead_letters.replay([bury(item, "inbox").pk], NOW) == 1
    assert InboxItem.objects.values().get() == before


def test_the_second_replay_does_nothing() -> None:
    letter = bury(new_item())
    dead_letters.replay([letter.pk], NOW)
    MatchItem.objects.all().delete()
    assert dead_letters.replay([letter.pk], NOW + timedelta(hours=1)) == 0
    assert not MatchItem.objects.exists()


def test_a_row_that_is_there_is_left_alone() -> None:
    letter = bury(new_item())
    new_item(id=letter.unit_id, name="Newer")
    assert dead_letters.replay([letter.pk], NOW) == 0
    assert MatchItem.objects.get().name == "Newer"
    letter.refresh_from_db()
    assert letter.replayed_at is None


def test_a_queue_whose_rows_stay_where_they_are_is_not_replayed() -> None:
    letter = DeadLetter.objects.create(at=NOW, queue="advance", unit_id=1, reason="died", attempts=5, row={"id": 1})
    assert dead_letters.replay([letter.pk], NOW) == 0
    letter.refresh_from_db()
    assert letter.replayed_at is None


def test_what_is_chosen_is_replayed_and_nothing_else() -> None:
    chosen, other = bury(new_item(name="chosen")), bury(new_item(name="other"))
    assert dead_letters.replay([chosen.pk], NOW) == 1
    assert [item.name for item in MatchItem.objects.all()] == ["chosen"]
    other.refresh_from_db()
    assert other.replayed_at is None


def test_an_unknown_letter_is_nothing() -> None:
    assert dead_letters.replay([UUID(int=5).int], NOW) == 0
