"""Simulations as jobs: some thousand events at a time, gone on with by any worker, stopped on demand."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from customers import jobs
from journeys.drafts import NotPossible, draft_at
from journeys.engine.arrivals import Arrival
from journeys.models import Journey, Simulation
from journeys.simulation import handed_in
from journeys.simulation.events import count_stored, heard, names_heard, together
from journeys.simulation.past import Assumed, Recorded
from journeys.simulation.run import Records, play, unknown_to
from journeys.simulation.supposed import Supposed, check, replies_of
from journeys.simulation.tally import Tally
from journeys.simulation.versions import DRAFT, LIVE, NoSuchVersion, find_version, of_draft
from journeys.version import Version

KIND: Final = "simulation"
MOST_VERSIONS: Final = 2
MOST_DAYS: Final = 400


def ask(
    journey: Journey,
    names: Sequence[str],
    since: datetime,
    until: datetime,
    *,
    now: datetime,
    by: AbstractBaseUser | None = None,
    by_token: UUID | None = None,
    events: Sequence[Arrival] | None = None,
    assumed: Sequence[Supposed] = (),
) -> Simulation:
    """Have one or two versions (`draft`, `live` or a number) played over the events of a span: over those handed in,
    if some were, else over those stored. `assumed` is what other systems are taken to have replied.

    Raises NotPossible, NoSuchVersion, NotSupposable, and InvalidDefinition of a draft that could not be published.
    """
    if not 1 <= len(set(names)) <= MOST_VERSIONS or len(set(names)) != len(names):
        raise NotPossible(_("Choose one version, or two different ones."))
    if not since < until:
        raise NotPossible(_("The span ends before it begins."))
    if until - since > timedelta(days=MOST_DAYS):
        raise NotPossible(_("A simulation spans at most %(days)s days.") % {"days": MOST_DAYS})
    check(assumed, [find_version(journey, name) for name in names])
    pins = [_pin(journey, name) for name in names]
    with transaction.atomic():
        job = jobs.ask(KIND, now, by=by, brand=journey.brand, squad=journey.squad, subject=f"{journey.name}"[:200])
        made = Simulation.objects.create(
            journey=journey,
            job=job,
            versions=pins,
            since=since,
            until=until,
            asked_by=by,  # type: ignore[misc]  # the user model is Django's own
            asked_by_token_id=by_token,
            assumed=msgspec.to_builtins(list(assumed)),
            of_file=events is not None,
            created_at=now,
        )
        if events is not None:
            handed_in.keep(made, events)
        return made


def _pin(journey: Journey, name: str) -> dict[str, Any]:
    """What the name stands for now, whatever is saved or published meanwhile; there is such a version."""
    if name == DRAFT:
        return {"name": name, "revision": journey.draft_revision}
    if name == LIVE and journey.live_version is not None:
        return {"name": name, "number": journey.live_version.number}
    return {"name": f"v{int(name)}", "number": int(name)}


def work(turn: jobs.Slice) -> bool:
    """Play some more; whether all versions are through."""
    simulation = Simulation.objects.select_related("journey__brand").get(job=turn.job)
    if turn.job.total is None:
        turn.note(total=sum(_count(simulation, pin) for pin in simulation.versions))
    while (at := turn.job.cursor.get("at", 0)) < len(simulation.versions):
        if not _play_some(turn, simulation, simulation.versions[at]):
            return False
    return True


def _play_some(turn: jobs.Slice, simulation: Simulation, pin: dict[str, Any]) -> bool:
    """Whether this version is through."""
    version, cursor = _version(simulation.journey, pin), turn.job.cursor
    records, replies = _records(simulation), replies_of(simulation.assumed)
    tally = Tally.load(version, cursor["tally"]) if cursor.get("tally") else Tally(version)
    after = UUID(cursor["after"]) if cursor.get("after") else None
    for some in together(_events(simulation, version, after)):
        play(tally, some, records, simulation.until, replies)
        done = turn.job.done + sum(map(len, some))
        turn.note(done=done, tally=tally.dump(), after=str(some[-1][0].customer_id))
        if not turn.has_time:
            return False
    _conclude(turn, simulation, pin, tally.as_json() | {"unknown": unknown_to(version, records)})
    return True


def _records(simulation: Simulation) -> Records:
    zone = simulation.journey.brand.zone
    return Assumed(zone) if simulation.of_file else Recorded(zone)


def _events(simulation: Simulation, version: Version, after: UUID | None) -> Iterator[list[Arrival]]:
    if simulation.of_file:
        return handed_in.kept(simulation, after)
    return heard(version, simulation.since, simulation.until, after)


@transaction.atomic
def _conclude(turn: jobs.Slice, simulation: Simulation, pin: dict[str, Any], found: dict[str, Any]) -> None:
    """Keep what a version has come to; after the last nobody needs the events that were handed in."""
    simulation.results = {**simulation.results, pin["name"]: found}
    simulation.save(update_fields=["results"])
    at = turn.job.cursor.get("at", 0) + 1
    turn.note(at=at, tally=None, after=None)
    if at == len(simulation.versions):
        handed_in.forget(turn.job)


def _version(journey: Journey, pin: dict[str, Any]) -> Version:
    if "revision" not in pin:
        return find_version(journey, str(pin["number"]))
    document = draft_at(journey, pin["revision"])
    if not document:
        raise NoSuchVersion(pin["name"])
    return of_draft(journey, document)


def _count(simulation: Simulation, pin: dict[str, Any]) -> int:
    if simulation.of_file:
        return sum(map(len, handed_in.kept(simulation)))
    names = names_heard(_version(simulation.journey, pin))
    return count_stored(simulation.journey.brand_id, names, simulation.since, simulation.until)
