"""Message steps passed = visits to them that made a message: nothing asked for was dropped, nothing made unasked."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Equation, Part
from analytics.metrics.query import rows
from channels.models import Message
from journeys.models import Cause
from journeys.steps.base import step_types

LABEL = _("Message steps passed")
DEFINITION = _(
    "Transitions by which runs went on from a step that sends, from their history; beside them the visits for which "
    "the outbox holds at least one message, sent or not. The two sides come from different tables."
)

# A run that leaves a step by one of these did not do what the step does.
_BROKEN_OFF = (Cause.EXIT, Cause.MERGED, Cause.FAILED)
_SQL = """
    WITH sending AS (
        SELECT v.id AS version_id, s.position - 1 AS step
        FROM journeys_journeyversion v
        CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s(definition, position)
        WHERE v.journey_id = %s AND s.definition ->> 'type' = ANY(%s)
    )
    SELECT (SELECT count(*) FROM journeys_run r
            JOIN sending ON sending.version_id = r.version_id
            JOIN journeys_transition t ON t.run_id = r.id AND t.step_from = sending.step
            WHERE r.journey_id = %s AND NOT t.cause = ANY(%s)),
           (SELECT count(DISTINCT (m.origin_id, m.visit)) FROM channels_message m
            WHERE m.scope_id = %s AND m.origin_kind = %s)
"""


def message_steps_passed(journey_id: UUID) -> Equation:
    """How often runs of the journey passed a step that sends, and how often that left a message."""
    sending = [type_ for type_, step in step_types().items() if step.sends_message]
    broken_off = [cause.value for cause in _BROKEN_OFF]
    run = Message.Origin.RUN.value
    [(total, made)] = rows(_SQL, [journey_id, sending, journey_id, broken_off, journey_id, run])
    part = Part("with_message", _("visits with a message"), made)
    return Equation("message_steps_passed", LABEL, DEFINITION, total, (part,))
