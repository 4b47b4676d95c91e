"""`manage.py simulate JOURNEY`: what a version would have done with past events; nothing is written or sent."""

import json
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers import clock
from journeys.definition import InvalidDefinition
from journeys.management.find import find_journey
from journeys.models import Journey
from journeys.retry import is_error
from journeys.simulation.events import heard
from journeys.simulation.handed_in import NotAnEvent, TooManyEvents, by_customer, from_file
from journeys.simulation.past import Assumed, Recorded
from journeys.simulation.replies import Replies, by_share
from journeys.simulation.run import Simulated, simulate
from journeys.simulation.unknown import in_words
from journeys.simulation.versions import DRAFT, LIVE, NoSuchVersion, find_version

_DAYS = 30
_SHARE = re.compile(r"(?P<step>[^=]{1,60})=(?P<error>[a-z_0-9]{1,20}):(?P<percent>[0-9]{1,3}(\.[0-9]{1,2})?)")


class Command(BaseCommand):
    help = (
        "Play a journey over past events in virtual time: entries, ways, messages, blocks, time in state, sample"
        " paths, and what could not be known. Nothing is written and nothing sent."
    )

    def create_parser(self, prog_name: str, subcommand: str, **more: Any) -> CommandParser:
        # Django's own --version tells its version; here the word is the journey's.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **more)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("journey", metavar="JOURNEY_KEY")
        parser.add_argument("--brand", metavar="KEY", help="needed where several brands have such a journey")
        parser.add_argument("--version", default=LIVE, metavar="VERSION",
                            help=f"{DRAFT}, {LIVE} (default) or a number")  # fmt: skip
        parser.add_argument("--against", metavar="VERSION", help="a second version, side by side")
        parser.add_argument("--from", dest="since", metavar="WHEN", help=f"ISO 8601; default: {_DAYS} days before --to")
        parser.add_argument("--to", dest="until", metavar="WHEN", help="ISO 8601; time runs on to it; default: now")
        parser.add_argument("--file", type=Path, metavar="FILE",
                            help="events from a file instead: a JSON object a line with event, user_id, occurred_at,"
                            " properties")  # fmt: skip
        parser.add_argument("--fails", action="append", default=[], metavar="STEP=ERROR:PERCENT",
                            help="of so many percent of runs the other system’s calls at this step end in this error;"
                            " others are taken to be answered, with nothing told")  # fmt: skip
        parser.add_argument("--format", choices=("table", "json"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        journey = find_journey(options["journey"], options["brand"])
        zone = ZoneInfo(journey.brand.zone)
        until = _moment(options["until"], zone) or clock.utcnow()
        since = _moment(options["since"], zone) or until - timedelta(days=_DAYS)
        names = [options["version"], *([options["against"]] if options["against"] else [])]
        replies = by_share(dict(map(_share, options["fails"])))
        results = {name: _simulate(journey, name, since, until, options["file"], replies) for name in names}
        if options["format"] == "json":
            told = {name: one.tally.as_json() | {"unknown": in_words(one.unknown)} for name, one in results.items()}
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            for line in _table(results):
                self.stdout.write(line)


def _moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is no moment of ISO 8601") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _share(text: str) -> tuple[str, tuple[str, float]]:
    found = _SHARE.fullmatch(text)
    if found is None or not is_error(found["error"]) or float(found["percent"]) > 100:
        raise CommandError(f"{text!r} is not of the form STEP=ERROR:PERCENT, as in score=timeout:5")
    return found["step"], (found["error"], float(found["percent"]))


def _simulate(
    journey: Journey, name: str, since: datetime, until: datetime, file: Path | None, replies: Replies
) -> Simulated:
    try:
        version = find_version(journey, name)
    except NoSuchVersion as error:
        raise CommandError(f"the journey has no version {name!r}") from error
    except InvalidDefinition as error:
        raise CommandError(f"the draft cannot be published: {error}") from error
    if file is None:
        events = heard(version, since, until)
        return simulate(version, events, Recorded(journey.brand.zone), until, replies)
    try:
        with file.open() as lines:
            events = by_customer(from_file(lines, journey.brand_id))
            return simulate(version, events, Assumed(journey.brand.zone), until, replies)
    except (OSError, NotAnEvent, TooManyEvents) as error:
        raise CommandError(f"{file.name}: {error}") from error


def _table(results: dict[str, Simulated]) -> Iterator[str]:
    """A line a count, a column a version."""
    columns = [dict(_counts(one)) for one in results.values()]
    labels = list(dict.fromkeys(label for column in columns for label in column))
    width = max(map(len, labels))
    yield " " * width + "".join(f"{name:>14}" for name in results)
    for label in labels:
        yield f"{label:<{width}}" + "".join(f"{column.get(label, '–'):>14}" for column in columns)
    for text in in_words(dict.fromkeys(code for one in results.values() for code in one.unknown)):
        yield f"not known: {text}"


def _counts(simulated: Simulated) -> Iterator[tuple[str, str]]:
    told = simulated.tally.as_json()
    yield from ((name, f"{told[name]:,}") for name in ("customers", "events", "entered"))
    yield from ((f"refused: {reason}", f"{count:,}") for reason, count in told["refused"].items())
    yield from ((f"runs {one['status']} in {one['state']}", f"{one['runs']:,}") for one in told["runs"])
    yield from (
        (f"{one['kind']} to {one['state']}" + (f": {one['outcome']}" if one["outcome"] else ""), f"{one['runs']:,}")
        for one in told["exits"]
    )
    yield from ((f"{one['step']} → {one['to'] or 'exit'} ({one['way']})", f"{one['runs']:,}") for one in told["ways"])
    yield from ((f"sent by {one['channel']} at {one['step']}", f"{one['messages']:,}") for one in told["sent"])
    yield from ((f"blocked at {one['step']}: {one['reason']}", f"{one['messages']:,}") for one in told["blocked"])
    yield from ((f"held at {one['step']}: {one['reason']}", f"{one['messages']:,}") for one in told["held"])
    for one in told["time_in_state"]:
        yield f"time in {one['state']} (median)", str(timedelta(seconds=round(one["median_seconds"])))
