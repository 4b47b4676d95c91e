"""The pilot group: how its messages fared, held against the author's limits, and what follows from that."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.broadcasts.halt import is_in_outbox, stop
from channels.broadcasts.states import ITSELF, By, NotPossible, NotThere, State, move
from channels.models import Broadcast, BroadcastMove
from customers.pg import raw_cursor

# Withdrawn by a link in the message, or as its provider told.
_FARED: Final = """
    SELECT count(*) AS messages,
        count(*) FILTER (WHERE m.state IN ('queued', 'held', 'leased', 'dispatching')) AS waiting,
        count(*) FILTER (WHERE m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
            OR m.state = 'failed' AND m.reason = 'bounced') AS handed_over,
        count(*) FILTER (WHERE m.state IN ('delivered', 'opened', 'clicked')) AS delivered,
        count(*) FILTER (WHERE m.state IN ('opened', 'clicked')) AS opened,
        count(*) FILTER (WHERE m.state = 'clicked') AS clicked,
        count(*) FILTER (WHERE m.state = 'failed' AND m.reason = 'bounced') AS bounced,
        count(*) FILTER (WHERE told.complained) AS complained,
        count(*) FILTER (WHERE told.unsubscribed OR EXISTS (
            SELECT 1 FROM consent_consententry e
            WHERE e.address_id = m.address_id AND e.purpose_id = m.purpose_id AND e.message_id = m.id::text
              AND e.state = 'withdrawn'
        )) AS unsubscribed
    FROM channels_broadcastrecipient r
    JOIN channels_message m ON m.origin_kind = 'broadcast' AND m.origin_id = r.id::text
    LEFT JOIN LATERAL (
        SELECT bool_or(t.happened = 'complained') AS complained, bool_or(t.happened = 'unsubscribed') AS unsubscribed
        FROM channels_receipt t WHERE t.message_id = m.id
    ) told ON true
    WHERE r.broadcast_id = %b AND r.is_pilot AND r.outcome = 'made'
"""
# Of a broadcast that waits, whose messages are the pilot group's. What a late bounce has come to does not begin the
# wait anew.
_LAST_SETTLED: Final = """
    SELECT max(m.settled_at) FROM channels_message m
    WHERE m.scope_id = %b AND m.settled_at IS NOT NULL AND NOT (m.state = 'failed' AND m.reason = 'bounced')
"""


# Why it moved, as codes: who reads them has a language.
WITHIN: Final = "pilot_within_limits"
BEYOND: Final = "pilot_beyond_limits"
ASKED: Final = "pilot_asks_a_person"
NOBODY: Final = "pilot_reached_nobody"
REASONS: Final[Mapping[str, "str | Promise"]] = {
    WITHIN: gettext_lazy("the pilot group kept within the limits"),
    BEYOND: gettext_lazy("the pilot group did not keep within the limits"),
    ASKED: gettext_lazy("the pilot group did not keep within the limits: a person decides"),
    NOBODY: gettext_lazy("nothing was handed over to the pilot group: a person decides"),
}


@dataclass(frozen=True, slots=True)
class Fared:
    """Messages of the pilot group; of those that were handed over, the rates are in percent."""

    messages: int
    waiting: int
    handed_over: int
    delivered: int
    opened: int
    clicked: int
    bounced: int
    complained: int
    unsubscribed: int

    def rate(self, what: str) -> float:
        return 100 * float(getattr(self, what)) / self.handed_over if self.handed_over else 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of the author's, and whether it was kept. `field` names it at the broadcast."""

    field: str
    what: str
    wanted: float
    is_most: bool
    reached: float

    @property
    def is_kept(self) -> bool:
        return self.reached <= self.wanted if self.is_most else self.reached >= self.wanted


