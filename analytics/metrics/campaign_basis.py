"""What the numbers of a campaign are about: the messages that its journeys and broadcasts asked for in its days."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from channels.models import Campaign

# Of so many, the newest: a page is as quick for a campaign of millions.
MOST: Final = 100_000
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CampaignBasis:
    campaign_id: UUID
    brand_id: UUID
    since: datetime
    until: datetime
    role: str
    days: int
    most: int = MOST

    @classmethod
    def of(cls, campaign: Campaign) -> "CampaignBasis":
        since, until = campaign.span()
        role, days = campaign.conversion_role, campaign.conversion_days
        return cls(campaign.pk, campaign.brand_id, since or _FIRST, until or _LAST, role, days)

    def parameters(self) -> list[Any]:
        """What `WITH_MESSAGES` binds, in its order."""
        return [self.campaign_id, self.brand_id, self.since, self.until, self.role, self.days, self.most]


# `message` are those that count; what follows builds on them, so that the numbers fit together. Tests count nowhere.
WITH_MESSAGES: Final = """
    WITH ask (campaign_id, brand_id, since, until, role, days, most) AS (
        SELECT %s::uuid, %s::uuid, %s::timestamptz, %s::timestamptz, %s::text, %s::int, %s::int
    ), message AS MATERIALIZED (
        SELECT m.id, m.state, m.reason, m.profile_id, m.address_id, m.settled_at
        FROM channels_campaignmember k JOIN channels_message m ON m.scope_id = k.scope_id
        WHERE k.campaign_id = (SELECT campaign_id FROM ask) AND m.origin_kind <> 'test'
          AND coalesce(m.settled_at, m.created_at) >= (SELECT since FROM ask)
          AND coalesce(m.settled_at, m.created_at) < (SELECT until FROM ask)
        ORDER BY m.created_at DESC, m.id LIMIT (SELECT most FROM ask)
    ), taken AS (
        SELECT * FROM message WHERE state IN ('sent', 'delivered', 'opened', 'clicked')
    )
"""
