"""Whether somebody permits what a journey is for: its guard, asked at entry, and again before other systems are asked
about them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from consent.decision import Verdict
from consent.permission import Want
from journeys.models import EntryRefusal
from journeys.version import Version

Reason = EntryRefusal.Reason


def wants(customer: UUID, of: Version) -> list[Want]:
    return [Want(customer, *guarded) for guarded in sorted(of.entry_guard)]


def refusal(of: Version, verdicts: Sequence[Verdict]) -> tuple[Reason, int | None] | None:
    """Why not, with the ledger entry that says so; by the verdicts on the best address of each want."""
    if not verdicts:
        return None
    refused = [verdict for verdict in verdicts if not verdict.allowed]
    enough = all if of.definition.entry.guard == "all" else any
    if enough(verdict.allowed for verdict in verdicts):
        return None
    if enough(verdict.allowed or verdict.reason == Reason.PAUSED for verdict in verdicts):
        return Reason.PAUSED, next(one.entry_id for one in refused if one.reason == Reason.PAUSED)
    no_address = all(verdict.reason == Reason.NO_ADDRESS for verdict in refused)
    return (Reason.NO_ADDRESS if no_address else Reason.NO_CONSENT), refused[0].entry_id


def objection(of: Version, verdicts: Sequence[Verdict]) -> tuple[Reason, int | None] | None:
    """Why nobody may be told of them, if so: a pause is of messages, and no objection."""
    found = refusal(of, verdicts)
    return None if found is not None and found[0] == Reason.PAUSED else found


def granting(verdicts: Iterable[Verdict]) -> int | None:
    """The ledger entry that lets them in."""
    return next((verdict.entry_id for verdict in verdicts if verdict.allowed and verdict.entry_id), None)
