"""Anchors: a signed line an hour outside the database, and what is needed to say where a ledger differs from it."""

import os
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from consent.anchors import ends, line
from consent.anchors.health import health
from consent.anchors.make import make_anchor
from consent.anchors.merkle import root_of
from consent.anchors.records import WITNESS_BYTES
from consent.anchors.shelf import Shelf
from consent.models import ConsentEntry, LedgerAnchor
from consent.verify.fault import Reason
from tests.consent.ledgers import FIRST, SECOND, THIRD, Ledgers, make_ledgers, rewrite, unguarded
from tests.consent.people import hours, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.TRILHA_ANCHOR_DIR = str(tmp_path / "anchors")
    return tmp_path / "anchors"


@pytest.fixture
def ledgers(folder: Path) -> Ledgers:
    return make_ledgers(folder)


@pytest.fixture(autouse=True)
def at_six(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: THIRD)


def lines(folder: Path) -> list[bytes]:
    return (folder / "anchors.jsonl").read_bytes().splitlines()


def rewrite_lines(folder: Path, texts: list[bytes]) -> None:
    (folder / "anchors.jsonl").write_bytes(b"".join(text + b"\n" for text in texts))


# From the test suite of Certificate Transparency (RFC 6962).
_INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("count", _ROOTS)
def test_the_root_is_that_of_rfc_6962(count: int) -> None:
    assert root_of(bytes.fromhex(leaf) for leaf in _INPUTS[:count]).hex() == _ROOTS[count]


def test_an_anchor_sees_only_what_is_new_and_names_the_one_before(ledgers: Ledgers, folder: Path) -> None:
    one, two = (line.anchor for line in ledgers.place.lines() if line is not None)
    assert (one.number, one.at, two.number, two.at) == (1, FIRST, 2, SECOND)
    assert (one.previous, two.previous) == (bytes(32), sha256(lines(folder)[0]).digest())
    assert (one.counts.chains, one.counts.entries, two.counts.chains, two.counts.entries) == (3, 6, 3, 12)
    assert (two.counts.days, two.counts.audit_entries, two.deviations) == (2, 4, 0)
    assert one.segment.size == two.segment.size == (6 + 2) * WITNESS_BYTES
    assert two.segment.offset == one.segment.size
    assert [path.name for path in sorted(folder.glob("heads-*"))] == ["heads-000000002.bin"]


def test_the_row_tells_people_what_the_line_says(ledgers: Ledgers) -> None:
    row, last = LedgerAnchor.objects.first(), ledgers.place.last()
    assert row is not None
    assert last is not None
    assert (row.number, row.at, bytes(row.root), row.entries) == (2, SECOND, last.anchor.root, 12)


def test_nothing_new_is_an_anchor_all_the_same_with_the_same_root(ledgers: Ledgers) -> None:
    tell(ledgers.victim, ledgers.profile, ledgers.purpose, "given", THIRD)
    three, four = make_anchor(THIRD), make_anchor(THIRD + timedelta(hours=1))
    assert three is not None
    assert four is not None
    assert (four.segment.size, four.root) == (0, three.root)
    assert ledgers.verify().faults == []


def test_files_are_for_nobody_else_to_read(ledgers: Ledgers, folder: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.name != "lock"} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_empty_ledger_is_anchored(folder: Path) -> None:
    anchor = make_anchor(FIRST)
    assert anchor is not None
    assert anchor.root.hex() == _ROOTS[0]


def test_lost_heads_are_put_together_from_the_entries(ledgers: Ledgers, folder: Path) -> None:
    kept = make_anchor(THIRD)
    assert kept is not None
    next(folder.glob("heads-*")).unlink()
    again = make_anchor(THIRD)
    assert again is not None
    assert (again.root, again.segment.size, again.deviations) == (kept.root, 0, 0)


@pytest.mark.parametrize("dies_in", ["append_line", "forget_heads"])
def test_a_writer_that_dies_leaves_the_last_anchor_as_it_was(
    ledgers: Ledgers, dies_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: Any, **_more: Any) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Shelf, dies_in, die)
        with pytest.raises(OSError, match="no space"):
            make_anchor(THIRD)
    anchor = make_anchor(THIRD)
    assert anchor is not None
    assert anchor.number == (3 if dies_in == "append_line" else 4)
    assert anchor.counts.entries == 15
    assert ledgers.verify().faults == []


