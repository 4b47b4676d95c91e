"""Ask PostgreSQL what rules say of facts."""

from collections.abc import Sequence

from django.db import connection
from psycopg.types.json import Jsonb

from customers.rules import Facts, Rule


def answers(rules: Sequence[Rule], facts: Sequence[Facts]) -> list[tuple[bool | None, ...]]:
    """Per facts, the answer of each rule over rows that stand where the two tables do."""
    fragments = [rule.sql() for rule in rules]
    columns = ", ".join(text for text, _ in fragments)
    parameters = [one for _, given in fragments for one in given]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns}"
            " FROM unnest(%s::jsonb[], %s::jsonb[]) WITH ORDINALITY AS c(traits, properties, n)"
            " CROSS JOIN LATERAL (SELECT jsonb_build_object('properties', c.properties) AS payload) AS p"
            " ORDER BY n",
            [
                *parameters,
                [Jsonb(dict(one.traits)) for one in facts],
                [Jsonb(dict(one.properties)) for one in facts],
            ],
        )
        found: list[tuple[bool | None, ...]] = cursor.fetchall()
    return found
