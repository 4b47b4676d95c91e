"""Message steps passed = visits to them that made a message: nothing asked for was dropped, nothing made unasked."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Equation, Part
from analytics.metrics.period import ALWAYS, COHORT, MOVES, Period, messages_of, parameters
from analytics.metrics.query import rows
from journeys.models import BROKEN_OFF
from journeys.steps.base import step_types

LABEL = _("Message steps passed")
DEFINITION = _(
    "Transitions by which runs went on from a step that sends, from their history; beside them the visits for which "
    "the outbox holds at least one message, sent or not. The two sides come from different tables."
)

_SQL = f"""
    WITH {COHORT}, sending AS (
        SELECT v.id AS version_id, s.position - 1 AS step
        FROM journeys_journeyversion v
        CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s(definition, position)
        WHERE v.journey_id = %(journey)s AND s.definition ->> 'type' = ANY(%(sending)s)
    )
    SELECT (SELECT count(*) FROM {MOVES}
            JOIN sending ON sending.version_id = t.left_version AND sending.step = t.step_from
            WHERE NOT t.cause = ANY(%(broken_off)s)),
           (SELECT count(DISTINCT (m.origin_id, m.visit)) FROM {{messages}})
"""


def message_steps_passed(journey_id: UUID, period: Period = ALWAYS) -> Equation:
    """How often runs of the journey passed a step that sends, and how often that left a message."""
    values = parameters(
        journey_id,
        period,
        sending=[type_ for type_, step in step_types().items() if step.sends_message],
        broken_off=[cause.value for cause in BROKEN_OFF],
    )
    [(total, made)] = rows(_SQL.format(messages=messages_of(period)), values)
    part = Part("with_message", _("visits with a message"), made)
    return Equation("message_steps_passed", LABEL, DEFINITION, total, (part,))
