"""What verifying finds, in words for whoever runs a command."""

from datetime import UTC, datetime

from consent.anchors.records import Ledger
from consent.anchors.restore import Restore
from consent.verify.fault import OF_RESTORES, WORDS, Fault


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def restore_in_words(restore: Restore) -> str:
    """Who noted it, when and why, and what it set aside."""
    aside = f"anchors {restore.first} to {restore.last} set aside"
    if restore.gaps:
        aside += f"; known to be missing: {', '.join(map(str, restore.gaps))}"
    to = ", then to ".join(moment(at) for at in (restore.restored_to, *restore.then))
    return f"to {to}, noted by {restore.by} at {moment(restore.at)}: {restore.why} ({aside})"


def fault_in_words(fault: Fault) -> str:
    """Where it is, and what is wrong there."""
    if fault.chain is None and not fault.position and fault.entry_id is None:
        place = "anchors"
    elif fault.reason in OF_RESTORES:
        place = f"restore {fault.position}"
    elif fault.chain is None:
        place = f"anchor {fault.position}" if fault.entry_id is None else f"audit entry {fault.entry_id}"
    elif fault.chain.ledger is Ledger.NOTICE:
        place = f"notice version {fault.entry_id}"
    else:
        named = f"entry {fault.entry_id}" if fault.entry_id is not None else "an entry that is gone"
        place = f"{fault.chain.ledger.name.lower()} {named} (chain {fault.chain}, position {fault.position})"
    return f"{place}: {WORDS[fault.reason]}"
