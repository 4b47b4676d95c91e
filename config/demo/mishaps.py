"""What goes wrong in any company: messages that cannot be taken, a damaged row, people who have had enough."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from django.db import connection

from channels.models import Message as Sent
from config.demo.calendar import Calendar
from config.demo.lives import Message, Told
from config.demo.replay import Replay
from consent.models import Method
from consent.unsubscribe import Token, make_token, withdraw_by_token

_ORDER: Final = {"order_id": "X1", "items": [{"sku": "X", "quantity": 1, "price": 4290}], "currency": "BRL"}
# What a source got wrong: (source, message).
_MISTAKES: Final[tuple[tuple[str, Message], ...]] = (
    ("shop", {"type": "identify", "userId": "br-x1", "traits": {"email": "ana@nowhere"}}),
    ("shop", {"type": "track", "userId": "null", "event": "login.succeeded"}),
    ("shop", {"type": "track", "userId": "br-x2", "event": "order.completed", "properties": {**_ORDER, "total": "42"}}),
    ("shop", {"type": "track", "userId": "br-x3", "event": "order.completed", "properties": _ORDER}),
    ("shop", {"type": "track", "userId": "br-x4", "event": "cart.emptied", "timestamp": "2026-01-31 12:00:00"}),
    ("stores", {"type": "track", "userId": "00001234", "event": "Shift Closed", "properties": {"till": 3}}),
    ("stores", {"type": "track", "userId": "00001235", "event": "store.purchased", "properties": {"total": -100}}),
    ("app", {"type": "page", "userId": "br-x5", "name": "Home"}),
    ("app", {"type": "track", "event": "app.opened"}),
    ("crm", {"type": "track", "userId": "br-x6", "event": "consent.granted",
             "properties": {"purpose": "offers", "notice": "sign-up", "notice_version": 9}}),
)  # fmt: skip
_SILENT_DAYS: Final = 3
_STALLS_A_DAY: Final = 5
_DAMAGED_ID: Final = "damaged-row"


def mistakes(calendar: Calendar, brands: tuple[str, ...], random: Random, days: float) -> Iterator[Told]:
    """Messages that will be refused, now one and then another; the tills' software is the worst."""
    count = int(days * 0.9)
    for number in range(count):
        source, message = random.choice(_MISTAKES)
        at = calendar.beat_at(calendar.begin + timedelta(days=random.uniform(0.5, days)))
        if at is not None:
            yield Told(at, random.choice(brands), source, message | {"messageId": f"mistake-{number:04}"})


def break_a_release(calendar: Calendar, brand: str, hours: int = 20, per_hour: int = 9) -> Iterator[Told]:
    """The app's new release says "null" for whoever is not logged in: much of what it sent lately is refused."""
    for hour in range(hours, 0, -1):
        at = calendar.beat_at(calendar.end - timedelta(hours=hour))
        if at is None:
            continue
        for number in range(per_hour):
            message = {
                "type": "track",
                "userId": "null",
                "event": "app.opened",
                "messageId": f"release-{hour}-{number}",
            }
            yield Told(at, brand, "app", message)


def fall_silent(calendar: Calendar, brand: str, random: Random, days: float) -> Iterator[Told]:
    """The stalls tell of the cards that are shown, some a day; since three days ago nothing has come of them."""
    for number in range(int((days - _SILENT_DAYS) * _STALLS_A_DAY)):
        at = calendar.beat_at(calendar.begin + timedelta(days=(number + random.random()) / _STALLS_A_DAY))
        if at is not None:
            message = {
                "type": "track",
                "anonymousId": f"stall-{random.randint(1, 40):02}",
                "event": "store.visited",
                "properties": {"store": random.choice(("Feira da Vila", "Mercado da Praça"))},
                "messageId": f"stall-{number:04}",
            }
            yield Told(at, brand, "kiosks", message)


def damage_a_row(replay: Replay, brand: str, now: datetime) -> None:
    """Have a row of the inbox end in the middle, as a disk might: it will be given up and become a dead letter."""
    message: dict[str, Any] = {
        "type": "identify",
        "userId": "au-damaged",
        "traits": {"first_name": "Lee"},
        "messageId": _DAMAGED_ID,
        "timestamp": (now - timedelta(seconds=2)).isoformat(),
    }
    replay.take(brand, "shop", [message], now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_inbox SET payload = left(payload, -3) WHERE message_id = %s", [_DAMAGED_ID])


def have_enough(random: Random, since: datetime, now: datetime) -> int:
    """A few of those who were mailed lately leave by the one-click link; return how many."""
    mailed = Sent.objects.filter(
        channel="email", state=Sent.State.SENT, settled_at__gt=since, purpose__kind="marketing"
    ).order_by("created_at", "origin_id", "visit")
    leaving = [mail for mail in mailed if random.random() < 0.02]
    for mail in leaving:
        if mail.address_id is not None:
            token = make_token(Token(mail.address_id, mail.purpose_id, mail.pk))
            withdraw_by_token(token, Method.ONE_CLICK.value, now)
    return len(leaving)
