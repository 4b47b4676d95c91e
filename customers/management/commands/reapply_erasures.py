"""`manage.py reapply_erasures`: after a backup was restored, erase again whoever was erased since it was taken."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers import clock
from customers.privacy import listing
from customers.privacy.reapply import reapply


class Command(BaseCommand):
    help = "Erase again whoever the list of erasures names. Run it after a restore, before anything else is started."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--list", default="", metavar="FILE", help="the list (the setting ERASURE_LIST)")

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(options["list"]) if options["list"] else listing.path()
        if file is None:
            raise CommandError("There is no list: name one with --list, or set ERASURE_LIST.")
        if not file.exists():
            raise CommandError(f"There is no {file}.")
        broken: list[int] = []
        done = reapply(list(listing.read(file, broken.append)), clock.utcnow())
        self.stdout.write(f"{done.lines} lines; {done.people} people and {done.addresses} addresses erased again")
        for key, count in sorted(done.counts.items()):
            self.stdout.write(f"  {key}: {count}")
        if broken:
            numbers = ", ".join(map(str, broken))
            raise CommandError(
                f"{len(broken)} lines of {file} cannot be read, and whom they named was not looked for: line {numbers}"
            )
