"""Claiming: a batch of due messages becomes one worker's for the length of a lease."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from channels.pacing.order import by_priority
from channels.stops import STANDING
from consent.permission import prepare_locks
from customers.pg import raw_cursor

# How long a message rests that may not go out now: stopped, or its connector is off.
REST: Final = timedelta(seconds=60)


@dataclass(slots=True)
class Claimed:
    """A leased message with all it takes to write and address it."""

    id: UUID
    token: int
    brand_id: UUID
    connector_id: UUID
    scope_id: UUID
    origin_kind: str
    origin_id: str
    visit: int
    copy_key: str
    channel: str
    template_version_id: int
    purpose_id: UUID
    profile_id: UUID
    address_id: UUID | None
    expires_at: datetime
    attempts: int
    crashes: int
    address: str | None
    address_original: str | None
    traits: dict[str, Any]
    locale: str
    # Where the person is, as far as it is known.
    zone: str
    variables: dict[str, Any]
    # Typed ones of its journey; None where its words name none.
    journey: dict[str, Any] | None
    brand_key: str
    brand_name: str
    brand_locale: str
    brand_zone: str
    brand_currency: str
    brand_postal_address: str
    sender_name: str
    sender_email: str
    purpose_key: str
    purpose_kind: str
    customer_id: UUID | None
    priority: int
    # Its address still has its copy: the provider may have taken it in an earlier call.
    may_be_taken: bool
    # Whether it is counted that links are followed, and that a letter is opened.
    tracks_links: bool
    tracks_opens: bool
    # Where its links led at an earlier try: what may have been sent then must lead there still.
    links: list[str]
    campaign_id: UUID | None
    # What its links to these hosts carry, as its campaign says.
    utm: dict[str, str] | None
    web_hosts: list[str]

    def scopes(self) -> list[UUID]:
        """What a stop of this message may name."""
        own = [self.scope_id, self.connector_id, self.brand_id]
        return own if self.campaign_id is None else [*own, self.campaign_id]


@dataclass(frozen=True, slots=True)
class PutOff:
    """Why nothing of a connector may go out now, and until when it is not looked at again."""

    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """`looked_at` counts those too that were expired or put to rest instead of leased."""

    messages: list[Claimed]
    looked_at: int


# By a message's row `m`: its address still has its copy, so that the provider may have taken it in an earlier call.
MAY_BE_TAKEN: Final = """
    EXISTS (
        SELECT 1 FROM channels_recentsend r
        WHERE r.address_id = m.address_id AND r.copy_key = m.copy_key AND r.message_id = m.id
    )
"""
_NEXT_SCOPE: Final = """
    (SELECT m.scope_id FROM channels_message m
     WHERE m.connector_id = %(connector)s AND m.state IN ('queued', 'held') AND {after} ORDER BY m.scope_id LIMIT 1)
"""
_DUE: Final = """
    m.connector_id = %(connector)s AND m.state IN ('queued', 'held') AND m.due_at <= %(now)s AND m.crashes = 0
"""
_ROW: Final = "m.id, m.due_at, m.expires_at, m.scope_id, m.connector_id, m.brand_id, m.address_id, m.copy_key"
# Journeys and whatever else sends are served alike: each has an equal share of a batch, however much another has
# written before, and what is left of it goes to what has waited longest. One look at the index finds the next scope.
_FAIRLY: Final = f"""
    waiting AS (
        {_NEXT_SCOPE.format(after="true")}
        UNION ALL
        SELECT (SELECT n.scope_id FROM ({_NEXT_SCOPE.format(after="m.scope_id > w.scope_id")}) n)
        FROM waiting w WHERE w.scope_id IS NOT NULL
    ), scope AS (
        SELECT scope_id, ceil(%(limit)s::numeric / count(*) OVER ())::int AS share
        FROM waiting w
        WHERE EXISTS (SELECT 1 FROM channels_message m WHERE {_DUE} AND m.scope_id = w.scope_id)
        ORDER BY random() LIMIT %(limit)s
    ), shared AS MATERIALIZED (
        SELECT one.* FROM scope s, LATERAL (
            SELECT {_ROW} FROM channels_message m WHERE {_DUE} AND m.scope_id = s.scope_id
            ORDER BY m.due_at LIMIT s.share FOR UPDATE OF m SKIP LOCKED
        ) one LIMIT %(limit)s
    ), left_over AS MATERIALIZED (
        SELECT {_ROW} FROM channels_message m
        WHERE {_DUE} AND NOT EXISTS (SELECT 1 FROM shared h WHERE h.id = m.id)
        ORDER BY m.due_at LIMIT %(limit)s - (SELECT count(*) FROM shared) FOR UPDATE OF m SKIP LOCKED
    ), due AS (SELECT * FROM shared UNION ALL SELECT * FROM left_over)
