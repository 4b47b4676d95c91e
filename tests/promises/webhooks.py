"""P5: a webhook's body is verified over its bytes, kept as it came, and only then interpreted."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from django.db import connections

from config.loop.checks import Check
from customers import dead_letters
from customers.clock import utcnow
from customers.hooks import interpret, secrets
from customers.models import DeadLetter, Event, Hook, ReceivedBody
from tests.promises.client import Client, Reply, all_at_once, in_parallel
from tests.promises.deliveries import FORGERIES, SECRET, Delivery, delivery, signed
from tests.promises.killer import Killer
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_CLIENTS = 8
_COPIES = 4
_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 120.0
_SETTLE_SECONDS = 180.0
# How often of twenty-five a delivery is of a kind: what no rule of the mapping is for, what the mapping cannot read,
# what throws in whoever interprets it, and what is no document at all.
_KINDS: Final = ("paid",) * 19 + ("refunded",) * 4 + ("misfit", "unreadable")
_THROWS: Final = "throws"
_RULE: Final[dict[str, Any]] = {
    "key": "paid",
    "when": [{"path": "/type", "is": ["payment.paid", "payment.misfit", "payment.throws"]}],
    "name": {"constant": "Payment Received"},
    "identifiers": {"user_id": "/customer"},
    "properties": {"amount": {"path": "/amount", "steps": ["number"], "required": True}},
}
# Taught later: the other kind of payment, and an amount as it stands.
_TAUGHT: Final = {
    **_RULE,
    "when": [{"path": "/type", "present": True}],
    "properties": {"amount": {"path": "/amount", "required": True}},
}


def run(stage: Stage) -> Iterator[Check]:
    hook = payments(stage)
    web, worker = stage.start_web(2), stage.start_engine({"TRILHA_LAB_FAULT": "interpretation throws"})
    sender = _Sender(stage, hook)
    with Killer(stage, web, worker, stage.size(60, 5)) as killer:
        sender.send_until(killer.is_done, stage.size(5_000, 250))
        killed = dict(killer.counts)
    connections.close_all()
    stage.until(lambda: not _waiting(), "the bodies to be interpreted", _SETTLE_SECONDS)

    yield Check("killed", killer.planned, killed)
    yield from _kept(sender)
    yield from _interpreted(sender.sent)
    yield from _forged(stage, hook, sender)
    yield from _again(stage, sender)
    worker.stop()
    stage.start_engine()
    yield from _mended(stage, hook, sender.sent)


def payments(stage: Stage) -> Hook:
    hook = Hook(source=stage.source, name="Payments", mapping={"events": [_RULE]}, per_minute=100_000)
    secrets.add(hook, SECRET)
    hook.save()
    return hook


class _Sender:
    """Sends each delivery until it is told what became of it, as Standard Webhooks has senders do."""

    def __init__(self, stage: Stage, hook: Hook) -> None:
        self.sent: list[Delivery] = []
        self.told: list[str] = []
        self.unanswered = 0
        self.path = f"/hooks/{hook.pk}"
        self.client = Client(stage.url, "")
        self._throwing = stage.size(200, 10)
        self._lock = threading.Lock()
        self._numbers = itertools.count()

    def post(self, what: Delivery) -> Reply | None:
        return self.client.post(self.path, what.body, {**what.headers, "Content-Type": what.type})

    def send_until(self, is_enough: Any, least: int) -> None:
        def client(_number: int) -> None:
            while not (is_enough() and len(self.sent) >= least):
                self._insist(self._next())
                time.sleep(_PAUSE_SECONDS)

        in_parallel(_CLIENTS, client, range(_CLIENTS))

    def _next(self) -> Delivery:
        number = next(self._numbers)
        kind = _THROWS if number % 7 == 0 and number // 7 < self._throwing else _KINDS[number % len(_KINDS)]
        return delivery(number, kind)

    def _insist(self, what: Delivery) -> None:
        told, until = "never answered", time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            reply = self.post(what)
            if reply is not None and reply.status < 500:
                told = _word(reply)
                break
            self.unanswered += 1
            time.sleep(0.2)
        with self._lock:
            self.sent.append(what)
            self.told.append(told)


def _word(reply: Reply | None) -> str:
    """What a reply comes to: its status word, else the code of its refusal."""
    if reply is None:
        return "no answer"
    return str(reply.json["status"]) if reply.status == 200 else f"{reply.status} {reply.code}"


def _waiting() -> int:
    return ReceivedBody.objects.filter(status="waiting").count()


def _of(sent: Sequence[Delivery], *kinds: str) -> int:
    return sum(what.kind in kinds for what in sent)


def _kept(sender: _Sender) -> Iterator[Check]:
    """Every body that was told received is there as it came; one that cannot be read as well."""
    sent = sender.sent
    rows = ReceivedBody.objects.values_list("delivery_id", "body", "content_type")
    kept = {(id_, bytes(body), content_type) for id_, body, content_type in rows}
    wanted = {(what.id, what.body, what.type) for what in sent}
    answers = Counter("taken" if told in ("received", "duplicate") else told for told in sender.told)
    unreadable = _of(sent, "unreadable")
    yield Check("deliveries sent", range(1, 10**6), len(sent))
    yield Check("  taken", len(sent) - unreadable, answers.pop("taken", 0))
    yield Check("  told that nobody can read it", unreadable, answers.pop("400 invalid_json", 0))
    yield Check("  anything else", {}, dict(answers))
    yield Check("  tries that nobody answered, or not yet", range(10**6), sender.unanswered)
    yield Check("bodies kept byte for byte", len(sent), len(kept & wanted))
    yield Check("  others, or twice", 0, len(rows) - len(kept & wanted))


def _interpreted(sent: Sequence[Delivery]) -> Iterator[Check]:
    found = Counter(ReceivedBody.objects.values_list("status", "reason"))
    wanted = {
        ("done", ""): _of(sent, "paid"),
        ("unhandled", "unhandled"): _of(sent, "refunded"),
        ("failed", "mapping_failed"): _of(sent, "misfit"),
        ("failed", "gave_up"): _of(sent, _THROWS),
        ("failed", "invalid_json"): _of(sent, "unreadable"),
    }
    for (status, reason), number in wanted.items():
        yield Check(f"  {status}{f': {reason}' if reason else ''}", number, found.pop((status, reason), 0))
    yield Check("  in any other state", {}, dict(found))
    letters = DeadLetter.objects.filter(queue="hooks", attempts=5).exclude(reason="")
    yield Check("dead letters of those that throw, after five attempts", _of(sent, _THROWS), letters.count())
    yield from _events(sent, "paid")


def _events(sent: Sequence[Delivery], *kinds: str) -> Iterator[Check]:
    def all_there() -> bool:
        return Event.objects.filter(name="Payment Received").count() >= _of(sent, *kinds)

    end = time.monotonic() + 30
    while not all_there() and time.monotonic() < end:
        time.sleep(0.1)
    events = Event.objects.filter(name="Payment Received")
    who = Counter(events.values_list("profile__identifier__value", flat=True))
    wanted = {f"payer-{what.id.rpartition('-')[2]}": 1 for what in sent if what.kind in kinds}
    yield Check("events of them, each once", len(wanted), sum(who[payer] == 1 for payer in wanted))
    yield Check("  others", 0, events.count() - len(wanted))


def _forged(stage: Stage, hook: Hook, sender: _Sender) -> Iterator[Check]:
    """Bad in each way, half of them new and half made of what was accepted."""
    before, counted = ReceivedBody.objects.count(), _bad_signatures(hook)
    old = [what for what in sender.sent if what.kind == "paid"]
    made = [
        forge(stage.chance.choice(old) if number % 2 else delivery(10**6 + number, "paid"))
        for number, forge in zip(range(stage.size(1_000, 110)), itertools.cycle(FORGERIES.values()), strict=False)
    ]
    told = list(map(_word, in_parallel(_CLIENTS, sender.post, made)))
    yield Check(f"forged in {len(FORGERIES)} ways: 401", len(made), told.count("401 invalid_signature"))
    yield Check("  counted", len(made), _bad_signatures(hook) - counted)
    yield Check("  kept", 0, ReceivedBody.objects.count() - before)


def _bad_signatures(hook: Hook) -> int:
    return int(Hook.objects.values_list("bad_signatures", flat=True).get(pk=hook.pk))


def _again(stage: Stage, sender: _Sender) -> Iterator[Check]:
    """What came is sent again by several at once, and something else under its id."""
    before, repeats = ReceivedBody.objects.count(), _repeats()
    chosen = stage.chance.sample([what for what in sender.sent if what.kind == "paid"], stage.size(500, 50))
    fresh = [signed(what) for what in chosen]
    told = [_word(reply) for what in fresh for reply in all_at_once(sender.post, [what] * _COPIES)]
    yield Check(f"sent again, {_COPIES} at once: duplicates", _COPIES * len(fresh), told.count("duplicate"))
    yield Check("  counted", _COPIES * len(fresh), _repeats() - repeats)
    new = [delivery(2 * 10**6 + number, "refunded") for number in range(stage.size(200, 20))]
    told = [_word(reply) for what in new for reply in all_at_once(sender.post, [what] * _COPIES)]
    yield Check(f"new, {_COPIES} at once: the first of each", len(new), told.count("received"))
    yield Check("  the others", len(new) * (_COPIES - 1), told.count("duplicate"))
    sender.sent += new
    others = [signed(replace(what, body=what.body.replace(b".50", b".99"))) for what in chosen]
    told = list(map(_word, in_parallel(_CLIENTS, sender.post, others)))
    yield Check("another body under a known id: 409", len(others), told.count("409 message_id_conflict"))
    yield Check("  rows of all these", len(new), ReceivedBody.objects.count() - before)


def _repeats() -> int:
    return sum(ReceivedBody.objects.values_list("repeats", flat=True))


def _mended(stage: Stage, hook: Hook, sent: Sequence[Delivery]) -> Iterator[Check]:
    """The mapping is taught and the fault mended; what lies is replayed, by its letter or by itself, and then all."""
    stage.until(lambda: not _waiting(), "the last bodies", _SETTLE_SECONDS)
    hook.mapping = {"events": [_TAUGHT]}
    hook.save(update_fields=["mapping"])
    letters = list(DeadLetter.objects.filter(queue="hooks").values_list("pk", flat=True))
    yield Check("put back from the dead letters", len(letters), dead_letters.replay(letters, utcnow()))
    lying = ReceivedBody.objects.filter(reason__in=("unhandled", "mapping_failed")).values_list("pk", flat=True)
    number = _of(sent, "refunded", "misfit")
    yield Check("replayed: unhandled, or their mapping failed", number, interpret.replay(list(lying), utcnow()))
    stage.until(lambda: not _waiting(), "what was replayed", _SETTLE_SECONDS)
    readable = [what for what in sent if what.kind != "unreadable"]
    done = ReceivedBody.objects.filter(status="done").count()
    yield Check("  interpreted now", len(readable), done)
    yield from _events(sent, "paid", "refunded", "misfit", _THROWS)
    every = list(ReceivedBody.objects.values_list("pk", flat=True))
    yield Check("all bodies replayed", len(every), interpret.replay(every, utcnow()))
    stage.until(lambda: not _waiting(), "all bodies anew", _SETTLE_SECONDS)
    yield from _events(sent, "paid", "refunded", "misfit", _THROWS)
    yield Check("letters that still lie", 0, DeadLetter.objects.filter(replayed_at=None).count())


PROMISE = Promise(
    "P5",
    "Inbound webhooks: verified over the bytes, kept as they came, then interpreted, and replayable",
    run,
    controls=("parse before store", "signature of a trimmed body", "deliveries not told apart"),
    code=(
        "customers/hooks/",
        "customers/mapping/",
        "customers/api/hooks.py",
        "customers/work.py",
        "customers/attempts.py",
    ),
    minutes=15,
)
