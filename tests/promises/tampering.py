"""P29: whatever is done to the ledgers behind the product's back is found, and the entry is named."""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Final

from django.db import connection

from config.loop.checks import Check
from config.processes import PROJECT
from consent.anchors.shelf import Shelf
from consent.ledger import append
from consent.models import ConsentEntry, Purpose
from customers.clock import utcnow
from customers.models import Address, AuditEntry, Profile
from tests.consent import people
from tests.consent.attacks import ATTACKS, NOTICE_ATTACKS
from tests.consent.ledgers import Ledgers, erase_evidence, make_chains, unguarded
from tests.promises.client import all_at_once
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_WRITERS: Final = 8
_NAMED: Final = re.compile(r"^(consent|audit) entry (\d+) ", re.MULTILINE)
_HELD: Final = re.compile(r"still holds: .* \(anchor (\d+)\)")
# Taken last: nothing is left after it.
_ALL_GONE: Final = "truncate"


@dataclass(frozen=True, slots=True)
class Manage:
    """Runs the product's commands, as an operator would."""

    environment: Mapping[str, str]

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False)


def run(stage: Stage) -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as folder:
        environment = stage.environment({"TRILHA_ANCHOR_DIR": folder})
        yield from _run(stage, Manage({**os.environ, **environment}), Path(folder))


def _run(stage: Stage, manage: Manage, folder: Path) -> Iterator[Check]:
    purpose, profile = people.make_purpose(stage.brand), people.make_profile(people.make_customer())
    each = stage.size(1_000, 40)
    yield from _written_at_once(manage, purpose, profile, each)
    manage("anchor_ledgers")
    before = sum(1 for _line in Shelf(folder).lines())

    notice = people.make_notice(stage.brand)

    # Each attack has a chain of its own, and another one to move things to.
    def anchor(_position: int) -> None:
        manage("anchor_ledgers")

    chains = make_chains(purpose, profile, 2 * len(ATTACKS), anchor)
    erase_evidence(ConsentEntry.objects.filter(address=chains[-1]))
    told = manage("verify_ledgers")
    yield Check("before anything is done to them: verified", 0, told.returncode)
    yield Check("  entries whose evidence was erased", 5, _number(told.stdout, r"([\d,]+) entries whose evidence"))

    todo = {name: tamper for name, (tamper, _reason, _held) in ATTACKS.items() if name != _ALL_GONE}
    done = {}
    for number, (name, tamper) in enumerate(todo.items()):
        victim, other = chains[2 * number : 2 * number + 2]
        done[name] = tamper(Ledgers(stage.brand, purpose, profile, victim, [other], Shelf(folder)))
    NOTICE_ATTACKS["rewrite the words"][0](notice)
    edited, gone = _tamper_with_the_trail()
    told = manage("verify_ledgers", "--show", "1000")
    named = {(ledger, int(entry)) for ledger, entry in _NAMED.findall(told.stdout)}
    yield Check("then: verified", 1, told.returncode)
    for name, entry in done.items():
        yield Check(f"  {name}: the entry is named", True, ("consent", entry) in named)
    yield Check("  a notice rewritten with its hash: named", True, f"notice version {notice.pk}: " in told.stdout)
    yield Check("  audit entry edited: named", True, ("audit", edited) in named)
    yield Check("  the last day of the audit trail taken out: named", True, ("audit", gone) in named)
    first = min(done.values())
    yield Check("  the first bad entry comes first", f"consent entry {first}", _first(told.stdout))
    yield Check("  the last anchor that still holds", before, _number(told.stdout, _HELD.pattern))

    lost = ATTACKS[_ALL_GONE][0](Ledgers(stage.brand, purpose, profile, chains[0], [], Shelf(folder)))
    told = manage("verify_ledgers", "--show", "1000")
    yield Check(f"  {_ALL_GONE}: the first entry is named", f"consent entry {lost}", _first(told.stdout))


def _written_at_once(manage: Manage, purpose: Purpose, profile: Profile, each: int) -> Iterator[Check]:
    """Eight writers to one chain, and to one each; meanwhile the ledgers are anchored and verified."""
    shared = people.make_address("shared@example.com")
    own = [people.make_address(f"own{number}@example.com") for number in range(_WRITERS)]
    told: list[subprocess.CompletedProcess[str]] = []
    asking = Thread(target=lambda: told.extend([manage("anchor_ledgers"), manage("verify_ledgers")]))
    asking.start()

    def write(number: int) -> None:
        try:
            for turn in range(each):
                at = people.T0 + timedelta(seconds=number * each + turn)
                both = (shared, own[number]) if turn % 2 else (own[number], shared)
                append([people.new_entry(address, profile, purpose, "given", at) for address in both], utcnow())
        finally:
            connection.close()

    all_at_once(write, list(range(_WRITERS)))
    asking.join()
    yield Check("anchored and verified while eight wrote", [0, 0], [one.returncode for one in told])
    positions = _positions(shared)
    yield Check(f"positions of one chain, {_WRITERS} writers at once", _WRITERS * each, len(set(positions)))
    yield Check("  the last position", _WRITERS * each, max(positions))
    yield Check("  entries that two others follow", 0, _forks())


def _positions(address: Address) -> Sequence[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT position FROM consent_consententry WHERE address_id = %s ORDER BY 1", [address.pk])
        return [position for (position,) in cursor.fetchall()]


def _forks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT address_id, previous FROM consent_consententry")
        followed = Counter((address, bytes(previous)) for address, previous in cursor.fetchall())
    return sum(count > 1 for count in followed.values())


def _tamper_with_the_trail() -> tuple[int, int]:
    """One entry edited, and the last day taken out: the ids of what must be named."""
    edited = AuditEntry.objects.earliest("id")
    gone = AuditEntry.objects.latest("id").day
    first = AuditEntry.objects.filter(day=gone).earliest("id").pk
    unguarded(("UPDATE customers_auditentry SET actor_id = 7 WHERE id = %s", [edited.pk]))
    unguarded(("DELETE FROM customers_auditentry WHERE day = %s", [gone]))
    return edited.pk, first


def _first(told: str) -> str:
    found = re.search(r"^(consent entry \d+) ", told, re.MULTILINE)
    return found[1] if found else "none"


def _number(told: str, pattern: str) -> int:
    found = re.search(pattern, told)
    return int(found[1].replace(",", "")) if found else -1


PROMISE = Promise(
    "P29",
    "Tampering: what is changed, taken out or written anew in the ledgers is found and named, whoever did it",
    run,
    controls=("unanchored chain",),
    code=("consent/ledger.py", "consent/chain.py", "consent/anchors/", "consent/verify/", "customers/audit.py"),
    minutes=8,
)
