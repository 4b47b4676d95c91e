"""What rules say of consent is the same in SQL and in memory, now, at the next turn of time, and as it stood."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.ledger import NewEntry, append
from consent.models import ConsentHead, Purpose, State
from consent.rules import ASKED, EXPIRED, GIVEN, NEVER, REFUSED, Said, standing
from customers.ids import new_id
from customers.models import Address, AddressProfile, Brand, Customer, Profile
from customers.models.address import Channel
from customers.rules import PEOPLE, Facts, Reading, RuleError, parse

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAYS = [0, 1, 2, 3]
STATES = [GIVEN, REFUSED, EXPIRED, ASKED, NEVER]
CHANNELS = [Channel.EMAIL.value, Channel.SMS.value]


class Word(NamedTuple):
    """What was said: to which purpose, at which place, by whom (nobody: whoever uses it), how long ago, until when."""

    purpose: str
    place: str
    by: int | None
    state: str
    ago: timedelta
    until: timedelta | None
    method: str = "event"


words = st.builds(
    Word,
    st.sampled_from(["news", "offers"]),
    st.sampled_from([*CHANNELS, Channel.PERSON.value]),
    st.sampled_from([0, 1, None]),
    st.sampled_from([one.value for one in State]),
    st.sampled_from(DAYS).map(lambda days: timedelta(days=days)),
    st.none() | st.builds(lambda day, second: timedelta(days=day, seconds=second), st.sampled_from([-1, 0, 1, 2]),
                          st.sampled_from([-1, 0, 1])),
    st.just("event"),
)  # fmt: skip
people = st.lists(words, max_size=6)
leaves = st.fixed_dictionaries(
    {"leaf": st.just("consent"), "purpose": st.sampled_from(["news", "offers"]), "state": st.sampled_from(STATES)},
    optional={"channel": st.sampled_from(CHANNELS)},
)
rules = leaves | st.builds(lambda node: {"not": node}, leaves)


class Placed(NamedTuple):
    customer: UUID
    profiles: list[UUID]


def place(said: list[Word], purposes: dict[str, Purpose]) -> Placed:
    customer = Customer.objects.create(created_at=NOW, traits={})
    profiles = [Profile.objects.create(customer=customer, customer_since=NOW, created_at=NOW) for _ in range(2)]
    addresses = {
        channel: Address.objects.create(channel=channel, value=str(new_id()), original="x", created_at=NOW)
        for channel in CHANNELS
    }
    for address in addresses.values():
        for profile in profiles:
            AddressProfile.objects.create(profile=profile, address=address, first_seen_at=NOW, last_seen_at=NOW)
    person = Channel.PERSON.value
    for profile in profiles:
        Address.objects.create(
            id=profile.pk, channel=person, value=str(profile.pk), original=str(profile.pk), created_at=NOW
        )
    for word in said:
        # What is said of a person is said of a profile; one without a name speaks for the first.
        home = profiles[word.by or 0].pk if word.place == person else addresses[word.place].pk
        entry = NewEntry(
            address_id=home,
            profile_id=None if word.by is None else profiles[word.by].pk,
            brand_id=purposes[word.purpose].brand_id,
            purpose_id=purposes[word.purpose].pk,
            state=word.state,
            method=word.method,
            occurred_at=NOW - word.ago,
            received_at=NOW,
            valid_until=None if word.until is None else NOW + word.until,
        )
        append([entry], NOW)
    return Placed(customer.pk, [profile.pk for profile in profiles])


def facts_of(placed: Placed, now: datetime) -> Facts:
    """By the heads, which the ledger's own tests answer for."""
    used = AddressProfile.objects.filter(profile__in=placed.profiles).values_list("address_id", flat=True)
    own = ConsentHead.objects.filter(profile__in=placed.profiles)
    wide = ConsentHead.objects.filter(profile=None, address_id__in=[*used, *placed.profiles])
    heads = [*own.select_related("purpose", "address"), *wide.select_related("purpose", "address")]
    said = [Said(one.purpose.key, one.address.channel, one.state, one.valid_until) for one in heads]
    return Facts(extra={"consents": said}, now=now)


