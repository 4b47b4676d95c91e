"""A restore to an earlier time, noted: what it took is no fault any more, and nothing else is excused by it."""

from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from consent.anchors import make, restore
from consent.anchors.make import make_anchor
from consent.anchors.shelf import Shelf
from consent.models import ConsentChain, ConsentEntry, LedgerAnchor
from consent.restoring import Asked, NotExplained, note, plan
from consent.verify.fault import Reason
from customers.models import AuditEntry
from tests.consent import backups, people
from tests.consent.attacks import ATTACKS, NOTICE_ATTACKS
from tests.consent.ledgers import Ledgers, rewrite, unguarded
from tests.consent.people import hours, make_notice
from tests.consent.restored import WHY, Story, asked

pytestmark = pytest.mark.django_db


def lines(folder: Path, name: str = "restores.jsonl") -> list[bytes]:
    return (folder / name).read_bytes().splitlines()


def write(folder: Path, texts: list[bytes], name: str = "restores.jsonl") -> None:
    (folder / name).write_bytes(b"".join(text + b"\n" for text in texts))


def test_a_restore_that_nobody_noted_is_a_cut_for_ever(story: Story) -> None:
    story.restore(3)
    assert story.reasons(6.9) == [Reason.CUT] * 4
    make_anchor(hours(7.5))
    assert story.reasons(8) == [Reason.CUT] * 4


def test_noted_it_is_accepted_and_stays_so(restored: Story) -> None:
    report = restored.verify(7.1)
    assert (report.faults, report.anchors.in_force, report.consent.entries) == ([], [1, 2, 7], 9)
    assert report.held is not None
    assert report.held.number == 7
    for number in range(8, 12):
        restored.hour(number)
    report = restored.verify(11.6)
    assert (report.faults, report.anchors.in_force) == ([], [1, 2, 7, 8, 9, 10, 11])
    assert report.consent.entries == 3 * (3 + 4)


def test_the_line_says_who_why_when_and_what_is_set_aside(restored: Story, folder: Path) -> None:
    [noted] = restored.verify(7.1).anchors.restores
    assert (noted.number, noted.by, noted.why, noted.at, noted.restored_to) == (1, "ana", WHY, hours(7), hours(3.25))
    assert (noted.first, noted.last, noted.previous) == (3, 6, bytes(32))
    assert orjson.loads(lines(folder)[0])["restore"]["why"] == WHY
    assert (folder / "restores.jsonl").stat().st_mode & 0o777 == 0o600


def test_it_is_anchored_at_once_under_its_hash_and_without_deviation(restored: Story, folder: Path) -> None:
    last = restored.ledgers.place.last()
    assert last is not None
    assert (last.anchor.number, last.anchor.deviations) == (7, 0)
    noted = next(restored.ledgers.place.restores())
    assert noted is not None
    assert last.anchor.restore == noted.digest
    # The third hour of three chains, which only anchors set aside had seen, and the trail's with the note itself.
    assert (last.anchor.counts.entries, last.anchor.counts.audit_entries) == (9, 4)
    assert last.anchor.segment.size == (3 + 2) * 61


def test_the_trail_tells_of_it(restored: Story) -> None:
    entry = AuditEntry.objects.order_by("-pk")[0]
    assert (entry.action, entry.at) == ("note_restore", hours(7))
    assert entry.after == {
        "number": 1, "by": "ana", "why": WHY, "restored_to": "2026-03-02 15:15:00+00:00", "first": 3, "last": 6,
    }  # fmt: skip