"""
# A message whose worker died before (`crashes`) is claimed apart, so that it can only take itself down.
_SUSPECTS: Final = f"""
    due AS MATERIALIZED (
        SELECT {_ROW} FROM channels_message m
        WHERE {_DUE.replace("m.crashes = 0", "m.crashes > 0")}
        ORDER BY m.due_at LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED
    )
"""
_SCOPES: Final = """
    ARRAY[m.scope_id, m.connector_id, m.brand_id,
          (SELECT k.campaign_id FROM channels_campaignmember k WHERE k.scope_id = m.scope_id)]
"""
_CLAIM: Final = f"""
    WITH RECURSIVE {{due}}, picked AS MATERIALIZED (
        SELECT m.id,
               CASE WHEN m.expires_at <= %(now)s AND NOT %(certain)s AND {MAY_BE_TAKEN} THEN 'unknown'
                    WHEN m.expires_at <= %(now)s THEN 'expired'
                    WHEN %(off)s::text <> '' THEN 'off'
                    WHEN {STANDING.format(scopes=_SCOPES)}
                    THEN 'stopped'
                    ELSE 'leased' END AS fate, m.due_at
        FROM due m
    ), moved AS (
        UPDATE channels_message m SET
            state = CASE p.fate WHEN 'off' THEN 'held' WHEN 'stopped' THEN 'held' ELSE p.fate END,
            reason = CASE p.fate WHEN 'expired' THEN 'late' WHEN 'unknown' THEN 'interrupted' WHEN 'off' THEN %(off)s
                                 WHEN 'stopped' THEN 'stopped' ELSE '' END,
            settled_at = CASE WHEN p.fate IN ('expired', 'unknown') THEN %(now)s END,
            -- A little apart, so that they come back in the order in which they were due.
            due_at = CASE p.fate WHEN 'off' THEN least(%(off_until)s + (p.place - 1) * interval '1 us', m.expires_at)
                                 WHEN 'stopped' THEN least(%(rested)s, m.expires_at)
                                 ELSE m.due_at END,
            lease_token = CASE WHEN p.fate = 'leased' THEN %(token)s END,
            leased_until = CASE WHEN p.fate = 'leased' THEN %(until)s END
        FROM (SELECT *, row_number() OVER (ORDER BY due_at) AS place FROM picked) p WHERE m.id = p.id
        RETURNING m.id, m.state, m.address_id, m.copy_key
    ), given_up AS (
        -- Nobody has it: the next of its kind may go to the address.
        DELETE FROM channels_recentsend r USING moved m
        WHERE %(certain)s AND m.state = 'expired'
          AND r.address_id = m.address_id AND r.copy_key = m.copy_key AND r.message_id = m.id
    )
    SELECT id, state FROM moved
"""

# Who agreed to marketing may have agreed to that; to what is sent without a grant nobody did. Test sends count nowhere.
_MAY_TRACK: Final = """
    coalesce(u.{what}, u.kind = 'marketing') AND u.kind <> 'legal' AND m.origin_kind <> 'test'
    AND NOT coalesce(f.is_untracked, false)
"""
# Only on the campaign's own days.
_UTM: Final = """
    CASE WHEN (%(now)s AT TIME ZONE b.zone)::date
                BETWEEN coalesce(g.starts_on, '-infinity') AND coalesce(g.ends_on, 'infinity') AND g.id IS NOT NULL
         THEN json_build_object(
            'utm_source', coalesce(nullif(g.utm_source, ''), b.key),
            'utm_medium', coalesce(nullif(g.utm_medium, ''), m.channel),
            'utm_campaign', coalesce(nullif(g.utm_campaign, ''), g.key),
            'utm_content', coalesce(nullif(g.utm_content, ''), m.step_id)
         ) END
