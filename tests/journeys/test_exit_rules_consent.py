"""Exits by condition that ask whether somebody may be written to."""

from datetime import timedelta
from typing import Any

import pytest

from consent import expiring
from journeys.models import Run
from tests.journeys.stage import Stage
from tests.journeys.test_exit_rules import MAY, document


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("consent.withdrawn", {"properties": {"purpose": "news"}}),
        ("Segment Consent Preference Updated", {"context": {"consent": {"categoryPreferences": {"news": False}}}}),
    ],
)
def test_who_withdraws_leaves_where_a_rule_asks_for_permission(stage: Stage, name: str, said: dict[str, Any]) -> None:
    stage.publish(document({"not": MAY}))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    assert stage.the_run().status == Run.Status.ACTIVE
    stage.happen(name, **said)
    assert stage.the_run().status == Run.Status.EXITED


@pytest.mark.django_db
def test_whose_consent_expires_leaves_as_that_is_told(stage: Stage) -> None:
    stage.publish(document({"not": MAY}))
    stage.know(granted=False)
    until = (stage.now + timedelta(hours=3)).isoformat()
    stage.happen("consent.granted", properties={"purpose": "news", "valid_until": until})
    stage.happen("customer.signed_up")
    stage.pass_time(hours=4)
    assert stage.the_run().status == Run.Status.ACTIVE
    expiring.tell(stage.now)
    stage.run()
    assert stage.the_run().status == Run.Status.EXITED