def test_what_it_set_aside_is_counted_first(story: Story, folder: Path) -> None:
    story.restore(3)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    planned = plan(story.ledgers.place, asked(3), hours(7))
    aside = planned.aside
    assert ([one.number for one in aside.lost], aside.elsewhere, aside.since) == ([3, 4, 5, 6], [], [])
    assert list(planned.seen.there.values()) == [3, 1, 0]
    assert list(planned.seen.gone.values()) == [9, 3, 0]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_lost_heads_are_put_together_from_the_anchors_in_force(restored: Story, folder: Path) -> None:
    restored.hour(8)
    kept = restored.ledgers.place.last()
    next(folder.glob("heads-*")).unlink()
    again = make_anchor(hours(9))
    assert kept is not None
    assert again is not None
    assert (again.root, again.segment.size, again.deviations) == (kept.anchor.root, 0, 0)
    assert restored.reasons(9.1) == []


def test_a_restore_that_never_was_is_refused_by_the_anchors_the_database_knows(story: Story) -> None:
    assert story.refusal(3, 7).startswith("The database knows anchor 3, made at 2026-03-02 15:30:00 UTC:")


def test_a_restore_that_never_was_is_refused_by_the_entries_that_are_there(story: Story) -> None:
    """Somebody took the rows of the anchors out to make it look like one."""
    LedgerAnchor.objects.filter(number__gte=3).delete()
    refusal = story.refusal(3, 7)
    assert refusal.startswith("consent entry ")
    assert ", position 4) is still there, written at 2026-03-02 16:00:00.000000 UTC: the database was not" in refusal


def test_a_trail_that_went_on_is_no_restored_one(story: Story) -> None:
    """The consents were cut to look restored, the audit trail was not."""
    trail = list(AuditEntry.objects.values_list("pk", flat=True))
    story.restore(3)
    backup = dict(story.taken[6]) | {
        table: rows for table, rows in backups.take().items() if table != "customers_auditentry"
    }
    backups.restore(backup)
    assert AuditEntry.objects.count() == len(trail)
    assert "audit entry" in story.refusal(3, 7)


def test_a_time_before_the_one_restored_to_is_refused(story: Story) -> None:
    story.restore(4)
    assert story.refusal(2, 7).startswith("The database knows anchor 2, made at 2026-03-02 14:30:00 UTC: it was not ")


def test_a_time_after_the_one_restored_to_is_refused(story: Story) -> None:
    story.restore(2)
    for number in (3, 4, 5):
        assert "it was restored to a time before that." in story.refusal(number, 7)


def test_a_cut_is_no_restore_to_a_time_after_it(story: Story) -> None:
    """All that the last two hours left was taken out, rows of anchors as well, by hand."""
    story.restore(2)
    LedgerAnchor.objects.bulk_create([_row(story, number) for number in (2, 3)])
    assert story.refusal(4, 7) == "A restore to that time does not explain what verifying finds. cut cut cut cut"


def _row(story: Story, number: int) -> LedgerAnchor:
    anchor = next(line.anchor for line in story.ledgers.place.lines() if line and line.anchor.number == number)
    return LedgerAnchor(
        number=number, at=anchor.at, root=anchor.root, chains=0, entries=0, days=0, audit_entries=0, deviations=0
    )


def test_nothing_has_to_be_noted_where_nothing_was_anchored_since(story: Story) -> None:
    assert story.refusal(6.5, 7).startswith("No anchor was made after that time")


def test_a_folder_without_anchors_has_nothing_to_set_aside(story: Story, folder: Path) -> None:
    (folder / "anchors.jsonl").unlink()
    assert story.refusal(3, 7).startswith("There is no anchor of this installation")


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_what_was_tampered_with_before_is_not_hidden_by_it(story: Story, attack: str) -> None:
    story.restore(5)
    _tamper, reason, _held = ATTACKS[attack]
    entry_id = ATTACKS[attack][0](story.ledgers)
    with pytest.raises(NotExplained) as refused:
        story.note(5, 7)
    found = [(fault.reason, fault.entry_id) for fault in refused.value.faults]
    assert (reason, entry_id) in found
    assert list(story.ledgers.place.restores()) == []


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_whatever_is_tampered_with_after_it_is_still_found(restored: Story, attack: str) -> None:
    for number in (8, 9):
        restored.hour(number)
    assert restored.reasons(10) == []
    tamper, reason, _held = ATTACKS[attack]
    entry_id = tamper(restored.ledgers)
    found = restored.verify(10).faults[0]
    assert (found.reason, found.entry_id) == (reason, entry_id)


