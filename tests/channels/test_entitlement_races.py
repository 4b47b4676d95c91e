"""Many at once: what is left is used as often as it is there, whatever becomes of the customer meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Signal

import pytest
from django.db import connections, transaction

from channels.entitlements import expiring
from channels.entitlements.ledger import NotEnough
from channels.models import Entitlement, EntitlementEntry
from customers.models import Profile
from tests.channels.test_entitlements import entries, grant, has, use
from tests.channels.world import NOW, Person, World

pytestmark = pytest.mark.django_db(transaction=True)


def attempt(world: World, person: Person, quantity: int, key: str) -> bool:
    try:
        return bool(use(world, person, quantity, key=key))
    except NotEnough:
        return False
    finally:
        connections.close_all()


def test_of_many_uses_at_once_as_many_succeed_as_there_were(world: World) -> None:
    ana = world.person()
    grant(world, ana, 4, key="a")
    grant(world, ana, 3, key="b")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: attempt(world, ana, 1, f"u{n}"), range(24)))
    assert done.count(True) == 7
    assert has(world, ana) is None
    assert sorted(Entitlement.objects.values_list("state", "remaining")) == [("used", 0), ("used", 0)]
    assert EntitlementEntry.objects.filter(kind="use").count() == 7


def test_one_use_sent_many_times_at_once_is_one(world: World) -> None:
    ana = world.person()
    grant(world, ana, 5)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _n: attempt(world, ana, 2, "the same"), range(16)))
    assert (done, entries()) == ([True] * 16, [("grant", 5, 5), ("use", 2, 3)])


def test_one_grant_sent_many_times_at_once_is_one(world: World) -> None:
    ana = world.person()

    def ask(_n: int) -> object:
        try:
            return grant(world, ana, 2, key="the same")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
    assert entries() == [("grant", 2, 2)]


def test_uses_go_on_while_the_customer_is_merged_and_taken_apart(world: World) -> None:
    ana, bia = world.person(), world.person("bia@example.com")
    grant(world, ana, 10, key="a")
    grant(world, bia, 10, key="b")
    over = Signal()

    def move() -> None:
        while not over.is_set():
            for customer in (ana.customer, bia.customer):
                with transaction.atomic():
                    Profile.objects.filter(pk=bia.profile.pk).update(customer=customer)
        connections.close_all()

    with ThreadPoolExecutor(9) as pool:
        moving = pool.submit(move)
        people = [ana, bia] * 20
        done = [pool.submit(attempt, world, person, 1, f"u{n}") for n, person in enumerate(people)]
        succeeded = [one.result() for one in done].count(True)
        over.set()
        moving.result()
    left = [one.remaining or 0 for one in Entitlement.objects.all()]
    assert (min(left) >= 0, sum(left)) == (True, 20 - succeeded)
    assert EntitlementEntry.objects.filter(kind="use").count() == succeeded


def test_a_use_at_the_end_and_the_sweep_never_take_the_same_twice(world: World) -> None:
    ana = world.person()
    for n in range(10):
        grant(world, ana, 1, key=f"g{n}", until=NOW + timedelta(days=1))

    def sweep() -> int:
        try:
            return sum(expiring.expire_due(NOW + timedelta(days=1)) for _pass in range(5))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        uses = [pool.submit(attempt, world, ana, 1, f"u{n}") for n in range(6)]
        swept = [pool.submit(sweep) for _n in range(2)]
        used = [one.result() for one in uses].count(True)
        expired = sum(one.result() for one in swept) + expiring.expire_due(NOW + timedelta(days=1))
    assert used + expired == 10
    ended = EntitlementEntry.objects.exclude(kind="grant")
    assert (ended.count(), ended.values("entitlement_id").distinct().count()) == (10, 10)
