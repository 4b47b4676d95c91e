"""The ledger: chained per address, never changed, and heads that do not depend on the order of arrival."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from consent.ledger import append
from consent.models import ConsentChain, ConsentEntry, ConsentEvidence, ConsentHead, Purpose
from consent.verify.consents import first_broken
from customers.models import Address, Profile
from tests.consent.ledgers import erase_evidence
from tests.consent.people import T0, hours, make_address, new_entry, tell

pytestmark = pytest.mark.django_db


def in_force(address: Address) -> ConsentHead:
    return ConsentHead.objects.get(address=address)


def unguarded(sql: str, parameters: list[Any]) -> None:
    """Change the ledger as only a superuser can, past its triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, parameters)
        cursor.execute("RESET session_replication_role")


def test_an_entry_is_appended_with_its_evidence_and_becomes_the_head(
    address: Address, profile: Profile, newsletter: Purpose
):
    entry_id = tell(address, profile, newsletter, "given", T0)
    entry, head = ConsentEntry.objects.get(), in_force(address)
    assert (entry.pk, entry.position, bytes(entry.previous)) == (entry_id, 1, bytes(32))
    assert (head.entry_id, head.state, head.profile_id, head.effective_at) == (
        entry_id,
        "given",
        profile.pk,
        T0,
    )
    assert ConsentEvidence.objects.get().fields == {
        "url": "https://shop.example/sign-up",
        "ip": "203.0.113.9",
    }


def test_each_entry_names_the_one_before_at_its_address(address: Address, profile: Profile, newsletter: Purpose):
    other = make_address("bo@example.com")
    entries = [
        new_entry(address, profile, newsletter, "given", T0),
        new_entry(other, None, newsletter, "withdrawn", T0),
        new_entry(address, None, newsletter, "withdrawn", hours(1)),
    ]
    ids = append(entries, hours(2))
    first, alone, second = (ConsentEntry.objects.get(pk=pk) for pk in ids)
    assert [first.position, alone.position, second.position] == [1, 1, 2]
    assert bytes(second.previous) == bytes(first.digest)
    chain = ConsentChain.objects.get(address=address)
    assert (chain.length, bytes(chain.digest)) == (2, bytes(second.digest))
    assert (first_broken(address.pk), first_broken(other.pk)) == (None, None)


def test_nothing_to_append_writes_nothing(db: None):
    assert append([], T0) == []
    assert ConsentChain.objects.count() == 0


def test_effective_is_the_earlier_of_occurred_and_received(address: Address, profile: Profile, newsletter: Purpose):
    ahead = new_entry(address, profile, newsletter, "given", hours(5))
    late = replace(ahead, occurred_at=hours(1), received_at=hours(3))
    append([ahead, late], hours(4))
    assert list(ConsentEntry.objects.order_by("id").values_list("effective_at", flat=True)) == [
        hours(4),
        hours(1),
    ]


def test_an_older_entry_that_arrives_late_is_kept_but_does_not_count(
    address: Address, profile: Profile, newsletter: Purpose
):
    withdrawn = tell(address, profile, newsletter, "withdrawn", hours(5))
    tell(address, profile, newsletter, "given", hours(1))
    assert ConsentEntry.objects.count() == 2
    assert (in_force(address).entry_id, in_force(address).state) == (withdrawn, "withdrawn")


@pytest.mark.parametrize("order", list(permutations(["given", "withdrawn"])))
def test_at_one_time_the_withdrawal_wins(
    address: Address, profile: Profile, newsletter: Purpose, order: tuple[str, ...]
):
    append([new_entry(address, profile, newsletter, state, T0) for state in order], T0)
    assert in_force(address).state == "withdrawn"


@pytest.mark.parametrize(
    "order",
    list(permutations([("given", 1), ("withdrawn", 2), ("given", 3), ("withdrawn", 3)])),
)
def test_the_head_does_not_depend_on_the_order_of_arrival(
    address: Address, profile: Profile, newsletter: Purpose, order: tuple[tuple[str, int], ...]
):
    for state, at in order:
        tell(address, profile, newsletter, state, hours(at))
    assert (in_force(address).state, in_force(address).effective_at) == ("withdrawn", hours(3))
    assert first_broken(address.pk) is None


def test_heads_are_kept_apart_by_profile_and_address_wide(address: Address, profile: Profile, newsletter: Purpose):
    tell(address, profile, newsletter, "given", hours(1))
    tell(address, None, newsletter, "withdrawn", hours(2))
    tell(address, None, newsletter, "given", hours(3))
    assert set(ConsentHead.objects.values_list("profile_id", "state")) == {
        (profile.pk, "given"),
        (None, "given"),
    }