@pytest.mark.parametrize("attack", NOTICE_ATTACKS)
def test_words_of_before_are_still_held_against_what_was_anchored(folder: Path, attack: str) -> None:
    brand = people.make_brand()
    purpose, profile = people.make_purpose(brand), people.make_profile(people.make_customer())
    ledgers = Ledgers(brand, purpose, profile, people.make_address(), [], Shelf(folder))
    story = Story(ledgers, folder)
    notice = make_notice(brand)
    story.taken[0] = backups.take()
    ledgers.others = [people.make_address("o@example.com")]
    for number in (1, 2, 3):
        story.hour(number)
    story.restore(2)
    tamper, reason = NOTICE_ATTACKS[attack]
    tamper(notice)
    assert story.refusal(2, 4).endswith(f"verifying finds. {reason.value}")


def test_an_entry_changed_that_only_anchors_set_aside_had_seen(story: Story) -> None:
    """Rewritten to its end, the chain holds by itself; but what says it was written before the restore is as it was."""
    story.restore(3)
    unguarded(("UPDATE consent_consententry SET collector = 'x' WHERE id = %s", [story.ledgers.entry(3).pk]))
    rewrite(story.ledgers.victim, since=3)
    assert "is another than was anchored, and says it was written at 2026-03-02 15:00:00.000000 UTC" in (
        story.refusal(3, 7)
    )


def test_a_cut_before_the_time_is_refused(story: Story) -> None:
    story.restore(3)
    entries = ConsentEntry.objects.filter(address=story.ledgers.victim, position__gte=2)
    unguarded(
        *(("DELETE FROM consent_consententry WHERE id = %s", [pk]) for pk in entries.values_list("pk", flat=True))
    )
    ConsentChain.objects.filter(address=story.ledgers.victim).update(length=1, digest=story.ledgers.entry(1).digest)
    assert "cut" in story.refusal(3, 7)


def test_people_may_have_gone_on_before_it_was_noted(story: Story) -> None:
    """Places of lost entries are taken by others, and anchored with a deviation by whoever did not know."""
    story.restore(3)
    story.hour(7)
    rows = dict(LedgerAnchor.objects.values_list("number", "deviations"))
    assert rows == {1: 0, 2: 0, 7: 4}
    planned = story.note(3, 8)
    assert [one.number for one in planned.aside.lost] == [3, 4, 5, 6]
    assert [one.number for one in planned.aside.since] == [7]
    report = story.verify(8.1)
    assert (report.faults, report.anchors.in_force, report.consent.entries) == ([], [1, 2, 8], 12)


def test_what_was_anchored_since_the_restore_is_there_as_it_was(story: Story) -> None:
    story.restore(3)
    for number in range(7, 11):
        story.hour(number)
    # The seventh entry of the chain is the first beyond what the lost anchors had seen.
    unguarded(("UPDATE consent_consententry SET collector = 'x' WHERE id = %s", [story.ledgers.entry(7).pk]))
    rewrite(story.ledgers.victim, since=7)
    assert "was anchored since the restore, and is no longer what it was." in story.refusal(3, 11)


def test_to_before_the_first_anchor(story: Story) -> None:
    story.restore(0)
    planned = note(story.ledgers.place, asked(0), hours(7))[0]
    assert (planned.restore.first, planned.restore.last) == (1, 6)
    report = story.verify(7.1)
    assert (report.faults, report.anchors.in_force, report.consent.entries) == ([], [7], 0)
    story.hour(8)
    assert story.reasons(8.6) == []
    assert ATTACKS["truncate"][0](story.ledgers) in [fault.entry_id for fault in story.verify(8.6).faults]


