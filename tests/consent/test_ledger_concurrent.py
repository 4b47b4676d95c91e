"""Many writers to one address: one chain, unforked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from consent.ledger import append
from consent.models import ConsentChain, ConsentEntry, Purpose
from consent.verify.consents import first_broken
from customers.models import Address, Profile
from tests.consent.people import hours, make_address, new_entry

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS, EACH = 8, 25


def in_threads(work: Callable[[int], None], threads: int) -> None:
    """Run `work(n)` in so many threads that begin together, each with a connection of its own."""
    barrier = Barrier(threads)

    def run(n: int) -> None:
        barrier.wait()
        try:
            work(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(run, n) for n in range(threads)]:
            done.result()


def forks() -> int:
    """How many entries name a predecessor that another entry names, too."""
    entries = list(ConsentEntry.objects.values_list("address_id", "previous"))
    return len(entries) - len({(address, bytes(previous)) for address, previous in entries})


def test_concurrent_writers_give_one_unforked_chain(address: Address, profile: Profile, newsletter: Purpose):
    def write(n: int) -> None:
        for i in range(EACH):
            append([new_entry(address, profile, newsletter, "given", hours(n * EACH + i))], hours(9999))

    in_threads(write, WRITERS)
    positions = ConsentEntry.objects.order_by("position").values_list("position", flat=True)
    assert list(positions) == list(range(1, WRITERS * EACH + 1))
    assert (forks(), ConsentChain.objects.get().length, first_broken(address.pk)) == (0, WRITERS * EACH, None)


def test_writers_of_the_same_addresses_in_other_orders_never_deadlock(profile: Profile, newsletter: Purpose):
    addresses = [make_address(f"a{n}@example.com") for n in range(6)]

    def write(n: int) -> None:
        for i in range(10):
            order = addresses if (n + i) % 2 else addresses[::-1]
            append([new_entry(one, profile, newsletter, "given", hours(i)) for one in order], hours(99))

    in_threads(write, 4)
    assert [first_broken(one.pk) for one in addresses] == [None] * 6
    assert ConsentEntry.objects.count() == 4 * 10 * 6
