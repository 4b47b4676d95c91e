"""Exits by condition of versions that were published when these were asked on entry and before messages only."""

import json
from typing import Any

import pytest
from django.db import connection

from customers.models import MatchItem, MergeItem
from journeys.compiling import version
from journeys.models import Cause, Run
from tests.journeys.stage import Stage
from tests.journeys.test_exit_rules import PRO, document, last_move
from tests.journeys.test_unmerge import merge


def published_before(stage: Stage, *rules: dict[str, Any], **changes: Any) -> None:
    """A journey of when rules were asked before messages only: nothing leads from where it waits to “gone”."""
    given = document(*rules, **changes)
    given["states"] += [{"name": "resting", "kind": "active"}, {"name": "gone", "kind": "failure"}]
    given["steps"][1]["state"] = given["steps"][2]["state"] = "resting"
    given["exit_rules"][0]["state"] = "gone"
    ways = [("not_activated", one) for one in ("resting", "gone", "lost")] + [
        ("resting", "activated"),
        ("resting", "lost"),
    ]
    made = stage.publish(given | {"transitions": [*ways, ("resting", "gone")]})
    made.definition["transitions"] = ways
    # Nobody changes what is published; it is as one was that could be published then.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE journeys_journeyversion SET definition = %s WHERE id = %s", [json.dumps(made.definition), made.pk]
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    version.cache_clear()


@pytest.mark.django_db
def test_an_older_version_without_a_way_to_the_end_goes_on_as_it_was_published(stage: Stage) -> None:
    published_before(stage, PRO)
    stage.know(plan="free")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("identify", traits={"plan": "pro"})
    assert stage.the_run().status == Run.Status.ACTIVE
    assert not MatchItem.objects.exists()
    stage.happen("login.succeeded")
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]


@pytest.mark.django_db
def test_an_older_version_still_ends_by_the_rule_that_has_a_way(stage: Stage) -> None:
    published_before(stage, PRO, PRO)
    stage.know(plan="free")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("identify", traits={"plan": "pro"})
    assert (stage.the_run().status, last_move(stage.the_run())) == (Run.Status.EXITED, (Cause.EXIT, 1))


@pytest.mark.django_db
def test_a_merge_goes_through_where_an_older_version_has_no_way_to_the_end(stage: Stage) -> None:
    published_before(stage, PRO)
    stage.happen("customer.signed_up", "", anonymous_id="page")
    stage.happen("identify", "ana", traits={"plan": "pro"})
    merge(stage, "ana", "page")
    assert stage.the_run().status == Run.Status.ACTIVE
    assert not MergeItem.objects.exists()
