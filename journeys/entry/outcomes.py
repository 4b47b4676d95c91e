"""What came of a call: how many were called, let in, and refused by which reason."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.utils.formats import number_format

from customers.models import Job, Segment
from customers.pg import raw_cursor
from customers.segments.telling import coarse_words
from journeys.models import EntryRefusal, Journey

_LET_IN: Final = """
    SELECT count(*) FROM journeys_run r JOIN journeys_runcontext c ON c.run_id = r.id
    WHERE r.journey_id = %b AND r.entered_at >= %b AND c.message_id LIKE %b
"""
_REFUSED: Final = """
    SELECT f.reason, count(*) FROM journeys_entryrefusal f
    JOIN customers_event e ON e.id = f.event_id AND e.received_at = f.event_received_at
    WHERE f.journey_id = %b AND f.at >= %b AND e.message_id LIKE %b GROUP BY f.reason ORDER BY 2 DESC, 1
"""


class Outcome(NamedTuple):
    job: Job
    let_in: int
    # Reasons in words, with how many.
    refused: list[tuple[str, int]]
    # Whether whoever looks is to know no more of a segment than about how many are in it.
    is_coarse: bool = False

    @property
    def called_words(self) -> str:
        if self.is_coarse or self.job.total is None:
            return self._words(self.job.done)
        return f"{self._words(self.job.done)} / {self._words(self.job.total)}"

    @property
    def let_in_words(self) -> str:
        return self._words(self.let_in)

    @property
    def refused_words(self) -> list[tuple[str, str]]:
        return [(reason, self._words(count)) for reason, count in self.refused]

    def _words(self, number: int) -> str:
        return coarse_words(number) if self.is_coarse else number_format(number, force_grouping=True)

    @property
    def undecided(self) -> int:
        """Called, and not looked at yet."""
        return max(self.job.done - self.let_in - sum(count for _reason, count in self.refused), 0)


def outcomes(journey: Journey, calls: Iterable[Job], *, reads_personal: bool) -> list[Outcome]:
    """Of these calls, for somebody who does or does not read personal data of the brand."""
    found = [outcome(journey, job) for job in calls]
    return found if reads_personal else _coarse(found)


def previews(looked: Iterable[Job], *, reads_personal: bool) -> list[Outcome]:
    """What calls would have come to when somebody looked."""
    found = []
    for job in looked:
        reasons = {reason: count for reason, count in job.report.items() if reason in EntryRefusal.Reason.values}
        named = [(str(EntryRefusal.Reason(reason).label), count) for reason, count in sorted(reasons.items())]
        found.append(Outcome(job, job.report.get("let_in", 0), named))
    return found if reads_personal else _coarse(found)


def _coarse(found: list[Outcome]) -> list[Outcome]:
    named = {one.job.arguments.get("segment") for one in found}
    rows = Segment.objects.filter(pk__in=named - {None}, is_personal=True).values_list("pk", flat=True)
    personal = {str(pk) for pk in rows}
    return [one._replace(is_coarse=_is_coarse(one.job, personal)) for one in found]


def _is_coarse(job: Job, personal: set[str]) -> bool:
    """Of a list of one person every number tells of that person."""
    return "list" in job.arguments or job.arguments.get("segment") in personal


def outcome(journey: Journey, job: Job) -> Outcome:
    values: list[Any] = [journey.pk, job.created_at, f"{job.pk}-%"]
    with raw_cursor() as cursor:
        row = cursor.execute(_LET_IN, values).fetchone()
        refused = cursor.execute(_REFUSED, values).fetchall()
    named = [(str(EntryRefusal.Reason(reason).label), count) for reason, count in refused]
    return Outcome(job, row[0] if row else 0, named)
