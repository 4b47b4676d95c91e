"""Customers that look like one person are found, shown with what speaks for it, and decided by people."""

import random
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers import jobs, merging
from customers.duplicates import linking, model, records, review, search
from customers.duplicates.linking import Agreement, Match
from customers.duplicates.measure import measure
from customers.models import AuditEntry, Brand, DuplicatePair, Edge, Identifier, Job, Profile, ProfileBrand
from tests.journeys.stage import Stage, make_stage

FEBRL = Path(__file__).parents[1] / "data" / "febrl-dataset3.csv"
FIRST = ("ana", "bruno", "carla", "davi", "elisa", "fabio", "gilda", "hugo", "iara", "joao", "katia", "luiz")
LAST = ("almeida", "barros", "cardoso", "dias", "esteves", "freitas", "gomes", "horta", "ipanema", "junqueira")
CITIES = ("recife", "natal", "olinda", "santos", "campinas")


def people(count: int, doubles: int) -> list[dict[str, str]]:
    """Made-up people, of whom the first `doubles` come twice, the second time with a typing error."""
    chance = random.Random(7)
    found = []
    for number in range(count):
        found.append(
            {
                "first_name": chance.choice(FIRST),
                "last_name": chance.choice(LAST),
                "birth_date": f"19{chance.randint(40, 99)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
                "street": f"rua {chance.choice(LAST)} {chance.randint(1, 900)}",
                "city": chance.choice(CITIES),
                "postcode": f"{chance.randint(10000, 99999)}-{chance.randint(100, 999)}",
                "email": f"person{number}@example.com",
            }
        )
    again = [
        {**one, "last_name": one["last_name"][:-2] + one["last_name"][-1], "email": f"x{one['email']}"}
        for one in found[:doubles]
    ]
    return found + again


def found_in(rows: list[dict[str, str]]) -> list[Match]:
    return linking.find(records.record(f"{number:04}", row) for number, row in enumerate(rows))


@pytest.mark.slow
@pytest.mark.parametrize(("with_tax_id", "least"), [(True, 0.99), (False, 0.97)])
def test_febrls_people_are_found_again(with_tax_id: bool, least: float) -> None:
    found = measure(FEBRL, with_tax_id=with_tax_id)
    assert found.there == 6_538
    assert found.f1 >= least
    assert found.precision >= 0.999


def test_the_same_records_give_the_same_pairs() -> None:
    rows = people(300, 40)
    once = found_in(rows)
    assert {(int(one.low), int(one.high)) for one in once} >= {(number, 300 + number) for number in range(40)}
    assert len(once) <= 50
    assert found_in(rows) == once
    agreeing = {one.on: (one.level, one.of) for one in once[0].evidence}
    assert agreeing[model.BIRTH_DATE] == (3, 3)
    assert 0 < agreeing[model.NAMES][0] < agreeing[model.NAMES][1]


def test_nothing_is_learnt_of_people_who_have_nothing_in_common() -> None:
    for rows in ([], people(1, 0), [{"city": "recife"}, {"city": "natal"}]):
        with pytest.raises(linking.NothingToCompare):
            found_in(rows)


def test_a_value_that_everybody_has_costs_no_square() -> None:
    rows = [{**row, "birth_date": "1900-01-01", "city": "recife"} for row in people(900, 30)]
    assert {(int(one.low), int(one.high)) for one in found_in(rows)} >= {(number, 900 + number) for number in range(25)}


def test_hostile_values_are_only_text() -> None:
    rows = people(300, 40)
    rows[5] |= {"first_name": "'; DROP TABLE people; --", "last_name": '"\x00\u202e', "street": "x" * 100_000}
    assert len(found_in(rows)) >= 39


