"""What the payment provider reports: signed bodies in its own words, to a webhook with a mapping."""

import base64
import hmac
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import orjson

from config.demo.brands import BRANDS, BrandPlan
from config.demo.calendar import Calendar
from config.demo.company import Company
from config.demo.people import make_person
from customers.accept.refusal import Refused
from customers.hooks import receive, secrets, signatures
from customers.hooks.receive import Delivery
from customers.models import Hook

SOURCE: Final = "payments"
MAPPING: Final[dict[str, Any]] = {
    "events": [
        {
            "key": key,
            "when": [{"path": "/type", "is": [f"charge.{key}"]}],
            "name": {"constant": f"charge.{key}"},
            "occurred_at": {"path": "/created", "steps": [{"do": "time", "format": "epoch_seconds"}]},
            "identifiers": {"user_id": "/data/customer/reference"},
            "properties": {
                "amount": {
                    "path": "/data/amount",
                    "steps": [{"do": "number", "shift": 2, "whole": True}],
                    "required": True,
                },
                "currency": "/data/currency",
                "method": {"path": "/data/method", "steps": ["lower"]},
                **more,
            },
        }
        for key, more in (("settled", {}), ("disputed", {"reason": "/data/dispute/reason"}))
    ]
}
_SPAN: Final = timedelta(hours=46)
_EVERY: Final = timedelta(minutes=52)
_SECRET_OF_NOBODY: Final = signatures.MARK + base64.b64encode(b"whoever tries their luck here...").decode()
# What becomes of a delivery: most are settled charges.
_KINDS: Final = ("settled", "disputed", "created", "unknown person", "no amount", "cut off", "again", "forged")
_WEIGHTS: Final = (60, 8, 9, 4, 3, 2, 8, 4)


@dataclass(frozen=True, slots=True)
class Posted:
    """A body on its way, under its id; the kind says what is the matter with it."""

    brand: str
    id: str
    kind: str
    body: bytes


def open_hooks(company: Company) -> dict[str, Hook]:
    """The address of each brand at which the provider reports, with a secret that nobody is told."""
    hooks = {}
    for key, shop in company.shops.items():
        hook = Hook(source=shop.sources[SOURCE], name="Payment provider", mapping=MAPPING)
        secrets.add(hook, signatures.new_secret())
        hook.save()
        hooks[key] = hook
    return hooks


def by_beat(calendar: Calendar, seed: int, people: int, days: float) -> Mapping[datetime, list[Posted]]:
    """What is posted at each beat of the last two days."""
    found: dict[datetime, list[Posted]] = defaultdict(list)
    for plan in BRANDS:
        for at, posted in _of_brand(plan, calendar, seed, people, days):
            found[at].append(posted)
    return found


def _of_brand(
    plan: BrandPlan, calendar: Calendar, seed: int, people: int, days: float
) -> Iterator[tuple[datetime, Posted]]:
    random = Random(f"{seed}/payments/{plan.key}")  # noqa: S311 - a history that can be told again
    theirs = [one.user_id for number in range(1, people + 1) if (one := make_person(seed, number, days)).plan is plan]
    for number in range(_SPAN // _EVERY):
        at = calendar.beat_at(calendar.end - _SPAN + number * _EVERY)
        if at is None or not theirs:
            return
        # Each kind once before chance has its way, so that there is something of everything to look at.
        kind = _KINDS[number] if number < len(_KINDS) else random.choices(_KINDS, _WEIGHTS)[0]
        yield at, Posted(plan.key, f"evt_{plan.country}{number:04}", kind, _body(plan, kind, random, theirs, at))


def _body(plan: BrandPlan, kind: str, random: Random, people: list[str], at: datetime) -> bytes:
    charge: dict[str, Any] = {
        "id": f"ch_{random.getrandbits(40):010x}",
        "amount": "n/a" if kind == "no amount" else f"{random.randint(1900, 24900) / 100:.2f}",
        "currency": plan.currency,
        "method": random.choice(plan.payments)[0].upper(),
        "customer": {"reference": "null" if kind == "unknown person" else random.choice(people)},
    }
    if kind == "disputed":
        charge["dispute"] = {"reason": random.choice(("fraudulent", "product_not_received", "duplicate"))}
    type_ = kind if kind in ("disputed", "created") else "settled"
    told = {"type": f"charge.{type_}", "created": int((at - timedelta(seconds=9)).timestamp()), "data": charge}
    body = orjson.dumps(told)
    return body[: len(body) // 2] if kind == "cut off" else body


def deliver(hook: Hook, posted: Posted, now: datetime) -> None:
    """Bring it to the door as the provider would; what the door refuses is refused."""
    secret = _SECRET_OF_NOBODY if posted.kind == "forged" else secrets.keys_of(hook)[0]
    delivery = Delivery(_headers(secret, posted, now), "application/json", posted.body)
    for _time in range(2 if posted.kind == "again" else 1):
        try:
            receive.keep(hook, delivery, receive.verify(hook, delivery, now), now)
        except Refused:
            return


def _headers(secret: str, posted: Posted, now: datetime) -> dict[str, str]:
    at = str(int(now.timestamp()))
    signed = hmac.digest(signatures.key_bytes(secret), f"{posted.id}.{at}.".encode() + posted.body, "sha256")
    return {
        "content-type": "application/json",
        "user-agent": "Payments/2.4",
        signatures.ID: posted.id,
        signatures.TIMESTAMP: at,
        signatures.SIGNATURE: f"v1,{base64.b64encode(signed).decode()}",
    }
