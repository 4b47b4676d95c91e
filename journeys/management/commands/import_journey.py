"""`manage.py import_journey FILE --brand KEY`: a file becomes a journey's draft; publishing stays with people."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from customers import clock
from customers.models import Brand
from journeys.code.cases import run_cases
from journeys.code.file import JourneyFile, NotAJourney, read
from journeys.definition import InvalidDefinition
from journeys.drafts import UnfitDraft, save_draft
from journeys.models import Journey


class Command(BaseCommand):
    help = "Take a file as a journey's draft: a new journey, or a new revision of the one that has its key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--brand", required=True, metavar="KEY")
        parser.add_argument("--unfinished", action="store_true", help="also a journey that cannot be published yet")

    def handle(self, *args: Any, **options: Any) -> None:
        brand = Brand.objects.filter(key=options["brand"]).first()
        if brand is None:
            raise CommandError(f"there is no brand {options['brand']!r}")
        try:
            file = read(options["file"].read_text())
        except (OSError, UnicodeDecodeError, NotAJourney) as error:
            raise CommandError(str(error)) from error
        if not options["unfinished"]:
            _try(file)
        with transaction.atomic():
            journey, is_new = Journey.objects.get_or_create(
                brand=brand, key=file.key, defaults={"name": file.name, "description": file.description}
            )
            revision = journey.draft_revision
            try:
                save_draft(journey, file.definition, by=None, now=clock.utcnow(), lock=revision)
            except UnfitDraft as error:
                raise CommandError(str(error)) from error
        journey.refresh_from_db()
        said = "new" if is_new else "unchanged" if journey.draft_revision == revision else "changed"
        self.stdout.write(f"{brand.key}/{journey.key}: {said}, revision {journey.draft_revision}")


def _try(file: JourneyFile) -> None:
    """Its cases hold, or it is not taken."""
    try:
        failures = [str(one) for one in run_cases(file)]
    except InvalidDefinition as error:
        raise CommandError(f"it cannot be published: {error}") from error
    if failures:
        raise CommandError("; ".join(failures))
