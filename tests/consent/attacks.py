"""Ways to tamper with the ledgers, each as a superuser can: thirteen with a chain of consent, each of which returns
the entry to be named, three with the words of a notice, and four with the anchors, whose folder they reach as well."""

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.db import connection

from consent.models import ConsentChain, ConsentEntry, ConsentEvidence, LedgerAnchor, NoticeText, NoticeVersion
from consent.verify.fault import Reason
from tests.consent.ledgers import Ledgers, rewrite, unguarded

SET: Final = "UPDATE consent_consententry SET {} WHERE id = %s"
_DELETE: Final = "DELETE FROM consent_consententry WHERE id = %s"
NOT_NULL: Final = "ALTER TABLE consent_consententry ALTER {} DROP NOT NULL"
_INSERT: Final = """
    INSERT INTO consent_consententry SELECT (jsonb_populate_record(NULL::consent_consententry, to_jsonb(e) || %s)).*
    FROM consent_consententry e WHERE id = %s
"""


def edit(ledgers: Ledgers) -> int:
    entry = ledgers.entry(2)
    unguarded((SET.format("state = 'given'"), [entry.pk]))
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
    digest = ledgers.entry(3).digest
    ConsentChain.objects.filter(address=ledgers.victim).update(length=3, digest=digest)
    return entry.pk


def insert(ledgers: Ledgers) -> int:
    """An entry between the second and third, all that follow moved up and their hashes made anew."""
    later = [ledgers.entry(position).pk for position in (5, 4, 3)]
    forged = ConsentEntry.objects.order_by("-id").values_list("id", flat=True)[0] + 1
    unguarded(
        *((SET.format("position = position + 1"), [pk]) for pk in later),
        (_INSERT, [f'{{"id": {forged}, "position": 3}}', ledgers.entry(2).pk]),
    )
    rewrite(ledgers.victim, since=3)
    return forged


def swap(ledgers: Ledgers) -> int:
    one, other = ledgers.entry(2), ledgers.entry(3)
    place = SET.format("position = %s")
    unguarded((place, [99, one.pk]), (place, [2, other.pk]), (place, [3, one.pk]))
    return other.pk


def truncate(ledgers: Ledgers) -> int:
    first = ConsentEntry.objects.earliest("id").pk
    unguarded(("TRUNCATE consent_consententry, consent_consentevidence, consent_consentchain, consent_consenthead", []))
    return first


def replace_the_chain(ledgers: Ledgers) -> int:
    """From the third entry on another story, whose hashes hold."""
    entry = ledgers.entry(3)
    unguarded((SET.format("occurred_at = occurred_at - interval '1 year', collector = 'nobody'"), [entry.pk]))
    rewrite(ledgers.victim, since=3)
    return entry.pk


def disable_the_trigger(ledgers: Ledgers) -> int:
    entry = ledgers.entry(4)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE consent_consententry DISABLE TRIGGER append_only_rows")
        cursor.execute(SET.format("language = 'xx'"), [entry.pk])
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
    unguarded((NOT_NULL.format("state"), []), (SET.format("state = NULL"), [entry.pk]))
    return entry.pk


def shift_the_time(ledgers: Ledgers) -> int:
    entry = ledgers.entry(4)
    unguarded((SET.format("effective_at = effective_at - interval '1 microsecond'"), [entry.pk]))
    return entry.pk


def re_key(ledgers: Ledgers) -> int:
    """Another address has it now, at the end of its chain, and all hashes hold."""
    entry, other = ledgers.entry(3), ledgers.others[0]
    unguarded((SET.format("address_id = %s, position = 6"), [other.pk, entry.pk]))
    rewrite(other, since=6)
    return entry.pk


def delete_the_evidence(ledgers: Ledgers) -> int:
    entry = ledgers.entry(3)
    ConsentEvidence.objects.filter(entry=entry).delete()
    return entry.pk


# How, why it is found, and the last anchor that saw nothing of it.
ATTACKS: Final[dict[str, tuple[Callable[[Ledgers], int], Reason, int]]] = {
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
    "delete the evidence": (delete_the_evidence, Reason.EVIDENCE_GONE, 1),
}


def change_the_words(version: NoticeVersion) -> None:
    unguarded(("UPDATE consent_noticetext SET text = 'We sell it.' WHERE version_id = %s", [version.pk]))


def rewrite_the_words(version: NoticeVersion) -> None:
    """And the hash with them, so that it holds by itself."""
    change_the_words(version)
    words = NoticeText.objects.get(version=version).text
    seal = "UPDATE consent_noticetext SET digest = %s WHERE version_id = %s"
    unguarded((seal, [sha256(words.encode()).digest(), version.pk]))


def take_the_notice_out(version: NoticeVersion) -> None:
    unguarded(
        ("DELETE FROM consent_noticetext WHERE version_id = %s", [version.pk]),
        ("DELETE FROM consent_noticeversion WHERE id = %s", [version.pk]),
    )


NOTICE_ATTACKS: Final[dict[str, tuple[Callable[[NoticeVersion], None], Reason]]] = {
    "change the words": (change_the_words, Reason.NOTICE),
    "rewrite the words": (rewrite_the_words, Reason.NOTICE),
    "take the notice out": (take_the_notice_out, Reason.NOTICE_GONE),
}


def take_the_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def cut_the_lines(folder: Path) -> None:
    """The last of them."""
    lines = (folder / "anchors.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "anchors.jsonl").write_bytes(b"".join(lines[:-1]))


def take_the_folder_and_the_rows(folder: Path) -> None:
    take_the_folder(folder)
    LedgerAnchor.objects.all().delete()


def cut_the_lines_and_the_rows(folder: Path) -> None:
    cut_the_lines(folder)
    LedgerAnchor.objects.order_by("-number")[0].delete()


# How, why it is found, and of which anchor it is said.
ANCHOR_ATTACKS: Final[dict[str, tuple[Callable[[Path], None], Reason, int]]] = {
    "take the folder": (take_the_folder, Reason.ANCHORS_GONE, 2),
    "cut the lines": (cut_the_lines, Reason.ANCHORS_GONE, 2),
    "take the folder and the rows": (take_the_folder_and_the_rows, Reason.ANCHORS_LATE, 0),
    "cut the lines and the rows": (cut_the_lines_and_the_rows, Reason.ANCHORS_LATE, 1),
}
