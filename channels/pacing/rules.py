"""Whether a message may go now by the policies that stand, and if not, from when on: a pure function.

Dispatch asks it with what is stored, the simulator with what would have been.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from channels.models import Reason
from channels.pacing.hours import Span, first_open
from consent.models import Purpose


class About(NamedTuple):
    """What policies look at of a message."""

    brand_id: UUID
    channel: str
    purpose_id: UUID
    purpose_kind: str


class Visit(NamedTuple):
    """What asked for a message: its copies to several addresses of a person, as the devices of a push are, are one."""

    origin_kind: str
    origin_id: str
    number: int
    channel: str


class Counted(NamedTuple):
    """A message that the provider took or may have taken, at `at`; one that is in hand has none, and is to be asked
    about again at `again`. Without a visit it is one for itself."""

    at: datetime | None
    about: About
    again: datetime | None = None
    visit: Visit | None = None


_EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which messages a policy is about; what is empty narrows nothing."""

    brand_id: UUID | None = None
    channel: str = ""
    purpose_id: UUID | None = None
    purpose_kind: str = Purpose.Kind.MARKETING

    def covers(self, about: About) -> bool:
        if about.purpose_kind == Purpose.Kind.LEGAL:
            return False
        if self.brand_id not in (None, about.brand_id) or self.channel not in ("", about.channel):
            return False
        if self.purpose_id is not None:
            return self.purpose_id == about.purpose_id
        return self.purpose_kind in ("", about.purpose_kind)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many of these messages within any span of this length. `id` is that of the policy's version."""

    id: UUID
    scope: Scope
    most: int
    span: timedelta

    def within(self, history: Iterable[Counted], now: datetime) -> list[Counted]:
        """What counts in the span that ends now, of each visit the last that was taken; a clock that is ahead of ours
        makes nothing uncounted."""
        since = now - self.span
        found = [one for one in history if (one.at is None or one.at > since) and self.scope.covers(one.about)]
        found.sort(key=lambda one: one.at or _EVER)
        visits = {one.visit: one for one in found if one.visit is not None}
        return [*(one for one in found if one.visit is None), *visits.values()]

    def counts(self, visit: Visit, history: Iterable[Counted], now: datetime) -> bool:
        """Whether a copy of this visit was taken in the span that ends now: another is none more."""
        return any(one.visit == visit and one.at is not None for one in self.within(history, now))

    def frees(self, history: Iterable[Counted], now: datetime) -> datetime:
        """When there is room for one more by what is settled: now, or as the oldest of too many leaves the span."""
        times = sorted(one.at for one in self.within(history, now) if one.at is not None)
        over = len(times) - self.most
        return now if over < 0 else max(now, times[over] + self.span)


@dataclass(frozen=True, slots=True)
class Hours:
    """Not within a span (quiet hours), or within it only (a window for sending)."""

    id: UUID
    scope: Scope
    span: Span
    is_quiet: bool

    def allow(self, local: datetime) -> bool:
        return self.span.holds(local) != self.is_quiet


Policy = Cap | Hours


@dataclass(frozen=True, slots=True)
class Block:
    """Not now, but from `until` on; None: never as policies stand. Where that hangs on a message in hand, it is when
    to ask again, and `is_known` is false. `because` says by what, for whoever asks why."""

    reason: Reason
    until: datetime | None
    because: dict[str, Any]
    is_known: bool = True


def covering(policies: Iterable[Policy], about: About) -> list[Policy]:
    return [one for one in policies if one.scope.covers(about)]


def judge(
    policies: Iterable[Policy],
    about: About,
    history: Sequence[Counted],
    zone: ZoneInfo,
    now: datetime,
    visit: Visit | None = None,
) -> Block | None:
    """None: it may go now. With a `visit`, whatever the cap counts it for already lets it pass."""
    mine = covering(policies, about)
    # Whom fewer messages are known of than a cap lets through, it cannot stop: nearly everybody.
    caps = [one for one in mine if isinstance(one, Cap) and len(history) >= one.most]
    if visit is not None:
        caps = [one for one in caps if not one.counts(visit, history, now)]
        history = of_others(history, visit)
    hours = [one for one in mine if isinstance(one, Hours)]
    full = max(((cap.frees(history, now), cap) for cap in caps), key=lambda one: one[0], default=None)
    if full is not None and full[0] > now:
        return Block(Reason.CAPPED, _room(caps, hours, history, zone, now), _told(full[1], history, now))
    local = now.astimezone(zone)
    if shut := next((one for one in hours if not one.allow(local)), None):
        because = {"policy": str(shut.id), "zone": zone.key, "local": local.strftime("%Y-%m-%d %H:%M")}
        return Block(Reason.QUIET_HOURS, _room(caps, hours, history, zone, now), because)
    for cap in caps:
        within = cap.within(history, now)
        if len(within) >= cap.most:
            again = min(one.again or now for one in within if one.at is None)
            return Block(Reason.CAPPED, again, _told(cap, history, now), is_known=False)
    return None


def of_others(history: Iterable[Counted], visit: Visit) -> list[Counted]:
    """But what is of this visit: a copy in hand may have been begun only, and has no place of its own to keep."""
    return [one for one in history if one.visit != visit]


def counts(policies: Iterable[Policy], about: About, history: Sequence[Counted], now: datetime) -> dict[str, int]:
    """By each cap that the message was under, how many were counted as it went."""
    caps = (one for one in covering(policies, about) if isinstance(one, Cap))
    return {str(cap.id): len(cap.within(history, now)) for cap in caps}


def _told(cap: Cap, history: Sequence[Counted], now: datetime) -> dict[str, Any]:
    within = cap.within(history, now)
    return {
        "policy": str(cap.id),
        "most": cap.most,
        "seconds": int(cap.span.total_seconds()),
        "counted": len(within),
        "in_hand": sum(one.at is None for one in within),
        "since": (now - cap.span).isoformat(),
    }


def _room(
    caps: Sequence[Cap], hours: Sequence[Hours], history: Sequence[Counted], zone: ZoneInfo, now: datetime
) -> datetime | None:
    """The first moment that every cap has room for and all hours allow."""
    moment = now
    while True:
        free = max((cap.frees(history, moment) for cap in caps), default=moment)
        then = first_open(free, zone, lambda local: all(one.allow(local) for one in hours), [one.span for one in hours])
        if then is None or then == moment:
            return then
        moment = then
