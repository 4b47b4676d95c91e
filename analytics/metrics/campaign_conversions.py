"""Conversions of a campaign: events of a role after its messages, each given to the last message before it."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.campaign_basis import WITH_MESSAGES, CampaignBasis
from analytics.metrics.query import rows
from customers.registry.shapes import said_in_sql

LABEL = _("Conversions")
DEFINITION = _(
    "Events of the role that the campaign names, in its brand, by the same customer, within its days after a "
    "message of the campaign was sent; each is given to the last such message before it, and counts once, also "
    "where it was told twice by the same key. Another campaign may count it as well. Revenue is the sum of their "
    "amounts by currency, without refunds. It shows what followed, not what caused it; what is younger may yet "
    "come."
)

# Index look-ups by profile and time for each message; what occurred was heard of later, give or take a clock.
_SQL = """{messages}, role AS (
        SELECT y.name, y.amount_property, y.currency_property, y.key_property
        FROM customers_eventtype y, ask WHERE y.brand_id = ask.brand_id AND y.role = ask.role AND ask.role <> ''
    ), followed AS (
        SELECT DISTINCT ON (e.id) e.id, e.received_at, e.occurred_at, e.schema_version_id, e.name,
               met.customer_id, t.id AS message_id
        FROM taken t CROSS JOIN ask
        JOIN customers_profile met ON met.id = t.profile_id
        JOIN customers_profile same ON same.customer_id = met.customer_id
        CROSS JOIN LATERAL (
            SELECT e.id, e.received_at, e.occurred_at, e.schema_version_id, e.name FROM customers_event e
            WHERE e.profile_id = same.id AND e.brand_id = ask.brand_id AND e.name IN (SELECT name FROM role)
              AND e.occurred_at > t.settled_at
              AND e.occurred_at <= t.settled_at + make_interval(days => ask.days)
              AND e.received_at > t.settled_at - interval '1 day'
            OFFSET 0
        ) e
        ORDER BY e.id, t.settled_at DESC, t.id
    ), told AS (
        SELECT e.*, role.amount_property, role.currency_property, role.key_property, {said} AS said
        FROM followed e JOIN role ON role.name = e.name
        LEFT JOIN customers_eventpayload p ON p.event_id = e.id AND p.received_at = e.received_at
    ), once AS (
        SELECT DISTINCT ON (name, coalesce(nullif(said ->> nullif(key_property, ''), ''), id::text))
               customer_id, message_id, said ->> nullif(currency_property, '') AS currency,
               CASE WHEN jsonb_typeof(said -> nullif(amount_property, '')) = 'number'
                    THEN (said ->> amount_property)::numeric END AS amount
        FROM told ORDER BY name, coalesce(nullif(said ->> nullif(key_property, ''), ''), id::text), occurred_at, id
    ), paid AS (
        SELECT currency, sum(amount)::bigint AS amount FROM once
        WHERE currency ~ '^[A-Z]{{3}}$' AND amount = trunc(amount) AND abs(amount) < 9e15 GROUP BY currency
    )
    SELECT (SELECT count(*) FROM once), (SELECT count(DISTINCT customer_id) FROM once),
           (SELECT count(DISTINCT message_id) FROM once), (SELECT count(*) FROM taken),
           (SELECT coalesce(json_agg(json_build_array(currency, amount) ORDER BY currency), '[]') FROM paid)
"""


@dataclass(frozen=True, slots=True)
class Conversions:
    label: str | Promise
    definition: str | Promise
    events: int
    people: int
    # Messages after which one came, of all that were sent.
    messages: int
    sent: int
    # (currency, amount in its smallest unit)
    revenue: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float | None:
        return self.messages / self.sent if self.sent else None


def campaign_conversions(basis: CampaignBasis) -> Conversions | None:
    """None where the campaign names no role."""
    if not basis.role:
        return None
    said, values = said_in_sql()
    sql = _SQL.format(messages=WITH_MESSAGES, said=said)
    [(events, people, messages, sent, revenue)] = rows(sql, [*basis.parameters(), *values])
    paid = tuple((currency, int(amount)) for currency, amount in revenue)
    return Conversions(LABEL, DEFINITION, events, people, messages, sent, paid)
