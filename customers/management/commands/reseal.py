"""`manage.py reseal`: the last step of changing the key that secrets are sealed by."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from customers.resealing import reseal


class Command(BaseCommand):
    help = "Seal every secret under the first key of CREDENTIAL_KEYS; afterwards the other keys can be taken out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count; nothing is written")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = reseal(only_count=options["dry_run"])
        for name, count in counts.items():
            words = _("{current} current, {moved} under another key, {closed} that do not open")
            told = words.format(current=count.current, moved=count.moved, closed=len(count.closed))
            self.stdout.write(f"{name:<40}{told}")
        closed = [f"{name} {pk}" for name, count in counts.items() for pk in count.closed]
        if closed:
            raise CommandError(_("These open with no key of the ring: {rows}").format(rows=", ".join(closed)))
