"""P27: nothing of an erased person is left, nothing brings them back, and a restored backup is erased again."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import redis
from django.db import connections

from config.loop.checks import Check
from config.processes import PROJECT
from consent.models import ConsentChain, Erasure, PrivacyRequest, Purpose, Suppression
from consent.permission import Ask, permissions
from consent.privacy import erasure, requests
from consent.privacy.requests import Asking
from consent.verify.consents import first_broken
from customers import audit
from customers.clock import utcnow
from customers.models import Address, Customer, Identifier, Job
from tests.consent.marked import Marked, lie_about
from tests.promises import dump
from tests.promises.beside import Beside, erase_as_officer
from tests.promises.client import Client
from tests.promises.letters import PURPOSE, Letters
from tests.promises.malformed import Malformed
from tests.promises.plan import Promise
from tests.promises.stage import DATABASE, Stage

GONE: Final = "gone7q"
STAYS: Final = "stay7q"
_BACKUP: Final = "lab_backup"
_BATCH: Final = 100
PATIENCE: Final = 600


@dataclass(frozen=True, slots=True)
class _Lab:
    """What `lie_about` asks of a stage."""

    stage: Stage

    @property
    def source(self) -> Any:
        return self.stage.source

    @property
    def brand(self) -> Any:
        return self.stage.brand

    @property
    def now(self) -> datetime:
        return utcnow()


def run(stage: Stage) -> Iterator[Check]:
    listed = stage.logs / "erasures.jsonl"
    more = {"ERASURE_LIST": str(listed), "ERASURE_SETTLE_SECONDS": "2"}
    gone = [Marked(f"{GONE}{number:05d}x") for number in range(stage.size(500, 12))]
    stay = [Marked(f"{STAYS}{number:05d}x") for number in range(stage.size(100, 6))]
    began = utcnow()
    _live(stage, more, [*gone, *stay])
    beside = Beside(stage, gone, stay)
    beside.live()
    _stop(stage)
    before, kept = dump.search(GONE), dump.search(STAYS)
    yield Check("tables that hold something of them", range(14, 100), len(before))
    yield Check("rows that hold a short id of theirs", range(3, 1_000_000), beside.short_ones())
    connections.close_all()
    stage.servers.make(_BACKUP, like=DATABASE)

    stage.start_web(2, more)
    stage.start_engine(more)
    beside.ask_for_files()
    erase_as_officer(stage, gone[0])
    for one in gone[1:]:
        _ask(stage, one)
    asked = PrivacyRequest.objects.filter(kind="erasure").exclude(state="done")
    # A day is promised; each goes through everything that others say, twice.
    stage.until(lambda: not asked.exists(), "the erasures", stage.size(3_000, PATIENCE))
    at_work = Job.objects.filter(state__in=["waiting", "working"])
    stage.until(lambda: not at_work.exists(), "the files", PATIENCE)
    yield Check("people erased", len(gone), Erasure.objects.exclude(finished_at=None).count())
    yield Check("rows that hold a marker of theirs", {}, dict(dump.search(GONE)))
    yield Check("keys of the broker that do", 0, _in_broker(stage))
    yield Check("files that do", [], _in_files(stage.logs))
    yield Check("rows of others that changed", {}, dict(kept - dump.search(STAYS)))
    yield from beside.checks()
    yield Check("chains of consent that are broken", 0, _broken())
    yield Check("days of the audit trail that are", None, audit.verify(utcnow().date()))

    people = Customer.objects.count()
    yield from _late(stage, gone, began, people)
    malformed = Malformed(stage, gone, began)
    malformed.send()
    yield from malformed.checks()
    yield Check("  rows that hold a marker of theirs", {}, dict(dump.search(GONE)))
    yield Check("  people they brought back", 0, Customer.objects.count() - people)
    yield Check("  files that hold a marker", [], _in_files(stage.logs))
    yield from _back(stage, gone)

    _stop(stage)
    stage.servers.make(DATABASE, like=_BACKUP)
    stage.servers.drop(_BACKUP)
    yield Check("tables that hold them after a restore", len(before), len(dump.search(GONE)))
    connections.close_all()
    yield Check("the list of erasures applied again", 0, _reapply(stage, more, listed))
    yield Check("  rows that hold a marker of theirs", {}, dict(dump.search(GONE)))
    yield Check("  rows of others that changed", {}, dict(kept - dump.search(STAYS)))
    yield Check("  their addresses, suppressed", len(gone), Suppression.objects.filter(reason="erasure").count())


def _live(stage: Stage, more: dict[str, str], everybody: Sequence[Marked]) -> None:
    """Everybody signs up, says this and that, gets letters, and is spoken of at every door."""
    stage.start_web(2, more)
    stage.start_engine(more)
    Letters(stage)
    tell(stage.partner(), [message for one in everybody for message in told(one)])
    stage.settle("the letters")
    lab: Any = _Lab(stage)
    for one in everybody:
        lie_about(lab, one)


def told(one: Marked) -> Iterator[dict[str, Any]]:
    who = {"user_id": one.user}
    traits = {"email": one.email, "first_name": one("Zoë"), "note": one("note")}
    yield {"type": "identify", "identifiers": {**who, "email": one.email}, "traits": traits}
    about = {"purpose": PURPOSE, "address": one.email, "url": f"https://shop.example/?q={one('url')}", "ip": one("ip")}
    yield {"name": "consent.granted", "identifiers": who, "properties": about}
    yield {"name": "customer.signed_up", "identifiers": who, "properties": {"said": [{"deep": one("deep/%&")}]}}
    # Refused, and kept in quarantine.
    yield {"name": "", "identifiers": {**who, "email": one.email}, "properties": {"x": one("refused")}}


def tell(partner: Client, messages: Sequence[dict[str, Any]]) -> list[int]:
    statuses = []
    for start in range(0, len(messages), _BATCH):
        reply = partner.post("/api/v1/events/batch", {"events": messages[start : start + _BATCH]})
        statuses.append(reply.status if reply is not None else 0)
    return statuses


def _stop(stage: Stage) -> None:
    for process in reversed(stage.processes):
        process.stop()
    stage.processes.clear()
    connections.close_all()


def _ask(stage: Stage, one: Marked) -> None:
    names = requests.naming("email", one.email, [], utcnow())
    asking = Asking(
        brand=stage.brand, kind="erasure", law="lgpd", channel="form", names=names, assurance=4, note=one("note")
    )
    erasure.ask(requests.take_down(asking, utcnow()), utcnow(), None)


def _late(stage: Stage, gone: Sequence[Marked], began: datetime, people: int) -> Iterator[Check]:
    """What occurred before and comes now, by the strongest name and by the weaker one."""
    partner = stage.partner()
    at = began.isoformat()
    late = [
        {"name": "Item Seen", "occurred_at": at, "identifiers": who, "properties": {"late": one("late")}}
        for one in gone
        for who in ({"user_id": one.user}, {"email": one.email})
    ]
    tell(partner, late)
    stage.settle("what is late")
    yield Check("late events: people they brought back", 0, Customer.objects.count() - people)
    yield Check("  rows that hold a marker of theirs", {}, dict(dump.search(GONE)))
    yield Check("  dropped and counted", len(late), stage.count("SELECT sum(dropped) FROM customers_erasedsubject"))


def _back(stage: Stage, gone: Sequence[Marked]) -> Iterator[Check]:
    """They come back of themselves: somebody new, who is not written to upon a mere word."""
    tell(stage.partner(), [message for one in gone for message in list(told(one))[:2]])
    stage.settle("who came back")
    known = Identifier.objects.filter(value__startswith=GONE, kind_id="user_id").select_related("profile")
    yield Check("people who came back, as somebody new", len(gone), known.count())
    addresses = dict(Address.objects.filter(channel="email", value__startswith=GONE).values_list("value", "id"))
    purpose = Purpose.objects.get(key=PURPOSE).pk
    asks = [Ask(one.profile.customer_id, addresses[f"{one.value[:-4]}mail@example.com"], purpose) for one in known]
    yield Check("  who may be written to", 0, sum(verdict.allowed for verdict in permissions(asks, utcnow())))
    yield Check("  with events from before", 0, stage.count(_OLD))


_OLD: Final = """
    SELECT count(*) FROM customers_event e JOIN customers_identifier i ON i.profile_id = e.profile_id
    WHERE e.name IN ('customer.signed_up', 'Item Seen') AND i.value LIKE 'gone7q%'
