"""What sources send is counted once, whatever becomes of it, and folded without losing any."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum

from customers import tally
from customers.accept import erased as erased_at_the_door
from customers.erased import digest
from customers.ids import NIL
from customers.models import ErasedSubject, HourTally, Outcome, Source, Tally
from customers.resolve import resolve_inbox
from tests.customers.segment_door import NOW, Door, track

HOUR = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nobody_is_believed_erased() -> Iterator[None]:
    yield
    erased_at_the_door.forget()


def counted(model: type[Tally] | type[HourTally] = Tally) -> dict[tuple[str, str, str], int]:
    rows = model._default_manager.values_list("outcome", "code", "name").annotate(all=Sum("count"))
    return {(outcome, code, name): count for outcome, code, name, count in rows}


def test_a_batch_is_counted_by_what_became_of_each(door: Door) -> None:
    door.batch(track(), track(messageId="m-2"), track(messageId="m-3", event="Seen"), track(userId=None), track())
    assert counted() == {
        ("accepted", "", "Order Completed"): 2,
        ("accepted", "", "Seen"): 1,
        ("refused", "missing_identifier", "Order Completed"): 1,
        ("duplicate", "", "Order Completed"): 1,
    }


def test_what_comes_again_is_counted_as_repeated_and_as_nothing_else(door: Door) -> None:
    door.batch(track())
    Tally.objects.all().delete()
    door.batch(track())
    assert counted() == {("duplicate", "", "Order Completed"): 1}


def test_another_message_under_a_known_id_is_counted_as_refused(door: Door) -> None:
    door.batch(track())
    Tally.objects.all().delete()
    door.batch(track(event="Seen"))
    assert counted() == {("refused", "message_id_conflict", "Seen"): 1}


def test_a_body_that_cannot_be_read_is_counted(door: Door) -> None:
    door.post("/v1/batch", b"{")
    assert counted() == {("refused", "invalid_json", ""): 1}


def test_what_tells_of_the_erased_is_counted_and_not_kept(door: Door) -> None:
    erased_at_the_door.forget()
    ErasedSubject.objects.create(digest=digest(door.source.brand_id, "user_id", "user-1"), erased_at=NOW)
    door.batch(track())
    assert counted() == {("refused", "erased_subject", "Order Completed"): 1}


def test_times_are_counted_by_the_limit_they_keep_within(door: Door) -> None:
    door.batch(track())
    Tally.objects.all().delete()
    resolve_inbox(NOW + timedelta(seconds=4))
    # A minute on its way, four seconds with us.
    assert counted() == {("delay", "60000", ""): 1, ("wait", "5000", ""): 1}


@pytest.mark.parametrize(
    ("seconds", "code"), [(-3.0, "100"), (0.1, "100"), (0.11, "250"), (86_400.0, "86400000"), (86_400.1, "over")]
)
def test_a_limit_holds_what_just_keeps_within_it(seconds: float, code: str) -> None:
    assert tally.within(timedelta(seconds=seconds)) == code


def test_folding_keeps_every_count(door: Door) -> None:
    door.batch(track(), track(userId=None))
    before = counted()
    assert tally.fold_all() == 2
    assert not Tally.objects.exists()
    door.batch(track(messageId="m-2"))
    tally.fold_all()
    assert counted(HourTally) == before | {("accepted", "", "Order Completed"): 2}
    assert set(HourTally.objects.values_list("hour", "last_at")) == {(HOUR, NOW)}


def add(source: Source, names: list[str], at: datetime = NOW) -> None:
    tally.note(source.pk, Outcome.ACCEPTED, names, at)


def test_hours_are_kept_apart(source: Source) -> None:
    add(source, ["Seen"], HOUR - timedelta(microseconds=1))
    add(source, ["Seen"], HOUR)
    tally.fold_all()
    assert list(HourTally.objects.order_by("hour").values_list("hour", "count")) == [
        (HOUR - timedelta(hours=1), 1),
        (HOUR, 1),
    ]


def test_names_made_up_without_end_are_counted_under_one(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "_FOLD", tally._FOLD.replace(f"<= {tally.MOST_NAMES}", "<= 3"))
    add(source, ["a", "b"])
    tally.fold_all()
    add(source, ["a", "c", "d", "e"])
    tally.fold_all()
    assert counted(HourTally) == {
        ("accepted", "", "a"): 2,
        ("accepted", "", "b"): 1,
        ("accepted", "", "c"): 1,
        ("accepted", "", tally.OTHER_NAMES): 2,
    }


def test_a_tally_of_a_source_that_is_gone_is_dropped(source: Source) -> None:
    tally.note(NIL, Outcome.ACCEPTED, ["Seen"], NOW)
    assert tally.fold_all() == 1
    assert not HourTally.objects.exists()
