"""Permission, asked before every attempt: what is known of whoever withdrew since they came in is told to nobody."""

from collections.abc import Sequence
from datetime import datetime

from consent.permission import choose_addresses
from journeys.compiling import version
from journeys.engine import permitted
from journeys.engine.calls.claim import Claimed


def not_permitted(calls: Sequence[Claimed], now: datetime) -> dict[int, int | None]:
    """The calls that may not be made any more, each with the ledger entry that says so; two statements for all.

    Who is nobody's profile any more permits nothing.
    """
    guarded = [(call, version(call.version_id)) for call in calls]
    guarded = [(call, of) for call, of in guarded if of.entry_guard]
    wants = {call.id: permitted.wants(call.customer_id, of) for call, of in guarded if call.customer_id}
    asked = list(dict.fromkeys(want for of_call in wants.values() for want in of_call))
    best = {want: choices[0].verdict for want, choices in zip(asked, choose_addresses(asked, now), strict=True)}
    found: dict[int, int | None] = {}
    for call, of in guarded:
        if call.id not in wants:
            found[call.id] = None
            continue
        objection = permitted.objection(of, [best[want] for want in wants[call.id]])
        if objection is not None:
            found[call.id] = objection[1]
    return found
