"""Twenty ways to tamper with the ledgers, each done as a superuser can: all are found, and the entry is named."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consent.anchors.make import make_anchor
from consent.anchors.shelf import Shelf
from consent.ledger import append
from consent.models import ConsentChain, ConsentEvidence, ConsentHead, LedgerAnchor, NoticeText, NoticeVersion
from consent.verify.fault import Reason
from consent.verify.report import verify_ledgers
from tests.consent.attacks import ANCHOR_ATTACKS, ATTACKS, NOT_NULL, NOTICE_ATTACKS, SET
from tests.consent.ledgers import FIRST, SECOND, THIRD, Ledgers, erase_evidence, make_ledgers, rewrite, trail, unguarded
from tests.consent.people import hours, make_notice, new_entry, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.TRILHA_ANCHOR_DIR = str(tmp_path / "anchors")
    return tmp_path / "anchors"


@pytest.fixture
def ledgers(folder: Path) -> Ledgers:
    return make_ledgers(folder)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_entry_is_named_and_the_last_anchor_that_holds(ledgers: Ledgers, attack: str) -> None:
    tamper, reason, held = ATTACKS[attack]
    assert ledgers.verify().faults == []
    entry_id = tamper(ledgers)
    report = ledgers.verify()
    found = report.faults[0]
    assert (found.reason, found.entry_id) == (reason, entry_id)
    assert (report.held.at if report.held else None) == {0: None, 1: FIRST, 2: SECOND}[held]


@pytest.mark.parametrize("attack", ["replace the chain", "delete the last", "truncate"])
def test_without_anchors_nobody_knows(folder: Path, attack: str) -> None:
    ledgers = make_ledgers(folder, anchored=False)
    ATTACKS[attack][0](ledgers)
    ConsentHead.objects.filter(address=ledgers.victim).delete()
    report = ledgers.verify(hours(4))
    assert [fault for fault in report.faults if fault.reason is not Reason.HEAD] == []
    assert report.anchors.last is None


@pytest.mark.parametrize("column", ["digest", "previous", "commitment", "position", "occurred_at", "address_id"])
def test_nothing_in_a_column_is_found(ledgers: Ledgers, column: str) -> None:
    entry = ledgers.entry(3)
    unguarded((NOT_NULL.format(column), []), (SET.format(f"{column} = NULL"), [entry.pk]))
    assert ledgers.fault().entry_id == entry.pk


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "20000-01-01"])
@pytest.mark.parametrize("column", ["effective_at", "recorded_at"])
def test_a_time_that_nobody_can_read_is_found(ledgers: Ledgers, column: str, moment: str) -> None:
    entry = ledgers.entry(2)
    unguarded((SET.format(f"{column} = '{moment}'"), [entry.pk]))
    found = ledgers.verify().faults
    assert [(one.reason, one.entry_id) for one in found] == [(Reason.ALTERED, entry.pk)]


def test_the_first_bad_entry_comes_first_whichever_chain_it_is_of(ledgers: Ledgers) -> None:
    late, early = ledgers.entry(4), ledgers.entry(2, ledgers.others[1])
    unguarded((SET.format("state = 'unknown'"), [late.pk]), (SET.format("state = 'unknown'"), [early.pk]))
    assert [fault.entry_id for fault in ledgers.verify().faults] == [early.pk, late.pk]


def test_a_chain_that_was_rewritten_after_the_last_anchor_is_not_found(ledgers: Ledgers) -> None:
    entry = ledgers.entry(5)
    unguarded((SET.format("collector = 'nobody'"), [entry.pk]))
    rewrite(ledgers.victim, since=5)
    assert ledgers.verify().faults == []


def test_a_row_that_does_not_end_in_the_last_entry_is_found(ledgers: Ledgers) -> None:
    ConsentChain.objects.filter(address=ledgers.victim).update(digest=b"x" * 32)
    report = ledgers.verify()
    assert [(one.reason, one.entry_id) for one in report.faults] == [(Reason.CHAIN_ROW, ledgers.entry(5).pk)]
    assert report.held is not None
    assert report.held.at == SECOND


@pytest.mark.parametrize(
    "change", ["state = 'withdrawn'", "proven_at = now()", "effective_at = 'infinity'", "valid_until = '2100-01-01'"]
)
def test_a_current_consent_that_does_not_follow_is_found(ledgers: Ledgers, change: str) -> None:
    unguarded((f"UPDATE consent_consenthead SET {change} WHERE address_id = %s", [ledgers.victim.pk]))
    found = ledgers.verify().faults
    assert [(one.reason, one.entry_id) for one in found] == [(Reason.HEAD, ledgers.entry(5).pk)]


def test_a_current_consent_that_nobody_gave_is_found(ledgers: Ledgers) -> None:
    ConsentHead.objects.filter(address=ledgers.victim).update(profile=None)
    assert ledgers.fault().reason is Reason.HEAD


def test_forged_evidence_is_found_and_erased_evidence_is_counted(ledgers: Ledgers) -> None:
    erase_evidence([ledgers.entry(1)])
    report = ledgers.verify()
    assert (report.faults, report.consent.unproven, report.consent.entries) == ([], 1, 15)
    ConsentEvidence.objects.filter(entry=ledgers.entry(4)).update(fields={"ip": "198.51.100.1"})
    assert (ledgers.fault().reason, ledgers.fault().entry_id) == (Reason.EVIDENCE, ledgers.entry(4).pk)


@pytest.fixture
def notice(ledgers: Ledgers) -> NoticeVersion:
    """Published, and anchored by the third."""
    version = make_notice(ledgers.brand)
    anchor = make_anchor(THIRD)
    assert anchor is not None
    assert (anchor.counts.notices, anchor.counts.entries) == (1, 15)
    return version


@pytest.mark.parametrize("attack", NOTICE_ATTACKS)
def test_words_that_are_not_those_of_then_are_named(ledgers: Ledgers, notice: NoticeVersion, attack: str) -> None:
    tamper, reason = NOTICE_ATTACKS[attack]
    before = ledgers.verify()
    assert (before.faults, before.notices.entries) == ([], 1)
    tamper(notice)
    report = ledgers.verify()
    assert [(one.reason, one.entry_id) for one in report.faults] == [(reason, notice.pk)]
    assert report.held is not None
    assert report.held.at == SECOND
    anchor = make_anchor(hours(7))
    assert anchor is not None
    assert anchor.deviations == 1


def test_words_added_to_a_published_notice_are_found(ledgers: Ledgers, notice: NoticeVersion) -> None:
    add = "INSERT INTO consent_noticetext (version_id, locale, text, digest) VALUES (%s, 'pt-BR', 'x', sha256('x'))"
    unguarded((add, [notice.pk]))
    assert [(one.reason, one.entry_id) for one in ledgers.verify().faults] == [(Reason.NOTICE, notice.pk)]


def test_a_draft_may_be_written_at_will(ledgers: Ledgers, notice: NoticeVersion) -> None:
    draft = NoticeVersion.objects.create(notice=notice.notice, number=2)
    NoticeText.objects.create(version=draft, locale="en", text="May we?").delete()
    report = ledgers.verify()
    assert (report.faults, report.notices.entries) == ([], 1)


def test_a_notice_that_an_entry_cites_is_missed_before_anything_was_anchored(folder: Path) -> None:
    ledgers = make_ledgers(folder, anchored=False)
    version = make_notice(ledgers.brand)
    entry = new_entry(ledgers.victim, ledgers.profile, ledgers.purpose, "given", hours(6))
    append([replace(entry, notice_version_id=version.pk)], hours(6))
    assert ledgers.verify(hours(4)).faults == []
    NOTICE_ATTACKS["take the notice out"][0](version)
    found = ledgers.verify(hours(4)).faults
    assert [(one.reason, one.entry_id) for one in found] == [(Reason.NOTICE_GONE, version.pk)]


@pytest.mark.parametrize("attack", ANCHOR_ATTACKS)
def test_anchors_taken_away_are_missed(ledgers: Ledgers, folder: Path, attack: str) -> None:
    tamper, reason, number = ANCHOR_ATTACKS[attack]
    tamper(folder)
    found = ledgers.verify().faults
    assert (found[0].reason, found[0].position) == (reason, number)


def test_an_anchor_made_after_lines_were_cut_does_not_hide_it(ledgers: Ledgers, folder: Path) -> None:
    ANCHOR_ATTACKS["cut the lines"][0](folder)
    for at in (THIRD, hours(7)):
        anchor = make_anchor(at)
    assert anchor is not None
    assert (anchor.number, list(LedgerAnchor.objects.values_list("number", "deviations"))) == (
        4, [(4, 0), (3, 1), (2, 0), (1, 0)],
    )  # fmt: skip
    found = ledgers.verify(hours(7)).faults
    assert [(one.reason, one.position) for one in found] == [(Reason.ANCHOR_UNLINKED, 3)]


def test_a_fresh_installation_has_nothing_to_miss(folder: Path) -> None:
    assert verify_ledgers(Shelf(folder), THIRD).faults == []
    ledgers = make_ledgers(folder, anchored=False)
    assert ledgers.verify(hours(4)).faults == []
    found = ledgers.verify(hours(4.1)).faults
    assert [(one.reason, one.chain, one.position) for one in found] == [(Reason.ANCHORS_LATE, None, 0)]


def test_a_changed_entry_of_the_audit_trail_is_named(ledgers: Ledgers) -> None:
    entry = trail(2)
    unguarded(("UPDATE customers_auditentry SET action = 'view' WHERE id = %s", [entry.pk]))
    assert [(one.reason, one.entry_id) for one in ledgers.verify().faults] == [(Reason.ALTERED, entry.pk)]


@pytest.mark.parametrize("change", ["at = 'infinity'", "day = 'infinity'", "day = '2026-03-09'"])
def test_an_audit_entry_of_no_readable_time_is_named(ledgers: Ledgers, change: str) -> None:
    entry = trail(2)
    unguarded((f"UPDATE customers_auditentry SET {change} WHERE id = %s", [entry.pk]))
    assert entry.pk in [one.entry_id for one in ledgers.verify().faults]


def test_a_day_taken_from_the_end_of_the_audit_trail_is_found(ledgers: Ledgers) -> None:
    first = trail(1, day=1)
    unguarded(("DELETE FROM customers_auditentry WHERE day = %s", [first.day]))
    report = ledgers.verify()
    assert [(one.reason, one.entry_id) for one in report.faults] == [(Reason.CUT, first.pk)]
    assert report.held is not None
    assert report.held.at == FIRST


def test_an_entry_told_late_is_no_fault(ledgers: Ledgers) -> None:
    tell(ledgers.victim, ledgers.profile, ledgers.purpose, "withdrawn", hours(1) - timedelta(minutes=1))
    assert ledgers.verify().faults == []
