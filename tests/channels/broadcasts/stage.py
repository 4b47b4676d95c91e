"""The cast of the broadcasts' tests: a segment with people in it, and a broadcast for them."""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from channels.broadcasts import start, turn
from channels.broadcasts.states import By
from channels.models import Broadcast, BroadcastRecipient, Message, TemplateText
from customers.models import Segment, SegmentMembership
from tests.channels.world import NOW, Person, World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAY_OUT = "<a href='{{ unsubscribe_url }}'>no more</a>"


def make_segment(world: World, key: str = "readers", **fields: Any) -> Segment:
    return Segment.objects.create(
        brand=world.brand, key=key, name=key.title(), is_static=True, state=Segment.State.LIVE, **fields
    )


def put_in(segment: Segment, people: Iterable[Person], at: datetime = NOW - DAY) -> None:
    SegmentMembership.objects.bulk_create(
        SegmentMembership(segment=segment, profile=one.profile, customer_id=one.customer.pk, entered_at=at)
        for one in people
    )


def take_out(segment: Segment, person: Person, at: datetime) -> None:
    SegmentMembership.objects.filter(segment=segment, profile=person.profile, left_at=None).update(left_at=at)


def crowd(world: World, number: int, **fields: Any) -> list[Person]:
    return [world.person(f"person-{n}@example.com", **fields) for n in range(number)]


def draft(world: World, segment: Segment, key: str = "spring", **fields: Any) -> Broadcast:
    """Of the world's template, whose words have a way out in every language."""
    TemplateText.objects.filter(version=world.version).update(html=WAY_OUT, text="{{ unsubscribe_url }}")
    usual = {"purpose": world.purpose, "channel": "email", "connector": world.connector}
    values = {"brand": world.brand, "key": key, "name": key.title(), "template": world.version.template}
    return Broadcast.objects.create(segment=segment, **{**usual, **values, **fields})


def started(world: World, segment: Segment, at: datetime = NOW, **fields: Any) -> Broadcast:
    made = draft(world, segment, **fields)
    start.start(made, By(), at)
    return fresh(made)


def fresh(broadcast: Broadcast) -> Broadcast:
    return Broadcast.objects.select_related("brand", "segment").get(pk=broadcast.pk)


def bring_on(broadcast: Broadcast, now: datetime = NOW, times: int = 20) -> str:
    """Until nothing is to be done at this moment; where it stands then."""
    for _time in range(times):
        if not turn.bring_on(broadcast.pk, lambda: now, time.monotonic() + 5):
            break
    return fresh(broadcast).state


def outcomes(broadcast: Broadcast) -> Counter[str]:
    return Counter(BroadcastRecipient.objects.filter(broadcast=broadcast).values_list("outcome", flat=True))


def messages(broadcast: Broadcast) -> Counter[str]:
    return Counter(Message.objects.filter(scope_id=broadcast.pk).values_list("state", flat=True))
