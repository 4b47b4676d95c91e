"""How many of a kind a person has, and how many people a value may belong to before it tells nobody from anybody."""

from typing import Any
from uuid import UUID

import pytest

from customers import jobs, kinds
from customers.identifiers import IdentifierError
from customers.merging import anew
from customers.models import Address, Edge, Event, Identifier, IdentifierKind, Job, Profile
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None) -> Stage:
    kinds.forget()
    return make_stage()


def limit(key: str, **limits: Any) -> None:
    IdentifierKind.objects.filter(key=key).update(**limits)
    kinds.forget()


def people() -> list[set[str]]:
    found: dict[UUID, set[str]] = {}
    for one in Identifier.objects.select_related("profile"):
        found.setdefault(one.profile.customer_id, set()).add(one.value)
    return sorted(found.values(), key=sorted)


def test_beyond_the_most_of_a_kind_evidence_is_kept_and_not_followed(stage: Stage) -> None:
    limit("loyalty_card", most_per_customer=2)
    for n in range(4):
        stage.happen("page.viewed", "ana", loyalty_card=f"C{n}")
        stage.pass_time(minutes=1)
    assert people() == [{"ana", "C0", "C1"}, {"C2"}, {"C3"}]
    assert list(Edge.objects.order_by("occurred_at").values_list("skipped", flat=True)) == [False, False, True, True]


def test_one_mail_address_of_too_many_people_joins_none_of_them(stage: Stage) -> None:
    limit("email", most_people=3)
    for n in range(3):
        stage.happen("identify", f"u{n}", email="info@shop.example")
        stage.pass_time(minutes=1)
    assert people() == [{"info@shop.example", "u0"}, {"u1"}, {"u2"}]
    stage.happen("identify", "u3", email="info@shop.example")
    shared = Identifier.objects.get(value="info@shop.example")
    assert shared.shared_at == stage.now
    assert people() == [{"info@shop.example"}, {"u0"}, {"u1"}, {"u2"}, {"u3"}]
    edges = Edge.objects.count()
    stage.happen("identify", "u4", email="info@shop.example")
    assert (Edge.objects.count(), len(people())) == (edges, 6)
    # They are still reached there, each by themselves.
    assert Address.objects.get().value == "info@shop.example"


def test_what_is_shared_is_nobodys_strongest_name(stage: Stage) -> None:
    limit("email", most_people=1)
    for user in ("u0", "u1"):
        stage.happen("identify", user, email="info@shop.example")
    stage.happen("page.viewed", "", email="info@shop.example", anonymous_id="tablet")
    tablet = Identifier.objects.get(value="tablet").profile_id
    assert Event.objects.order_by("-id")[0].profile_id == tablet


def test_the_order_in_which_people_come_does_not_matter(stage: Stage) -> None:
    limit("phone", most_people=2)
    for user in ("a", "b", "c"):
        stage.happen("identify", user, phone="+5511912345678")
    first = people()
    for user in ("z", "y", "x"):
        stage.happen("identify", user, phone="+5511912345679")
    assert [len(group) for group in people()] == [1] * 8
    assert first == [{"+5511912345678"}, {"a"}, {"b"}, {"c"}]


def work(stage: Stage) -> Job:
    assert jobs.work_on(lambda: stage.now, seconds=30)
    return Job.objects.get()


def test_a_limit_that_was_raised_holds_for_everybody_after_a_job(stage: Stage) -> None:
    limit("email", most_people=1)
    for user in ("u0", "u1"):
        stage.happen("identify", user, email="info@shop.example")
    assert len(people()) == 3
    limit("email", most_people=5)
    anew.ask_for_regrouping(stage.now)
    job = work(stage)
    assert (job.state, job.done, job.total, job.report) == ("done", 3, 3, {"moved": 1, "shared": 0})
    assert people() == [{"info@shop.example", "u0"}, {"u1"}]


def test_and_one_that_was_lowered_as_well(stage: Stage) -> None:
    for n in range(3):
        stage.happen("page.viewed", "ana", loyalty_card=f"C{n}")
        stage.pass_time(minutes=1)
    assert len(people()) == 1
    limit("loyalty_card", most_per_customer=1)
    anew.ask_for_regrouping(stage.now)
    work(stage)
    assert people() == [{"ana", "C0"}, {"C1"}, {"C2"}]
    limit("email", most_people=0)


def test_a_kind_of_ones_own_is_taken_and_ranked(stage: Stage) -> None:
    IdentifierKind.objects.create(key="club_no", name="Club number", scheme="opaque", rank=15, most_per_customer=1)
    kinds.forget()
    stage.happen("page.viewed", "", club_no="77", anonymous_id="tablet")
    assert people() == [{"77", "tablet"}]
    assert Profile.objects.count() == 2


def test_a_blocked_value_is_refused(stage: Stage) -> None:
    IdentifierKind.objects.filter(key="loyalty_card").update(blocked=["C0"])
    kinds.forget()
    known = kinds.current(stage.now)["loyalty_card"]
    assert known.read("C1") == ("C1", "C1")
    with pytest.raises(IdentifierError) as caught:
        known.read("C0")
    assert caught.value.code == "blocked_identifier"
