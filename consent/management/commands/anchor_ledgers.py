"""`manage.py anchor_ledgers`: anchor the ledgers now, as beat does once an hour."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.anchors.make import make_anchor
from customers import clock


class Command(BaseCommand):
    help = "Write the hashes of the consent ledger, the audit trail and published notices to TRILHA_ANCHOR_DIR, signed."

    def handle(self, *args: Any, **options: Any) -> None:
        anchor = make_anchor(clock.utcnow())
        if anchor is None:
            raise CommandError("somebody else is making an anchor")
        counts = anchor.counts
        self.stdout.write(
            f"anchor {anchor.number}: {counts.entries:,} entries in {counts.chains:,} chains,"
            f" {counts.audit_entries:,} audit entries in {counts.days:,} days,"
            f" {counts.notices or 0:,} notice versions; root {anchor.root.hex()}"
        )
        if anchor.deviations:
            raise CommandError(
                f"{anchor.deviations:,} chains or anchors are not what was anchored before: manage.py verify_ledgers"
            )
