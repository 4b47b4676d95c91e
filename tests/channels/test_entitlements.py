"""The ledger of entitlements: granted, used, taken back and expired, and never below nothing."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from channels.entitlements import expiring, ledger
from channels.entitlements.balance import Balance, balances
from channels.entitlements.ledger import Act, Grant, KeyTaken, NotEnough, Used
from channels.models import Entitlement, EntitlementEntry, Origin
from customers.awaited import subscribe
from customers.models import Event, EventPayload, Profile
from customers.pg import raw_cursor
from tests.channels.world import NOW, Person, World

DAY = timedelta(days=1)
KEY = "free_shipping"


def act(key: str) -> Act:
    return Act(Origin.API, "shop", key)


def grant(world: World, person: Person, quantity: int | None = 1, *, key: str = "g1", at: datetime = NOW,
          until: datetime | None = None, what: str = KEY) -> UUID:  # fmt: skip
    one = Grant(world.brand.pk, person.profile.pk, what, act(key), quantity, until, "a gift")
    with transaction.atomic(), raw_cursor() as cursor:
        return ledger.grant_one(cursor, one, at)[0]


def use(world: World, person: Person, quantity: int = 1, *, key: str = "u1", at: datetime = NOW) -> list[Used]:
    with transaction.atomic(), raw_cursor() as cursor:
        customer = Profile.objects.get(pk=person.profile.pk).customer_id
        return ledger.use(cursor, customer, world.brand.pk, KEY, quantity, act(key), at)[0]


def revoke(id_: UUID, at: datetime = NOW) -> int:
    with transaction.atomic(), raw_cursor() as cursor:
        return ledger.revoke(cursor, [id_], act("r1"), "returned", at)


def has(world: World, *people: Person, at: datetime = NOW) -> Balance | None:
    with raw_cursor() as cursor:
        return balances(cursor, [one.profile.pk for one in people], at).get((world.brand.pk, KEY))


def entries() -> list[tuple[str, int | None, int | None]]:
    return list(EntitlementEntry.objects.order_by("id").values_list("kind", "quantity", "remaining"))


def test_what_is_granted_is_used_until_nothing_is_left(world: World) -> None:
    ana = world.person()
    id_ = grant(world, ana, 3)
    assert use(world, ana, 2) == [Used(id_, 2, 1)]
    assert use(world, ana, 1, key="u2") == [Used(id_, 1, 0)]
    assert entries() == [("grant", 3, 3), ("use", 2, 1), ("use", 1, 0)]
    one = Entitlement.objects.get()
    assert (one.state, one.remaining, one.ended_at) == ("used", 0, NOW)


def test_more_than_is_left_takes_nothing(world: World) -> None:
    ana = world.person()
    grant(world, ana, 2)
    with pytest.raises(NotEnough) as refused:
        use(world, ana, 3)
    assert (refused.value.left, entries()) == (2, [("grant", 2, 2)])
    assert has(world, ana) == Balance(2)


def test_what_ends_first_is_used_first_over_several_grants(world: World) -> None:
    ana = world.person()
    endless = grant(world, ana, 5, key="endless")
    late = grant(world, ana, 2, key="late", until=NOW + 9 * DAY)
    soon = grant(world, ana, 1, key="soon", until=NOW + DAY)
    assert use(world, ana, 4) == [Used(soon, 1, 0), Used(late, 2, 0), Used(endless, 1, 4)]


def test_what_is_not_counted_spares_what_is(world: World) -> None:
    ana = world.person()
    grant(world, ana, 1, key="counted")
    free = grant(world, ana, None, key="free", until=NOW + DAY)
    assert use(world, ana, 7) == [Used(free, 7, None)]
    assert has(world, ana) == Balance(1, is_free=True)
    assert has(world, ana, at=NOW + DAY) == Balance(1)


def test_the_same_key_grants_and_uses_once(world: World) -> None:
    ana = world.person()
    first = grant(world, ana, 2)
    assert grant(world, ana, 2, at=NOW + DAY) == first
    assert use(world, ana) == use(world, ana, at=NOW + DAY) == [Used(first, 1, 1)]
    assert entries() == [("grant", 2, 2), ("use", 1, 1)]


def test_the_last_one_used_twice_under_its_key_is_used_once(world: World) -> None:
    ana = world.person()
    id_ = grant(world, ana, 1)
    assert use(world, ana) == use(world, ana) == [Used(id_, 1, 0)]


@pytest.mark.parametrize("quantity", [None, 3])
def test_a_key_that_came_with_something_else_is_refused(world: World, quantity: int | None) -> None:
    ana = world.person()
    grant(world, ana, 2)
    with pytest.raises(KeyTaken):
        grant(world, ana, quantity)
    use(world, ana)
    with pytest.raises(KeyTaken):
        use(world, ana, 2)
    assert entries() == [("grant", 2, 2), ("use", 1, 1)]


def test_what_is_taken_back_cannot_be_used_nor_taken_back_again(world: World) -> None:
    ana = world.person()
    id_ = grant(world, ana, 3)
    use(world, ana)
    assert (revoke(id_), revoke(id_)) == (1, 0)
    with pytest.raises(NotEnough):
        use(world, ana, key="u2")
    assert entries() == [("grant", 3, 3), ("use", 1, 2), ("revoke", 2, 0)]
    one = Entitlement.objects.get()
    assert (one.state, one.remaining, one.ended_reason) == ("revoked", 0, "returned")


def test_the_moment_it_ends_nothing_can_be_used_and_the_sweep_enters_that_once(world: World) -> None:
    ana = world.person()
    grant(world, ana, 2, until=NOW + DAY)
    use(world, ana, at=NOW + DAY - timedelta(microseconds=1))
    with pytest.raises(NotEnough):
        use(world, ana, key="u2", at=NOW + DAY)
    assert [expiring.expire_due(NOW), expiring.expire_due(NOW + DAY), expiring.expire_due(NOW + 2 * DAY)] == [0, 1, 0]
    assert entries() == [("grant", 2, 2), ("use", 1, 1), ("expire", 1, 0)]
    one = Entitlement.objects.get()
    assert (one.state, one.ended_at) == ("expired", NOW + DAY)


def test_a_balance_of_any_moment_past_is_what_it_was_then(world: World) -> None:
    ana = world.person()
    id_ = grant(world, ana, 3)
    use(world, ana, 2, at=NOW + DAY)
    revoke(id_, NOW + 2 * DAY)
    moments = [NOW - DAY, NOW, NOW + DAY, NOW + 2 * DAY]
    assert [has(world, ana, at=at) for at in moments] == [None, Balance(3), Balance(1), None]


def test_a_merge_adds_balances_up_and_an_unmerge_leaves_nobody_below_nothing(world: World) -> None:
    ana, bia = world.person(), world.person("bia@example.com")
    grant(world, ana, 1, key="a")
    grant(world, bia, 2, key="b")
    Profile.objects.filter(pk=bia.profile.pk).update(customer=ana.customer)
    assert has(world, ana, bia) == Balance(3)
    use(world, bia, 2)
    Profile.objects.filter(pk=bia.profile.pk).update(customer=bia.customer)
    assert (has(world, ana), has(world, bia)) == (None, Balance(1))
    with pytest.raises(NotEnough):
        use(world, ana, key="u2")
    assert use(world, bia, key="u3")[0].remaining == 0


def test_another_brands_grant_is_not_used(world: World) -> None:
    ana = world.person()
    grant(world, ana, 1, what="other")
    with pytest.raises(NotEnough) as refused:
        use(world, ana)
    assert refused.value.left == 0


@pytest.mark.parametrize(
    "change", ["UPDATE channels_entitlemententry SET quantity = 9", "DELETE FROM channels_entitlemententry"]
)
def test_nobody_changes_the_ledger(world: World, change: str) -> None:
    grant(world, world.person())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert entries() == [("grant", 1, 1)]


@pytest.mark.parametrize("left", [-1, 4, None])
def test_the_database_itself_keeps_no_balance_below_nothing_or_above_the_grant(world: World, left: int | None) -> None:
    grant(world, world.person(), 3)
    with pytest.raises(IntegrityError), transaction.atomic():
        Entitlement.objects.update(remaining=left)


def test_whoever_waits_is_told_what_became_of_it(world: World) -> None:
    ana = world.person()
    subscribe("test", ["entitlement.granted", "entitlement.used", "entitlement.expired"])
    id_ = grant(world, ana, 2, until=NOW + DAY)
    use(world, ana)
    expiring.expire_due(NOW + DAY)
    told = [(event.name, event.profile_id, said(event)) for event in Event.objects.order_by("id")]
    about = {"entitlement": str(id_), "key": KEY, "expires_at": (NOW + DAY).isoformat(), "origin": "api"}
    assert told == [
        ("entitlement.granted", ana.profile.pk, about | {"quantity": 2, "remaining": 2, "by": "api"}),
        ("entitlement.used", ana.profile.pk, about | {"quantity": 1, "remaining": 1, "by": "api"}),
        ("entitlement.expired", ana.profile.pk, about | {"quantity": 1, "remaining": 0, "by": "time"}),
    ]


def test_what_nobody_waits_for_is_no_event(world: World) -> None:
    ana = world.person()
    grant(world, ana)
    use(world, ana)
    assert Event.objects.count() == 0


def said(event: Event) -> Any:
    return EventPayload.objects.get(event_id=event.pk).payload["properties"]
