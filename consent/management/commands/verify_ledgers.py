"""`manage.py verify_ledgers`: whether consent and the audit trail are what was written, and against which anchors."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consent.anchors.shelf import Shelf
from consent.verify.consents import Tally
from consent.verify.report import Report, verify_ledgers
from consent.verify.telling import fault_in_words, moment, restore_in_words
from customers import clock

_SHOWN: Final = 20


class Command(BaseCommand):
    help = (
        "Verify every chain of the consent ledger and the audit trail: hashes, links, positions, evidence, current"
        " consents, the words of notices, and what was anchored outside the database. Names the first bad entry, the"
        " reason and the last anchor that still holds; fails on a fault, and where nothing was anchored for hours."
        " Restores that were noted are named, whatever is found."
        " Writers are not held up."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        here = settings.TRILHA_ANCHOR_DIR
        parser.add_argument("--anchors", metavar="FOLDER", default=here, help="where the anchors are (%(default)s)")
        parser.add_argument("--show", type=int, metavar="N", default=_SHOWN, help="so many faults (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["anchors"])
        began = time.monotonic()
        report = verify_ledgers(Shelf(folder), clock.utcnow())
        seconds = time.monotonic() - began
        self.stdout.write(_tally("consent", "chains", report.consent, seconds))
        self.stdout.write(f"          {report.consent.unproven:,} entries whose evidence was erased")
        self.stdout.write(_tally("audit", "days", report.audit, seconds))
        self.stdout.write(f"{'notices':<10}{report.notices.entries:,} published versions")
        self.stdout.write(_anchors(report, folder))
        for restore in report.anchors.restores:
            self.stdout.write(f"{'restores':<10}{restore_in_words(restore)}")
        faults = report.faults
        for fault in faults[: options["show"]]:
            self.stdout.write(fault_in_words(fault))
        if not faults:
            self.stdout.write("everything is what was written")
            return
        held = f"{moment(report.held.at)} (anchor {report.held.number})" if report.held else "none"
        self.stdout.write(f"last anchor that still holds: {held}")
        raise CommandError(f"{len(faults):,} faults; the first: {fault_in_words(faults[0])}")


def _tally(name: str, chains: str, tally: Tally, seconds: float) -> str:
    speed = f" ({tally.entries / seconds:,.0f} entries/s)" if name == "consent" and seconds else ""
    return f"{name:<10}{tally.entries:,} entries in {tally.chains:,} {chains}{speed}"


def _anchors(report: Report, folder: Path) -> str:
    last = report.anchors.last
    if last is None:
        return f"{'anchors':<10}none in {folder}: who rewrites a chain to its end is not found"
    torn = f", {report.anchors.torn} torn lines" if report.anchors.torn else ""
    known = f"{len(report.anchors.known):,}{torn}"
    return f"{'anchors':<10}{known}; the last at {moment(last.at)}, root {last.root.hex()}"
