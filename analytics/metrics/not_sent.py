"""Not sent, by reason: what became of the messages that were asked for and did not go out."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Part
from analytics.metrics.period import ALWAYS, COHORT, Period, messages_of, parameters
from analytics.metrics.query import rows
from channels.models import Reason

LABEL = _("Messages not sent")
DEFINITION = _(
    "Messages of the journey that are settled and were not handed over (suppressed, cancelled, expired, failed), by "
    "the reason that was recorded."
)

_SQL = f"""
    WITH {COHORT}
    SELECT m.reason, count(*) FROM {{messages}}
    WHERE m.state IN ('suppressed', 'cancelled', 'expired', 'failed') GROUP BY 1 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class NotSent:
    label: str | Promise
    definition: str | Promise
    by_reason: tuple[Part, ...]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.by_reason)


def not_sent(journey_id: UUID, period: Period = ALWAYS) -> NotSent:
    """The most frequent reason first."""
    labels = dict(Reason.choices)
    found = rows(_SQL.format(messages=messages_of(period)), parameters(journey_id, period))
    return NotSent(LABEL, DEFINITION, tuple(Part(reason, labels.get(reason, reason), count) for reason, count in found))
