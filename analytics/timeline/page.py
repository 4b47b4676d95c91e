"""A page of the timeline: the newest of every stream, merged."""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from analytics.timeline.acts import consents, entitlements, messages
from analytics.timeline.decisions import refusals, runs_ended, runs_entered
from analytics.timeline.entry import Entry, Place, Scope
from analytics.timeline.events import events
from analytics.timeline.identity import closed, edges, joined, opened

Stream = Callable[[Scope, Place | None, int], list[Entry]]
_STREAMS: dict[str, tuple[Stream, ...]] = {
    "event": (events,),
    "message": (messages,),
    "consent": (consents,),
    "entitlement": (entitlements,),
    "run": (runs_entered, runs_ended),
    "refusal": (refusals,),
    "identity": (opened, closed, edges, joined),
}
# Kinds that a channel can be told of; with a channel chosen, nothing else is shown.
_WITH_CHANNEL = frozenset({"message", "consent"})


@dataclass(frozen=True, slots=True)
class Page:
    """`older` is where the next page begins; None at the beginning of the story."""

    entries: tuple[Entry, ...]
    older: Place | None


def timeline(scope: Scope, *, after: Place | None = None, limit: int = 40) -> Page:
    """The `limit` entries that come after a place, newest first."""
    kinds = scope.kinds & _WITH_CHANNEL if scope.channel else scope.kinds
    # One more of each tells whether there is an older page.
    found = [stream(scope, after, limit + 1) for kind in _STREAMS if kind in kinds for stream in _STREAMS[kind]]
    entries = tuple(islice(merge(*found, key=lambda entry: entry.place.order()), limit + 1))
    older = entries[limit - 1].place if len(entries) > limit else None
    return Page(entries[:limit], older)
