"""Messages by variant of their step: how many were asked for, sent, delivered, opened and clicked."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.period import ALWAYS, COHORT, MOVES, Period, parameters
from analytics.metrics.query import rows
from channels.models import Message
from journeys.models import Cause

LABEL = _("Messages by variant")
DEFINITION = _(
    "Messages of the steps that have variants, by the variant that the lot fell on when the run passed the step. Each "
    "count holds those that went further: who clicked is among those who opened. What was not sent is in the first "
    "count alone."
)

_State = Message.State
# Each stage with the states that are at it or beyond.
_REACHED: Final = {
    "sent": (_State.SENT, _State.DELIVERED, _State.OPENED, _State.CLICKED),
    "delivered": (_State.DELIVERED, _State.OPENED, _State.CLICKED),
    "opened": (_State.OPENED, _State.CLICKED),
    "clicked": (_State.CLICKED,),
}
_COUNTS: Final = ", ".join(f"count(*) FILTER (WHERE m.state = ANY(%({key})s))" for key in _REACHED)
# The move that left the step is the one after the visit which asked for the message.
_SQL: Final = f"""
    WITH {COHORT}, variant AS (
        SELECT v.id AS version_id, v.number, s.position - 1 AS step, s.definition ->> 'id' AS id,
               o.position - 1 AS branch, o.variant ->> 'key' AS key
        FROM journeys_journeyversion v
        CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s(definition, position)
        CROSS JOIN LATERAL jsonb_array_elements(s.definition -> 'variants') WITH ORDINALITY AS o(variant, position)
        WHERE v.journey_id = %(journey)s AND s.definition ? 'variants'
    ), passed AS MATERIALIZED (
        SELECT t.run_id, t.seq - 1 AS visit, o.id, o.key
        FROM {MOVES}
        JOIN variant o ON o.version_id = t.left_version AND o.step = t.step_from AND o.branch = t.branch
            AND t.cause = {Cause.CONTINUED.value}
    ), counted AS (
        SELECT p.id, p.key, count(*) AS asked, {_COUNTS}
        FROM passed p CROSS JOIN LATERAL (
            SELECT m.state FROM channels_message m
            WHERE m.origin_kind = 'run' AND m.origin_id = p.run_id::text AND m.visit = p.visit OFFSET 0
        ) m
        GROUP BY 1, 2
    ), place AS (
        SELECT id, key, max(ARRAY[number, -branch]) AS place FROM variant GROUP BY 1, 2
    )
    SELECT c.* FROM counted c JOIN place USING (id, key) ORDER BY c.id, place.place DESC, c.key
"""


@dataclass(frozen=True, slots=True)
class OfVariant:
    step: str
    variant: str
    asked: int
    sent: int
    delivered: int
    opened: int
    clicked: int


@dataclass(frozen=True, slots=True)
class MessageVariants:
    label: str | Promise
    definition: str | Promise
    variants: tuple[OfVariant, ...]


def message_variants(journey_id: UUID, period: Period = ALWAYS) -> MessageVariants:
    """By step, in the order in which its latest version has the variants."""
    states = {key: [state.value for state in states] for key, states in _REACHED.items()}
    found = rows(_SQL, parameters(journey_id, period, **states))
    return MessageVariants(LABEL, DEFINITION, tuple(OfVariant(*row) for row in found))
