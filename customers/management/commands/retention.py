"""`manage.py retention`: what is kept for how long, and what would go now."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from customers import clock
from customers.models import Brand
from customers.retention.apply import ask
from customers.retention.months import missing
from customers.retention.plan import Going, plan


class Command(BaseCommand):
    help = "Print what would be taken away now, by kind; without --dry-run have it taken, by a job."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only print; nothing is taken")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.utcnow()
        for table in missing(now):
            self.stderr.write(_("{table} has no partition for now or for a month from now").format(table=table))
        brands = dict(Brand.objects.values_list("pk", "key"))
        for going in plan(now):
            self.stdout.write(_line(going, brands.get(going.share.brand_id, "") if going.share.brand_id else ""))
        if not options["dry_run"]:
            self.stdout.write(_("job {job}").format(job=ask(now).pk))


def _line(going: Going, brand: str) -> str:
    share = going.share
    name = f"{share.kind.key} {brand}".strip()
    held = _("held since {moment}").format(moment=_day(going.held_since)) if going.held_since else ""
    span = f"{_day(going.oldest)} – {_day(going.newest)}" if going.rows else ""
    days = _("{days} d").format(days=share.days)
    return f"{name:<32}{days:>8}{going.rows:>14,}  {span:<26}{going.partition} {held}".rstrip()


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"
