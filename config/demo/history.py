"""Loading: the company is founded, and its last months are lived through."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from django.db import connection
from django.db.models import Sum

from analytics.map_counts import count_all
from config.demo import club, deliveries, doubles, lately, mishaps, segments
from config.demo import company as companies
from config.demo.brands import BRANDS
from config.demo.calendar import Calendar
from config.demo.company import Company
from config.demo.lives import Life, Told
from config.demo.people import make_person
from config.demo.replay import Replay, by_beat
from config.demo.size import SEED, Size
from customers.models import Brand, EventType, Hook, ReceivedBody, Source
from customers.segments.count import count_all as count_segments
from customers.sql import ensure_partitions
from journeys.models import Journey

_COUNT_SECONDS: Final = 20.0
# Numbers of people beyond all that are used otherwise.
_APART: Final = 5_001
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Post:
    """What foreign systems report to the hooks of each brand, by beat."""

    hooks: Mapping[str, Hook]
    posted: Mapping[datetime, Sequence[deliveries.Posted]]

    def bring(self, now: datetime) -> None:
        for one in self.posted.get(now, ()):
            deliveries.deliver(self.hooks[one.brand], one, now)


@dataclass(frozen=True, slots=True)
class History:
    """What was told: how many messages the doors took and how many they refused."""

    company: Company
    accepted: int
    refused: int


def make(now: datetime, size: Size | None = None, seed: int = SEED, progress: Progress | None = None) -> History:
    """Found the company and live through its history, which ends at `now`. The database must hold no brand."""
    size = size or Size()
    if Brand.objects.exists():
        raise ValueError("there are brands already: the demo company wants a database of its own")
    extra = frozenset(lately.moments(now))
    calendar = Calendar(now - timedelta(days=size.days), now - timedelta(days=size.live_days), now, extra)
    # Each month of the past in a partition of its own, as it would be had we been there.
    ensure_partitions(calendar.begin, ahead=int(size.days / 28) + 2)
    company = companies.found(calendar.begin)
    _date(calendar.begin)
    replay = Replay(company.source_ids)
    post = Post(deliveries.open_hooks(company), deliveries.by_beat(calendar, seed, size.people, size.days))
    random = Random(seed)  # noqa: S311 - who has had enough is no secret
    with _quick_commits(), club.at_work() as address:
        companies.find_club(address)
        _live_through(calendar, company, replay, post, by_beat(events(calendar, size, seed)), random, progress)
    reported = ReceivedBody.objects.aggregate(accepted=Sum("accepted"), refused=Sum("refused"))
    return History(company, replay.accepted + reported["accepted"], replay.refused + reported["refused"])


def events(calendar: Calendar, size: Size, seed: int) -> Iterator[Told]:
    """Everything everybody does, person by person, and what goes wrong."""
    for number in range(1, size.people + 1):
        yield from Life(make_person(seed, number, size.days), calendar).live(calendar.end)
    yield from lately.events(calendar, calendar.end, seed, size.people + 1, size.days)
    random = Random(f"{seed}/mistakes")  # noqa: S311
    yield from mishaps.mistakes(calendar, tuple(plan.key for plan in BRANDS), random, size.days)
    yield from mishaps.break_a_release(calendar, BRANDS[0].key)
    yield from mishaps.fall_silent(calendar, BRANDS[0].key, random, size.days)
    yield from doubles.events(calendar, seed, size.people + _APART, size.days)


def _live_through(
    calendar: Calendar,
    company: Company,
    replay: Replay,
    post: Post,
    beats: Mapping[datetime, Sequence[Told]],
    random: Random,
    progress: Progress | None,
) -> None:
    live, looked = False, calendar.live_from
    damaged = calendar.beat_at(calendar.end - timedelta(days=3))
    for number, beat in enumerate(calendar.beats):
        if not live and beat >= calendar.live_from:
            segments.draw_up(company, beat)
            companies.go_live(company, beat)
            _analyze()
            live = True
        if beat == damaged:
            mishaps.damage_a_row(replay, BRANDS[1].key, beat)
        post.bring(beat)
        replay.beat(beat, beats.get(beat, ()))
        if live and beat - looked >= timedelta(hours=20):
            mishaps.have_enough(random, looked, beat)
            count_segments(beat)
            looked = beat
        if progress is not None:
            progress((number + 1) / len(calendar.beats))
    _analyze()
    count_segments(calendar.end)
    doubles.propose(company, calendar.end)
    count_all(calendar.end, _COUNT_SECONDS)


def _date(begin: datetime) -> None:
    """Whatever notes when it was made was made before the history begins."""
    for model in (Brand, Source, EventType, Journey):
        model._default_manager.update(created_at=begin - timedelta(days=1))


@contextmanager
def _quick_commits() -> Iterator[None]:
    """A history that is lost with the power is simply told again, so no commit waits for the disk."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