def asked(tree: dict[str, Any], reading: Reading, *, then: bool = False) -> dict[UUID, tuple[bool, datetime | None]]:
    rule = parse(tree, PEOPLE)
    text, given = rule.as_of(reading) if then else rule.sql(reading)
    (turn, turning), (beside, joined) = reading.next_turn(), reading.joined()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id, {text}, {turn} FROM customers_customer c{beside}", [*given, *turning, *joined])
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def make_purposes() -> dict[str, Purpose]:
    brand = Brand.objects.create(key=f"b{new_id()}", name="B")
    return {key: Purpose.objects.create(brand=brand, key=key, name=key, kind="marketing") for key in ("news", "offers")}


@pytest.mark.django_db
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(people, min_size=3, max_size=3), st.lists(rules, min_size=10, max_size=10))
def test_sql_and_memory_agree_now_and_until_the_next_turn(crowd: list[list[Word]], trees: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        purposes = make_purposes()
        placed = [place(said, purposes) for said in crowd]
        brand = purposes["news"].brand_id
        for tree in trees:
            rule = parse(tree, PEOPLE)
            found = asked(tree, Reading(NOW, brand))
            assert found == asked(tree, Reading(NOW, brand, by_key=True))
            for one in placed:
                holds, turn = found[one.customer]
                assert holds is rule.holds(facts_of(one, NOW))
                for day in (1, 2):
                    for second in (-1, 0, 1):
                        moment = NOW + timedelta(days=day, seconds=second)
                        if turn is None or moment < turn:
                            assert rule.holds(facts_of(one, moment)) is holds
        transaction.set_rollback(True)


@pytest.mark.django_db
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(people, st.lists(rules, min_size=8, max_size=8))
def test_consent_is_read_as_it_stood_then(said: list[Word], trees: list[dict[str, Any]]) -> None:
    then = NOW - timedelta(days=1, hours=12)
    with transaction.atomic():
        purposes = make_purposes()
        now = place(said, purposes)
        # The same person of whom no more had been heard by then.
        before = place([word for word in said if NOW - word.ago <= then], purposes)
        brand = purposes["news"].brand_id
        for tree in trees:
            found = asked(tree, Reading(then, brand), then=True)
            assert found[now.customer][0] is parse(tree, PEOPLE).holds(facts_of(before, then))
        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([("given", 3, "claim"), ("withdrawn", 4, "event")], REFUSED),
        ([("withdrawn", 4, "claim"), ("given", 3, "claim")], GIVEN),
        ([("given", 5, "event"), ("withdrawn", 4, "claim"), ("given", 3, "claim")], GIVEN),
        ([("withdrawn", 5, "event"), ("given", 4, "event"), ("given", 3, "claim")], GIVEN),
    ],
)
def test_a_claim_was_in_force_beside_no_sure_no(said: list[tuple[str, int, str]], state: str) -> None:
    purposes = make_purposes()
    words = [Word("news", "email", 0, word, timedelta(days=ago), None, method) for word, ago, method in said]
    who, rule = place(words, purposes), {"leaf": "consent", "purpose": "news", "state": state}
    for then in (True, False):
        assert asked(rule, Reading(NOW, purposes["news"].brand_id), then=then)[who.customer][0]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], NEVER),
        ([("given", None)], GIVEN),
        ([("given", NOW)], EXPIRED),
        ([("given", NOW + timedelta(seconds=1))], GIVEN),
        ([("expired", None)], EXPIRED),
        ([("requested", None)], ASKED),
        ([("given", None), ("withdrawn", None)], REFUSED),
        ([("given", NOW), ("renewed", None), ("requested", None)], GIVEN),
    ],
)
def test_several_voices_come_to_the_strictest(said: list[tuple[str, Any]], expected: str) -> None:
    assert standing([Said("news", "email", *one) for one in said], NOW) == expected


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": "a'; drop"}, "name_invalid"),
        ({"state": "maybe"}, "unknown_state"),
        ({"channel": "pigeon"}, "unknown_channel"),
        ({"extra": 1}, "unknown_field"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse({"leaf": "consent", "purpose": "news", "state": "given"} | changes, PEOPLE)
    assert caught.value.code == code
