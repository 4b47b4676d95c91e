"""The list of the erased outside the database: written whole whatever happens, and read past what is broken."""

import os
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from customers.ids import new_id
from customers.models import Hook, Identifier, Import, ImportChunk, Job, ReceivedBody, Trait
from customers.privacy import erase, listing, stores
from customers.privacy.reapply import reapply
from customers.privacy.subject import find
from tests.journeys.stage import make_stage
from tests.promises.dump import search

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_A, _B, _C = b"a" * 32, b"b" * 32, b"c" * 32


@pytest.fixture
def file(tmp_path: Path, settings: object) -> Path:
    settings.ERASURE_LIST = str(tmp_path / "erased")  # type: ignore[attr-defined]
    return tmp_path / "erased"


def digests(file: Path, broken: list[int]) -> list[bytes]:
    return [one.digest for one in listing.read(file, broken.append)]


@pytest.mark.parametrize("torn", [b'{"kind": "iden', b"\x00\x00\x00", b"\xff\xfe", b"[]"])
def test_a_torn_line_costs_nobody_else_their_place(file: Path, torn: bytes) -> None:
    listing.add([_A], [], _NOW)
    with file.open("ab") as end:
        end.write(torn)
    broken: list[int] = []
    assert (digests(file, broken), broken) == ([_A], [2])
    listing.add([_B], [_C], _NOW)
    broken = []
    assert (digests(file, broken), broken) == ([_A, _B, _C], [2])
    assert [one.kind for one in listing.read(file)] == ["identifier", "identifier", "address"]


def test_a_line_that_only_lacks_its_end_counts(file: Path) -> None:
    listing.add([_A], [], _NOW)
    file.write_bytes(file.read_bytes().removesuffix(b"\n"))
    listing.add([_B], [], _NOW)
    broken: list[int] = []
    assert (digests(file, broken), broken) == ([_A, _B], [])
    assert file.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    "line",
    [
        '{"kind": "person", "digest": "' + _A.hex() + '", "at": "2026-01-01T00:00:00+00:00"}',
        '{"kind": "identifier", "digest": "6161", "at": "2026-01-01T00:00:00+00:00"}',
        '{"kind": "identifier", "digest": "' + _A.hex() + '", "at": "2026-01-01T00:00:00"}',
        '{"kind": "identifier", "digest": 1, "at": "2026-01-01T00:00:00+00:00"}',
        '{"kind": ["identifier"], "digest": "", "at": ""}',
        '"kind"',
    ],
)
def test_a_line_that_is_none_of_ours_is_skipped_and_told(file: Path, line: str) -> None:
    file.write_text(line + "\n")
    listing.add([_B], [], _NOW)
    broken: list[int] = []
    assert (digests(file, broken), broken) == ([_B], [1])


def test_all_is_written_where_a_write_takes_only_a_part(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, bytes(data)[:7]))
    listing.add([_A, _B], [_C], _NOW)
    broken: list[int] = []
    assert (digests(file, broken), broken) == ([_A, _B, _C], [])


@pytest.mark.django_db
def test_after_a_restore_a_broken_line_is_told_once_everybody_else_is_erased(file: Path) -> None:
    stage = make_stage()
    stage.know("ana")
    subject = find((), [Identifier.objects.get(value="ana").profile.customer_id])
    file.write_text('{"kind": "iden\n')
    listing.add(erase.digests(subject), [], stage.now + timedelta(days=1))
    told = StringIO()
    with pytest.raises(CommandError, match=r"^1 lines of .* cannot be read, .*: line 1$"):
        call_command("reapply_erasures", stdout=told)
    assert told.getvalue().startswith("2 lines; 1 people and 0 addresses erased again\n")
    assert not Trait.objects.exists()
    assert not Identifier.objects.exists()


@pytest.mark.django_db
def test_after_a_restore_what_waited_for_a_worker_is_erased_too() -> None:
    stage = make_stage()
    stage.know("mkana7q")
    hook = Hook.objects.create(source=stage.source, name="Payments")
    bodies = [
        ReceivedBody.objects.create(
            hook=hook, received_at=stage.now, key=new_id(), digest=new_id(), content_type="application/json",
            headers={}, body=b'{"payer": "%s@example.com"}' % name, status="waiting",
        )
        for name in (b"mkana7q", b"bia")
    ]  # fmt: skip
    jobs = []
    for name in (b"mkana7q", b"bia"):
        job = Job.objects.create(kind="import", created_at=stage.now, state="waiting")
        parent = Import.objects.create(
            source=stage.source, rows="customers", file_name="people.csv", size=1, digest="0" * 64, encoding="utf-8",
            delimiter=",", columns=["email"], created_at=stage.now, job=job,
        )  # fmt: skip
        ImportChunk.objects.create(parent=parent, number=0, data=b"email\n%s@example.com\n" % name)
        jobs.append(job)
    subject = find((), [Identifier.objects.get(value="mkana7q").profile.customer_id])
    lines = [listing.Line("identifier", one, stage.now) for one in erase.digests(subject)]
    reapply(lines, stage.now)
    assert search("mkana7q") == {}
    for one in (*bodies, *jobs):
        one.refresh_from_db()
    assert [(one.status, one.reason) for one in bodies] == [("failed", "erased"), ("waiting", "")]
    assert b"bia" in bytes(bodies[1].body)
    assert [one.state for one in jobs] == ["cancelled", "waiting"]
    assert ImportChunk.objects.count() == 1


def test_every_store_whose_rows_are_waited_for_can_stop_the_work() -> None:
    waited_for = {store.key for store in stores.stores() if any(table.blocked for table in store.tables)}
    assert (
        waited_for
        == {"webhooks", "imports", "calls", "provider_callbacks", "outgoing_webhooks"}
        == {store.key for store in stores.stores() if store.stop is not None}
    )
