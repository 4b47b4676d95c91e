"""What channels keep of people: the messages written for them; an erasure cancels what was not sent."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from channels.models import (
    BroadcastRecipient,
    Conversation,
    Entitlement,
    Exposure,
    InAppItem,
    Inbound,
    Message,
    MessageContent,
    ProviderCallback,
    PulledCopy,
    PushSubscription,
    Reason,
    Receipt,
    RecentSend,
    Seed,
    Task,
    TestSend,
    WebPlacement,
)
from channels.outbox import take_back
from customers.pg import raw_cursor
from customers.privacy.patterns import mentions_bytes
from customers.privacy.phrases import namespace_of
from customers.privacy.stores import KEEP, Basis, Rank, Spoken, Store, Table
from customers.privacy.subject import Subject

_OWN: Final = "t.profile_id = ANY(%(profiles)s)"
_OF_MESSAGES: Final = "IN (SELECT m.id FROM channels_message m WHERE m.profile_id = ANY(%(profiles)s))"
_WHOSE: Final = "(SELECT m.profile_id FROM channels_message m WHERE m.id = t.message_id)"
_CANCEL_TASKS: Final = """
    UPDATE channels_task SET state = 'cancelled', reason = 'erased', not_before = NULL, ended_at = %s
    WHERE id IN (
        SELECT id FROM channels_task WHERE profile_id = ANY(%s) AND state IN ('open', 'claimed')
        ORDER BY id FOR UPDATE
    )
"""
_IN_CONVERSATION: Final = "c.profile_id = ANY(%(profiles)s) OR c.address_id = ANY(%(addresses)s)"
_OF_WRITER: Final = "(SELECT c.profile_id FROM channels_conversation c WHERE c.id = t.conversation_id)"
_TESTED: Final = """EXISTS (
    SELECT 1 FROM customers_address a
    WHERE a.id = ANY(%(addresses)s) AND a.channel = t.channel AND lower(t.recipient) IN (a.value, lower(a.original))
)"""
_SEEDED: Final = _TESTED.replace("t.recipient", "t.value")
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
    with transaction.atomic(), raw_cursor() as cursor:
        whose = "m.profile_id = ANY(%(profiles)s)"
        return take_back(cursor, whose, {"profiles": list(subject.profiles)}, Reason.ERASED.value, now)


_ON_SCREEN: Final = {
    "title": "t.title",
    "text": "t.body",
    "link": "t.link",
    "picture": "t.image",
    "button": "t.button",
    "placed_at": "t.placed_at",
    "expires_at": "t.expires_at",
    "shown_at": "t.shown_at",
    "clicked_at": "t.clicked_at",
    "dismissed_at": "t.dismissed_at",
}
_SAID_ON_SCREEN: Final = ("title", "body", "link", "image", "button")


def cancel_tasks(subject: Subject, now: datetime) -> int:
    """Have nobody call them any more; how many tasks it were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CANCEL_TASKS, [now, list(subject.profiles)])
        return int(cursor.rowcount)


