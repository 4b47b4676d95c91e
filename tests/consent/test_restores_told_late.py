"""Restores noted late, anchors that are missing, rows that were never written: each has a way out, and no excuse."""

from io import StringIO
from pathlib import Path
from typing import Final

import pytest
from django.core.management import CommandError, call_command

from consent.anchors import make
from consent.anchors.make import make_anchor
from consent.anchors.restore import Gap
from consent.models import ConsentChain, ConsentEntry, LedgerAnchor
from consent.restoring import Asked, NotExplained, Plan, note
from consent.verify.fault import Reason
from customers.models import Address, AuditEntry
from tests.consent import people
from tests.consent.ledgers import unguarded
from tests.consent.people import hours, tell
from tests.consent.restored import WHY, Story

pytestmark = pytest.mark.django_db


def note_as(story: Story, to: float, now: float, *then: float, gaps: tuple[Gap, ...] = ()) -> Plan:
    asked = Asked(hours(to + 0.25), "ana", WHY, then=tuple(hours(one + 0.25) for one in then), gaps=gaps)
    return note(story.ledgers.place, asked, hours(now))[0]


def refusal(story: Story, to: float, now: float, *then: float, gaps: tuple[Gap, ...] = ()) -> str:
    before = len(list(story.ledgers.place.restores()))
    with pytest.raises(NotExplained) as refused:
        note_as(story, to, now, *then, gaps=gaps)
    assert len(list(story.ledgers.place.restores())) == before
    return str(refused.value)


def remove(address: Address) -> None:
    """Nothing was ever noted of it, by hand."""
    for table in ("consenthead", "consententry", "consentchain"):
        unguarded((f"DELETE FROM consent_{table} WHERE address_id = %s", [address.pk]))


def cut(story: Story, position: int) -> None:
    """The victim's chain ends before this position, by hand."""
    entries = ConsentEntry.objects.filter(address=story.ledgers.victim, position__gte=position)
    ids = list(entries.values_list("pk", flat=True))
    assert ids
    unguarded(*(("DELETE FROM consent_consententry WHERE id = %s", [pk]) for pk in ids))
    digest = story.ledgers.entry(position - 1).digest
    ConsentChain.objects.filter(address=story.ledgers.victim).update(length=position - 1, digest=digest)


def _told(number: int) -> LedgerAnchor:
    """A row that a writer to the database makes of nothing."""
    return LedgerAnchor(
        number=number, at=hours(7), root=b"r" * 32, chains=0, entries=0, days=0, audit_entries=0, deviations=0
    )


# Gaps


@pytest.fixture
def gapped(restored: Story) -> Story:
    """Anchors 8 and 9, and after them 21, as the database told of a twentieth."""
    for number in (8, 9):
        restored.hour(number)
    _told(20).save()
    restored.hour(10)
    return restored


def test_what_was_seen_before_a_gap_is_still_held_against_the_database(gapped: Story) -> None:
    report = gapped.verify(10.6)
    assert report.anchors.in_force == [1, 2, 7, 8, 9, 21]
    assert [(fault.reason, fault.position) for fault in report.faults] == [(Reason.ANCHOR_UNLINKED, 21)]
    last = gapped.ledgers.place.last()
    assert last is not None
    # The anchor that is missing is the one deviation: everything else follows from the ninth.
    assert (last.anchor.deviations, last.anchor.segment.size) == (1, (3 + 1) * 61)
    cut(gapped, 5)
    assert Reason.CUT in gapped.reasons(10.6)


def test_a_gap_of_thousands_of_millions_is_gone_over_at_once(restored: Story) -> None:
    restored.hour(8)
    _told(2_147_483_000).save()
    restored.hour(9)
    assert restored.verify(9.6).anchors.in_force == [1, 2, 7, 8, 2_147_483_001]


def test_heads_put_together_again_follow_over_a_gap(gapped: Story, folder: Path) -> None:
    kept = gapped.ledgers.place.last()
    next(folder.glob("heads-*")).unlink()
    again = make_anchor(hours(11))
    assert kept is not None
    assert again is not None
    assert (again.root, again.segment.size, again.deviations) == (kept.anchor.root, 0, 0)


def test_a_restore_is_not_noted_over_a_gap_that_nobody_told(gapped: Story) -> None:
    gapped.restore(9)
    assert refusal(gapped, 9, 11) == (
        "Anchors are missing in the folder: 10-20. Whoever knows why says so: the note names them."
    )


