"""`manage.py journey_numbers`: what a journey's runs and messages came to, and whether it adds up."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.journey_numbers import as_json, as_text, journey_numbers
from analytics.metrics.period import ALWAYS, Period
from customers import clock
from journeys.management.find import find_journey


class Command(BaseCommand):
    help = (
        "Print a journey's sums, branches, hold conversion, errors, event latency and time in state;"
        " fails when a sum does not hold."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("journey", metavar="JOURNEY_KEY")
        parser.add_argument("--brand", metavar="KEY", help="needed where several brands have such a journey")
        parser.add_argument("--days", type=int, metavar="N", help="only runs that entered in the last N days")
        parser.add_argument("--format", choices=("table", "json"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        journey = find_journey(options["journey"], options["brand"])
        days = options["days"]
        period = ALWAYS if days is None else Period(since=clock.utcnow() - timedelta(days=days))
        numbers = journey_numbers(journey.pk, period)
        if options["format"] == "json":
            about = {"brand": journey.brand.key, "journey": journey.key, "id": str(journey.pk)}
            self.stdout.write(json.dumps(about | as_json(numbers), indent=2, ensure_ascii=False))
        else:
            self.stdout.write(f"{journey.brand} · {journey}\n{as_text(numbers)}")
        if numbers.broken:
            raise CommandError("these sums do not hold: " + ", ".join(str(one.label) for one in numbers.broken))
