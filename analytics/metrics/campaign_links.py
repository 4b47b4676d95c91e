"""Links of a campaign by how many people followed them."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.campaign_basis import WITH_MESSAGES, CampaignBasis
from analytics.metrics.query import rows

LABEL = _("Links")
DEFINITION = _(
    "Tracked links of the campaign’s messages by the people who followed them, without what stands behind ? or # "
    "in them, the most followed first, a hundred at most. A message counts once for a link however often it was "
    "followed. Clicks of machines are counted apart, each of them."
)
# What an address says behind ? and # is often about one person.
_SQL = f"""{WITH_MESSAGES}, clicked AS (
        SELECT regexp_replace(t.links ->> r.link, '[?#].*$', '') AS url, m.id, m.profile_id, r.is_machine
        FROM taken m
        JOIN channels_receipt r ON r.message_id = m.id AND r.happened = 'clicked' AND r.link IS NOT NULL
        JOIN channels_messagecontent t ON t.message_id = m.id
    )
    SELECT url, count(DISTINCT c.id) FILTER (WHERE NOT is_machine),
           count(DISTINCT coalesce(p.customer_id, c.profile_id)) FILTER (WHERE NOT is_machine),
           count(*) FILTER (WHERE is_machine)
    FROM clicked c LEFT JOIN customers_profile p ON p.id = c.profile_id
    WHERE url IS NOT NULL
    GROUP BY url ORDER BY 2 DESC, 4 DESC, url LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    messages: int
    people: int
    by_machines: int


@dataclass(frozen=True, slots=True)
class Links:
    label: str | Promise
    definition: str | Promise
    links: tuple[Link, ...]


def campaign_links(basis: CampaignBasis) -> Links:
    return Links(LABEL, DEFINITION, tuple(Link(*row) for row in rows(_SQL, basis.parameters())))
