"""Twelve ways to tamper with the ledgers, each done as a superuser can: all are found, and the entry is named."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from consent.models import ConsentChain, ConsentEntry, ConsentEvidence, ConsentHead
from consent.verify.fault import Reason
from tests.consent.ledgers import FIRST, SECOND, Ledgers, make_ledgers, rewrite, trail, unguarded
from tests.consent.people import hours, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.TRILHA_ANCHOR_DIR = str(tmp_path / "anchors")
    return tmp_path / "anchors"


@pytest.fixture
def ledgers(folder: Path) -> Ledgers:
    return make_ledgers(folder)


_SET = "UPDATE consent_consententry SET {} WHERE id = %s"
_DELETE = "DELETE FROM consent_consententry WHERE id = %s"
_NOT_NULL = "ALTER TABLE consent_consententry ALTER {} DROP NOT NULL"
_INSERT = """
    INSERT INTO consent_consententry SELECT (jsonb_populate_record(NULL::consent_consententry, to_jsonb(e) || %s)).*
    FROM consent_consententry e WHERE id = %s
"""


def edit(ledgers: Ledgers) -> int:
    entry = ledgers.entry(2)
    unguarded((_SET.format("state = 'given'"), [entry.pk]))
    return entry.pk


def delete(*entries: ConsentEntry) -> None:
    ids = [entry.pk for entry in entries]
    ConsentEvidence.objects.filter(pk__in=ids).delete()
    unguarded(*((_DELETE, [pk]) for pk in ids))


def delete_from_the_middle(ledgers: Ledgers) -> int:
    entry = ledgers.entry(3)
    delete(entry)
    return entry.pk


def delete_the_last_anchored(ledgers: Ledgers) -> int:
    """And the one after it; the row of the chain follows."""
    entry, after = ledgers.entry(4), ledgers.entry(5)
    delete(entry, after)
    shorten(ledgers, 3)
    return entry.pk


def insert(ledgers: Ledgers) -> int:
    """An entry between the second and third, all that follow moved up and their hashes made anew."""
    later = [ledgers.entry(position).pk for position in (5, 4, 3)]
    forged = ConsentEntry.objects.order_by("-id").values_list("id", flat=True)[0] + 1
    unguarded(
        *((_SET.format("position = position + 1"), [pk]) for pk in later),
        (_INSERT, [f'{{"id": {forged}, "position": 3}}', ledgers.entry(2).pk]),
    )
    rewrite(ledgers.victim, since=3)
    return forged


def swap(ledgers: Ledgers) -> int:
    one, other = ledgers.entry(2), ledgers.entry(3)
    place = _SET.format("position = %s")
    unguarded((place, [99, one.pk]), (place, [2, other.pk]), (place, [3, one.pk]))
    return other.pk


def truncate(ledgers: Ledgers) -> int:
    first = ConsentEntry.objects.earliest("id").pk
    unguarded(("TRUNCATE consent_consententry, consent_consentevidence, consent_consentchain, consent_consenthead", []))
    return first


def replace_the_chain(ledgers: Ledgers) -> int:
    """From the third entry on another story, whose hashes hold."""
    entry = ledgers.entry(3)
    unguarded((_SET.format("occurred_at = occurred_at - interval '1 year', collector = 'nobody'"), [entry.pk]))
    rewrite(ledgers.victim, since=3)
    return entry.pk


def disable_the_trigger(ledgers: Ledgers) -> int:
    entry = ledgers.entry(4)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE consent_consententry DISABLE TRIGGER append_only_rows")
        cursor.execute(_SET.format("language = 'xx'"), [entry.pk])
        cursor.execute("ALTER TABLE consent_consententry ENABLE TRIGGER append_only_rows")
    return entry.pk


def fork(ledgers: Ledgers) -> int:
    """Two entries follow the second; positions are no longer unique."""
    forged = ConsentEntry.objects.order_by("-id").values_list("id", flat=True)[0] + 1
    unguarded(
        ("ALTER TABLE consent_consententry DROP CONSTRAINT one_entry_per_chain_position", []),
        (_INSERT, [f'{{"id": {forged}}}', ledgers.entry(3).pk]),
    )
    return forged


def null(ledgers: Ledgers) -> int:
    entry = ledgers.entry(2)
    unguarded((_NOT_NULL.format("state"), []), (_SET.format("state = NULL"), [entry.pk]))
    return entry.pk


def shift_the_time(ledgers: Ledgers) -> int:
    entry = ledgers.entry(4)
    unguarded((_SET.format("effective_at = effective_at - interval '1 microsecond'"), [entry.pk]))
    return entry.pk


def re_key(ledgers: Ledgers) -> int:
    """Another address has it now, at the end of its chain, and all hashes hold."""
    entry, other = ledgers.entry(3), ledgers.others[0]
    unguarded((_SET.format("address_id = %s, position = 6"), [other.pk, entry.pk]))
    rewrite(other, since=6)
    return entry.pk


def shorten(ledgers: Ledgers, length: int) -> None:
    digest = ledgers.entry(length).digest
    ConsentChain.objects.filter(address=ledgers.victim).update(length=length, digest=digest)


# How, why it is found, and the last anchor that saw nothing of it.
ATTACKS: dict[str, tuple[Callable[[Ledgers], int], Reason, int]] = {
    "edit": (edit, Reason.ALTERED, 0),
    "delete from the middle": (delete_from_the_middle, Reason.MISSING, 1),
    "delete the last": (delete_the_last_anchored, Reason.CUT, 1),
    "insert": (insert, Reason.REWRITTEN, 1),
    "swap": (swap, Reason.ALTERED, 0),
    "truncate": (truncate, Reason.CUT, 0),
    "replace the chain": (replace_the_chain, Reason.REWRITTEN, 1),
    "disable the trigger": (disable_the_trigger, Reason.ALTERED, 1),
    "fork": (fork, Reason.REPEATED, 1),
    "null": (null, Reason.ALTERED, 0),
    "shift the time": (shift_the_time, Reason.ALTERED, 1),
    "re-key": (re_key, Reason.MISSING, 1),
}


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
    report = ledgers.verify()
    assert [fault for fault in report.faults if fault.reason is not Reason.HEAD] == []
    assert report.anchors.last is None


@pytest.mark.parametrize("column", ["digest", "previous", "commitment", "position", "occurred_at", "address_id"])
def test_nothing_in_a_column_is_found(ledgers: Ledgers, column: str) -> None:
    entry = ledgers.entry(3)
    unguarded((_NOT_NULL.format(column), []), (_SET.format(f"{column} = NULL"), [entry.pk]))
    assert ledgers.fault().entry_id == entry.pk


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "20000-01-01"])
@pytest.mark.parametrize("column", ["effective_at", "recorded_at"])
def test_a_time_that_nobody_can_read_is_found(ledgers: Ledgers, column: str, moment: str) -> None:
    entry = ledgers.entry(2)
    unguarded((_SET.format(f"{column} = '{moment}'"), [entry.pk]))
    found = ledgers.verify().faults
    assert [(one.reason, one.entry_id) for one in found] == [(Reason.ALTERED, entry.pk)]


def test_the_first_bad_entry_comes_first_whichever_chain_it_is_of(ledgers: Ledgers) -> None:
    late, early = ledgers.entry(4), ledgers.entry(2, ledgers.others[1])
    unguarded((_SET.format("state = 'unknown'"), [late.pk]), (_SET.format("state = 'unknown'"), [early.pk]))
    assert [fault.entry_id for fault in ledgers.verify().faults] == [early.pk, late.pk]


def test_a_chain_that_was_rewritten_after_the_last_anchor_is_not_found(ledgers: Ledgers) -> None:
    entry = ledgers.entry(5)
    unguarded((_SET.format("collector = 'nobody'"), [entry.pk]))
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
    ConsentEvidence.objects.filter(entry=ledgers.entry(1)).delete()
    report = ledgers.verify()
    assert (report.faults, report.consent.unproven, report.consent.entries) == ([], 1, 15)
    ConsentEvidence.objects.filter(entry=ledgers.entry(4)).update(fields={"ip": "198.51.100.1"})
    assert (ledgers.fault().reason, ledgers.fault().entry_id) == (Reason.EVIDENCE, ledgers.entry(4).pk)


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
