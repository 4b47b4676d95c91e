"""What was there at the time restored to and is gone: told by its number, and noted only by whoever knows why."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import CommandError, call_command

from consent.anchors.make import make_anchor
from consent.anchors.shelf import Shelf
from consent.models import ConsentEntry
from consent.restoring import Asked, NotExplained, Plan, note
from customers.models import AuditEntry
from tests.consent import backups, people
from tests.consent.people import hours, tell
from tests.consent.restored import WHY, Story, remove

pytestmark = pytest.mark.django_db

TO: Final = ("--restored-to", "2026-03-02T19:15:00Z", "--why", WHY, "--by", "ana")


def note_with(story: Story, missing: int = 0) -> Plan:
    return note(story.ledgers.place, Asked(hours(7.25), "ana", WHY, missing=missing), hours(9))[0]


@pytest.fixture
def robbed(story: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Restored to a quarter past seven; somebody who came after the sixth anchor and before seven was taken out."""
    newcomer = people.make_address("new@example.com")
    tell(newcomer, story.ledgers.profile, story.ledgers.purpose, "given", hours(6.8))
    story.hour(7)
    story.restore(7)
    assert ConsentEntry.objects.filter(address=newcomer).exists()
    remove(newcomer)
    monkeypatch.setattr("customers.clock.utcnow", lambda: hours(9))
    return story


def test_whoever_was_there_before_others_who_stayed_is_missed(robbed: Story) -> None:
    with pytest.raises(NotExplained, match=r"Gone, though entries that were begun later are there: 1.") as refused:
        note_with(robbed)
    [named] = refused.value.missing
    assert named.startswith("consent entry ")
    assert list(robbed.ledgers.place.restores()) == []


def test_whoever_knows_why_says_how_many_and_the_note_keeps_it(robbed: Story) -> None:
    assert note_with(robbed, missing=1).restore.missing == 1
    report = robbed.verify(9.1)
    assert (report.faults, [one.missing for one in report.anchors.restores]) == ([], [1])
    after = AuditEntry.objects.filter(action="note_restore").get().after
    assert after is not None
    assert after["missing"] == 1


def test_another_number_is_refused(robbed: Story) -> None:
    with pytest.raises(NotExplained, match=r"are there: 1."):
        note_with(robbed, missing=2)


def test_a_number_where_none_is_missing_is_refused(story: Story) -> None:
    story.hour(7)
    story.restore(7)
    with pytest.raises(NotExplained, match=r"No entry is gone that seems to have been there"):
        note_with(story, missing=1)
    assert note_with(story).restore.missing == 0


def test_the_command_names_what_is_gone_and_takes_the_number(robbed: Story) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match=r"the note keeps it. Nothing was noted."):
        call_command("note_restore", *TO, stdout=out)
    assert out.getvalue().startswith("consent entry ")
    assert out.getvalue().endswith(", position 1) is gone\n")
    call_command("note_restore", *TO, "--missing", "1", stdout=StringIO())
    out = StringIO()
    call_command("verify_ledgers", stdout=out)
    assert "(anchors 7 to 7 set aside; entries gone that seem to have been there: 1)\n" in out.getvalue()
    with pytest.raises(CommandError, match=r"is no number such as 3"):
        call_command("note_restore", *TO, "--missing", "-1")


@pytest.mark.parametrize(("seconds", "is_noted"), [(10, True), (11, False)])
def test_a_clock_may_be_ahead_by_ten_seconds(story: Story, seconds: int, is_noted: bool) -> None:
    story.hour(7, anchored=False)
    at = hours(7.25) + timedelta(seconds=seconds)
    tell(people.make_address("new@example.com"), story.ledgers.profile, story.ledgers.purpose, "given", at)
    taken = backups.take()
    make_anchor(hours(7.5))
    backups.restore(taken)
    if is_noted:
        assert note_with(story).restore.first == 7
        return
    with pytest.raises(NotExplained, match=r"is still there, written at 2026-03-02 19:15:11\.000000 UTC"):
        note_with(story)


@pytest.mark.parametrize("option", [(), ("--dry-run",)])
def test_a_folder_that_cannot_be_locked_is_told_in_words(robbed: Story, folder: Path, option: tuple[str, ...]) -> None:
    (folder / "lock").unlink()
    (folder / "lock").mkdir()
    with pytest.raises(CommandError, match=r"the folder of anchors cannot be read or written: .*lock"):
        call_command("note_restore", *TO, "--missing", "1", *option)
    assert not (folder / "restores.jsonl").exists()


def test_a_folder_that_cannot_be_written_is_told_in_words(robbed: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise PermissionError(13, "Permission denied", "restores.jsonl")

    monkeypatch.setattr(Shelf, "append_restore", refuse)
    with pytest.raises(CommandError, match=r"cannot be read or written: .*Permission denied.*verify_ledgers tells"):
        call_command("note_restore", *TO, "--missing", "1", stdout=StringIO())
    assert not AuditEntry.objects.filter(action="note_restore").exists()


def test_a_dry_run_makes_no_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: hours(9))
    with pytest.raises(CommandError, match=r"There is no anchor of this installation"):
        call_command("note_restore", *TO, "--dry-run")
    assert not folder.exists()


def test_a_dry_run_tells_that_somebody_is_making_an_anchor(robbed: Story) -> None:
    with robbed.ledgers.place.held(), pytest.raises(CommandError, match=r"somebody is making an anchor"):
        call_command("note_restore", *TO, "--dry-run")
