"""Every staff page, over a company of a million customers: how long the server takes to answer.

Loaded by SQL, not through the doors; `BENCH_SCALE` makes it smaller. The figure quoted is the slowest page's.
"""

import sys
from collections.abc import Sequence, Set

from bench.database import connect, durability
from bench.measure import Result, Side, Size
from bench.pages.crowd import Crowd, load
from bench.pages.visit import Visit, visit_all

_ALLOWED_MS = 300.0
# A statement that takes longer is shown, so far.
_LONG_MS, _SHOWN = 100.0, 300


def measure(wanted: Set[str], size: Size) -> Sequence[Result]:
    crowd = Crowd(people=size.of(1_000_000, 2_000), events=size.of(5_000_000, 10_000), live_runs=size.of(200_000, 500))
    with connect() as connection:
        load(connection, crowd)
        conditions = durability(connection)
    visits = sorted(visit_all(size.rounds * 4), key=lambda visit: -visit.p95)
    print(table(visits), file=sys.stderr)
    slowest = visits[0]
    rows = crowd.people + crowd.events
    ours = Side(f"slowest of {len(visits)}: {slowest.name}", lambda: slowest.p95, rows, 1, 1, 1, conditions)
    allowed = Side("what is allowed", lambda: _ALLOWED_MS, rows, 1, 1, 1, conditions)
    for side in (ours, allowed):
        side.rates.append(side.run())
    return [Result("pages.slowest", "ms, 95th percentile", ours, allowed, 1.0, at_most=True)]


def table(visits: Sequence[Visit]) -> str:
    head = ("page", "as", "status", "queries", "median ms", "p95 ms", "slowest statement, first visit")
    rows = [head] + [
        (
            one.name,
            one.who,
            str(one.status),
            str(one.queries),
            f"{one.median:,.0f}",
            f"{one.p95:,.0f}",
            f"{one.statement_ms:,.0f} ms" + (f"  {one.statement[:_SHOWN]}" if one.statement_ms > _LONG_MS else ""),
        )
        for one in visits
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[6]]) for row in rows)
