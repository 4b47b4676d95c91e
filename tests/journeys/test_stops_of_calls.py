"""A stop against steady calls: it waits for those in hand, and not for those that would follow them."""

import time
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from channels import stops
from journeys.engine.calls.due import call_due
from journeys.models import Call
from tests.channels.web_server import Handler
from tests.journeys.calling import asking, other_side
from tests.journeys.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)

_MANY, _SECONDS = 24, 0.5


def test_a_stop_stands_once_the_calls_in_hand_are_over(stage: Stage, settings: Any) -> None:
    began: list[float] = []

    def takes_its_time(handler: Handler) -> None:
        began.append(time.monotonic())
        # The second slot is half a call behind the first: there is always one in hand.
        time.sleep(_SECONDS / 2 if len(began) == 1 else _SECONDS)
        handler.send_response(204)
        handler.end_headers()

    with other_side(stage, settings) as crm:
        crm.connector.concurrency = 2
        crm.connector.save()
        crm.system.answers = [takes_its_time]
        stage.publish(asking())
        for n in range(_MANY):
            stage.know(f"u{n}")
            stage.happen("customer.signed_up", f"u{n}")
        took, stopped = [], []

        def stop_soon() -> None:
            while len(began) < 3:
                time.sleep(0.01)
            asked = time.monotonic()
            assert stops.stop(stage.journeys["welcome"].pk, None, "", stage.now)
            stopped.append(time.monotonic())
            took.append(stopped[0] - asked)
            connection.close()

        thread = Thread(target=stop_soon)
        thread.start()
        call_due(lambda: stage.now)
        thread.join(30)
    assert took[0] < 6 * _SECONDS
    assert max(began) < stopped[0]
    states = list(Call.objects.values_list("state", flat=True))
    assert (states.count("answered"), states.count("waiting")) == (len(began), _MANY - len(began))
    assert 3 <= len(began) <= 10