WHATS: Final[Mapping[str, "str | Promise"]] = {
    "delivered": gettext_lazy("delivered"),
    "opened": gettext_lazy("opened"),
    "clicked": gettext_lazy("clicked"),
    "bounced": gettext_lazy("bounced"),
    "complained": gettext_lazy("reported as spam"),
    "unsubscribed": gettext_lazy("unsubscribed"),
}
_LIMITS: Final = tuple(
    [(f"most_{what}", what, True) for what in ("bounced", "complained", "unsubscribed")]
    + [(f"least_{what}", what, False) for what in ("delivered", "opened", "clicked")]
)


def fared(broadcast_id: UUID) -> Fared:
    with raw_cursor() as cursor:
        row = cursor.execute(_FARED, [broadcast_id]).fetchone()
    return Fared(*(row or (0,) * 9))


def limits(broadcast: Broadcast, found: Fared) -> list[Limit]:
    """Those that the author set."""
    return list(_held_against(broadcast, found))


def _held_against(broadcast: Broadcast, found: Fared) -> Iterator[Limit]:
    for field, what, is_most in _LIMITS:
        wanted = getattr(broadcast, field)
        if wanted is not None:
            yield Limit(field, what, wanted, is_most, found.rate(what))


def decide(broadcast: Broadcast, now: datetime) -> bool:
    """What the author's rule says once the pilot group was waited for; False where there is nothing to decide yet, or
    a person is to."""
    if (
        broadcast.pilot_verdict == Broadcast.Verdict.PERSON
        or not _is_waited_for(broadcast, now)
        or was_asked(broadcast)
    ):
        return False
    found = fared(broadcast.pk)
    held = limits(broadcast, found)
    numbers = {**asdict(found), "limits": [_as_kept(limit) for limit in held]}
    if not found.handed_over:
        # That says nothing about the message.
        _ask(broadcast, now, NOBODY, numbers)
    elif all(limit.is_kept for limit in held):
        go_on(broadcast, now, why=WITHIN, numbers=numbers)
    elif broadcast.pilot_verdict == Broadcast.Verdict.ASK:
        _ask(broadcast, now, ASKED, numbers)
    else:
        stop(broadcast, ITSELF, now, why=BEYOND, numbers=numbers)
    return True


def go_on(
    broadcast: Broadcast, now: datetime, *, by: By = ITSELF, why: str = "", numbers: Mapping[str, Any] | None = None
) -> None:
    """Write to the others as well. Raises NotPossible."""
    kept = asdict(fared(broadcast.pk)) if numbers is None else numbers
    with transaction.atomic():
        try:
            move(broadcast.pk, State.SENDING, now, by=by, why=why, numbers=kept, begins=(State.WAITING,))
        except NotThere:
            raise NotPossible(_("It does not wait for a word on the pilot group.")) from None
        Broadcast.objects.filter(pk=broadcast.pk).update(decided_at=now)


def was_asked(broadcast: Broadcast) -> bool:
    """Whether the rule has left it to a person already."""
    asked = BroadcastMove.objects.filter(broadcast=broadcast, state_from=State.WAITING, state_to=State.WAITING)
    return asked.exists()


def _is_waited_for(broadcast: Broadcast, now: datetime) -> bool:
    """Whether none of the group's messages waits any more, and the last has had its time."""
    over = broadcast.pilot_over_at
    if over is None or now < over + broadcast.pilot_wait:
        return False
    with raw_cursor() as cursor:
        if is_in_outbox(cursor, broadcast):
            return False
        [[last]] = cursor.execute(_LAST_SETTLED, [broadcast.pk]).fetchall()
    if last is None or last <= over:
        return True
    # Kept, so that nothing is looked up until then.
    Broadcast.objects.filter(pk=broadcast.pk, state=State.WAITING).update(pilot_over_at=last)
    return bool(now >= last + broadcast.pilot_wait)


def _ask(broadcast: Broadcast, now: datetime, why: str, numbers: Mapping[str, Any]) -> None:
    move(broadcast.pk, State.WAITING, now, why=why, numbers=numbers, begins=(State.WAITING,))


def _as_kept(limit: Limit) -> dict[str, Any]:
    return asdict(limit) | {"is_kept": limit.is_kept}
