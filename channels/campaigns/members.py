"""Which journeys and broadcasts serve a campaign: each one at most, of the campaign's own brand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from channels import scopes
from channels.models import Campaign, CampaignMember

if TYPE_CHECKING:
    from customers.sight import Person


@dataclass(frozen=True, slots=True)
class Change:
    """What was put into a campaign and what was taken out."""

    added: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()


def offered(campaign: Campaign, user: "Person") -> dict[UUID, str]:
    """What this person may put into the campaign or take out of it, by name: what serves no other."""
    names = scopes.changeable_in(user, campaign.brand_id)
    taken = CampaignMember.objects.filter(scope_id__in=list(names)).exclude(campaign=campaign)
    others = set(taken.values_list("scope_id", flat=True))
    return {key: name for key, name in names.items() if key not in others}


def put(campaign: Campaign, wanted: Collection[UUID], user: "Person", now: datetime) -> Change:
    """Have these serve it, and of those that this person may change no others. What somebody else has put into
    another campaign meanwhile stays there."""
    may = set(offered(campaign, user))
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        before = set(campaign.members.values_list("scope_id", flat=True))
        removed = sorted((before & may) - set(wanted))
        added = sorted((set(wanted) & may) - before)
        campaign.members.filter(scope_id__in=removed).delete()
        rows = [CampaignMember(scope_id=one, campaign=campaign, added_at=now) for one in added]
        CampaignMember.objects.bulk_create(rows, ignore_conflicts=True)
        now_there = set(campaign.members.filter(scope_id__in=added).values_list("scope_id", flat=True))
    return Change(tuple(one for one in added if one in now_there), tuple(removed))