def test_a_request_never_takes_the_place_of_an_answer(address: Address, profile: Profile, newsletter: Purpose):
    tell(address, profile, newsletter, "requested", hours(1))
    assert in_force(address).state == "requested"
    tell(address, profile, newsletter, "given", T0)
    tell(address, profile, newsletter, "requested", hours(2))
    assert in_force(address).state == "given"


def test_repeating_a_proven_grant_without_proof_keeps_the_proof(
    address: Address, profile: Profile, newsletter: Purpose
):
    tell(address, profile, newsletter, "given", hours(1), method="double_opt_in")
    tell(address, profile, newsletter, "given", hours(2))
    assert in_force(address).proven_at == hours(1)
    tell(address, profile, newsletter, "withdrawn", hours(3))
    tell(address, profile, newsletter, "given", hours(4))
    assert in_force(address).proven_at is None


def test_a_lapsed_proof_is_not_carried_on(address: Address, profile: Profile, newsletter: Purpose):
    tell(address, profile, newsletter, "given", hours(1), method="login", valid_until=hours(2))
    tell(address, profile, newsletter, "given", hours(2))
    assert in_force(address).proven_at is None


@pytest.mark.parametrize("sql", ["UPDATE consent_consententry SET state = 'given'", "DELETE FROM consent_consententry"])
def test_the_database_refuses_to_change_or_delete_an_entry(
    address: Address, profile: Profile, newsletter: Purpose, sql: str
):
    tell(address, profile, newsletter, "withdrawn", T0)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert ConsentEntry.objects.get().state == "withdrawn"


def test_the_chain_holds_after_the_evidence_was_erased(address: Address, profile: Profile, newsletter: Purpose):
    tell(address, profile, newsletter, "given", T0)
    tell(address, profile, newsletter, "withdrawn", hours(1))
    erase_evidence(ConsentEntry.objects.all())
    assert first_broken(address.pk) is None


def test_evidence_that_no_erasure_took_breaks_the_chain(address: Address, profile: Profile, newsletter: Purpose):
    tell(address, profile, newsletter, "given", T0)
    tell(address, profile, newsletter, "withdrawn", hours(1))
    ConsentEvidence.objects.filter(entry__position=2).delete()
    assert first_broken(address.pk) == 2


@pytest.mark.parametrize(
    "change",
    [
        "state = 'given'",
        "effective_at = effective_at - interval '1 hour'",
        "profile_id = NULL",
        "previous = decode(repeat('00', 32), 'hex')",
        "position = 7",
    ],
)
def test_verify_names_the_first_position_that_was_changed(
    address: Address, profile: Profile, newsletter: Purpose, change: str
):
    for n in range(4):
        tell(address, profile, newsletter, "withdrawn", hours(n))
    unguarded(f"UPDATE consent_consententry SET {change} WHERE position = %s", [3])
    assert first_broken(address.pk) == 3


@pytest.mark.parametrize(("position", "found"), [(1, 1), (2, 2), (4, 4)])
def test_verify_finds_a_deleted_entry(
    address: Address, profile: Profile, newsletter: Purpose, position: int, found: int
):
    for n in range(4):
        tell(address, profile, newsletter, "withdrawn", hours(n))
    ConsentEvidence.objects.filter(entry__position=position).delete()
    unguarded("DELETE FROM consent_consententry WHERE position = %s", [position])
    assert first_broken(address.pk) == found


def test_verify_finds_forged_evidence(address: Address, profile: Profile, newsletter: Purpose):
    tell(address, profile, newsletter, "given", T0)
    ConsentEvidence.objects.update(fields={"ip": "198.51.100.1"})
    assert first_broken(address.pk) == 1


def test_verify_of_an_address_without_consent_finds_nothing_wrong(address: Address):
    assert first_broken(address.pk) is None


@pytest.mark.parametrize("moment", ["infinity", "9999-12-31T23:59:59-10:00", "2201-01-01", "1899-12-31", "-infinity"])
@pytest.mark.parametrize("table", ["consententry", "consenthead"])
def test_no_table_takes_a_time_that_could_not_be_read_back(
    address: Address, profile: Profile, newsletter: Purpose, table: str, moment: str
):
    tell(address, profile, newsletter, "given", T0)
    with pytest.raises(IntegrityError, match="valid_until_readable"), transaction.atomic():
        unguarded(f"UPDATE consent_{table} SET valid_until = %s", [moment])


def test_a_thousand_entries_take_a_handful_of_statements(
    address: Address, profile: Profile, newsletter: Purpose, django_assert_max_num_queries: Any
):
    entries = [new_entry(address, profile, newsletter, "given", T0 + timedelta(seconds=n)) for n in range(1000)]
    with django_assert_max_num_queries(2):
        append(entries, hours(1))
    assert ConsentChain.objects.get().length == 1000
    assert first_broken(address.pk) is None