def test_values_are_read_from_traits_by_their_usual_names_and_from_identifiers() -> None:
    segment = {
        "firstName": "Ána", "lastName": "Sá", "birthday": "1990-01-02", "plan": True,
        "address": {"street": "Rua  A, 1", "city": "Recife", "postalCode": "50.000-100"},
    }  # fmt: skip
    assert records.record("k", records.values(segment, {"email": "a@x.com", "cpf": "52998224725"})) == {
        "unique_id": "k", "first_name": "ana", "last_name": "sa", "birth_date": "19900102", "street": "rua a, 1",
        "city": "recife", "postcode": "50000100", "email": "a@x.com", "phone": None, "tax_id": "52998224725",
        "name_key": "ana sa",
    }  # fmt: skip
    assert records.values({"name": "Ana Maria Sá", "phone": " "}, {}) == {"first_name": "Ana", "last_name": "Sá"}
    assert records.values({"name": ["Ana"], "address": "Rua B", "first_name": {}}, {}) == {"street": "Rua B"}


# --- the search as a job ---------------------------------------------------------------------------


@pytest.fixture
def stage(db: None) -> Stage:
    """A search learns outside of any transaction, but a test is one. The first also loads what it learns with, and may
    take longer on a busy machine than a connection may idle in a transaction, and would find it closed."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    return make_stage()


def fill(stage: Stage, rows: list[dict[str, str]]) -> None:
    for number, row in enumerate(rows):
        stage.accept("identify", f"u{number}", traits=row)
    stage.run()


def looked(stage: Stage) -> Job:
    job = search.ask(stage.brand, stage.now)
    assert jobs.work_on(lambda: stage.now, seconds=60)
    job.refresh_from_db()
    assert (job.state, job.reason) == (Job.State.DONE, "")
    return job


def profile(value: str) -> UUID:
    return Identifier.objects.get(value=value, closed_at=None).profile_id


def pair_of(one: str, other: str) -> DuplicatePair:
    low, high = sorted((profile(one), profile(other)))
    return DuplicatePair.objects.get(low=low, high=high)


def match(one: str, other: str, probability: float, evidence: tuple[Agreement, ...]) -> Match:
    low, high = sorted((profile(one), profile(other)))
    return Match(str(low), str(high), probability, evidence)


def propose(stage: Stage, one: str, other: str, *, level: int = 2, **more: int) -> dict[str, int]:
    levels = {"birth_date": level, **more}
    evidence = tuple(Agreement(on, 3.0 if found else -3.0, found, 3) for on, found in levels.items())
    return search.propose(stage.brand.pk, [match(one, other, 0.97, evidence)], stage.now)


def user(role: str, stage: Stage, *rights: str) -> User:
    person = User.objects.create_user(role, is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    for right in rights:
        assign_perm(right, person, stage.brand)
    return person


def page(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_search_proposes_pairs_and_merges_nobody(stage: Stage) -> None:
    fill(stage, people(60, 8))
    customers = Profile.objects.values("customer_id").distinct().count()
    job = looked(stage)
    assert job.report == {"proposed": 8, "open": 8, "rejected_before": 0, "settled": 0, "left_off": 0}
    assert (job.total, job.done) == (68, 68)
    assert Profile.objects.values("customer_id").distinct().count() == customers
    pair = pair_of("u0", "u60")
    assert pair.probability > 0.9
    assert {one["on"] for one in pair.evidence} >= {"names", "birth_date", "email"}
    assert not any(isinstance(value, str) and name != "on" for one in pair.evidence for name, value in one.items())
    assert looked(stage).report == {"proposed": 0, "open": 8, "rejected_before": 0, "settled": 0, "left_off": 0}


def test_an_accepted_pair_is_one_customer_by_an_edge_that_says_who_decided(stage: Stage) -> None:
    fill(stage, people(2, 0))
    propose(stage, "u0", "u1")
    by = User.objects.create_superuser("root")
    pair = pair_of("u0", "u1")
    review.accept(pair, by, stage.now)
    pair.refresh_from_db()
    assert (pair.state, pair.decided_by, pair.decided_at) == (DuplicatePair.State.ACCEPTED, by, stage.now)
    assert Profile.objects.get(pk=profile("u0")).customer_id == Profile.objects.get(pk=profile("u1")).customer_id
    edge = Edge.objects.filter(assurance=6).first()
    assert edge is not None
    assert edge.message_id == f"duplicate:{pair.pk}:{by.pk}"
    with pytest.raises(review.NotOpen):
        review.accept(pair, by, stage.now)
    assert propose(stage, "u0", "u1")["open"] == 0


def test_a_rejected_pair_is_not_proposed_again_unless_something_agrees_better(stage: Stage) -> None:
    fill(stage, people(2, 0))
    propose(stage, "u0", "u1", level=2, phone=-1)
    by = User.objects.create_superuser("root")
    assert review.reject([pair_of("u0", "u1").pk], by, stage.now) == 1
    assert not Edge.objects.filter(assurance=6).exists()
    for level, phone in ((2, -1), (1, -1), (2, 0)):
        report = propose(stage, "u0", "u1", level=level, phone=phone)
        assert (report["rejected_before"], report["proposed"]) == (1, 0)
    assert pair_of("u0", "u1").state == DuplicatePair.State.REJECTED
    assert propose(stage, "u0", "u1", level=2, phone=3)["proposed"] == 1
    again = pair_of("u0", "u1")
    assert (again.state, again.decided_by) == (DuplicatePair.State.OPEN, None)


def test_what_was_rejected_stays_so_when_one_of_them_gets_a_new_name(stage: Stage) -> None:
    fill(stage, people(3, 0))
    propose(stage, "u1", "u2")
    by = User.objects.create_superuser("root")
    review.reject([pair_of("u1", "u2").pk], by, stage.now)
    merging.join(profile("u0"), profile("u1"), merging.decide.decision(stage.brand.pk, by, "test", stage.now))
    assert propose(stage, "u0", "u2")["rejected_before"] == 1
    assert not DuplicatePair.objects.filter(state=DuplicatePair.State.OPEN).exists()


def test_who_was_taken_apart_is_not_proposed(stage: Stage) -> None:
    fill(stage, people(2, 0))
    by = merging.decide.decision(stage.brand.pk, 1, "test", stage.now)
    merging.join(profile("u0"), profile("u1"), by)
    stage.pass_time(seconds=1)
    merging.split([profile("u1")], merging.decide.decision(stage.brand.pk, 1, "test", stage.now))
    assert propose(stage, "u0", "u1") == {
        "proposed": 0, "open": 0, "rejected_before": 1, "settled": 0, "left_off": 0,
    }  # fmt: skip


def test_what_is_no_question_any_more_is_settled(stage: Stage) -> None:
    fill(stage, people(4, 0))
    propose(stage, "u0", "u1")
    propose(stage, "u2", "u3")
    assert {pair_of("u0", "u1").state, pair_of("u2", "u3").state} == {"settled", "open"}
    merging.join(profile("u2"), profile("u3"), merging.decide.decision(stage.brand.pk, 1, "test", stage.now))
    assert search.propose(stage.brand.pk, [], stage.now)["settled"] == 1


def test_without_the_extra_the_product_works_and_the_page_says_how_to_install_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "is_available", lambda: False)
    assert search.ask_for_all(stage.now) == 0
    assert looked(stage).report == {"missing": "splink"}
    answer = page(User.objects.create_superuser("root")).get(reverse("admin:customers_duplicatepair_changelist"))
    assert "uv sync --extra duplicates" in answer.content.decode()
    with pytest.raises(CommandError):
        call_command("measure_duplicates")


def test_the_search_is_asked_for_once_per_brand_however_often_it_is_asked(stage: Stage) -> None:
    assert search.ask_for_all(stage.now) == search.ask_for_all(stage.now) == 1
    assert Job.objects.filter(kind="duplicates").count() == 1


# --- the queue -------------------------------------------------------------------------------------


def choose(client: Client, pair: DuplicatePair, choice: str) -> Any:
    return client.post(reverse("admin:customers_duplicatepair_decide", args=[pair.pk]), {"choice": choice})


def test_an_agent_who_reads_both_decides_and_goes_on_to_the_next(stage: Stage) -> None:
    fill(stage, [{**row, "first_name": f"Zoe{n}"} for n, row in enumerate(people(4, 0))])
    found = [
        match(one, other, chance, (Agreement("birth_date", 4.0, 3, 3),))
        for one, other, chance in (("u0", "u1", 0.99), ("u2", "u3", 0.95))
    ]
    search.propose(stage.brand.pk, found, stage.now)
    client = page(user("agent", stage, "view_brand", "view_pii"))
    first, second = pair_of("u0", "u1"), pair_of("u2", "u3")
    listed = client.get(reverse("admin:customers_duplicatepair_changelist")).content.decode()
    assert listed.index(str(first.pk)) < listed.index(str(second.pk))
    shown = client.get(reverse("admin:customers_duplicatepair_change", args=[first.pk])).content.decode()
    assert all(text in shown for text in ("Zoe0", "Zoe1", str(second.pk)))
    answer = choose(client, first, "accept")
    assert answer["Location"] == reverse("admin:customers_duplicatepair_change", args=[second.pk])
    assert choose(client, second, "reject")["Location"] == reverse("admin:customers_duplicatepair_changelist")
    assert [DuplicatePair.objects.get(pk=one.pk).state for one in (first, second)] == ["accepted", "rejected"]
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"merge", "reject_duplicate"}


def test_who_may_not_read_personal_data_sees_weights_and_decides_nothing(stage: Stage) -> None:
    fill(stage, [{**row, "last_name": "Secretname"} for row in people(2, 0)])
    propose(stage, "u0", "u1")
    client, pair = page(user("agent", stage, "view_brand")), pair_of("u0", "u1")
    shown = client.get(reverse("admin:customers_duplicatepair_change", args=[pair.pk])).content.decode()
    assert "Secretname" not in shown
    assert "+3.0" in shown
    assert choose(client, pair, "accept").status_code == choose(client, pair, "reject").status_code == 403
    squad = user("squad member", stage, "view_brand", "view_pii")
    assert choose(page(squad), pair, "accept").status_code == 403
    pair.refresh_from_db()
    assert pair.state == DuplicatePair.State.OPEN


def test_many_are_told_apart_at_once(stage: Stage) -> None:
    fill(stage, people(3, 0))
    pairs = [("u0", "u1"), ("u0", "u2")]
    found = [match(a, b, 0.95, ()) for a, b in pairs]
    search.propose(stage.brand.pk, found, stage.now)
    keys = [str(pair_of(a, b).pk) for a, b in pairs]
    client = page(user("marketer", stage, "view_brand", "view_pii"))
    client.post(reverse("admin:customers_duplicatepair_changelist"), {"action": "tell_apart", "_selected_action": keys})
    assert set(DuplicatePair.objects.values_list("state", flat=True)) == {"rejected"}


def test_a_search_is_asked_for_from_the_list(stage: Stage) -> None:
    client = page(user("marketer", stage, "view_brand", "view_pii"))
    client.post(reverse("admin:customers_duplicatepair_look"), {"brand": str(stage.brand.pk)})
    assert Job.objects.get(kind="duplicates").brand == stage.brand
    for brand in ("", "nonsense", "00000000-0000-0000-0000-000000000000"):
        assert client.post(reverse("admin:customers_duplicatepair_look"), {"brand": brand}).status_code == 403


def test_only_the_customers_of_the_brand_are_compared(stage: Stage) -> None:
    fill(stage, people(10, 0))
    other = Brand.objects.create(key="other", name="Other")
    ProfileBrand.objects.create(profile_id=profile("u3"), brand=other, first_seen_at=stage.now)
    assert records.count(stage.brand.pk) == len(list(records.records(stage.brand.pk))) == 10
    assert [one["unique_id"] for one in records.records(other.pk)] == [str(profile("u3"))]
