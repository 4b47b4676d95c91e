"""Files handed in and worked on, for the tests of imports."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from customers import jobs
from customers.imports import file, plan
from customers.imports.job import begin
from customers.models import Import, Source

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

ORDERS: dict[str, Any] = {
    "events": [
        {
            "key": "order",
            "name": {"constant": "Order Completed"},
            "occurred_at": {
                "path": "/when",
                "steps": [{"do": "time", "format": "iso", "zone": "UTC"}],
                "required": True,
            },
            "identifiers": {"user_id": "/customer"},
            "properties": {"total": {"path": "/total", "steps": [{"do": "number"}]}},
            "historical": True,
        }
    ]
}
PEOPLE: dict[str, Any] = {
    "events": [{"key": "customer", "type": "identify", "identifiers": {"email": "/email"}, "traits": {"city": "/city"}}]
}


def hand_in(source: Source, text: str | bytes, rows: str = "events", **kwargs: Any) -> Import:
    data = text if isinstance(text, bytes) else text.encode()
    return file.hand_in(source, rows, "rows.csv", [data], NOW, **kwargs)


def orders(source: Source, text: str | bytes, mapping: dict[str, Any] = ORDERS) -> Import:
    parent = hand_in(source, text)
    plan.keep(parent, mapping, NOW)
    return parent


def people(source: Source, text: str | bytes, mapping: dict[str, Any] = PEOPLE) -> Import:
    parent = hand_in(source, text, "customers")
    plan.keep(parent, mapping, NOW)
    return parent


def run(parent: Import, now: datetime = NOW) -> dict[str, Any]:
    """Work on it until it is over; how it ended and what it came to."""
    job = begin(parent, now)
    jobs.work_on(lambda: now, seconds=60)
    job.refresh_from_db()
    return {"state": job.state, **job.report}


def lines(count: int, start: int = 1) -> Iterator[str]:
    """Orders of as many customers."""
    yield "customer,when,total\n"
    for number in range(start, start + count):
        yield f"c{number},2026-01-01T10:00:00Z,{number}.50\n"
