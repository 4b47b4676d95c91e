"""What the page of a broadcast shows beside its form: what is in its way, how far it is, how its pilot fared."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext

from channels.broadcasts import pilot, timing
from channels.broadcasts.check import problems
from channels.broadcasts.estimate import Estimate, estimate
from channels.broadcasts.pilot import WHATS, fared, limits
from channels.broadcasts.states import OVER, UNDER_WAY, State
from channels.broadcasts.tally import Numbers, messages_by_state, numbers
from channels.broadcasts.turn import SEGMENT_GONE
from channels.models import Broadcast, BroadcastRecipient, Message, SendStop
from customers import clock
from customers.segments.telling import coarse_words
from customers.visibility import sees_pii

Outcome = BroadcastRecipient.Outcome
_GOOD: Final = frozenset(("sent", "delivered", "opened", "clicked"))
_RATES: Final = ("delivered", "opened", "clicked", "bounced", "complained", "unsubscribed")
_MOVES: Final = 50


def context(request: HttpRequest, broadcast: Broadcast, *, may_send: bool) -> dict[str, Any]:
    """All of it, by the state."""
    state = broadcast.state
    found: dict[str, Any] = {
        "may_send": may_send,
        "moves": _moves(broadcast),
        "is_draft": state == State.DRAFT,
        "is_over": state in OVER,
        "may_pause": may_send and state in UNDER_WAY,
        "may_resume": may_send and state == State.PAUSED,
        "may_stop": may_send and state not in (*OVER, State.DRAFT),
        "may_take_back": may_send and state == State.SCHEDULED,
    }
    if state == State.DRAFT:
        return found | _before(request, broadcast)
    return found | progress(request, broadcast)


def _before(request: HttpRequest, broadcast: Broadcast) -> dict[str, Any]:
    now = clock.utcnow()
    told = problems(broadcast, now)
    wanted = "estimate" in request.GET
    return {
        "problems": told,
        "may_start": not any(problem.stops for problem in told),
        "estimate": _estimated(request, broadcast, estimate(broadcast, now)) if wanted else None,
    }


def _estimated(request: HttpRequest, broadcast: Broadcast, found: Estimate) -> dict[str, Any]:
    tell = _teller(request, broadcast)
    rows = [
        (gettext("in the segment"), tell(found.members)),
        (gettext("asked, drawn by lot") if found.is_sample else gettext("asked"), tell(found.looked_at)),
        (gettext("with an address for the channel"), tell(found.with_address)),
        (gettext("of them may be written to"), tell(found.permitted)),
        *((outcome_words(reason), tell(count)) for reason, count in found.reasons.items()),
    ]
    return {"rows": rows, "would": tell(found.would_get_it), "is_sample": found.is_sample}


def progress(request: HttpRequest, broadcast: Broadcast) -> dict[str, Any]:
    """What the page renews by itself."""
    all_ = numbers(broadcast.pk)
    done = all_.recipients - all_.waiting
    tell = _teller(request, broadcast)
    by_state = messages_by_state(broadcast.pk)
    return {
        "percent": int(100 * done / all_.recipients) if all_.recipients else (100 if broadcast.ended_at else 0),
        "recipients": _recipients(broadcast, all_, tell),
        "by_state": _messages(broadcast, by_state, tell),
        "is_over": broadcast.state in OVER and (broadcast.is_cleared or broadcast.state == State.DONE),
        "stopped": SendStop.objects.filter(scope_id=broadcast.pk, released_at=None).exclude(
            reason__in=("paused", "stopped")
        ).first(),
        "pilot": _pilot(broadcast, tell) if broadcast.pilot_percent else None,
        "is_asked": broadcast.state == State.WAITING,
        "last_due": _last_due(broadcast),
    }  # fmt: skip


def _teller(request: HttpRequest, broadcast: Broadcast) -> Any:
    """Of a segment that tells personal data, numbers are coarse for who does not read it."""
    if broadcast.segment.is_personal and not sees_pii(request.user, broadcast.brand_id):
        return coarse_words
    return lambda number: number_format(number, force_grouping=True)


def _recipients(broadcast: Broadcast, all_: Numbers, tell: Any) -> list[tuple[str, str, str]]:
    """Name, number, and where they are listed: they add up."""
    rows = [(gettext("recipients"), tell(all_.recipients), _listed(broadcast, None))]
    rows.append((gettext("waiting"), tell(all_.waiting), _listed(broadcast, "")))
    rows.append((gettext("written to"), tell(all_.made), _listed(broadcast, Outcome.MADE)))
    rows += [
        (gettext("not written to: %(reason)s") % {"reason": outcome_words(code)}, tell(count), _listed(broadcast, code))
        for code, count in all_.refused.items()
    ]
    return rows


def _messages(broadcast: Broadcast, by_state: Mapping[str, int], tell: Any) -> list[tuple[str, str, str]]:
    address = reverse("admin:channels_message_changelist")
    return [
        (
            str(Message.State(state).label),
            tell(by_state[state]),
            f"{address}?{urlencode({'scope': broadcast.pk, 'state__exact': state})}",
        )
        for state in Message.State.values
        if by_state.get(state)
    ]


def _listed(broadcast: Broadcast, outcome: str | None) -> str:
    asked = {"broadcast": str(broadcast.pk)} | ({} if outcome is None else {"outcome": outcome or "waiting"})
    return f"{reverse('admin:channels_broadcastrecipient_changelist')}?{urlencode(asked)}"


def _pilot(broadcast: Broadcast, tell: Any) -> dict[str, Any]:
    """How the group's messages fare, against the author's limits; when it is decided."""
    found, group = fared(broadcast.pk), numbers(broadcast.pk, pilot_only=True)
    held = {limit.what: limit for limit in limits(broadcast, found)}
    # As long as any of them waits, nobody knows.
    over = None if found.waiting else broadcast.pilot_over_at
    until = over + broadcast.pilot_wait if over else None
    return {
        "recipients": tell(group.recipients),
        "handed_over": tell(found.handed_over),
        "waiting": tell(found.waiting),
        "rates": [(WHATS[what], tell(getattr(found, what)), found.rate(what), held.get(what)) for what in _RATES],
        "until": until,
        "is_time": until is not None and until <= clock.utcnow(),
        "verdict": broadcast.get_pilot_verdict_display(),
    }


def _last_due(broadcast: Broadcast) -> Any:
    """When the last place has its time, of one that goes by the clocks of its people."""
    if broadcast.when != Broadcast.When.LOCAL or not broadcast.zones:
        return None
    return max(timing.dues(broadcast, is_pilot=False))


def _moves(broadcast: Broadcast) -> Iterable[dict[str, Any]]:
    rows = broadcast.moves.select_related("by").order_by("-id")[:_MOVES]
    return [
        {
            "at": one.at,
            "by": one.by or (gettext("a partner") if one.token_id else gettext("by itself")),
            "to": one.get_state_to_display(),
            "reason": move_words(one.reason),
        }
        for one in rows
    ]


def move_words(reason: str) -> str:
    if reason == SEGMENT_GONE:
        return gettext("its segment was gone")
    return str(pilot.REASONS.get(reason, reason))


def outcome_words(code: str) -> str:
    return str(Outcome(code).label) if code in Outcome.values else code