def test_two_in_a_row(restored: Story) -> None:
    for number in (8, 9, 10):
        restored.hour(number)
    restored.restore(8)
    restored.note(8, 11)
    report = restored.verify(11.1)
    assert (report.faults, report.anchors.in_force) == ([], [1, 2, 7, 11])
    assert [(one.first, one.last) for one in report.anchors.restores] == [(3, 6), (8, 10)]
    restored.hour(12)
    assert restored.reasons(12.6) == []


def test_the_second_to_before_the_first(restored: Story) -> None:
    restored.hour(8)
    restored.restore(1)
    restored.note(1, 9)
    report = restored.verify(9.1)
    assert (report.faults, report.anchors.in_force, report.consent.entries) == ([], [9], 3)


def test_the_second_to_a_time_that_the_first_had_taken(restored: Story) -> None:
    """Too far back: restored once more, to five. Anchors three and four are in force again."""
    restored.hour(8)
    restored.restore(5)
    planned = restored.note(5, 9)
    assert (planned.restore.first, planned.restore.last) == (5, 8)
    assert [one.number for one in planned.aside.lost] == [5, 6]
    assert [one.number for one in planned.aside.elsewhere] == [7, 8]
    report = restored.verify(9.1)
    assert (report.faults, report.anchors.in_force, report.consent.entries) == ([], [1, 2, 3, 4, 9], 15)
    restored.hour(10)
    assert restored.reasons(10.6) == []
    assert ATTACKS["delete from the middle"][0](restored.ledgers) == restored.verify(10.6).faults[0].entry_id


def test_an_anchor_still_being_made_at_that_time_is_set_aside(story: Story) -> None:
    """It was begun before, and saw what was written after."""
    story.restore(3)
    planned = note(story.ledgers.place, Asked(hours(3.6), "ana", WHY), hours(7))[0]
    assert (planned.restore.first, planned.restore.last) == (3, 6)
    assert story.reasons(7.1) == []


def test_noted_and_not_anchored_it_counts_and_the_next_anchor_names_it(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.restore(3)

    def die(*_arguments: Any) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "append_line", die)
        with pytest.raises(OSError, match="no space"):
            story.note(3, 7)
    assert [reason for reason in story.reasons(7.1) if reason is not Reason.ANCHORS_LATE] == []
    make_anchor(hours(7.5))
    report = story.verify(7.6)
    assert (report.faults, report.anchors.in_force, len(report.anchors.restores)) == ([], [1, 2, 7], 1)


def test_noted_once_more_after_a_writer_died(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.restore(3)
    with monkeypatch.context() as patch:
        patch.setattr(make, "_note", lambda anchor: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            story.note(3, 7)
    assert story.reasons(7.1) == []
    assert story.refusal(3, 7.2).endswith("the database was not restored to a time before.")


def test_a_torn_line_is_passed_over(restored: Story, folder: Path) -> None:
    with (folder / "restores.jsonl").open("ab") as file:
        file.write(b'{"restore": {"form"')
    report = restored.verify(7.1)
    assert (report.faults, report.anchors.torn) == ([], 1)
    for number in (8, 9):
        restored.hour(number)
    restored.restore(8)
    restored.note(8, 10)
    report = restored.verify(10.1)
    assert (report.faults, len(report.anchors.restores)) == ([], 2)


def test_a_line_taken_out_is_found_for_ever(restored: Story, folder: Path) -> None:
    (folder / "restores.jsonl").unlink()
    assert {Reason.RESTORE_GONE, Reason.CUT} <= set(restored.reasons(7.1))
    restored.hour(8)
    assert LedgerAnchor.objects.order_by("-number")[0].deviations > 0
    # The places of what is gone are taken by others, of which either may be held against the chain.
    reasons = set(restored.reasons(8.6))
    assert Reason.RESTORE_GONE in reasons
    assert reasons & {Reason.CUT, Reason.REWRITTEN}


@pytest.fixture
def twice(restored: Story) -> Story:
    for number in (8, 9):
        restored.hour(number)
    restored.restore(8)
    restored.note(8, 10)
    assert restored.reasons(10.1) == []
    return restored


_Change = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (lambda texts: texts[:1], {Reason.RESTORE_GONE}),
        (lambda texts: texts[1:], {Reason.RESTORE_GONE, Reason.RESTORE_UNLINKED}),
        (lambda texts: texts[::-1], {Reason.RESTORE_GONE, Reason.RESTORE_UNLINKED}),
        (lambda texts: [*texts, texts[-1]], {Reason.RESTORE_UNLINKED}),
        (lambda texts: [*texts, texts[0]], {Reason.RESTORE_UNLINKED}),
        (lambda texts: [texts[0].replace(b"ana", b"bob"), texts[1]], {Reason.RESTORE_UNSIGNED, Reason.RESTORE_GONE}),
        (lambda texts: [texts[0].replace(b'"first":3', b'"first":1'), texts[1]], {Reason.RESTORE_UNSIGNED}),
    ],
    ids=["last dropped", "first dropped", "reordered", "repeated", "first again", "other name", "more set aside"],
)
def test_a_line_changed_dropped_or_moved_is_found(
    twice: Story, folder: Path, change: _Change, reasons: set[Reason]
) -> None:
    texts = change(lines(folder))
    assert texts != lines(folder)
    write(folder, texts)
    assert reasons <= set(twice.reasons(10.1))
    # And the next anchor covers nothing up.
    make_anchor(hours(10.5))
    assert reasons <= set(twice.reasons(10.6))