STORES: Final = (
    Store(
        "push_subscriptions",
        _("subscriptions of browsers"),
        _("To encrypt what is pushed to somebody’s browser."),
        Basis.CONSENT,
        Rank.MESSAGES,
        (
            Table(
                PushSubscription,
                "t.address_id = ANY(%(addresses)s)",
                {
                    "address": "(SELECT a.value FROM customers_address a WHERE a.id = t.address_id)",
                    "subscribed_at": "t.created_at",
                    "last_told_at": "t.told_at",
                    "subscription_ends_at": "t.expires_at",
                },
            ),
        ),
        kept_words=_("until the browser unsubscribes, or somebody wants it erased"),
        note=_("The keys go with it: nobody can write to the browser any more."),
    ),
    Store(
        "pulled_copies",
        _("answers of other systems"),
        _("So that the same is not asked for each message."),
        Basis.INTEREST,
        Rank.MESSAGES,
        # Whose they are is not known: all that were asked for by values of anybody are asked for anew.
        (Table(PulledCopy, "t.is_personal"),),
        kept_words=_("for an hour at most"),
        note=_("They are a copy of what other systems say, and are fetched again when they are wanted."),
    ),
    Store(
        "in_app_items",
        _("in-app inbox"),
        _("What somebody finds in their inbox, and whether they read it."),
        Basis.CONTRACT,
        Rank.MESSAGES,
        (Table(InAppItem, _OWN, {**_ON_SCREEN, "read_at": "t.read_at"}),),
        kept="in_app_items",
        spoken=(Spoken(InAppItem, _SAID_ON_SCREEN, namespace_of("t.profile_id")),),
    ),
    Store(
        "web_placements",
        _("contents of web slots"),
        _("What somebody alone is shown on the pages they visit, and whether they followed it."),
        Basis.INTEREST,
        Rank.MESSAGES,
        (
            Table(
                WebPlacement,
                _OWN,
                {**_ON_SCREEN, "slot": "(SELECT s.key FROM channels_webslot s WHERE s.id = t.slot_id)"},
            ),
        ),
        kept="web_placements",
        spoken=(Spoken(WebPlacement, _SAID_ON_SCREEN, namespace_of("t.profile_id")),),
    ),
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
        "broadcast_recipients",
        _("recipients of broadcasts"),
        _("Which broadcasts somebody was to get, and why they did not."),
        Basis.INTEREST,
        Rank.MESSAGES,
        (
            Table(
                BroadcastRecipient,
                _OWN,
                {
                    "broadcast": "(SELECT b.name FROM channels_broadcast b WHERE b.id = t.broadcast_id)",
                    "outcome": "t.outcome",
                    "settled_at": "t.settled_at",
                },
                KEEP,
            ),
        ),
        kept_words=_("without an end: numbers of broadcasts follow from it"),
        note=_("That somebody was among them stays, without a name. Whoever waits is not written to."),
    ),
    Store(
        "tasks",
        _("tasks"),
        _("What people of ours were to do for somebody, such as a call, and what came of it."),
        Basis.CONTRACT,
        Rank.MESSAGES,
        (
            Table(
                Task,
                _OWN,
                {
                    "kind": "t.kind",
                    "title": "t.title",
                    "instructions": "t.instructions",
                    "state": "t.state",
                    "outcome": "t.outcome",
                    "note": "t.note",
                    "made_at": "t.made_at",
                    "ended_at": "t.ended_at",
                },
                {"title": "''", "instructions": "''", "note": "''", "address_id": "NULL"},
            ),
        ),
        kept_words=_("without an end, until somebody wants it erased"),
        note=_("What is open is cancelled. That a task was made and how it went stays; its words go."),
        act=cancel_tasks,
        spoken=(Spoken(Task, ("title", "instructions", "note"), namespace_of("t.profile_id")),),
    ),
    Store(
        "test_sends",
        _("test sends"),
        _("To look at a message before customers get it, made of somebody’s data or sent to them."),
        Basis.INTEREST,
        Rank.MESSAGES,
        (
            Table(
                TestSend,
                f"{_OWN} OR {_TESTED}",
                {
                    "channel": "t.channel",
                    # Whose data a test was made of does not learn who looked at it.
                    "address": f"CASE WHEN {_TESTED} THEN t.recipient END",
                    "subject": "t.subject",
                    "at": "t.asked_at",
                },
            ),
            Table(Seed, _SEEDED, {"channel": "t.channel", "address": "t.value"}),
        ),
        kept="test_sends",
        note=_("The words are forgotten as soon as it was sent."),
        spoken=(
            Spoken(
                TestSend,
                ("recipient", "compared", "subject", "html", "text", "options", "detail"),
                namespace_of("t.profile_id"),
            ),
        ),
    ),
    Store(
        "entitlements",
        _("entitlements"),
        _("What somebody was granted, such as free shipping, and what they used of it."),
        Basis.CONTRACT,
        Rank.MESSAGES,
        (
            Table(
                Entitlement,
                _OWN,
                {
                    "entitlement": "t.key",
                    "quantity": "t.quantity",
                    "left": "t.remaining",
                    "state": "t.state",
                    "granted_at": "t.granted_at",
                    "good_until": "t.expires_at",
                    "ended_at": "t.ended_at",
                    "entry_key": "t.entry_key",
                    "reason": "t.reason",
                    "reason_of_end": "t.ended_reason",
                },
                {"entry_key": "''", "reason": "''", "ended_reason": "''"},
            ),
        ),
        kept_words=_("without an end: what was granted and used adds up"),
        note=_("That something was granted and used stays, without a name; the reasons go."),
        spoken=(Spoken(Entitlement, ("reason", "ended_reason"), namespace_of("t.profile_id")),),
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
                {
                    "happened": "t.happened",
                    "at": "t.at",
                    "link": "t.link",
                    "machine": "t.is_machine",
                    "code": "t.code",
                    "detail": "t.detail",
                },
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
                    "pulled": "(SELECT c.pulled FROM channels_messagecontent c WHERE c.message_id = t.id)",
                    "links": "(SELECT c.links FROM channels_messagecontent c WHERE c.message_id = t.id)",
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
        spoken=(Spoken(MessageContent, ("context", "journey", "subject", "body", "links"), namespace_of(_WHOSE)),),
    ),
)
