"""Two people approve two versions of one type at once, by connections of their own: one follows, one looks again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from customers.models import Brand, EventType, SchemaVersion
from customers.registry import life

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def proposed(event_type: EventType, number: int, properties: dict[str, Any], by: Any) -> SchemaVersion:
    schema = {"type": "object", "properties": properties}
    version = SchemaVersion.objects.create(event_type=event_type, number=number, schema=schema)
    life.propose(version, by, NOW)
    return version


def approve(version: SchemaVersion, by: Any, start: Barrier) -> str:
    try:
        start.wait()
        return str(life.approve(version, by, NOW).status)
    except life.NotDone:
        return "not done"
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_of_two_approvals_at_once_one_follows_and_one_looks_again(_round: int) -> None:
    """Either may follow the first version, and neither the other: the second to come is judged anew and refused."""
    brand = Brand.objects.create(key="acme", name="Acme")
    ana = get_user_model().objects.create_user("ana")
    event_type = EventType.objects.create(brand=brand, name="Order Completed")
    total = {"total": {"type": "integer"}}
    first = life.approve(proposed(event_type, 1, total, ana), ana, NOW)
    drafts = [
        proposed(event_type, n, total | {"a": {"type": said}}, ana) for n, said in ((2, "string"), (3, "integer"))
    ]
    start = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        came = list(pool.map(lambda version: approve(version, ana, start), drafts))
    assert sorted(came) == ["approved", "not done"]
    followers = SchemaVersion.objects.filter(follows=first)
    assert [version.status for version in followers] == ["approved"]
    assert SchemaVersion.objects.get(pk=drafts[came.index("not done")].pk).status == "draft"
