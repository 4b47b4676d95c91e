"""An installation that is restored: hours of consents and of anchors, backups between them, and notes of restores."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from consent.anchors.make import make_anchor
from consent.restoring import Asked, NotExplained, Plan, note
from consent.verify.fault import Reason
from consent.verify.report import Report
from customers import audit
from tests.consent import backups
from tests.consent.ledgers import Ledgers
from tests.consent.people import hours, tell

WHY: Final = "a migration emptied a table"


@dataclass
class Story:
    """An entry of each of three chains and of the trail at every full hour, and an anchor at every half; a backup is
    taken a while after the hour, by its name."""

    ledgers: Ledgers
    folder: Path
    taken: dict[float, backups.Backup] = field(default_factory=dict)

    def hour(self, number: float, *, anchored: bool = True) -> None:
        for address in (self.ledgers.victim, *self.ledgers.others):
            state = "given" if number % 2 else "withdrawn"
            tell(address, self.ledgers.profile, self.ledgers.purpose, state, hours(number))
        audit.record(None, "change", self.ledgers.brand, {"name": "x"}, {"name": str(number)}, now=hours(number))
        self.taken[number] = backups.take()
        if anchored:
            make_anchor(hours(number + 0.5))

    def restore(self, number: float) -> None:
        """The database as it was a quarter past that hour."""
        backups.restore(self.taken[number])

    def note(self, number: float, now: float) -> Plan:
        return note(self.ledgers.place, asked(number), hours(now))[0]

    def verify(self, now: float) -> Report:
        return self.ledgers.verify(hours(now))

    def reasons(self, now: float) -> list[Reason]:
        return [fault.reason for fault in self.verify(now).faults]

    def refusal(self, number: float, now: float) -> str:
        """Why it is not noted; and that nothing was written."""
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        with pytest.raises(NotExplained) as refused:
            self.note(number, now)
        assert {path.name: path.read_bytes() for path in self.folder.iterdir()} == before
        faults = " ".join(fault.reason.value for fault in refused.value.faults)
        return f"{refused.value} {faults}".strip()


def asked(number: float) -> Asked:
    return Asked(hours(number + 0.25), "ana", WHY)
