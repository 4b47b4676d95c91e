"""What the formulas of a map are asked about: its steps, visits and hoped-for events, and how its days are cut."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.db import models

from channels.models import Message
from journeys.maps.steps import StepKey

_State = Message.State
SENT: Final = [state.value for state in (_State.SENT, _State.DELIVERED, _State.OPENED, _State.CLICKED)]


class Outcome(models.TextChoices):
    """What days are counted by, beside the reasons why messages were not sent."""

    SENT = "sent"
    VISITED = "visited"
    CONVERTED = "converted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Goal:
    """The expected action of a touchpoint: an event within so many days."""

    event: str
    days: int


@dataclass(frozen=True, slots=True)
class MapBasis:
    map_id: UUID
    brand_id: UUID
    zone: str
    steps: Mapping[StepKey, UUID]
    visits: Mapping[UUID, str]
    goals: Mapping[UUID, Goal]

    @property
    def longest_window(self) -> int:
        return max((goal.days for goal in self.goals.values()), default=0)

    def digest(self) -> str:
        """Changes whenever the same days would be counted otherwise."""
        told = (
            self.zone,
            sorted((str(journey), step, str(touchpoint)) for (journey, step), touchpoint in self.steps.items()),
            sorted((str(touchpoint), event) for touchpoint, event in self.visits.items()),
            sorted((str(touchpoint), goal.event, goal.days) for touchpoint, goal in self.goals.items()),
        )
        return sha256(repr(told).encode()).hexdigest()

    def parameters(self, since: datetime, until: datetime) -> dict[str, Any]:
        """What `WITH_CONTACTS` and its continuations bind."""
        return {
            "brand": self.brand_id,
            "zone": self.zone,
            "journeys": [journey for journey, _step in self.steps],
            "step_ids": [step for _journey, step in self.steps],
            "step_touchpoints": list(self.steps.values()),
            "visit_touchpoints": list(self.visits),
            "visit_names": list(self.visits.values()),
            "goal_touchpoints": list(self.goals),
            "goal_names": [goal.event for goal in self.goals.values()],
            "goal_days": [goal.days for goal in self.goals.values()],
            "since": since,
            "until": until,
            "sent": SENT,
        }


# `step` and `visit` say what realises which touchpoint.
WITH_BASIS: Final = """
    WITH step (journey_id, step_id, touchpoint_id) AS (
        SELECT * FROM unnest(%(journeys)s::uuid[], %(step_ids)s::text[], %(step_touchpoints)s::uuid[])
    ), visit (touchpoint_id, name) AS (
        SELECT * FROM unnest(%(visit_touchpoints)s::uuid[], %(visit_names)s::text[])
    ), goal (touchpoint_id, name, days) AS (
        SELECT * FROM unnest(%(goal_touchpoints)s::uuid[], %(goal_names)s::text[], %(goal_days)s::int[])
    )
"""

# A contact: somebody was sent a message of a touchpoint's step, or came to where its visits are told by an event.
WITH_CONTACTS: Final = (
    WITH_BASIS
    + """, contact (touchpoint_id, profile_id, at, outcome) AS (
        SELECT step.touchpoint_id, m.profile_id, m.settled_at, 'sent'
        FROM channels_message m JOIN step ON step.journey_id = m.scope_id AND step.step_id = m.step_id
        WHERE m.scope_id = ANY(%(journeys)s::uuid[]) AND m.settled_at BETWEEN %(since)s AND %(until)s
          AND m.state = ANY(%(sent)s)
        UNION ALL
        SELECT visit.touchpoint_id, e.profile_id, e.occurred_at, 'visited'
        FROM visit JOIN customers_event e ON e.name = visit.name
        WHERE e.brand_id = %(brand)s AND e.occurred_at BETWEEN %(since)s AND %(until)s
          -- What occurred was heard of later, give or take a clock: no need to look at older partitions.
          AND e.received_at > %(since)s - interval '1 day'
    )
"""
)
