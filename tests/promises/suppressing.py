"""P22: a suppressed address stays suppressed, whoever turns up with it and however it is written."""

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import transaction

from channels.models import Message
from config.loop.checks import Check
from config.processes import PROJECT, ProcessError
from consent.models import Suppression
from consent.permission import lock_address
from customers.clock import utcnow
from customers.merging.decide import decision, join, split
from customers.models import Address, Identifier
from tests.promises.client import Client
from tests.promises.letters import PURPOSE, Letters, signed_up
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_REASONS: Final = tuple(Suppression.Reason)
# By reason, whether it holds in every brand or in the one that heard of it.
_EVERYWHERE: Final = frozenset({Suppression.Reason.BOUNCE, Suppression.Reason.ERASURE})
_SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (str.upper, str.title, str.swapcase, "  {} ".format)
_CUSTOMERS: Final = {
    "events": [{"key": "c", "type": "identify", "identifiers": {"user_id": "/user", "email": "/email"}}]
}


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whoever has this mailbox: known by one user id after the other."""

    number: int
    is_suppressed: bool

    @property
    def email(self) -> str:
        return f"mailbox-{self.number}@people.example.com"

    @property
    def reason(self) -> Suppression.Reason | None:
        return _REASONS[self.number % len(_REASONS)] if self.is_suppressed else None

    def agrees(self, which: str, email: str) -> Mapping[str, object]:
        """By a proof, but of an address whose owner was erased: that is what lifts such a suppression."""
        about = {"purpose": PURPOSE, "address": email}
        if self.reason is not Suppression.Reason.ERASURE:
            about["method"] = "double_opt_in"
        return {"name": "consent.granted", "identifiers": {"user_id": self.user(which)}, "properties": about}

    def user(self, which: str) -> str:
        return f"{which}-{self.number}"

    def spelled(self, turn: int) -> str:
        return _SPELLINGS[(self.number + turn) % len(_SPELLINGS)](self.email)


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(2)
    stage.start_engine()
    partner = stage.partner()
    letters = Letters(stage, senders=2)
    count = stage.size(2_000, 60)
    # A few who are not suppressed show that letters would go out.
    owners = [_Owner(number, number < count) for number in range(count + count // 4)]
    scene = _Scene(stage, partner, letters, owners)

    scene.tell([_identified(one.user("a"), one.email) for one in owners])
    scene.tell([one.agrees("a", one.email) for one in owners])
    _suppress(stage, owners)
    yield Check("addresses suppressed, for five reasons", count, Suppression.objects.filter(lifted_at=None).count())
    yield scene.wrote("at once", "a")

    scene.tell([_identified(one.user("b"), one.spelled(1)) for one in owners])
    scene.tell([one.agrees("b", one.spelled(2)) for one in owners])
    yield scene.wrote("to a new profile, spelled otherwise, with a consent proven since", "b")

    profiles = _profiles(owners)
    for one in owners:
        join(profiles[one.user("a")], profiles[one.user("b")], decision(stage.brand.pk, "lab", "merge", utcnow()))
    stage.settle("the merges")
    yield scene.wrote("after a merge", "a", "b")

    yield Check("rows of a file imported", len(owners), _import(stage, owners))
    stage.settle("the import")
    scene.tell([one.agrees("c", one.spelled(0)) for one in owners])
    yield scene.wrote("to those of an imported file", "c")

    for one in owners:
        split([profiles[one.user("b")]], decision(stage.brand.pk, "lab", "unmerge", utcnow()))
    stage.settle("the unmerges")
    yield scene.wrote("after an unmerge", "a", "b", "c")

    got = {email for email, _step in letters.arrived()}
    yield Check("addresses there are", len(owners), Address.objects.filter(channel="email").count())
    yield Check("mailboxes without suppression that got their letters", len(owners) - count, len(got))
    unsettled = Message.objects.exclude(state__in=(Message.State.SENT, Message.State.SUPPRESSED)).count()
    yield Check("letters in any other state than sent or kept back", 0, unsettled)


@dataclass(frozen=True, slots=True)
class _Scene:
    stage: Stage
    partner: Client
    letters: Letters
    owners: Sequence[_Owner]

    def tell(self, told: Sequence[Mapping[str, object]]) -> None:
        """Tell it, and wait until all of it has had its effect."""
        for start in range(0, len(told), 200):
            part = told[start : start + 200]
            # A connection that was idle for long is closed by the server; what is told twice changes nothing.
            asked = {"events": part}
            reply = self.partner.post("/api/v1/events/batch", asked) or self.partner.post("/api/v1/events/batch", asked)
            if reply is None or reply.status != 200 or reply.json["accepted"] != len(part):
                raise ProcessError(f"the door of events answered {reply}")
        self.stage.settle("what was told")

    def wrote(self, when: str, *which: str) -> Check:
        """Everybody signs up for letters; how many came to suppressed mailboxes so far."""
        self.tell([signed_up(one.user(user)) for user in which for one in self.owners])
        suppressed = {one.email for one in self.owners if one.is_suppressed}
        arrived = sum(number for (email, _step), number in self.letters.arrived().items() if email in suppressed)
        return Check(f"  letters to them {when}", 0, arrived)


def _identified(user: str, email: str) -> Mapping[str, object]:
    return {"type": "identify", "identifiers": {"user_id": user, "email": email}}


def _suppress(stage: Stage, owners: Sequence[_Owner]) -> None:
    reasons = {one.email: one.reason for one in owners if one.reason}
    for address in Address.objects.filter(channel="email", value__in=reasons).order_by("pk"):
        reason = reasons[address.value]
        brand = None if reason in _EVERYWHERE else stage.brand
        with transaction.atomic():
            lock_address(address.pk)
            Suppression.objects.create(address=address, brand=brand, reason=reason, created_at=utcnow())


def _profiles(owners: Sequence[_Owner]) -> dict[str, UUID]:
    users = [one.user(which) for one in owners for which in "ab"]
    found = Identifier.objects.filter(kind_id="user_id", value__in=users)
    return dict(found.values_list("value", "profile_id"))


def _import(stage: Stage, owners: Sequence[_Owner]) -> int:
    """Customers out of a file, as an operator imports them; how many rows were accepted."""
    with tempfile.TemporaryDirectory() as folder:
        rows, mapping = Path(folder) / "rows.csv", Path(folder) / "map.json"
        with rows.open("w", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(("user", "email"))
            writer.writerows((one.user("c"), one.spelled(3)) for one in owners)
        mapping.write_text(json.dumps(_CUSTOMERS))
        command = [sys.executable, "manage.py", "import_csv", str(rows), "--source", "lab", "--rows", "customers"]
        environment = {**os.environ, **stage.environment()}
        done = subprocess.run(
            [*command, "--map", str(mapping)], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise ProcessError(f"the import ended so: {done.stderr[-1000:]}")
    return int(done.stdout.split()[1])


PROMISE = Promise(
    "P22",
    "Suppression: an address stays suppressed through merges, imports, new profiles and other spellings",
    run,
    controls=("suppression of the profile",),
    code=("consent/", "channels/dispatch/", "customers/resolve/", "customers/merging/"),
    minutes=15,
)
