"""A journey's numbers at a glance, as data and as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from textwrap import fill
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from analytics.metrics.equation import Equation
from analytics.metrics.event_latency import EventLatency, event_latency
from analytics.metrics.message_steps_passed import message_steps_passed
from analytics.metrics.messages_created import messages_created
from analytics.metrics.refused_entries import RefusedEntries, refused_entries
from analytics.metrics.runs_entered import runs_entered
from analytics.metrics.time_in_state import TimeInState, time_in_state

Text = str | Promise


@dataclass(frozen=True, slots=True)
class JourneyNumbers:
    sums: tuple[Equation, ...]
    refused: RefusedEntries
    latency: EventLatency
    stays: TimeInState

    @property
    def broken(self) -> list[Equation]:
        return [one for one in self.sums if not one.holds]


def journey_numbers(journey_id: UUID) -> JourneyNumbers:
    """Each number is counted at one moment; on a journey at work they may be of moments a little apart."""
    return JourneyNumbers(
        sums=(runs_entered(journey_id), messages_created(journey_id), message_steps_passed(journey_id)),
        refused=refused_entries(journey_id),
        latency=event_latency(journey_id),
        stays=time_in_state(journey_id),
    )


def as_json(numbers: JourneyNumbers) -> dict[str, Any]:
    """Plain data; durations are seconds."""
    latency, stays = numbers.latency, numbers.stays
    return {
        "sums": {
            one.key: {
                "definition": str(one.definition),
                "total": one.total,
                "parts": {part.key: part.count for part in one.parts},
                "holds": one.holds,
            }
            for one in numbers.sums
        },
        "refused_entries": {
            "definition": str(numbers.refused.definition),
            "by_reason": {part.key: part.count for part in numbers.refused.by_reason},
        },
        "event_latency": {
            "definition": str(latency.definition),
            "events": latency.events,
            "occurred_to_decided_p95": _seconds(latency.occurred_to_decided),
            "received_to_decided_p95": _seconds(latency.received_to_decided),
        },
        "time_in_state": {
            "definition": str(stays.definition),
            "states": [
                {
                    "state": one.state,
                    "kind": one.kind,
                    "standing": one.standing,
                    "finished": one.finished,
                    "p75": _seconds(one.p75),
                }
                for one in stays.states
            ],
        },
    }


def as_text(numbers: JourneyNumbers) -> str:
    """Headings with their definitions, and the numbers in columns below."""
    return "\n".join(_lines(numbers))


def _lines(numbers: JourneyNumbers) -> Iterator[str]:
    for one in numbers.sums:
        yield from _heading(one.label, one.definition)
        verdict = _("holds") if one.holds else _("DOES NOT HOLD")
        yield _row(_("total"), one.total, f"({verdict})")
        yield from (_row(part.label, part.count) for part in one.parts)
    yield from _heading(numbers.refused.label, numbers.refused.definition)
    yield from (_row(part.label, part.count) for part in numbers.refused.by_reason)
    latency = numbers.latency
    yield from _heading(latency.label, latency.definition)
    yield _row(_("events"), latency.events)
    yield _row(_("occurred to decided"), _span(latency.occurred_to_decided))
    yield _row(_("received to decided"), _span(latency.received_to_decided))
    yield from _heading(numbers.stays.label, numbers.stays.definition)
    for state in numbers.stays.states:
        beside = _("({finished} finished, {standing} there now)")
        yield _row(state.state, _span(state.p75), beside.format(finished=state.finished, standing=state.standing))


def _heading(label: Text, definition: Text) -> Iterator[str]:
    yield from ("", str(label), fill(str(definition), 100, initial_indent="  ", subsequent_indent="  "))


def _row(label: Text, value: object, beside: str = "") -> str:
    return f"    {label!s:<36}{value!s:>16} {beside}".rstrip()


def _span(span: timedelta | None) -> str:
    if span is None:
        return "–"
    return f"{span.total_seconds():.3f} s" if abs(span) < timedelta(minutes=1) else str(span).partition(".")[0]


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
