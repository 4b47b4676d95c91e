"""What simulations found, side by side: a row a count, a column a version."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from channels.models import Reason
from journeys.models import Cause, EntryRefusal, Run
from journeys.models.simulation import label_of
from journeys.simulation.unknown import in_words

Results = Mapping[str, Mapping[str, Any]]
_Counts = Callable[[Mapping[str, Any]], Iterator[tuple[str, Any]]]


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: list[tuple[str, list[Any]]]


def sections(results: Results) -> dict[str, Any]:
    """For a page: tables of counts, paths by version, and what could not be known."""
    tables = (
        (_("Entries"), _entries),
        (_("How runs ended"), _ends),
        (_("Ways from each step"), _ways),
        (_("Messages by channel"), _sent),
        (_("Messages by variant"), _variants),
        (_("Messages not sent, by reason"), _blocked),
        (_("Messages held back, by reason (median)"), _held),
        (_("Time in state (median)"), _times),
    )
    made = [Section(title, _side_by_side(results.values(), counts)) for title, counts in tables]
    return {
        "sections": [one for one in made if one.rows],
        "paths": [(label_of(name), found["paths"][:5]) for name, found in results.items()],
        "unknown": in_words(dict.fromkeys(code for found in results.values() for code in found["unknown"])),
    }


def _side_by_side(found: Any, counts: _Counts) -> list[tuple[str, list[Any]]]:
    columns: Sequence[dict[str, Any]] = [dict(counts(one)) for one in found]
    labels = list(dict.fromkeys(label for column in columns for label in column))
    return [(label, [column.get(label, "–") for column in columns]) for label in labels]


def _entries(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield _("events"), found["events"]
    yield _("people"), found["customers"]
    yield _("came in"), found["entered"]
    for reason, count in found["refused"].items():
        yield _("refused: %(reason)s") % {"reason": _label(EntryRefusal.Reason, reason)}, count


def _ends(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for one in found["runs"]:
        status = Run.Status[one["status"].upper()].label
        yield f"{status}: {one['state']}", one["runs"]


def _ways(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """With the share of all who left the step."""
    left: dict[str, int] = {}
    for one in found["ways"]:
        left[one["step"]] = left.get(one["step"], 0) + one["runs"]
    for one in found["ways"]:
        name, _blank, branch = one["way"].partition(" ")
        way = f"{Cause[name.upper()].label} {branch}".strip()
        share = round(100 * one["runs"] / left[one["step"]])
        yield f"{one['step']} → {one['to'] or '×'} ({way})", f"{one['runs']} ({share} %)"


def _sent(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for one in found["sent"]:
        yield f"{one['channel']}: {one['step']}", one["messages"]


def _variants(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    # What was found before there were any has none.
    for one in found.get("variants", ()):
        yield f"{one['step']}: {one['variant']}", one["messages"]


def _blocked(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for one in found["blocked"]:
        yield f"{one['step']}: {_label(Reason, one['reason'])}", one["messages"]


def _held(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    # What was simulated before this was told has none.
    for one in found.get("held", ()):
        span = timedelta(seconds=round(one["median_seconds"]))
        yield f"{one['step']}: {_label(Reason, one['reason'])}", f"{one['messages']} ({span})"


def _times(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for one in found["time_in_state"]:
        yield one["state"], str(timedelta(seconds=round(one["median_seconds"])))


def _label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value