"""


def _in_broker(stage: Stage) -> int:
    wanted = dump.forms(GONE)
    # As redis-py calls a socket; Celery has a name of its own for it.
    broker = redis.Redis.from_url(stage.servers.broker_url.replace("redis+socket://", "unix://"))
    return sum(bool(dump.hits(broker.dump(key) or b"", wanted)) for key in broker.scan_iter())


def _in_files(folder: Path) -> list[str]:
    """Of what the product wrote; the mails are in their readers' boxes."""
    wanted = dump.forms(GONE)
    files = [one for one in folder.rglob("*") if one.is_file() and one.name != "mails.jsonl"]
    return [one.name for one in files if dump.hits(one.read_bytes(), wanted)]


def _broken() -> int:
    chains = ConsentChain.objects.values_list("pk", flat=True)
    return sum(first_broken(chain) is not None for chain in chains)


def _reapply(stage: Stage, more: dict[str, str], listed: Path) -> int:
    command = [sys.executable, "manage.py", "reapply_erasures", "--list", str(listed)]

    environment = {**os.environ, **stage.environment(more)}
    return subprocess.run(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, check=False).returncode


PROMISE = Promise(
    "P27",
    "Erasure: nothing of the person is left, late events and restores do not bring them back",
    run,
    controls=("soft delete", "refused and kept", "friends not masked"),
    code=("customers/privacy/", "customers/erased.py", "customers/accept/", "customers/resolve/", "consent/privacy/",
          "channels/privacy.py", "journeys/privacy.py"),
    minutes=50,
)  # fmt: skip
