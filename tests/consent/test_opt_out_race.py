"""Nobody is written to once their opt-out was answered; without the lock they would be."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection, transaction

from consent.models import ConsentEntry, Purpose
from consent.permission import Ask, lock_address, permissions
from consent.unsubscribe import Token, make_token, withdraw_by_token
from customers.models import Address, Customer
from tests.consent.people import T0, hours, make_address, make_customer, make_profile, tell

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 40
# Between the check and the call to the provider; longer than an opt-out takes on a busy machine.
GAP = 0.03

Sends = dict[UUID, float]


def naive(customer: Customer, address: Address, purpose: Purpose, sends: Sends) -> None:
    """The control: check, then send."""
    allowed = permissions([Ask(customer.pk, address.pk, purpose.pk)], hours(2))[0].allowed
    time.sleep(GAP)
    if allowed:
        sends[address.pk] = time.monotonic()


def locked(customer: Customer, address: Address, purpose: Purpose, sends: Sends) -> None:
    with transaction.atomic():
        lock_address(address.pk)
        naive(customer, address, purpose, sends)


def late_sends(send: Callable[[Customer, Address, Purpose, Sends], None], purpose: Purpose) -> tuple[int, int]:
    """Race sends against opt-outs; return how many began after the answer, and how many in all."""
    sends: Sends = {}
    answered: dict[UUID, float] = {}
    people = [(make_customer(), make_address(f"p{n}@example.com")) for n in range(PEOPLE)]
    for customer, address in people:
        tell(address, make_profile(customer), purpose, "given", T0)
    barrier = Barrier(2)

    def sending() -> None:
        for customer, address in people:
            barrier.wait()
            send(customer, address, purpose, sends)
        connection.close()

    def opting_out() -> None:
        for n, (_customer, address) in enumerate(people):
            barrier.wait()
            time.sleep(GAP * (n % 4) / 4)
            withdraw_by_token(make_token(Token(address.pk, purpose.pk, UUID(int=n))), "one_click", hours(1))
            answered[address.pk] = time.monotonic()
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(sending), pool.submit(opting_out)):
            done.result(timeout=60)
    assert ConsentEntry.objects.filter(state="withdrawn", profile=None).count() == PEOPLE
    return sum(at > answered[address] for address, at in sends.items()), len(sends)


def test_no_send_begins_after_the_opt_out_was_answered(newsletter: Purpose):
    late, sent = late_sends(locked, newsletter)
    assert late == 0
    assert sent > 0


def test_without_the_lock_some_do(newsletter: Purpose):
    late, _sent = late_sends(naive, newsletter)
    assert late > 0


def test_an_opt_out_waits_for_the_send_in_flight(newsletter: Purpose, ana: Customer, address: Address):
    token = make_token(Token(address.pk, newsletter.pk, UUID(int=1)))

    def opting_out() -> None:
        withdraw_by_token(token, "link", hours(1))
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_address(address.pk)
            answer = pool.submit(opting_out)
            time.sleep(0.2)
            assert not answer.done()
        answer.result(timeout=10)
    assert permissions([Ask(ana.pk, address.pk, newsletter.pk)], hours(2))[0].reason == "withdrawn"
