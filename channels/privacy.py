"""What channels keep of people: the messages written for them; an erasure cancels what was not sent."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from channels.models import (
    Conversation,
    Exposure,
    Inbound,
    Message,
    MessageContent,
    ProviderCallback,
    Receipt,
    RecentSend,
)
from customers.privacy.patterns import mentions_bytes
from customers.privacy.phrases import namespace_of
from customers.privacy.stores import KEEP, Basis, Rank, Spoken, Store, Table
from customers.privacy.subject import Subject

_OWN: Final = "t.profile_id = ANY(%(profiles)s)"
_OF_MESSAGES: Final = "IN (SELECT m.id FROM channels_message m WHERE m.profile_id = ANY(%(profiles)s))"
_WHOSE: Final = "(SELECT m.profile_id FROM channels_message m WHERE m.id = t.message_id)"
# A leased one, too: its worker finds the lease gone and passes on.
_CANCEL: Final = """
    UPDATE channels_message SET state = 'cancelled', reason = 'erased', settled_at = %s,
        lease_token = NULL, leased_until = NULL
    WHERE id IN (
        SELECT id FROM channels_message WHERE profile_id = ANY(%s) AND state IN ('queued', 'held', 'leased')
        ORDER BY id FOR UPDATE
    )
"""


_IN_CONVERSATION: Final = "c.profile_id = ANY(%(profiles)s) OR c.address_id = ANY(%(addresses)s)"
_OF_WRITER: Final = "(SELECT c.profile_id FROM channels_conversation c WHERE c.id = t.conversation_id)"
_UNREAD: Final = "t.status = 'waiting'"
_IN_CALLBACK: Final = mentions_bytes("t.body || convert_to(concat(chr(10), t.query, ' ', t.headers::text), 'UTF8')")


def stop_reading(subject: Subject, now: datetime) -> int:
    """Have calls that name them wait no more: soon there is nothing in them to read."""
    query = f"""
        UPDATE channels_providercallback t SET status = 'failed', reason = 'erased', read_at = %(now)s
        WHERE ({_IN_CALLBACK}) AND ({_UNREAD})
    """
    with connection.cursor() as cursor:
        cursor.execute(query, {**subject.values(), "now": now})
        return int(cursor.rowcount)


def cancel(subject: Subject, now: datetime) -> int:
    """Cancel what waits to be sent, whatever asked for it; how many messages it were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CANCEL, [now, list(subject.profiles)])
        return int(cursor.rowcount)


STORES: Final = (
    Store(
        "exposures",
        _("experiments"),
        _("Which arm of an experiment somebody was drawn for, the first time."),
        Basis.INTEREST,
        Rank.MESSAGES,
        (
            Table(
                Exposure,
                _OWN,
                {"experiment": "t.key", "arm": "t.arm", "held_out": "t.is_holdout", "at": "t.at"},
                KEEP,
            ),
        ),
        kept_words=_("without an end: results of experiments follow from it"),
        note=_("That a number of people were drawn stays, without a name."),
    ),
    Store(
        "conversations",
        _("what people wrote"),
        _("What somebody answered or wrote to us, so that it can be answered."),
        Basis.CONTRACT,
        Rank.MESSAGES,
        (
            Table(
                Inbound,
                f"t.conversation_id IN (SELECT c.id FROM channels_conversation c WHERE {_IN_CONVERSATION})",
                {"at": "t.at", "text": "t.text", "keyword": "t.meaning", "attachments": "t.attachments"},
            ),
            Table(
                Conversation,
                _IN_CONVERSATION.replace("c.", "t."),
                {"channel": "t.channel", "began_at": "t.began_at", "last_at": "t.last_at"},
            ),
        ),
        kept_words=_("without an end, until somebody wants it erased"),
        spoken=(Spoken(Inbound, ("text",), namespace_of(_OF_WRITER)),),
    ),
    Store(
        "provider_callbacks",
        _("calls of providers"),
        _("To read again what was misunderstood."),
        Basis.INTEREST,
        Rank.DOORS,
        (
            Table(
                ProviderCallback,
                _IN_CALLBACK,
                {"received_at": "t.received_at", "content_base64": "encode(t.body, 'base64')"},
                {"body": "''::bytea", "headers": "'{}'::jsonb", "query": "''"},
                blocked=_UNREAD,
            ),
        ),
        kept="provider_callbacks",
        note=_("That a provider called, and when, stays."),
        stop=stop_reading,
    ),
    Store(
        "messages",
        _("messages"),
        _("What was written to somebody, whether it arrived, and why not."),
        Basis.CONTRACT,
        Rank.MESSAGES,
        (
            Table(
                Receipt,
                f"t.message_id {_OF_MESSAGES}",
                {"happened": "t.happened", "at": "t.at", "code": "t.code", "detail": "t.detail"},
                {"detail": "''", "provider_id": "''"},
            ),
            # What an address that others use as well got of a step lately keeps them from getting it again.
            Table(RecentSend, "t.address_id = ANY(%(addresses)s)"),
            Table(MessageContent, f"t.message_id {_OF_MESSAGES}"),
            Table(
                Message,
                _OWN,
                {
                    "channel": "t.channel",
                    "address": "(SELECT a.value FROM customers_address a WHERE a.id = t.address_id)",
                    "state": "t.state",
                    "reason": "t.reason",
                    "detail": "t.detail",
                    "created_at": "t.created_at",
                    "settled_at": "t.settled_at",
                    "subject": "(SELECT c.subject FROM channels_messagecontent c WHERE c.message_id = t.id)",
                    "body": "(SELECT c.body FROM channels_messagecontent c WHERE c.message_id = t.id)",
                    "made_from": "(SELECT c.context FROM channels_messagecontent c WHERE c.message_id = t.id)",
                    "variables": "(SELECT c.journey FROM channels_messagecontent c WHERE c.message_id = t.id)",
                },
                {
                    "detail": "''",
                    "provider_id": "''",
                    "copy_key": "CASE WHEN t.origin_kind = 'run' THEN split_part(t.copy_key, ':', 1) || ':'"
                    " || split_part(t.copy_key, ':', 2) || ':' ELSE t.copy_key END",
                },
            ),
        ),
        kept="message_contents",
        note=_("What waits is cancelled. That a message was sent, when and how it went stays; its words go."),
        act=cancel,
        spoken=(Spoken(MessageContent, ("context", "journey", "subject", "body"), namespace_of(_WHOSE)),),
    ),
)