"""
_LOAD = f"""
    SELECT m.id, m.lease_token, m.brand_id, m.connector_id, m.scope_id, m.origin_kind, m.origin_id, m.visit,
           m.copy_key, m.channel, m.template_version_id, m.purpose_id, m.profile_id, m.address_id,
           m.expires_at, m.attempts, m.crashes, a.value, a.original,
           coalesce(c.traits, '{{}}'),
           -- The language of the page on which it was asked for, else the one they chose, else the one they speak.
           coalesce(nullif(CASE WHEN m.origin_kind = 'consent' THEN t.context ->> 'language' END, ''),
                    nullif(f.language, ''), c.locale, ''),
           coalesce(c.zone, ''),
           coalesce(t.context, '{{}}'), t.journey,
           b.key, b.name, b.locale, b.zone, b.currency, b.postal_address, b.sender_name, b.sender_email, u.key, u.kind,
           p.customer_id, m.priority,
           NOT %(certain)s AND {MAY_BE_TAKEN},
           {_MAY_TRACK.format(what="tracks_links")}, {_MAY_TRACK.format(what="tracks_opens")},
           coalesce(t.links, '[]'), k.campaign_id, {_UTM}, b.web_hosts
    FROM channels_message m
    JOIN customers_brand b ON b.id = m.brand_id
    JOIN consent_purpose u ON u.id = m.purpose_id
    LEFT JOIN channels_messagecontent t ON t.message_id = m.id
    LEFT JOIN customers_address a ON a.id = m.address_id
    LEFT JOIN consent_preference f ON f.address_id = m.address_id AND f.brand_id = m.brand_id
    LEFT JOIN customers_profile p ON p.id = m.profile_id
    LEFT JOIN customers_customer c ON c.id = p.customer_id
    LEFT JOIN channels_campaignmember k ON k.scope_id = m.scope_id
    LEFT JOIN channels_campaign g ON g.id = k.campaign_id
    WHERE m.id = ANY(%(ids)s) AND m.state = 'leased' AND m.lease_token = %(token)s
    ORDER BY m.due_at, m.id
"""


def claim(
    connector_id: UUID,
    now: datetime,
    limit: int,
    *,
    suspects: bool = False,
    off: PutOff | None = None,
    certain: bool = False,
) -> Batch:
    """Lease up to `limit` due messages; what is late expires, what is stopped or put `off` rests. `certain`: what is
    not down as sent was not taken."""
    token = secrets.randbits(62)
    values = {
        "connector": connector_id,
        "now": now,
        "limit": limit,
        "certain": certain,
        "off": off.reason if off else "",
        "off_until": off.until if off else now,
        "rested": now + REST,
        "token": token,
        "until": now + timedelta(seconds=settings.LEASE_SECONDS),
    }
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(_CLAIM.format(due=_SUSPECTS if suspects else _FAIRLY), values)
        fates = cursor.fetchall()
        leased = [row[0] for row in fates if row[1] == "leased"]
        messages = _load(leased, token, now, certain) if leased else []
    prepare_locks([message.address_id for message in messages if message.address_id and message.address])
    return Batch(by_priority(messages), len(fates))


def _load(ids: Sequence[UUID], token: int, now: datetime, certain: bool) -> list[Claimed]:
    with raw_cursor() as cursor:
        cursor.execute(_LOAD, {"certain": certain, "ids": list(ids), "token": token, "now": now})
        return [Claimed(*row) for row in cursor]


def give_back(messages: Sequence[Claimed], due_at: datetime) -> None:
    """Queue what was leased and not begun."""
    if not messages:
        return
    with raw_cursor() as cursor:
        cursor.execute(
            "UPDATE channels_message SET state = 'queued', due_at = least(%s, expires_at),"
            " lease_token = NULL, leased_until = NULL"
            " WHERE id = ANY(%s) AND state = 'leased' AND lease_token = %s",
            [due_at, [message.id for message in messages], messages[0].token],
        )
