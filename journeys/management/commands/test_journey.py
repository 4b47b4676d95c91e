"""`manage.py test_journey FILE …`: do the journeys of these files do what their cases say? Needs no database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from journeys.code.cases import run_cases, unbound
from journeys.code.file import JourneyFile, NotAJourney, read
from journeys.code.portable import broken_limits
from journeys.definition import InvalidDefinition


class Command(BaseCommand):
    help = (
        "Check the journeys in these files as publishing would, and run their cases in virtual time. Ends with an"
        " error if anything is not as it says."
    )
    # Nothing is asked of the database.
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--portable", action="store_true", help="say which limits of other platforms are broken")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for path in options["files"]:
            failed += self._run(path, is_portable=options["portable"])
        if failed:
            raise CommandError(f"{failed} not as it should be")

    def _run(self, path: Path, *, is_portable: bool) -> int:
        try:
            file = read(path.read_text())
            failures = [str(one) for one in run_cases(file)]
        except (OSError, UnicodeDecodeError, NotAJourney) as error:
            failures, file = [str(error)], None
        except InvalidDefinition as error:
            failures, file = [f"{one.pointer}: {one.message} {one.hint}".strip() for one in error.problems], None
        for failure in failures:
            self.stderr.write(f"{path.name}: {failure}")
        if file is not None:
            self.stdout.write(f"{path.name}: {len(file.cases)} cases, {len(failures)} failures")
            if is_portable:
                self._tell_limits(path, file)
        return len(failures)

    def _tell_limits(self, path: Path, file: JourneyFile) -> None:
        version = unbound(file)
        for one in broken_limits(version.definition, version.steps):
            self.stdout.write(
                f"{path.name}: {one.pointer}: {one.platform}: {one.found:g} {one.what}, at most {one.most:g}"
            )
