"""`manage.py export_journey KEY`: a journey as a file, always in the same order."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from journeys.code.file import of_journey, write
from journeys.management.find import find_journey


class Command(BaseCommand):
    help = "Write a journey's draft, or its live version, as YAML."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("journey", metavar="JOURNEY_KEY")
        parser.add_argument("--brand", metavar="KEY", help="needed where several brands have such a journey")
        parser.add_argument("--live", action="store_true", help="the live version rather than the draft")

    def handle(self, *args: Any, **options: Any) -> None:
        journey = find_journey(options["journey"], options["brand"])
        if options["live"]:
            if journey.live_version is None:
                raise CommandError("the journey has no live version")
            document = journey.live_version.definition
        else:
            document = journey.draft or (journey.live_version.definition if journey.live_version else {})
        self.stdout.write(write(of_journey(journey, document)), ending="")
