"""Edges that servers told were kept as claims where they said nothing of how sure they were."""

import importlib
from datetime import timedelta

import pytest
from django.db import connection

from customers.models import Edge, PartnerToken, WriteKey
from tests.journeys.stage import T0, Stage, make_stage

pytestmark = pytest.mark.django_db
_MIGRATION = "customers.migrations.0035_servers_do_not_claim"


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def move() -> None:
    with connection.cursor() as cursor:
        cursor.execute(importlib.import_module(_MIGRATION).MOVE)


def claimed(stage: Stage, **values: object) -> None:
    """As it was kept once: the e-mail of somebody, told by a server."""
    stage.happen("identify", "ana", email="ana@example.com")
    Edge.objects.update(assurance=1, **values)


def test_what_nobody_but_a_server_can_have_told_is_no_claim(stage: Stage) -> None:
    claimed(stage)
    before = Edge.objects.values_list("low", "high", "occurred_at", "message_id", "recorded_at").get()
    move()
    move()
    edge = Edge.objects.get()
    assert (edge.assurance, edge.kind, edge.skipped, edge.source_id) == (2, "join", False, stage.source.pk)
    assert before == (edge.low_id, edge.high_id, edge.occurred_at, edge.message_id, edge.recorded_at)


def test_of_two_that_become_one_the_earlier_stays(stage: Stage) -> None:
    claimed(stage, message_id="first", occurred_at=T0 - timedelta(days=1))
    stage.happen("identify", "ana", email="ana@example.com")
    assert Edge.objects.count() == 2
    move()
    assert Edge.objects.values_list("assurance", "message_id").get() == (2, "first")


@pytest.mark.parametrize("told_by", ["page", "partner"])
def test_what_may_have_been_claimed_stays_a_claim(stage: Stage, told_by: str) -> None:
    claimed(stage)
    if told_by == "page":
        WriteKey.objects.create(source=stage.source, kind="browser", public="p", digest=b"d", origins=["https://a.b"])
    else:
        token = PartnerToken.objects.create(
            brand=stage.brand, name="p", scopes=[], digest=b"d", created_at=T0, expires_at=T0 + timedelta(days=9)
        )
        token.sources.add(stage.source)
    move()
    assert Edge.objects.get().assurance == 1


def test_what_a_server_ascertained_or_a_person_decided_stays_as_it_was(stage: Stage) -> None:
    claimed(stage)
    Edge.objects.update(assurance=6, kind="split")
    move()
    assert Edge.objects.values_list("assurance", "kind").get() == (6, "split")
