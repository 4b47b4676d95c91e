"""Starts at once: of one customer's run for a key there is one, whoever asks how often."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from journeys.models import EntryRefusal, Run
from tests.config.partners import make_partners
from tests.customers.partner_api import Api

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_many_starts_at_once_one_begins_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    partners = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: partners.stage.now)
    journey = partners.journey(reentry="always")
    partners.know(partners.shop)
    body = {"journey": str(journey.pk), "identifier": {"kind": "user_id", "value": "ana"}}

    def call(_n: int) -> Any:
        try:
            return Api(partners.shop.token).post("runs", body)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(24)))
    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert [answer.status_code for answer in answers].count(201) == 1
    reasons = {answer.json()["refused"]["reason"] for answer in answers if answer.status_code == 200}
    assert reasons == {"already_live"}
    assert (Run.objects.count(), EntryRefusal.objects.count()) == (1, 23)
