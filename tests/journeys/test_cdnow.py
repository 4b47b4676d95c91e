"""CDNOW: purchases of real customers, imported by CSV and sent by API, add up to what pandas makes of the raw file."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas
import pytest
from django.db import connection

from customers import jobs
from customers.imports import file, plan
from customers.imports.job import begin
from customers.models import Brand, Event, Job, MessageKey, Source
from journeys.models import EntryRefusal, Run
from tests.customers.partner_api import api
from tests.journeys.stage import Stage, make_stage, welcome

RAW = Path(__file__).parents[1] / "data" / "CDNOW_sample.txt"
MAPPING: dict[str, Any] = {
    "events": [
        {
            "key": "purchase",
            "name": {"constant": "Order Completed"},
            "occurred_at": {
                "path": "/date",
                "steps": [{"do": "time", "format": "%Y%m%d", "zone": "UTC"}],
                "required": True,
            },
            "identifiers": {"user_id": "/customer"},
            "properties": {
                "quantity": {"path": "/discs", "steps": [{"do": "number", "whole": True}]},
                "total": {"path": "/dollars", "steps": [{"do": "number", "decimal": ",", "shift": 2, "whole": True}]},
                "currency": {"constant": "USD"},
            },
            "historical": True,
        }
    ]
}
# Each customer's purchases in the order of their time, as the timeline has them.
_PER_CUSTOMER = """
    SELECT i.value, count(*), min(e.occurred_at), max(e.occurred_at),
           sum((y.payload #>> '{properties,total}')::bigint), sum((y.payload #>> '{properties,quantity}')::bigint)
      FROM customers_event e
      JOIN customers_eventpayload y ON y.event_id = e.id AND y.received_at = e.received_at
      JOIN customers_profile p ON p.id = e.profile_id
      JOIN customers_identifier i ON i.profile_id = p.id AND i.closed_at IS NULL
     WHERE e.source_id = %s AND e.name = 'Order Completed' AND e.historical
     GROUP BY p.customer_id, i.value ORDER BY i.value
"""

Per = dict[str, tuple[int, datetime, datetime, int, int]]


@pytest.fixture
def stage(db: None) -> Stage:
    stage = make_stage()
    stage.publish(welcome(entry={"event": "Order Completed"}))
    return stage


def computed() -> Per:
    """By pandas, from the file as it was published: columns by their width, money as cents."""
    table = pandas.read_fwf(
        RAW,
        colspecs=[(1, 6), (7, 11), (12, 20), (20, 23), (23, 31)],
        names=["id", "n", "date", "discs", "dollars"],
        dtype={"id": str, "date": str},
    )
    table["at"] = pandas.to_datetime(table["date"], format="%Y%m%d", utc=True)
    table["cents"] = (table["dollars"] * 100).round().astype(int)
    by = table.groupby("id").agg(
        count=("at", "size"), first=("at", "min"), last=("at", "max"), cents=("cents", "sum"), discs=("discs", "sum")
    )
    return {
        str(id_): (int(count), first.to_pydatetime(), last.to_pydatetime(), int(cents), int(discs))
        for id_, count, first, last, cents, discs in by.itertuples()
    }


def found(source: Source) -> Per:
    with connection.cursor() as cursor:
        # So much at once, in a transaction that nobody else sees into: the planner knows nothing of it yet.
        cursor.execute("ANALYZE customers_event, customers_eventpayload, customers_profile, customers_identifier")
        cursor.execute(_PER_CUSTOMER, [source.pk])
        rows = cursor.fetchall()
    return {value: (count, first, last, int(cents), int(discs)) for value, count, first, last, cents, discs in rows}


def purchases() -> list[list[str]]:
    return [line.split() for line in RAW.read_text().splitlines()]


def by_csv(source: Source, stage: Stage) -> dict[str, Any]:
    """As a shop in Europe would export it: semicolons, and a comma in the money."""
    rows = ["customer;date;discs;dollars"]
    rows += [f"{id_};{day};{discs};{dollars.replace('.', ',')}" for id_, _n, day, discs, dollars in purchases()]
    parent = file.hand_in(source, "events", "cdnow.csv", ["\r\n".join(rows).encode()], stage.now)
    plan.keep(parent, MAPPING, stage.now)
    job: Job = begin(parent, stage.now)
    jobs.work_on(lambda: stage.now, seconds=120)
    job.refresh_from_db()
    return {"state": job.state, **job.report}


def by_api(source: Source, _stage: Stage) -> dict[str, Any]:
    partner = api(source)
    events = [
        {
            "id": f"cdnow-{number}",
            "name": "Order Completed",
            "occurred_at": f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00:00Z",
            "identifiers": {"user_id": id_},
            "properties": {"quantity": int(discs), "total": int(dollars.replace(".", "")), "currency": "USD"},
            "historical": True,
        }
        for number, (id_, _n, day, discs, dollars) in enumerate(purchases())
    ]
    told: dict[str, Any] = {"state": "done", "accepted": 0, "duplicates": 0, "rejected": 0}
    for start in range(0, len(events), 1000):
        answer = partner.post("events/batch", {"events": events[start : start + 1000]}).json()
        told["accepted"] += answer["accepted"]
        told["duplicates"] += answer["duplicates"]
        told["rejected"] += len(answer["rejected"])
    return told


@pytest.mark.parametrize("way", [by_csv, by_api])
def test_history_adds_up_to_what_pandas_makes_of_it(
    stage: Stage, way: Callable[[Source, Stage], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
    brand = Brand.objects.create(key="discs", name="Discs")
    source = Source.objects.create(brand=brand, key="discs", name="Discs")
    assert way(source, stage) == {"state": "done", "accepted": 6919, "duplicates": 0, "rejected": 0}
    stage.run()

    expected, actual = computed(), found(source)
    assert actual == expected
    assert (len(actual), sum(count for count, *_ in actual.values())) == (2357, 6919)
    assert sum(count > 1 for count, *_ in actual.values()) == sum(count > 1 for count, *_ in expected.values())
    assert sum(count - 1 for count, *_ in actual.values()) == 6919 - 2357
    assert (Run.objects.count(), EntryRefusal.objects.count()) == (0, 0)

    assert way(source, stage) == {"state": "done", "accepted": 0, "duplicates": 6919, "rejected": 0}
    stage.run()
    assert found(source) == expected
    assert (Event.objects.filter(source=source).count(), MessageKey.objects.count()) == (6919, 6919)


def test_the_same_purchase_today_is_no_history(stage: Stage) -> None:
    stage.happen("Order Completed")
    assert Run.objects.count() + EntryRefusal.objects.count() == 1
