"""Two who decide of one customer at the same moment wait for each other in one order, and both are heard."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from customers import merging
from customers.models import Profile, Source
from customers.resolve import component
from tests.customers.test_merging import decided, people, profile
from tests.journeys.stage import make_stage

# Long enough for the other to have locked what it locks first.
_SLOWLY = "WITH pause AS MATERIALIZED (SELECT pg_sleep(0.5)) SELECT e.* FROM ({}) e, pause"


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    def alone(call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(alone, call) for call in calls]]


@pytest.mark.django_db(transaction=True)
def test_decisions_from_both_ends_of_a_customer_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = make_stage()
    stage.happen("identify", "ana", email="ana@example.com")
    for other in ("bia", "eva"):
        stage.happen("identify", other)
    low, high = sorted((profile("ana"), profile("ana@example.com")))
    stage.pass_time(seconds=1)
    made = decided(stage)
    monkeypatch.setattr(component, "_EDGES", _SLOWLY.format(component._EDGES))

    def join(one: UUID, other: str) -> Callable[[], Any]:
        other_profile = profile(other)
        return lambda: merging.join(one, other_profile, made)

    at_once(join(low, "bia"), join(high, "eva"))
    assert people() == [{"ana", "ana@example.com", "bia", "eva"}]
    assert Profile.objects.values("customer_id").distinct().count() == 1
    assert Source.objects.filter(key=Source.RESERVED_KEY).count() == 1
