"""Import: every row is accepted, known already or refused with its reason, once, whatever happens meanwhile."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import jobs, keys
from customers.imports import job as import_job
from customers.imports.file import first_rows
from customers.imports.job import begin
from customers.imports.limits import FileRefused
from customers.imports.prune import prune
from customers.imports.refused_file import refused_file
from customers.imports.take import Taker
from customers.jobs import Slice
from customers.mapping import MappingError, parse
from customers.models import ImportChunk, InboxItem, Job, QuarantinedEvent, RefusedRow, Source
from customers.retention import apply as retention
from tests.customers.importing import NOW, ORDERS, PEOPLE, hand_in, lines, orders, people, run

pytestmark = pytest.mark.django_db

_ROUNDS = count()


def refused() -> list[tuple[int, str]]:
    return list(RefusedRow.objects.values_list("row", "code"))


def test_each_row_becomes_an_event(source: Source) -> None:
    parent = orders(source, "".join(lines(3)))
    assert run(parent) == {"state": "done", "accepted": 3, "duplicates": 0, "rejected": 0}
    item = InboxItem.objects.order_by("id").first()
    assert item is not None
    assert (item.name, item.historical, item.occurred_at.isoformat()) == (
        "Order Completed",
        True,
        "2026-01-01T10:00:00+00:00",
    )
    assert (item.identifiers, item.payload) == ('[["user_id","c1","c1"]]', '{"properties":{"total":1.5}}')


def test_each_row_becomes_what_is_known_of_a_customer(source: Source) -> None:
    parent = people(source, "email;city\nana@example.com;São Paulo\nbia@example.com;\n")
    assert run(parent)["accepted"] == 2
    assert list(InboxItem.objects.order_by("id").values_list("kind", "payload")) == [
        ("identify", '{"traits":{"city":"São Paulo"}}'),
        ("identify", "{}"),
    ]


def test_the_same_file_again_imports_nothing_twice(source: Source) -> None:
    text = "".join(lines(3))
    run(orders(source, text))
    assert run(orders(source, text)) == {"state": "done", "accepted": 0, "duplicates": 3, "rejected": 0}
    assert InboxItem.objects.count() == 3


def test_two_equal_rows_of_a_file_are_two_events(source: Source) -> None:
    row = "c1,2026-01-01T10:00:00Z,1\n"
    assert run(orders(source, f"customer,when,total\n{row}{row}"))["accepted"] == 2


def test_a_column_may_tell_the_id(source: Source) -> None:
    rule = {**ORDERS["events"][0], "id": "/order"}
    text = "order,customer,when,total\no1,c1,2026-01-01T10:00:00Z,1\no1,c1,2026-01-01T10:00:00Z,1\n"
    assert run(orders(source, text, {"events": [rule]})) == {
        "state": "done",
        "accepted": 1,
        "duplicates": 1,
        "rejected": 0,
    }


def test_the_same_events_told_otherwise_are_refused(source: Source) -> None:
    text = "".join(lines(1))
    run(orders(source, text))
    rule = {**ORDERS["events"][0], "properties": {}}
    assert run(orders(source, text, {"events": [rule]}))["rejected"] == 1
    assert refused() == [(2, "message_id_conflict")]


def test_more_may_be_learned_of_the_same_customers(source: Source) -> None:
    text = "email,city,plan\nana@example.com,Lins,pro\n"
    run(people(source, text))
    rule = {**PEOPLE["events"][0], "traits": {"plan": "/plan"}}
    assert run(people(source, text, {"events": [rule]}))["accepted"] == 1


def test_what_a_row_lacks_is_told_and_the_others_are_taken(source: Source) -> None:
    text = (
        "customer,when,total\n"
        "c1,2026-01-01T10:00:00Z,1\n"
        "c2,31/02/2026,2\n"
        "c3,2026-01-01T10:00:00Z,many\n"
        ",2026-01-01T10:00:00Z,4\n"
        "c5,2026-01-01T10:00:00Z\n"
        '"c6,2026-01-01T10:00:00Z,6\n'
        "c7,2027-01-01T10:00:00Z,7\n"
        "c8,2026-01-01T10:00:00Z,8\n"
    )
    assert run(orders(source, text)) == {"state": "done", "accepted": 2, "duplicates": 0, "rejected": 6}
    assert refused() == [
        (3, "not_a_time"),
        (4, "not_a_number"),
        (5, "missing_identifier"),
        (6, "wrong_cell_count"),
        (7, "broken_quotes"),
        (8, "timestamp_in_future"),
    ]
    # What a door would have refused as well can be mended in quarantine, too.
    assert list(QuarantinedEvent.objects.order_by("id").values_list("door", "code")) == [
        ("csv", "missing_identifier"),
        ("csv", "timestamp_in_future"),
    ]


def test_refused_rows_are_handed_out_harmless_and_taken_back(source: Source) -> None:
    cells = ["=1+1", "+55 11", "-5", "@x", "\tx", 'a"b', "plain"]
    parent = hand_in(source, "customer,note\nx,y\n")
    for number, cell in enumerate(cells, start=2):
        RefusedRow.objects.create(parent=parent, row=number, code="made_up", message="No", cells=["c1", cell])
    data = b"".join(refused_file(parent, RefusedRow.objects.iterator()))
    text = data.decode("utf-8-sig").splitlines()
    assert text[0] == '"refused_row","refused_code","refused_message","refused_hint","customer","note"'
    assert text[1:] == [
        '"2","made_up","No","","c1","\'=1+1"',
        '"3","made_up","No","","c1","\'+55 11"',
        '"4","made_up","No","","c1","\'-5"',
        '"5","made_up","No","","c1","\'@x"',
        '"6","made_up","No","","c1","\'\tx"',
        '"7","made_up","No","","c1","a""b"',
        '"8","made_up","No","","c1","plain"',
    ]
    rule = {"key": "n", "type": "identify", "identifiers": {"user_id": "/customer"}, "traits": {"note": "/note"}}
    run(people(source, data, {"events": [rule]}))
    told = [item.payload for item in InboxItem.objects.order_by("id")]
    assert told[:3] == ['{"traits":{"note":"=1+1"}}', '{"traits":{"note":"+55 11"}}', '{"traits":{"note":"-5"}}']


def test_a_cell_that_looks_like_a_formula_is_taken_as_it_is(source: Source) -> None:
    run(people(source, "email,city\nana@example.com,=1+1\n"))
    assert InboxItem.objects.get().payload == '{"traits":{"city":"=1+1"}}'


def test_the_file_is_gone_when_it_is_imported(source: Source) -> None:
    parent = orders(source, "".join(lines(3)))
    assert ImportChunk.objects.count() == 1
    run(parent)
    parent.refresh_from_db()
    assert (ImportChunk.objects.count(), parent.removed_at) == (0, NOW)


def test_a_file_that_nobody_begins_with_is_removed_in_time(source: Source) -> None:
    orders(source, "".join(lines(3)))
    assert prune(NOW + timedelta(days=6)) == 0
    assert prune(NOW + timedelta(days=8)) == 1
    assert ImportChunk.objects.count() == 0


def test_refused_rows_are_removed_in_time(source: Source) -> None:
    run(orders(source, "customer,when,total\nc1,never,1\n"))
    take(NOW + timedelta(days=30))
    assert RefusedRow.objects.count() == 1
    take(NOW + timedelta(days=30, seconds=1))
    assert RefusedRow.objects.count() == 0


def take(now: datetime) -> None:
    """Have taken away whatever had its time."""
    retention.ask(now)
    assert jobs.work_on(lambda: now, 20)


def test_what_was_stopped_goes_on_where_it_stood(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_job, "ROWS_AT_ONCE", 2)
    parent = orders(source, "".join(lines(5)))
    job = begin(parent, NOW)
    turn = Slice(job, NOW, float("inf"))
    Job.objects.filter(pk=job.pk).update(state="working")
    taker, rows = Taker(parent, parse(parent.mapping), _writer(source)), import_job._rows(parent, {})
    import_job._take_some(turn, taker, parent, rows)
    jobs.cancel(job.pk, NOW)
    with pytest.raises(jobs.NoLongerOurs):
        import_job._take_some(turn, taker, parent, rows)
    assert InboxItem.objects.count() == 2
    job.refresh_from_db()
    assert (job.state, job.report) == ("cancelled", {"accepted": 2, "duplicates": 0, "rejected": 0})
    assert run(parent) == {"state": "done", "accepted": 5, "duplicates": 0, "rejected": 0}
    assert InboxItem.objects.count() == 5


def _writer(source: Source) -> Any:
    return keys.writer_of(source.pk)


class Interrupted(BaseException):
    """What kills a worker in the middle of its work."""


@given(at_once=st.integers(1, 7), deaths=st.lists(st.integers(0, 9), max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wherever_it_is_interrupted_each_row_is_imported_once(source: Source, at_once: int, deaths: list[int]) -> None:
    rows = [line if not number or number % 5 else "c0,never,1\n" for number, line in enumerate(lines(20))]
    # Each round has a file of its own: what was imported before is known for good.
    parent = orders(source, "".join(rows) + f"{next(_ROUNDS)},never,0\n")
    before = InboxItem.objects.count()
    job, now = begin(parent, NOW), NOW
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_job, "ROWS_AT_ONCE", at_once)
        for steps in deaths:
            now += timedelta(minutes=2)
            _die_after(steps, now)
        jobs.work_on(lambda: now + timedelta(minutes=2), seconds=60)
    job.refresh_from_db()
    assert (job.state, job.report) == ("done", {"accepted": 16, "duplicates": 0, "rejected": 5})
    assert InboxItem.objects.count() - before == 16
    assert list(RefusedRow.objects.filter(parent=parent).values_list("row", flat=True)) == [6, 11, 16, 21, 22]


def _die_after(steps: int, now: Any) -> None:
    """Work on it, and die in the middle of the piece of work after so many."""
    left = [steps]
    take = Taker.take

    def take_or_die(self: Any, *args: Any) -> Any:
        done = take(self, *args)
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Taker, "take", take_or_die)
        try:
            jobs.work_on(lambda: now, seconds=60)
        except Interrupted:
            return


def test_an_import_waits_while_the_inbox_is_full(source: Source) -> None:
    run(orders(source, "".join(lines(3))))
    with override_settings(IMPORT_INBOX_LIMIT=3):
        parent = orders(source, "".join(lines(3, start=100)))
        assert run(parent)["state"] == "waiting"
    assert InboxItem.objects.count() == 3
    assert run(parent, NOW + timedelta(seconds=2)) == {"state": "done", "accepted": 3, "duplicates": 0, "rejected": 0}


def test_so_many_refusals_stop_it(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_job, "MAX_REFUSED", 2)
    monkeypatch.setattr(import_job, "ROWS_AT_ONCE", 2)
    parent = orders(source, "customer,when,total\n" + "c1,never,1\n" * 5)
    assert run(parent) == {"state": "failed", "accepted": 0, "duplicates": 0, "rejected": 2}
    assert parent.job is not None
    parent.job.refresh_from_db()
    assert parent.job.reason == "TooManyRefusedRows"


def test_a_source_that_is_off_takes_nothing(source: Source) -> None:
    parent = orders(source, "".join(lines(1)))
    Source.objects.update(is_active=False)
    assert run(parent)["state"] == "failed"
    assert InboxItem.objects.count() == 0


@override_settings(IMPORT_MAX_BYTES=100)
def test_a_file_that_is_too_large_is_refused_and_nothing_of_it_kept(source: Source) -> None:
    with pytest.raises(FileRefused, match="larger than 100 B"):
        hand_in(source, "x" * 101)
    assert ImportChunk.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"occurred_at": None}, "no_time"),
        ({"properties": {"total": "/nowhere"}}, "unknown_column"),
        ({"type": "identify", "name": None, "properties": {}}, "other_rows"),
        ({"identifiers": {"nickname": "/customer"}}, "unknown_kind"),
        ({"when": [{"path": "/total", "present": True}]}, "one_message_a_row"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_is_refused(source: Source, change: dict[str, Any], code: str) -> None:
    rule = {**ORDERS["events"][0], **change}
    with pytest.raises(FileRefused) as why:
        orders(source, "".join(lines(1)), {"events": [rule]})
    assert why.value.code == code


def test_a_mapping_that_is_none_is_refused(source: Source) -> None:
    with pytest.raises(MappingError):
        orders(source, "".join(lines(1)), {"events": []})


def test_trying_out_writes_nothing(source: Source) -> None:
    parent = orders(source, "customer,when,total\nc1,2026-01-01T10:00:00Z,1\n,2026-01-01T10:00:00Z,1\nc1,x,1\n")
    taker = Taker(parent, parse(parent.mapping), _writer(source))
    made = taker.try_out(first_rows(parent, 10), NOW)
    assert [one.refusal.code if one.refusal else "" for one in made] == ["", "missing_identifier", "not_a_time"]
    assert (InboxItem.objects.count(), QuarantinedEvent.objects.count(), RefusedRow.objects.count()) == (0, 0, 0)
