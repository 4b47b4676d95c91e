"""Notices: what people were shown when they were asked, in the words of then."""

from collections.abc import Iterator
from typing import Final

from consent.anchors.notices import published
from consent.anchors.records import Chain, Ledger
from consent.verify.consents import Tally
from consent.verify.fault import Fault, Reason
from consent.verify.witnesses import Witnesses
from customers.pg import raw_cursor

_LAST: Final = Chain(Ledger.NOTICE, b"\xff" * 16)
# One look into an index for each version, however many entries cite it.
_CITED: Final = """
    WITH RECURSIVE cited AS (
        SELECT min(notice_version_id) AS id FROM consent_consententry
        UNION ALL
        SELECT (SELECT min(e.notice_version_id) FROM consent_consententry e WHERE e.notice_version_id > cited.id)
        FROM cited WHERE cited.id IS NOT NULL
    )
    SELECT id FROM cited WHERE id IS NOT NULL
"""


def verify_notices(witnesses: Witnesses) -> Iterator[Tally]:
    """Go through all published versions; each is a chain of one entry."""
    anchored = witnesses.up_to(_LAST)
    with raw_cursor() as cursor:
        # In this order: what is published and cited meanwhile is not missing.
        cited = {version_id for (version_id,) in cursor.execute(_CITED).fetchall()}
        there = {one.version_id: one for one in published(cursor)}
    seen = {int.from_bytes(chain.key, "big"): by_position[1].digest for chain, by_position in anchored.items()}
    faults = [_fault(Reason.NOTICE_GONE, gone) for gone in sorted((cited | seen.keys()) - there.keys())]
    for version_id, one in there.items():
        if not one.is_sealed or seen.get(version_id, one.digest) != one.digest:
            faults.append(_fault(Reason.NOTICE, version_id))
    yield Tally(chains=len(there), entries=len(there), faults=faults)


def _fault(reason: Reason, version_id: int) -> Fault:
    return Fault(reason, Chain.of_notice(version_id), 1, version_id)
