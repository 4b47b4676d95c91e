"""How many mails that ask an address may get: whoever knows it can have it asked, from any number of profiles."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from consent.models import Confirmation

# The names under which the ledger's evidence keeps why nobody was asked, and its values.
NOT_ASKED: Final = "not_asked"
TOO_MANY: Final = "too_many_mails"
NO_MAIL: Final = "no_connector_for_mail"
NO_MAILBOX: Final = "no_mail_address"
ANOTHER: Final = "asked_for_another_profile"

_DAY: Final = timedelta(days=1)


def too_many(address_id: UUID, now: datetime) -> bool:
    """Whether the address had its mails of a day, for whatever brand and purpose; under the address's lock."""
    recent = Confirmation.objects.filter(address=address_id, asked_at__gt=now - _DAY)
    sent = recent.exclude(outcome=Confirmation.Outcome.HELD_BACK)
    return sent.count() >= settings.TRILHA_CONFIRMATIONS_A_DAY


def held_back(like: Confirmation, now: datetime) -> bool:
    """Whether it was noted within a day already that this one was not sent."""
    return Confirmation.objects.filter(
        address=like.address_id,
        profile=like.profile_id,
        brand=like.brand_id,
        purpose=like.purpose_id,
        ends_pause=like.ends_pause,
        outcome=Confirmation.Outcome.HELD_BACK,
        asked_at__gt=now - _DAY,
    ).exists()