@pytest.mark.parametrize("key", ["development", "unknown"])
def test_a_forged_line_counts_for_nothing(story: Story, folder: Path, settings: Any, key: str) -> None:
    """Who holds no key cannot hide a cut behind a restore, nor have the next anchor vouch for it."""
    last, ours = story.ledgers.place.last(), settings.CREDENTIAL_KEYS
    assert last is not None
    settings.CREDENTIAL_KEYS = {key: b"f" * 32}
    forged = restore.Restore(
        number=1, at=hours(7), by="ana", why=WHY, restored_to=hours(3.25), first=3, last=6, after=last.digest,
        previous=bytes(32),
    )  # fmt: skip
    write(folder, [restore.write(forged)])
    settings.CREDENTIAL_KEYS = ours
    backups.restore(story.taken[3])
    assert set(story.reasons(6.9)) == {Reason.RESTORE_UNSIGNED, Reason.CUT}
    make_anchor(hours(7.5))
    assert set(story.reasons(7.6)) == {Reason.RESTORE_UNSIGNED, Reason.CUT}
    # The true one is noted all the same, and the forged one stays told.
    assert Reason.RESTORE_UNSIGNED.value in story.refusal(3, 8)


def test_with_another_key_nothing_is_noted(story: Story, settings: Any) -> None:
    story.restore(3)
    settings.CREDENTIAL_KEYS = {"development": b"another key, of thirty-two bytes"}
    assert story.refusal(3, 7).startswith("There is no anchor of this installation")


def test_a_key_may_be_replaced_afterwards(restored: Story, settings: Any) -> None:
    old = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = {"new": b"n" * 32, **old}
    restored.hour(8)
    assert restored.reasons(8.6) == []
    settings.CREDENTIAL_KEYS = {"new": b"n" * 32}
    assert restored.reasons(8.6) == []


