"""A journey's numbers at a glance, as data and as text."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from textwrap import fill
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from analytics.metrics import branches
from analytics.metrics.branches import branch_distribution
from analytics.metrics.calls_made import CallsMade, calls_made
from analytics.metrics.endings import Endings, endings
from analytics.metrics.equation import Equation, Part
from analytics.metrics.event_latency import EventLatency, event_latency
from analytics.metrics.hold_conversion import HoldConversions, hold_conversion
from analytics.metrics.journey_errors import JourneyErrors, journey_errors
from analytics.metrics.live_runs import LiveRuns, live_runs
from analytics.metrics.message_steps_passed import message_steps_passed
from analytics.metrics.message_variants import MessageVariants, message_variants
from analytics.metrics.messages_created import messages_created
from analytics.metrics.not_sent import NotSent, not_sent
from analytics.metrics.period import ALWAYS, Period
from analytics.metrics.refused_entries import RefusedEntries, refused_entries
from analytics.metrics.runs_entered import runs_entered
from analytics.metrics.time_in_state import TimeInState, time_in_state
from analytics.metrics.ways import partings
from analytics.why.rules import in_words
from journeys.models import JourneyVersion

Text = str | Promise


@dataclass(frozen=True, slots=True)
class JourneyNumbers:
    period: Period
    sums: tuple[Equation, ...]
    endings: Endings
    refused: RefusedEntries
    live: LiveRuns
    branches: tuple[Equation, ...]
    holds: HoldConversions
    not_sent: NotSent
    errors: JourneyErrors
    calls: CallsMade
    variants: MessageVariants
    latency: EventLatency
    stays: TimeInState

    @property
    def broken(self) -> list[Equation]:
        return [one for one in (*self.sums, *self.branches) if not one.holds]


def journey_numbers(journey_id: UUID, period: Period = ALWAYS) -> JourneyNumbers:
    """Each number is counted at one moment; on a journey at work they may be of moments a little apart."""
    ways = partings(journey_id, period)
    return JourneyNumbers(
        period=period,
        sums=(
            runs_entered(journey_id, period),
            messages_created(journey_id, period),
            message_steps_passed(journey_id, period),
        ),
        endings=endings(journey_id, period),
        refused=refused_entries(journey_id, period),
        live=live_runs(journey_id, period),
        branches=branch_distribution(ways, _branch_names(journey_id)),
        holds=hold_conversion(ways),
        not_sent=not_sent(journey_id, period),
        errors=journey_errors(journey_id, period),
        calls=calls_made(journey_id, period),
        variants=message_variants(journey_id, period),
        latency=event_latency(journey_id, period),
        stays=time_in_state(journey_id, period),
    )


def _branch_names(journey_id: UUID) -> dict[tuple[str, int], str]:
    """What each branch waits for or asks, as the latest version that has it says."""
    names = {}
    versions = JourneyVersion.objects.filter(journey_id=journey_id).order_by("number")
    for definition in versions.values_list("definition", flat=True):
        for step in definition["steps"]:
            for number, branch in enumerate(step.get("branches") or ()):
                names[step["id"], number] = branch.get("event") or in_words(branch.get("rule"))
            for number, arm in enumerate(step.get("arms") or ()):
                names[step["id"], number] = arm["name"]
    return names


def as_json(numbers: JourneyNumbers) -> dict[str, Any]:
    """Plain data; durations are seconds."""
    latency, stays = numbers.latency, numbers.stays
    return {
        "sums": {one.key: _sum_json(one) for one in numbers.sums},
        "endings": {
            "definition": str(numbers.endings.definition),
            "endings": [
                {"kind": one.kind, "state": one.state, "outcome": one.outcome, "runs": one.runs}
                for one in numbers.endings.endings
            ],
        },
        "refused_entries": _parts_json(numbers.refused.definition, "by_reason", numbers.refused.by_reason),
        "live_runs": {
            "definition": str(numbers.live.definition),
            "standing": [{"step": one.step, "state": one.state, "runs": one.runs} for one in numbers.live.standing],
        },
        "branches": {one.key: _sum_json(one) for one in numbers.branches},
        "hold_conversion": {
            "definition": str(numbers.holds.definition),
            "holds": [
                {
                    "step": one.step,
                    "by_event": one.by_event,
                    "over": one.over,
                    "waiting": one.waiting,
                    "share": one.share,
                }
                for one in numbers.holds.holds
            ],
        },
        "not_sent": _parts_json(numbers.not_sent.definition, "by_reason", numbers.not_sent.by_reason),
        "errors": _parts_json(numbers.errors.definition, "by_kind", numbers.errors.by_kind),
        "calls": _parts_json(numbers.calls.definition, "by_outcome", numbers.calls.by_outcome),
        "message_variants": {
            "definition": str(numbers.variants.definition),
            "variants": [asdict(one) for one in numbers.variants.variants],
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


def _sum_json(one: Equation) -> dict[str, Any]:
    return {
        "definition": str(one.definition),
        "total": one.total,
        "parts": {part.key: part.count for part in one.parts},
        "holds": one.holds,
    }


def _parts_json(definition: Text, name: str, parts: tuple[Part, ...]) -> dict[str, Any]:
    return {"definition": str(definition), name: {part.key: part.count for part in parts}}


def as_text(numbers: JourneyNumbers) -> str:
    """Headings with their definitions, and the numbers in columns below."""
    return "\n".join(_lines(numbers))


def _lines(numbers: JourneyNumbers) -> Iterator[str]:
    for one in numbers.sums:
        yield from _heading(one.label, one.definition)
        yield from _sum_rows(one)
    yield from _heading(numbers.endings.label, numbers.endings.definition)
    yield from (_row(part.label, part.count) for part in numbers.endings.parts)
    for counted in (numbers.refused, numbers.not_sent):
        yield from _heading(counted.label, counted.definition)
        yield from (_row(part.label, part.count) for part in counted.by_reason)
    yield from _heading(numbers.errors.label, numbers.errors.definition)
    yield from (_row(part.label, part.count) for part in numbers.errors.by_kind)
    yield from _heading(numbers.calls.label, numbers.calls.definition)
    yield from (_row(part.label, part.count) for part in numbers.calls.by_outcome)
    yield from _variant_lines(numbers)
    yield from _heading(numbers.live.label, numbers.live.definition)
    yield from (_row(one.step, one.runs, f"({one.state})") for one in numbers.live.standing)
    yield from _way_lines(numbers)
    yield from _time_lines(numbers)


def _variant_lines(numbers: JourneyNumbers) -> Iterator[str]:
    if not numbers.variants.variants:
        return
    yield from _heading(numbers.variants.label, numbers.variants.definition)
    for one in numbers.variants.variants:
        beside = _("({sent} sent, {delivered} delivered, {opened} opened, {clicked} clicked)")
        yield _row(f"{one.step}: {one.variant}", one.asked, beside.format(**asdict(one)))


def _way_lines(numbers: JourneyNumbers) -> Iterator[str]:
    yield from _heading(branches.LABEL, branches.DEFINITION)
    for one in numbers.branches:
        yield f"  {one.label}"
        yield from _sum_rows(one)
    yield from _heading(numbers.holds.label, numbers.holds.definition)
    for hold in numbers.holds.holds:
        beside = _("({by_event} of {over}, {waiting} wait)")
        share = "–" if hold.share is None else f"{hold.share:.1%}"
        yield _row(hold.step, share, beside.format(by_event=hold.by_event, over=hold.over, waiting=hold.waiting))


def _time_lines(numbers: JourneyNumbers) -> Iterator[str]:
    latency = numbers.latency
    yield from _heading(latency.label, latency.definition)
    yield _row(_("events"), latency.events)
    yield _row(_("occurred to decided"), _span(latency.occurred_to_decided))
    yield _row(_("received to decided"), _span(latency.received_to_decided))
    yield from _heading(numbers.stays.label, numbers.stays.definition)
    for state in numbers.stays.states:
        beside = _("({finished} finished, {standing} there now)")
        yield _row(state.state, _span(state.p75), beside.format(finished=state.finished, standing=state.standing))


def _sum_rows(one: Equation) -> Iterator[str]:
    holds = _("holds") if one.holds else _("DOES NOT HOLD")
    yield _row(_("total"), one.total, f"({holds})")
    yield from (_row(part.label, part.count) for part in one.parts)


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
