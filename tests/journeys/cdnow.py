"""CDNOW's purchases as a journey's events, and what an independent computation says the journey does with them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas

from tests.journeys.stage import message, welcome

RAW = Path(__file__).parents[1] / "data" / "CDNOW_sample.txt"
DAYS = 30
LAST = 31


class Purchase(NamedTuple):
    at: datetime
    customer: str
    discs: int


class Counts(NamedTuple):
    entries: int
    conversions: int
    reminders: int


def purchases() -> list[Purchase]:
    """Each at noon of its day plus, in seconds, its place among that customer's purchases of the day."""
    table = pandas.read_csv(
        RAW, sep=r"\s+", header=None, names=["id", "customer", "day", "discs", "dollars"], dtype=str
    )
    table["place"] = table.groupby(["customer", "day"]).cumcount()
    noon = pandas.to_datetime(table["day"], format="%Y%m%d", utc=True) + pandas.Timedelta(hours=12)
    table["at"] = noon + pandas.to_timedelta(table["place"], unit="s")
    return [
        Purchase(row.at.to_pydatetime().astimezone(UTC), row.customer, int(row.discs)) for row in table.itertuples()
    ]


def document() -> dict[str, Any]:
    """Entry by an order, always again; until the next order or 30 days, else a reminder."""
    hold = {
        "type": "hold",
        "id": "hold",
        "state": "not_activated",
        "branches": [{"event": "order.completed", "next": "again"}],
        "timeout": {"after": f"P{DAYS}D", "next": "remind"},
    }
    return welcome(
        entry={"event": "order.completed", "reentry": "always", "guard": "none", "guard_reason": "counted only"},
        steps=[
            hold,
            message("remind", next="lost"),
            {"type": "exit", "id": "again", "state": "activated"},
            {"type": "exit", "id": "lost", "state": "lost"},
        ],
    )


def end() -> datetime:
    return max(one.at for one in purchases()) + timedelta(days=LAST)


def expected() -> Counts:
    """By pandas alone: an order begins a run; the next of the customer, at most 30 days later, converts it."""
    table = pandas.DataFrame(purchases()).sort_values(["customer", "at"], kind="stable")
    gap = table.groupby("customer")["at"].shift(-1) - table["at"]
    converted = gap <= pandas.Timedelta(days=DAYS)
    over = table["at"] + pandas.Timedelta(days=DAYS) <= pandas.Timestamp(end())
    return Counts(len(table), int(converted.sum()), int((~converted & over).sum()))


def lines() -> Iterator[dict[str, Any]]:
    for one in purchases():
        yield {
            "event": "order.completed",
            "user_id": one.customer,
            "occurred_at": one.at.isoformat(),
            "properties": {"discs": one.discs},
        }