def test_a_torn_line_is_passed_over(ledgers: Ledgers, folder: Path) -> None:
    with (folder / "anchors.jsonl").open("ab") as file:
        file.write(b'{"anchor": {"form"')
    anchor = make_anchor(THIRD)
    assert anchor is not None
    assert anchor.number == 3
    report = ledgers.verify()
    assert (report.anchors.torn, report.faults) == (1, [])


def test_who_else_is_at_it_is_left_alone(ledgers: Ledgers) -> None:
    with ledgers.place.held():
        assert make_anchor(THIRD) is None
    assert len(list(ledgers.place.lines())) == 2


def test_an_anchor_made_while_the_lines_are_read_is_no_fault(ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Shelf.lines

    def lines_and_another(place: Shelf) -> Any:
        yield from list(read(place))
        monkeypatch.setattr(Shelf, "lines", read)
        assert make_anchor(THIRD) is not None

    monkeypatch.setattr(Shelf, "lines", lines_and_another)
    assert ledgers.verify().faults == []
    assert LedgerAnchor.objects.count() == 3


def test_what_differs_is_counted_as_soon_as_the_next_anchor_is_made(ledgers: Ledgers) -> None:
    change = "UPDATE consent_consententry SET collector = 'x' WHERE id = %s"
    unguarded((change, [ledgers.entry(4).pk]))
    rewrite(ledgers.victim, since=4)
    anchor = make_anchor(THIRD)
    assert anchor is not None
    assert anchor.deviations == 1
    assert health(THIRD).deviations == 1
    # What was anchored stays so: the next one does not take the forgery for the truth.
    assert ledgers.fault().reason is Reason.REWRITTEN


def test_chains_that_are_gone_or_shorter_are_counted(ledgers: Ledgers) -> None:
    unguarded(("DELETE FROM consent_consentchain WHERE address_id = %s", [ledgers.others[0].pk]))
    unguarded(("UPDATE consent_consentchain SET length = 3 WHERE address_id = %s", [ledgers.victim.pk]))
    anchor = make_anchor(THIRD)
    assert anchor is not None
    assert (anchor.deviations, anchor.counts.chains) == (2, 3)


def test_an_anchor_changed_by_who_has_no_key_is_found(ledgers: Ledgers, folder: Path) -> None:
    first, second = lines(folder)
    document = orjson.loads(second)
    document["anchor"]["entries"] = 11
    rewrite_lines(folder, [first, orjson.dumps(document)])
    fault = ledgers.fault()
    assert (fault.reason, fault.position) == (Reason.ANCHOR_UNSIGNED, 2)


def test_anchors_of_another_installation_are_not_ours(ledgers: Ledgers, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = {"development": b"another key, of thirty-two bytes"}
    assert {fault.reason for fault in ledgers.verify(hours(4)).faults} == {Reason.ANCHOR_UNSIGNED, Reason.ANCHORS_GONE}


def test_a_key_may_be_replaced(ledgers: Ledgers, settings: Any) -> None:
    old = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = {"new": b"n" * 32, **old}
    make_anchor(THIRD)
    assert ledgers.verify().faults == []
    # The new key's line names the old ones by their hash.
    settings.CREDENTIAL_KEYS = {"new": b"n" * 32}
    assert ledgers.verify().faults == []


def test_a_line_of_an_unknown_key_at_the_end_is_nobodys(ledgers: Ledgers, folder: Path) -> None:
    *_before, last = lines(folder)
    with (folder / "anchors.jsonl").open("ab") as file:
        forged = orjson.loads(last)
        forged["key"] = "unknown"
        nothing = {"size": 0, "digest": sha256().hexdigest()}
        forged["anchor"] |= {"number": 3, "previous": sha256(last).hexdigest(), **nothing}
        file.write(orjson.dumps(forged) + b"\n")
    assert (ledgers.fault().reason, ledgers.fault().position) == (Reason.ANCHOR_UNSIGNED, 3)
    anchor = make_anchor(THIRD)
    assert anchor is not None
    assert anchor.number == 3


@pytest.mark.parametrize(("kept", "reason"), [((1,), Reason.ANCHOR_UNLINKED), ((0,), Reason.ANCHORS_GONE)])
def test_a_line_taken_out_is_found(ledgers: Ledgers, folder: Path, kept: tuple[int, ...], reason: Reason) -> None:
    rewrite_lines(folder, [lines(folder)[index] for index in kept])
    assert reason in [fault.reason for fault in ledgers.verify().faults]


def test_an_empty_folder_is_found_by_the_row(ledgers: Ledgers, folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    assert [fault.reason for fault in ledgers.verify(hours(4)).faults] == [Reason.ANCHORS_GONE]


@pytest.mark.parametrize("change", ["flip", "cut"])
def test_what_an_anchor_saw_is_as_it_was_written(ledgers: Ledgers, folder: Path, change: str) -> None:
    [path] = folder.glob("entries-*")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content if change == "flip" else content[:-1])
    found = ledgers.verify()
    assert (found.faults[0].reason, found.faults[0].position) == (Reason.ANCHOR_ENTRIES, 2)
    assert found.held is not None
    assert found.held.number == 1


def test_anchors_of_years_are_read_with_few_open_files(ledgers: Ledgers) -> None:
    for number in range(30):
        tell(ledgers.victim, ledgers.profile, ledgers.purpose, "given", hours(7 + number))
        make_anchor(hours(7 + number))
    before = len(os.listdir("/proc/self/fd"))
    assert ledgers.verify().faults == []
    assert len(os.listdir("/proc/self/fd")) == before
    assert ConsentEntry.objects.count() == 45


def test_three_hours_without_an_anchor_are_too_many(ledgers: Ledgers) -> None:
    assert health(SECOND + timedelta(hours=3)).is_late is False
    late = health(SECOND + timedelta(hours=3, seconds=1))
    assert (late.is_late, late.last_at) == (True, SECOND)


def test_a_ledger_never_anchored_is_late_three_hours_after_its_first_entry(folder: Path) -> None:
    assert health(THIRD).is_late is False
    make_ledgers(folder, anchored=False)
    assert health(hours(4)).is_late is False
    assert health(hours(4.1)).is_late is True


def test_the_command_says_what_it_verified(ledgers: Ledgers) -> None:
    out = StringIO()
    call_command("verify_ledgers", stdout=out)
    told = out.getvalue()
    assert "consent   15 entries in 3 chains (" in told
    assert "0 entries whose evidence was erased" in told
    assert "audit     5 entries in 2 days" in told
    assert "anchors   2; the last at 2026-03-02 16:30:00 UTC, root " in told
    assert "notices   0 published versions" in told
    assert told.endswith("everything is what was written\n")


def test_the_command_fails_and_names_the_entry_and_the_anchor(ledgers: Ledgers) -> None:
    entry = ledgers.entry(3)
    unguarded(("UPDATE consent_consententry SET state = 'given', language = 'xx' WHERE id = %s", [entry.pk]))
    out = StringIO()
    with pytest.raises(CommandError, match=f"1 faults; the first: consent entry {entry.pk} "):
        call_command("verify_ledgers", stdout=out)
    assert "last anchor that still holds: 2026-03-02 14:30:00 UTC (anchor 1)" in out.getvalue()


def test_the_command_fails_where_nothing_is_anchored(folder: Path) -> None:
    make_ledgers(folder, anchored=False)
    with pytest.raises(CommandError, match="1 faults; the first: anchors: nothing has been anchored for more than"):
        call_command("verify_ledgers", stdout=StringIO())


def test_a_line_from_before_notices_were_anchored_still_holds(ledgers: Ledgers) -> None:
    first = next(ledgers.place.lines())
    assert first is not None
    old = replace(first.anchor, counts=replace(first.anchor.counts, notices=None))
    text = line.write(old)
    assert b"notices" not in text
    read = line.read(text)
    assert (read.is_signed, read.anchor) == (True, old)


def test_the_command_anchors_and_says_so(ledgers: Ledgers) -> None:
    out = StringIO()
    call_command("anchor_ledgers", stdout=out)
    told = "anchor 3: 15 entries in 3 chains, 5 audit entries in 2 days, 0 notice versions; root "
    assert out.getvalue().startswith(told)
    with ledgers.place.held(), pytest.raises(CommandError, match="somebody else"):
        call_command("anchor_ledgers")


def test_memory_stays_small_however_many_chains(ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains are taken some at a time; several batches come to the same anchor."""
    whole = make_anchor(THIRD)
    monkeypatch.setattr(ends, "_CHAINS_AT_ONCE", 1)
    parts = make_anchor(THIRD)
    assert whole is not None
    assert parts is not None
    assert (parts.root, parts.counts, parts.deviations) == (whole.root, whole.counts, 0)