def test_a_restore_put_back_after_an_anchor_that_does_not_name_it(story: Story, folder: Path) -> None:
    """Noted, hidden while the next anchor was made, and shown again."""
    story.restore(3)
    place = story.ledgers.place
    planned = plan(place, asked(3), hours(7))
    make_anchor(hours(7.5))
    place.append_restore(restore.write(planned.restore))
    assert Reason.RESTORE_UNTOLD in story.reasons(7.6)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("note_restore", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def at_seven(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("customers.clock.utcnow", lambda: hours(7))
    return hours(7)


TO = ("--restored-to", "2026-03-02T12:15:00-03:00", "--why", WHY)


def test_the_command_shows_first_and_then_notes(story: Story, folder: Path, at_seven: datetime) -> None:
    story.restore(3)
    told = command(*TO, "--by", "ana", "--dry-run")
    assert told == (
        "anchors 3 to 6 would be set aside\n"
        "  consent entries         12 seen by them: 9 gone, 3 still there\n"
        "  audit entries            4 seen by them: 3 gone, 1 still there\n"
        "  notice versions          0 seen by them: 0 gone, 0 still there\n"
        "anchor 2 is the last that is kept\n"
    )
    assert not (folder / "restores.jsonl").exists()
    noted = command(*TO, "--by", "ana")
    assert noted.startswith(told.replace("would be", "are"))
    assert "noted as restore 1; anchor 7: root " in noted


def test_verify_ledgers_names_it_also_when_all_is_well(story: Story, at_seven: datetime) -> None:
    story.restore(3)
    command(*TO, "--by", "ana")
    out = StringIO()
    call_command("verify_ledgers", stdout=out)
    assert (
        "restores  to 2026-03-02 15:15:00 UTC, noted by ana at 2026-03-02 19:00:00 UTC: "
        "a migration emptied a table (anchors 3 to 6 set aside)\n"
    ) in out.getvalue()
    assert out.getvalue().endswith("everything is what was written\n")


def test_verify_ledgers_tells_a_restores_fault_from_an_anchors(
    restored: Story, folder: Path, at_seven: datetime
) -> None:
    write(folder, [lines(folder)[0].replace(b"ana", b"bob")])
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_ledgers", stdout=out)
    assert "restore 1: the restore was not signed by this installation, and counts for nothing\n" in out.getvalue()
    assert "anchor 7: the anchor names a restore that is not in the folder\n" in out.getvalue()


def test_the_command_names_who_runs_it(story: Story, at_seven: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    story.restore(3)
    monkeypatch.setenv("LOGNAME", "operator")
    command(*TO)
    assert story.verify(7).anchors.restores[0].by == "operator"


def test_the_command_says_why_it_notes_nothing(story: Story, at_seven: datetime) -> None:
    with pytest.raises(CommandError, match=r"The database knows anchor 3, .* Nothing was noted\."):
        command(*TO)
    story.restore(2)
    LedgerAnchor.objects.bulk_create([_row(story, number) for number in (2, 3)])
    out = StringIO()
    with pytest.raises(CommandError, match="does not explain what verifying finds"):
        call_command("note_restore", "--restored-to", "2026-03-02T16:15:00Z", "--why", WHY, stdout=out)
    assert out.getvalue().count(": the chain ends before this entry\n") == 4


def test_the_command_waits_for_nobody(story: Story, at_seven: datetime) -> None:
    story.restore(3)
    with story.ledgers.place.held(), pytest.raises(CommandError, match="somebody is making an anchor"):
        command(*TO)


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--restored-to", "yesterday", "is no time such as"),
        ("--restored-to", "2026-03-02T15:15:00", "has no zone"),
        ("--restored-to", "0001-01-01T00:00:00+14:00", "beyond the calendar"),
        ("--restored-to", "2026-03-02T19:00:01Z", "is still to come"),
        ("--why", " \n ", "between 1 and 500 characters"),
        ("--why", "x" * 501, "between 1 and 500 characters"),
    ],
)
def test_the_command_refuses_what_it_cannot_write_down(
    story: Story, at_seven: datetime, option: str, value: str, why: str
) -> None:
    with pytest.raises(CommandError, match=why):
        command(*TO, option, value)


def test_nothing_in_the_reason_passes_for_a_line_of_its_own(story: Story, at_seven: datetime) -> None:
    story.restore(3)
    command("--restored-to", "2026-03-02T15:15:00Z", "--why", "disk\neverything is\x1b[2J fine", "--by", "ana")
    assert story.verify(7).anchors.restores[0].why == "disk everything is [2J fine"
