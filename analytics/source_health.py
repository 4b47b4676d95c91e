"""The health of a source at a glance: what came, what was refused, how late it was, and what is wrong with it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from analytics.metrics.event_quality import EventQuality, quality, samples
from analytics.metrics.reject_rate import RejectRate, reject_rate
from analytics.metrics.source_latency import Latency, latency
from analytics.metrics.source_silence import WINDOW, Silence, silence
from analytics.metrics.source_tallies import SENT, Counted, hours_with_messages, tallies, totals
from customers.models import Outcome, SchemaVersion, Source

DAY: Final = timedelta(days=1)
# More names than a person reads have the event types' own list; the most frequent are shown.
MOST_NAMES: Final = 25
# So many quiet sources are looked into for the first page; a night has many.
_LOOKED_INTO: Final = 20


@dataclass(frozen=True, slots=True)
class Bar:
    begin: datetime
    rate: RejectRate


@dataclass(frozen=True, slots=True)
class NamedHealth:
    """One event of the source."""

    name: str
    rate: RejectRate
    silence: Silence
    quality: EventQuality


@dataclass(frozen=True, slots=True)
class SourceHealth:
    since: datetime
    rate: RejectRate
    silence: Silence
    bars: tuple[Bar, ...]
    refusals: tuple[tuple[str, int], ...]
    delay: Latency
    wait: Latency
    names: tuple[NamedHealth, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What wants a hand: a source is silent, or refuses too much of what it sends, or both."""

    source: Source
    rate: RejectRate
    silence: Silence

    @property
    def rejects(self) -> bool:
        return self.rate.is_above(self.source.rejects_above)


def source_health(source: Source, days: int, now: datetime) -> SourceHealth:
    """Over the last `days`; of one day by the hour, of more by days in the brand's zone."""
    since = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    counted = tallies([source.pk], min(since, now - WINDOW))
    sent = [one for one in counted if one.outcome in SENT]
    lately = [one for one in sent if one.hour >= since]
    timed = [one for one in counted if one.outcome not in SENT and one.hour >= since]
    return SourceHealth(
        since=since,
        rate=reject_rate(lately),
        silence=_silence(sent, now, source.silent_after),
        bars=_bars(lately, _by_hour if days == 1 else _by_day(source.brand.zone)),
        refusals=_refusals(lately),
        delay=latency(timed, Outcome.DELAY),
        wait=latency(timed, Outcome.WAIT),
        names=_names(source, sent, since, now),
    )


def troubles(sources: Sequence[Source], now: datetime) -> list[Trouble]:
    """Which of these active sources want a hand; the refusals of the last day count."""
    active = [one for one in sources if one.is_active]
    last_day = _grouped(totals([one.pk for one in active], now - DAY), lambda one: one.source_id)
    spoke = [one for one in active if _spoke(last_day.get(one.pk, ()), now)]
    quiet = [one for one in active if one not in spoke][:_LOOKED_INTO]
    hours = hours_with_messages([one.pk for one in quiet], now - WINDOW)
    found = []
    for source in (one for one in active if one in spoke or one in quiet):
        counted = last_day.get(source.pk, [])
        heard = hours.get((source.pk, ""), [])
        # To the minute where something came in the last day, else to the hour.
        last_at = max((one.last_at for one in counted), default=heard[-1] if heard else None)
        trouble = Trouble(source, reject_rate(counted), silence(heard, last_at, now, source.silent_after))
        if trouble.rejects or trouble.silence.is_silent:
            found.append(trouble)
    return found


def _spoke(counted: Iterable[Counted], now: datetime) -> bool:
    """Within the shortest time after which anything is silent."""
    return any(now - one.last_at <= timedelta(hours=1) for one in counted)


def _silence(sent: Sequence[Counted], now: datetime, silent_after: int | None = None) -> Silence:
    hours = sorted({one.hour for one in sent if one.hour >= now - WINDOW})
    return silence(hours, max((one.last_at for one in sent), default=None), now, silent_after)


def _by_hour(one: Counted) -> datetime:
    return one.hour


def _by_day(zone: str) -> Callable[[Counted], datetime]:
    place = ZoneInfo(zone)

    def day(one: Counted) -> datetime:
        return one.hour.astimezone(place).replace(hour=0, minute=0)

    return day


def _bars(sent: Iterable[Counted], moment: Callable[[Counted], datetime]) -> tuple[Bar, ...]:
    groups = _grouped(sent, moment)
    return tuple(Bar(begin, reject_rate(groups[begin])) for begin in sorted(groups))


def _refusals(sent: Iterable[Counted]) -> tuple[tuple[str, int], ...]:
    by_code: dict[str, int] = defaultdict(int)
    for one in sent:
        if one.outcome == Outcome.REFUSED.value:
            by_code[one.code] += one.count
    return tuple(sorted(by_code.items(), key=lambda pair: (-pair[1], pair[0])))


def _names(source: Source, sent: Sequence[Counted], since: datetime, now: datetime) -> tuple[NamedHealth, ...]:
    by_name = _grouped((one for one in sent if one.name), lambda one: one.name)
    rates = {name: reject_rate(one for one in of if one.hour >= since) for name, of in by_name.items()}
    chosen = sorted(by_name, key=lambda name: (-rates[name].total, name))[:MOST_NAMES]
    seen = samples(source.pk, chosen, since)
    required = _required(source.brand_id, chosen)
    return tuple(
        NamedHealth(name, rates[name], _silence(by_name[name], now), quality(seen[name], required.get(name, ())))
        for name in chosen
    )


def _required(brand_id: UUID, names: Sequence[str]) -> dict[str, list[str]]:
    """What the newest approved version of each of these events asks for."""
    approved = SchemaVersion.objects.filter(
        event_type__brand_id=brand_id, event_type__name__in=names, status=SchemaVersion.Status.APPROVED
    ).order_by("number")
    return {
        name: [each for each in schema.get("required", ()) if isinstance(each, str)]
        for name, schema in approved.values_list("event_type__name", "schema")
        if isinstance(schema, dict)
    }


def _grouped(counted: Iterable[Counted], key: Callable[[Counted], Any]) -> dict[Any, list[Counted]]:
    groups: dict[Any, list[Counted]] = defaultdict(list)
    for one in counted:
        groups[key(one)].append(one)
    return groups
