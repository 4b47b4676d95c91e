"""The sweep: what dead workers left behind comes back, or is shown to people as unknown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from channels.dispatch.claim import MAY_BE_TAKEN
from channels.dispatch.settle import MAX_CRASHES
from channels.providers.base import certain_keys, idempotent_keys
from customers.pg import raw_cursor

# A worker alive holds the row's lock while it calls; a lease that is over and unlocked is a dead worker's.
# Before the announcement nothing was sent; after it only a provider that knows our key may be asked again.
_SWEEP: Final = f"""
    WITH orphan AS MATERIALIZED (
        SELECT m.id, m.crashes + 1 AS crashes,
               CASE WHEN m.state = 'dispatching' AND c.provider <> ALL(%(repeatable)s) THEN 'unknown'
                    WHEN m.crashes + 1 < %(most)s THEN 'queued'
                    WHEN c.provider = ANY(%(certain)s) THEN 'failed'
                    WHEN m.state = 'dispatching' OR {MAY_BE_TAKEN} THEN 'unknown'
                    ELSE 'failed' END AS fate
        FROM channels_message m JOIN channels_connector c ON c.id = m.connector_id
        WHERE m.state IN ('leased', 'dispatching') AND m.leased_until < %(now)s
        ORDER BY m.id FOR UPDATE OF m SKIP LOCKED
    ), settled AS (
        UPDATE channels_message m SET
            state = o.fate, crashes = o.crashes, lease_token = NULL, leased_until = NULL,
            reason = CASE o.fate WHEN 'unknown' THEN 'interrupted' WHEN 'failed' THEN 'crashed' ELSE '' END,
            settled_at = CASE WHEN o.fate <> 'queued' THEN %(now)s END
        FROM orphan o WHERE m.id = o.id
        RETURNING m.id, m.state, m.address_id, m.copy_key
    ), given_up AS (
        -- Nobody has it: the next of its kind may go to the address.
        DELETE FROM channels_recentsend r USING settled s
        WHERE s.state = 'failed' AND r.address_id = s.address_id AND r.copy_key = s.copy_key AND r.message_id = s.id
    )
    SELECT state FROM settled
"""


@dataclass(frozen=True, slots=True)
class Swept:
    queued: int
    unknown: int
    failed: int


def sweep(now: datetime) -> Swept:
    """Settle every message whose lease ended without a word from its worker."""
    with transaction.atomic(), raw_cursor() as cursor:
        values = {"now": now, "most": MAX_CRASHES, "repeatable": idempotent_keys(), "certain": certain_keys()}
        cursor.execute(_SWEEP, values)
        fates = [row[0] for row in cursor]
    return Swept(*(fates.count(fate) for fate in ("queued", "unknown", "failed")))
