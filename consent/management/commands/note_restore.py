"""`manage.py note_restore`: say that the database was restored to an earlier time, so that ledgers can be verified."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from getpass import getuser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from consent.anchors.records import Ledger
from consent.anchors.restore import Gap
from consent.anchors.shelf import Busy, shelf
from consent.anchors.signing import NoKey
from consent.restoring import Asked, NotExplained, Plan, note, plan
from consent.verify.telling import fault_in_words, moment
from customers import clock

_SHOWN: Final = 20
_LONGEST: Final = 500
_WHAT: Final = {Ledger.CONSENT: "consent entries", Ledger.AUDIT: "audit entries", Ledger.NOTICE: "notice versions"}


class Command(BaseCommand):
    help = (
        "Note that the database was restored to an earlier time. The anchors made after that time are set aside, which"
        " is written beside them, signed, with who says so and why; verify_ledgers names it ever after. Everything is"
        " verified first: what a restore to that time does not explain is refused. Then the ledgers are anchored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--restored-to", type=_time, required=True, metavar="TIME", help="with its zone: 2026-03-02T14:45:00Z"
        )
        parser.add_argument(
            "--then", type=_time, action="append", default=[], metavar="TIME",
            help="a later restore that was not noted either; for several, in order",
        )  # fmt: skip
        parser.add_argument(
            "--gap", type=_gap, action="append", default=[], metavar="FIRST-LAST",
            help="numbers of anchors that are known to be missing in the folder",
        )  # fmt: skip
        parser.add_argument("--why", type=_words, required=True, metavar="TEXT", help="why it was restored")
        parser.add_argument("--by", type=_words, metavar="NAME", help="who restored it (whoever runs this)")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be set aside")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.utcnow()
        for at in (options["restored_to"], *options["then"]):
            if at > now:
                raise CommandError(f"{moment(at)} is still to come")
        asked = Asked(
            options["restored_to"],
            options["by"] or _whoever(),
            options["why"],
            then=tuple(options["then"]),
            gaps=tuple(options["gap"]),
        )
        try:
            if options["dry_run"]:
                self._tell(plan(shelf(), asked, now), "would be")
                return
            noted, anchor = note(shelf(), asked, now)
        except Busy:
            raise CommandError("somebody is making an anchor: try again when they are done") from None
        except NoKey as missing:
            raise CommandError(str(missing)) from None
        except NotExplained as refused:
            for fault in refused.faults[:_SHOWN]:
                self.stdout.write(fault_in_words(fault))
            raise CommandError(f"{refused} Nothing was noted.") from None
        self._tell(noted, "are")
        told = f"anchor {anchor.number}: root {anchor.root.hex()}" if anchor else "another host is making an anchor"
        self.stdout.write(f"noted as restore {noted.restore.number}; {told}")

    def _tell(self, found: Plan, are: str) -> None:
        restore = found.restore
        of = f", {len(found.aside.since)} of them made since the restore" if found.aside.since else ""
        self.stdout.write(f"anchors {restore.first} to {restore.last} {are} set aside{of}")
        for ledger, name in _WHAT.items():
            gone, there = found.seen.gone[ledger], found.seen.there[ledger]
            self.stdout.write(f"  {name:<16}{gone + there:>10,} seen by them: {gone:,} gone, {there:,} still there")
        kept = f"anchor {restore.kept} is the last that is kept" if restore.kept else "no anchor is kept"
        self.stdout.write(kept)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time such as 2026-03-02T14:45:00Z") from None
    if found.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no zone: end it with Z for UTC, or as in -03:00")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ArgumentTypeError(f"{text!r} is beyond the calendar") from None


def _gap(text: str) -> Gap:
    first, dash, last = text.partition("-")
    if not (first.isascii() and first.isdigit() and len(first) < 11):
        raise ArgumentTypeError(f"{text!r} are no numbers such as 11-20")
    if dash and not (last.isascii() and last.isdigit() and len(last) < 11):
        raise ArgumentTypeError(f"{text!r} are no numbers such as 11-20")
    return Gap(int(first), int(last) if dash else int(first))


def _words(text: str) -> str:
    """On one line, that nothing in it can pass for another line of what is told."""
    words = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if not words or len(words) > _LONGEST:
        raise ArgumentTypeError(f"between 1 and {_LONGEST} characters")
    return words


def _whoever() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        raise CommandError("say who restored it: --by NAME") from None
