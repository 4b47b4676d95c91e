"""Messages created = queued + held + leased + dispatching + sent and later + suppressed + failed + unknown
+ expired + cancelled (DESIGN §6)."""

from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Equation, Part
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
_COUNTS = ", ".join("count(*) FILTER (WHERE m.state = ANY(%s))" for _key in _PARTS)
_SQL = f"""
    SELECT (SELECT count(*) FROM journeys_run r
            JOIN channels_message m ON m.origin_id = r.id::text AND m.origin_kind = %s
            WHERE r.journey_id = %s), {_COUNTS}
    FROM channels_message m WHERE m.scope_id = %s AND m.origin_kind = %s
"""


def messages_created(journey_id: UUID) -> Equation:
    """How many messages the journey's runs asked for, and what became of them."""
    run = Message.Origin.RUN.value
    states = [[state.value for state in states] for _label, states in _PARTS.values()]
    [(total, *counts)] = rows(_SQL, [run, journey_id, *states, journey_id, run])
    parts = tuple(
        Part(key, label, count) for (key, (label, _states)), count in zip(_PARTS.items(), counts, strict=True)
    )
    return Equation("messages_created", LABEL, DEFINITION, total, parts)