def test_a_note_names_the_gap_and_the_gap_stays_a_fault(gapped: Story) -> None:
    gapped.restore(9)
    planned = note_as(gapped, 9, 11, gaps=(Gap(10, 20),))
    assert (planned.restore.first, planned.restore.last, planned.restore.gaps) == (9, 21, (Gap(10, 20),))
    report = gapped.verify(11.1)
    assert report.anchors.in_force == [1, 2, 7, 8, 22]
    assert [(fault.reason, fault.position) for fault in report.faults] == [(Reason.ANCHOR_UNLINKED, 21)]
    assert report.anchors.restores[-1].gaps == (Gap(10, 20),)
    after = AuditEntry.objects.filter(action="note_restore").order_by("-pk")[0].after
    assert after is not None
    assert after["gaps"] == ["10-20"]


def test_a_gap_is_told_once(gapped: Story) -> None:
    gapped.restore(9)
    note_as(gapped, 9, 11, gaps=(Gap(10, 20),))
    for number in (12, 13):
        gapped.hour(number)
    gapped.restore(12)
    assert note_as(gapped, 12, 14).restore.gaps == ()
    assert gapped.reasons(14.1) == [Reason.ANCHOR_UNLINKED]


@pytest.mark.parametrize("gap", [Gap(10, 19), Gap(9, 20), Gap(3, 4), Gap(22, 23)])
def test_a_gap_that_is_none_is_refused(gapped: Story, gap: Gap) -> None:
    gapped.restore(9)
    assert refusal(gapped, 9, 11, gaps=(gap,)) == f"The numbers {gap} are no gap between anchors that name each other."


def test_a_line_taken_from_the_middle_is_no_gap(restored: Story, folder: Path) -> None:
    """The one after it does not name the one before it."""
    for number in (8, 9, 10):
        restored.hour(number)
    path = folder / "anchors.jsonl"
    texts = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(texts[:7] + texts[8:]))
    restored.restore(10)
    assert "are no gap" in refusal(restored, 10, 11, gaps=(Gap(8, 8),))


def test_an_older_copy_of_the_folder_leaves_a_gap_that_can_be_named(restored: Story, folder: Path) -> None:
    restored.hour(8)
    older = {path.name: path.read_bytes() for path in folder.iterdir()}
    restored.hour(9)
    for name, content in older.items():
        (folder / name).write_bytes(content)
    restored.hour(10)
    assert restored.verify(10.6).anchors.in_force == [1, 2, 7, 8, 10]
    restored.restore(10)
    assert refusal(restored, 10, 11).startswith("Anchors are missing in the folder: 9.")
    note_as(restored, 10, 11, gaps=(Gap(9, 9),))
    assert restored.reasons(11.1) == [Reason.ANCHOR_UNLINKED]


# Several restores


@pytest.fixture
def again(story: Story) -> Story:
    """Restored to a quarter past three and not noted; anchors seven to nine were made since; then restored to a
    quarter past eight, so that the database knows the first two and the seventh."""
    story.restore(3)
    newcomer = people.make_address("new@example.com")
    tell(newcomer, story.ledgers.profile, story.ledgers.purpose, "given", hours(6.8))
    story.ledgers.others = [*story.ledgers.others, newcomer]
    story.hour(7)
    story.hour(8)
    story.hour(9)
    story.restore(8)
    return story


def test_neither_of_two_restores_can_be_noted_alone(again: Story) -> None:
    assert refusal(again, 3, 10).endswith("tell the time of that restore as well.")
    assert refusal(again, 8, 10) == "A restore to that time does not explain what verifying finds."


def test_two_restores_are_noted_together(again: Story) -> None:
    planned = note_as(again, 3, 10, 8)
    assert (planned.restore.first, planned.restore.last) == (3, 9)
    assert planned.restore.then == (hours(8.25),)
    assert [one.number for one in planned.aside.lost] == [3, 4, 5, 6, 8, 9]
    assert [one.number for one in planned.aside.since] == [7]
    report = again.verify(10.1)
    assert (report.faults, report.anchors.in_force) == ([], [1, 2, 10])
    assert report.consent.entries == 3 * (3 + 2) + 3
    again.hour(11)
    assert again.reasons(11.6) == []
    after = AuditEntry.objects.filter(action="note_restore").order_by("-pk")[0].after
    assert after is not None
    assert after["then"] == ["2026-03-02 20:15:00+00:00"]


def test_they_are_noted_together_also_where_people_went_on(again: Story) -> None:
    again.hour(9)
    planned = note_as(again, 3, 11, 8)
    assert [one.number for one in planned.aside.since] == [7, 10]
    assert again.reasons(11.1) == []


def test_two_restores_do_not_excuse_what_was_cut_between_them(again: Story) -> None:
    """What the seventh anchor saw was kept by the second restore."""
    remove(again.ledgers.others[-1])
    assert refusal(again, 3, 10, 8).endswith("was anchored since the restore, and is no longer what it was.")


