"""The crowd: a small history told for real, and around it as many people as asked for, written by SQL."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from bench.pages import doings, persons
from config.demo import history, staff
from config.demo.company import Company
from config.demo.size import Size
from customers import bells
from customers.clock import utcnow

# Whatever pages show of rare things (dead letters, maps, merges) comes from here.
_TOLD = Size(people=200, days=85, live_days=10)


@dataclass(frozen=True, slots=True)
class Crowd:
    people: int
    events: int
    live_runs: int


def load(connection: "Connection[Any]", crowd: Crowd) -> None:
    now = utcnow()
    with bells.silence():
        company = history.make(now, _TOLD).company
    staff.seat_everybody(company)
    values = _values(company, crowd, now)
    with connection.transaction():
        # No trigger looks at every row: what is written here fits together by itself.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL synchronous_commit = off")
        connection.execute(_HOUSES)
        for shop in company.shops.values():
            _house(connection, shop)
        for name, statement in (*persons.STATEMENTS, *doings.STATEMENTS):
            began = time.monotonic()
            connection.execute(statement.encode(), values)
            print(f"loading {name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    connection.execute("VACUUM ANALYZE")


def _values(company: Company, crowd: Crowd, now: datetime) -> Mapping[str, Any]:
    return {
        "people": crowd.people,
        "events": crowd.events,
        "live": crowd.live_runs,
        "runs": crowd.live_runs * 5 // 2,
        "messages": crowd.live_runs * 5,
        "begin": now - timedelta(days=85),
        "now": now,
        "span": timedelta(days=85),
        "brands": len(company.shops),
    }


# One row a brand, `b` from 0; one row a journey, `j` from 0 within its brand.
_HOUSES = """
    CREATE TEMPORARY TABLE house (b int, brand_id uuid, source_id uuid, namespace uuid, purpose_id uuid,
        notice_version_id bigint, locale text, zone text, country text) ON COMMIT DROP;
    CREATE TEMPORARY TABLE way (b int, j int, journey_id uuid, version_id int, key text, step int, state int,
        message_step text, connector_id uuid, template_version_id bigint, channel text) ON COMMIT DROP
"""


def _house(connection: "Connection[Any]", shop: Any) -> None:
    source, plan = shop.sources["shop"], shop.plan
    connection.execute(
        "INSERT INTO house SELECT (SELECT count(*) FROM house), %s, %s, %s, u.id, v.id, %s, %s, %s"
        " FROM consent_purpose u, consent_noticeversion v JOIN consent_notice n ON n.id = v.notice_id"
        " WHERE u.brand_id = %s AND u.key = 'offers' AND n.brand_id = %s",
        [
            shop.brand.pk,
            source.pk,
            source.namespace,
            plan.locale,
            plan.zone,
            plan.country,
            shop.brand.pk,
            shop.brand.pk,
        ],
    )
    connection.execute(
        """
        INSERT INTO way
        SELECT (SELECT max(b) FROM house), row_number() OVER (ORDER BY j.key) - 1, j.id, v.id, j.key,
            hold.n - 1, 0, sends.step ->> 'id', (v.bindings -> 'connectors' ->> (sends.step ->> 'connector'))::uuid,
            (v.bindings -> 'templates' ->> (sends.step ->> 'template'))::bigint, sends.step ->> 'channel'
        FROM journeys_journey j JOIN journeys_journeyversion v ON v.id = j.live_version_id,
        LATERAL (SELECT n FROM jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s(step, n)
                 WHERE step ->> 'type' = 'hold' ORDER BY n LIMIT 1) hold,
        LATERAL (SELECT step FROM jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s(step, n)
                 WHERE step ->> 'type' = 'message' ORDER BY n LIMIT 1) sends
        WHERE j.brand_id = %s
        """,
        [shop.brand.pk],
    )
