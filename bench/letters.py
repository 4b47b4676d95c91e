"""A letter as a broadcast queues it, for what measures the sending."""

from datetime import datetime, timedelta
from uuid import UUID

from channels.outbox import NewMessage
from consent.models import Purpose
from customers.ids import new_id


def letter(
    profile_id: UUID, address_id: UUID, now: datetime, purpose: Purpose, version: int, connector: UUID
) -> NewMessage:
    message_id = new_id()
    return NewMessage(
        id=message_id,
        brand_id=purpose.brand_id,
        origin_kind="broadcast",
        origin_id=str(purpose.pk),
        visit=1,
        copy_key=f"bench:{message_id}",
        scope_id=purpose.pk,
        channel="email",
        connector_id=connector,
        template_version_id=version,
        purpose_id=purpose.pk,
        profile_id=profile_id,
        address_id=address_id,
        created_at=now,
        due_at=now,
        expires_at=now + timedelta(days=1),
        context={},
    )