def test_two_restores_do_not_excuse_what_was_cut_before_both(again: Story) -> None:
    cut(again, 2)
    assert refusal(again, 3, 10, 8) == "A restore to that time does not explain what verifying finds."


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (7, "The database knows anchor 7"),
        (9, "The database does not know anchor 8"),
        (6, "The database knows anchor 7"),
    ],
)
def test_a_later_restore_to_another_time_is_refused(again: Story, then: float, why: str) -> None:
    assert refusal(again, 3, 10, then).startswith(why)


def test_more_restores_than_there_were_are_refused(again: Story) -> None:
    assert refusal(again, 3, 10, 8, 9) == "No anchor was lost to a restore to 2026-03-02 21:15:00 UTC."


# Rows that are missing


def _dying_row(story: Story, number: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hour's anchor has its line, and its writer dies before the row."""
    with monkeypatch.context() as patch:
        patch.setattr(make, "_note", lambda anchor: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            story.hour(number)


def test_the_next_anchor_writes_the_rows_that_are_missing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    _dying_row(story, 7, monkeypatch)
    assert not LedgerAnchor.objects.filter(number=7).exists()
    story.hour(8)
    there = {line.anchor.number: line.anchor for line in story.ledgers.place.lines() if line}
    rows = LedgerAnchor.objects.filter(number__gte=7).order_by("number")
    assert [(one.number, bytes(one.root), one.entries) for one in rows] == [
        (7, there[7].root, 21),
        (8, there[8].root, 24),
    ]


def test_after_a_restore_no_row_of_what_is_gone_is_written(story: Story) -> None:
    story.restore(3)
    story.hour(7)
    assert list(LedgerAnchor.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 7]


def test_the_last_anchor_before_the_restore_never_had_its_row(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    _dying_row(story, 7, monkeypatch)
    story.hour(8)
    story.restore(8)
    assert not LedgerAnchor.objects.filter(number=7).exists()
    planned = note_as(story, 8, 9)
    assert (planned.restore.first, planned.restore.last) == (8, 8)
    assert story.reasons(9.1) == []
    assert list(LedgerAnchor.objects.order_by("-number").values_list("number", flat=True)[:3]) == [9, 7, 6]


@pytest.mark.parametrize("number", [7, 8])
def test_an_anchor_made_since_the_restore_never_had_its_row(
    story: Story, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    story.restore(3)
    for hour in (7, 8, 9):
        _dying_row(story, hour, monkeypatch) if hour == number else story.hour(hour)
    planned = note_as(story, 3, 10)
    assert [one.number for one in planned.aside.since][-2:] == [8, 9]
    assert story.reasons(10.1) == []


def test_rows_taken_out_do_not_make_a_restore(story: Story) -> None:
    """An anchor that found nothing amiss tells that the one before it was known."""
    LedgerAnchor.objects.filter(number__in=(3, 4, 5)).delete()
    assert refusal(story, 3, 7).startswith("The database holds all that was seen by anchor 3")


# The command

TO: Final = ("--restored-to", "2026-03-02T15:15:00Z", "--why", WHY, "--by", "ana")


def test_the_command_takes_later_restores_and_gaps(again: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    _told(20).save()
    make_anchor(hours(9.5))
    monkeypatch.setattr("customers.clock.utcnow", lambda: hours(10))
    with pytest.raises(CommandError, match="Anchors are missing in the folder: 10-20"):
        call_command("note_restore", *TO, "--then", "2026-03-02T20:15:00Z", stdout=StringIO())
    call_command("note_restore", *TO, "--then", "2026-03-02T20:15:00Z", "--gap", "10-20", stdout=StringIO())
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_ledgers", stdout=out)
    assert (
        "restores  to 2026-03-02 15:15:00 UTC, then to 2026-03-02 20:15:00 UTC,"
        " noted by ana at 2026-03-02 22:00:00 UTC: a migration emptied a table"
        " (anchors 3 to 21 set aside; known to be missing: 10-20)\n"
    ) in out.getvalue()


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--gap", "ten", "are no numbers such as"),
        ("--gap", "10-", "are no numbers such as"),
        ("--gap", "-3", "expected one argument|are no numbers such as"),
        ("--gap", "10-99999999999", "are no numbers such as"),
        ("--gap", "٣", "are no numbers such as"),
        ("--then", "2026-03-02T15:15:00", "has no zone"),
        ("--then", "2026-03-02T23:00:00Z", "is still to come"),
    ],
)
def test_the_command_refuses_what_tells_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch, option: str, value: str, why: str
) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: hours(10))
    with pytest.raises(CommandError, match=why):
        call_command("note_restore", *TO, option, value)
