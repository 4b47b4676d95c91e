"""Messages created = queued + held + leased + dispatching + sent and later + suppressed + failed + unknown
+ expired + cancelled (DESIGN §6)."""

from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Equation, Part
from analytics.metrics.period import ALWAYS, COHORT, Period, messages_of, parameters
from analytics.metrics.query import rows
from channels.models import Message

LABEL = _("Messages created")
DEFINITION = _(
    "Messages whose origin is a run of the journey; the parts are the messages filed under the journey, by their "
    "state now. Both sides read the outbox, by different columns: a message filed under another journey or in a "
    "state nobody knows breaks the sum. Whether a message was made at all is the next sum's question."
)

_State = Message.State
_PARTS: dict[str, tuple[str | Promise, tuple[_State, ...]]] = {
    "queued": (_State.QUEUED.label, (_State.QUEUED,)),
    "held": (_State.HELD.label, (_State.HELD,)),
    "leased": (_State.LEASED.label, (_State.LEASED,)),
    "dispatching": (_State.DISPATCHING.label, (_State.DISPATCHING,)),
    "sent": (_("sent and later"), (_State.SENT, _State.DELIVERED, _State.OPENED, _State.CLICKED)),
    "suppressed": (_State.SUPPRESSED.label, (_State.SUPPRESSED,)),
    "failed": (_State.FAILED.label, (_State.FAILED,)),
    "unknown": (_State.UNKNOWN.label, (_State.UNKNOWN,)),
    "expired": (_State.EXPIRED.label, (_State.EXPIRED,)),
    "cancelled": (_State.CANCELLED.label, (_State.CANCELLED,)),
}
_COUNTS = ", ".join(f"count(*) FILTER (WHERE m.state = ANY(%({key})s))" for key in _PARTS)
_SQL = f"""
    WITH {COHORT}
    SELECT (SELECT count(*) FROM cohort c CROSS JOIN LATERAL (
                SELECT 1 FROM channels_message m WHERE m.origin_id = c.id::text AND m.origin_kind = 'run' OFFSET 0
            ) m), {_COUNTS}
    FROM {{messages}}
"""


def messages_created(journey_id: UUID, period: Period = ALWAYS) -> Equation:
    """How many messages the journey's runs asked for, and what became of them."""
    states = {key: [state.value for state in states] for key, (_label, states) in _PARTS.items()}
    sql = _SQL.format(messages=messages_of(period))
    [(total, *counts)] = rows(sql, parameters(journey_id, period, **states))
    parts = tuple(
        Part(key, label, count) for (key, (label, _states)), count in zip(_PARTS.items(), counts, strict=True)
    )
    return Equation("messages_created", LABEL, DEFINITION, total, parts)
