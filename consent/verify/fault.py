"""What is wrong with a ledger: where it begins, which entry that is, and why."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from consent.anchors.records import Chain

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


class Reason(Enum):
    ALTERED = "altered"
    UNLINKED = "unlinked"
    REPEATED = "repeated"
    MISSING = "missing"
    CUT = "cut"
    REWRITTEN = "rewritten"
    EVIDENCE = "evidence"
    EVIDENCE_GONE = "evidence_gone"
    CHAIN_ROW = "chain_row"
    HEAD = "head"
    NOTICE = "notice"
    NOTICE_GONE = "notice_gone"
    ANCHOR_UNSIGNED = "anchor_unsigned"
    ANCHOR_UNLINKED = "anchor_unlinked"
    ANCHOR_ENTRIES = "anchor_entries"
    ANCHOR_ROOT = "anchor_root"
    ANCHORS_GONE = "anchors_gone"
    ANCHORS_LATE = "anchors_late"
    RESTORE_UNSIGNED = "restore_unsigned"
    RESTORE_UNLINKED = "restore_unlinked"
    RESTORE_GONE = "restore_gone"
    RESTORE_UNTOLD = "restore_untold"


WORDS: dict[Reason, "_StrOrPromise"] = {
    Reason.ALTERED: _("its fields are not those its hash was made of"),
    Reason.UNLINKED: _("it does not follow the entry before it"),
    Reason.REPEATED: _("its position was there before it already"),
    Reason.MISSING: _("an entry is missing here"),
    Reason.CUT: _("the chain ends before this entry"),
    Reason.REWRITTEN: _("it was anchored with another hash: the chain was written anew from here on"),
    Reason.EVIDENCE: _("its evidence is not what was committed to"),
    Reason.EVIDENCE_GONE: _("its evidence is gone, and no erasure took it"),
    Reason.CHAIN_ROW: _("the row of its chain does not end in it"),
    Reason.HEAD: _("the current consent is not what follows from it"),
    Reason.NOTICE: _("its words are not those that were published"),
    Reason.NOTICE_GONE: _("it was published or cited, and is gone"),
    Reason.ANCHOR_UNSIGNED: _("the anchor was not signed by this installation"),
    Reason.ANCHOR_UNLINKED: _("the anchor does not follow the one before it"),
    Reason.ANCHOR_ENTRIES: _("what the anchor saw is not in its file as it was written"),
    Reason.ANCHOR_ROOT: _("the anchor’s Merkle root is not that of what it saw"),
    Reason.ANCHORS_GONE: _("the database knows an anchor that is not in the folder"),
    Reason.ANCHORS_LATE: _("nothing has been anchored for more than three hours since"),
    Reason.RESTORE_UNSIGNED: _("the restore was not signed by this installation, and counts for nothing"),
    Reason.RESTORE_UNLINKED: _("the restore does not follow what was noted before it, and counts for nothing"),
    Reason.RESTORE_GONE: _("the anchor names a restore that is not in the folder"),
    Reason.RESTORE_UNTOLD: _("the anchor does not name the restore that was noted before it"),
}

# Said of a restore; all others without a chain are said of an anchor.
OF_RESTORES = frozenset({Reason.RESTORE_UNSIGNED, Reason.RESTORE_UNLINKED})


@dataclass(frozen=True, slots=True)
class Fault:
    """`entry_id` is None where nobody knows it: the entry is gone, and was not anchored. For an anchor's own fault,
    or a restore's, `chain` is None and `position` its number; 0 before the first."""

    reason: Reason
    chain: Chain | None
    position: int
    entry_id: int | None = None
