"""In which segments a customer is and was, with the rule by which they came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from analytics.timeline.entry import See
from customers.authoring.words import rule_words
from customers.models import Segment, SegmentMembership, SegmentVersion

_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Membership:
    """`rule` in words, as it was when they came; empty for a list. Of a segment that one may not see there is none."""

    row: SegmentMembership
    segment: Segment
    rule: str

    @property
    def is_over(self) -> bool:
        return self.row.left_at is not None


def memberships(customer_id: UUID, see: See) -> tuple[Membership, ...]:
    """Those that last, then the others, the newest first of each."""
    rows = list(see(SegmentMembership).filter(customer_id=customer_id).order_by("-entered_at", "-id")[:_MOST])
    segments = see(Segment).filter(pk__in={row.segment_id for row in rows}).select_related("brand").in_bulk()
    rules = _rules(rows, see)
    found = [
        Membership(row, segments[row.segment_id], rules.get((row.segment_id, row.rule_version), ""))
        for row in rows
        if row.segment_id in segments
    ]
    return tuple(sorted(found, key=lambda one: one.is_over))


def _rules(rows: Sequence[SegmentMembership], see: See) -> dict[tuple[UUID, int], str]:
    versions = see(SegmentVersion).filter(segment_id__in={row.segment_id for row in rows})
    versions = versions.filter(number__in={row.rule_version for row in rows})
    return {(one.segment_id, one.number): rule_words(one.rule) for one in versions}
