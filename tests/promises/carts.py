"""P15: who buys is not reminded: a purchase accepted before a sender's last look stops the letter, however late."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Final
from uuid import UUID

from django.db import connection

from channels.models import Message, Reason
from config.loop.checks import Check
from tests.promises.client import Client, in_parallel
from tests.promises.letters import PURPOSE, Letters, letter
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import Watch, agree, email_of, hold_back, let_go, tell

_SENDERS: Final = 2
# How long the mail server thinks about a letter.
_ANSWER_SECONDS: Final = 0.02
_WAVE: Final = 32
_WAVE_SECONDS: Final = 1.0
# How close behind the announcement of their own letter every other one buys.
_CLOSE_SECONDS: Final = 0.05
_REMINDER: Final = "reminder"
_DOCUMENT: Final[dict[str, Any]] = {
    "purpose": PURPOSE,
    "states": [
        {"name": "filled", "kind": "initial"},
        {"name": "bought", "kind": "success"},
        {"name": "left", "kind": "failure"},
    ],
    "transitions": [["filled", "bought"], ["filled", "left"]],
    "entry": {"event": "cart.filled"},
    "steps": [
        {"id": "wait", "type": "hold", "state": "filled", "branches": [{"event": "order.placed", "next": "bought"}],
         "timeout": {"after": "PT1S", "next": _REMINDER}},
        letter(_REMINDER, "filled", "left"),
        {"id": "left", "type": "exit", "state": "left"},
        {"id": "bought", "type": "exit", "state": "bought"},
    ],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cart:
    user: str
    address_id: UUID


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of a reminder, and when a sender looked last at what its customer had done."""

    state: str
    reason: str
    at: datetime | None


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(2)
    stage.start_engine()
    partner = stage.partner()
    letters = Letters(stage, _SENDERS, _ANSWER_SECONDS, steps=[_REMINDER], journeys={"cart": _DOCUMENT})
    count = stage.size(5_000, 192)
    bought = _race(stage, partner, _carts(stage, partner, count))
    stage.settle("the last reminders")

    looked = _looked()
    sent = {user: one for user, one in looked.items() if one.state == Message.State.SENT}
    late = [user for user, one in sent.items() if one.at is None or one.at.timestamp() > bought[user]]
    yield Check("carts that were bought about when their reminder was to go", count, len(bought))
    yield Check("  reminders sent on a look later than the answer to the purchase", 0, len(late))
    few = stage.size(500, 1)
    yield Check("reminders that were quicker than the purchase", range(few, count), len(sent))
    acted = sum(one.reason == Reason.ACTED for one in looked.values())
    yield Check("reminders that were not", range(few, count), acted)
    yield Check("  of which nobody knows what became", 0, len(looked) - len(sent) - acted)
    yield Check("letters that came", len(sent), sum(letters.arrived().values()))


def _carts(stage: Stage, partner: Client, count: int) -> list[Cart]:
    """Carts that were left, whose reminders are written and held back."""
    users = [f"person-{number}" for number in range(count)]
    agree(stage, partner, users, PURPOSE)
    hold_back()
    tell(partner, [{"name": "cart.filled", "identifiers": {"user_id": user}} for user in users])
    stage.until(lambda: Message.objects.count() == count, "the reminders", 300)
    addresses = dict(Message.objects.values_list("address__value", "address_id"))
    return [Cart(user, addresses[email_of(user)]) for user in users]


def _race(stage: Stage, partner: Client, carts: Sequence[Cart]) -> Mapping[str, float]:
    """Let the reminders of a few go at a time, and have those buy meanwhile; by user, when that was answered."""
    bought: dict[str, float] = {}
    for number in range(ceil(len(carts) / _WAVE)):
        wave = carts[number * _WAVE : (number + 1) * _WAVE]
        with Watch([cart.address_id for cart in wave]) as watch:

            def buy(who: tuple[Cart, bool, float], watch: Watch = watch) -> None:
                cart, is_close, share = who
                watch.wait_for(cart.address_id if is_close else None)
                time.sleep(share * (_CLOSE_SECONDS if is_close else _WAVE_SECONDS))
                reply = partner.post("/api/v1/events", {"name": "order.placed", "identifiers": {"user_id": cart.user}})
                if reply is not None and reply.status == 200:
                    bought[cart.user] = time.time()
                connection.close()

            let_go([cart.address_id for cart in wave])
            who = [(cart, place % 2 == 0, stage.chance.random()) for place, cart in enumerate(wave)]
            in_parallel(_WAVE, buy, who)
    return bought


def _looked() -> dict[str, Looked]:
    found = {}
    for value, state, reason, decision in Message.objects.values_list("address__value", "state", "reason", "decision"):
        at = (decision or {}).get("asked_at")
        found[str(value).partition("@")[0]] = Looked(state, reason, datetime.fromisoformat(at) if at else None)
    return found


PROMISE = Promise(
    "P15",
    "Who has bought is not reminded, if the purchase was accepted before a sender's last look",
    run,
    controls=("a look at enqueue only",),
    code=("journeys/guard.py", "journeys/engine/", "channels/dispatch/", "channels/guards.py"),
    minutes=12,
)
