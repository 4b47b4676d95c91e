"""Sending what was asked for: each once, its words forgotten as soon as it is known what became of it."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from channels.accounts import service_of
from channels.models import Reason, TestSend
from channels.providers.base import ConfigurationError, DeliveryError, Meets, Outgoing, Provider
from channels.stops import is_stopped
from channels.test_sends.refusing import known, said_no
from consent.permission import lock_address
from customers.pg import raw_cursor
from customers.work import describe

logger = logging.getLogger(__name__)

# Codes of ours among the providers' own words; the page says them in its reader's language.
_OFF: Final = Reason.CONNECTOR_OFF.value
_STOPPED: Final = Reason.STOPPED.value
_NO: Final = Reason.NO_CONSENT.value
_LATE: Final = Reason.LATE.value
# Somebody waits to see it; what waited for longer, because nobody was there to send it, is not wanted any more.
_GOOD_FOR: Final = timedelta(hours=1)
_PATIENCE_SECONDS: Final = 5.0

_State = TestSend.State
_CLAIM = """
    UPDATE channels_testsend SET state = 'sending', begun_at = %s WHERE id = (
        SELECT id FROM channels_testsend WHERE state = 'waiting' ORDER BY asked_at, id LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""
# What it said is nobody's business any more; a call that was begun and never ended is known to nobody.
_SETTLE = """
    UPDATE channels_testsend
    SET state = %s, detail = %s, settled_at = %s, subject = '', html = '', text = '', options = '{}'
    WHERE id = %s AND state = 'sending'
"""
_LOST = """
    UPDATE channels_testsend
    SET state = 'unknown', settled_at = %s, subject = '', html = '', text = '', options = '{}'
    WHERE state = 'sending' AND begun_at < %s
"""


def send_all(clock: Callable[[], datetime], seconds: float) -> bool:
    """Send what waits, for so long at most; whether nothing is left."""
    until = time.monotonic() + seconds
    _give_up(clock())
    while time.monotonic() < until:
        id_ = _claim(clock())
        if id_ is None:
            return True
        state, detail = _send(TestSend.objects.select_related("connector__brand", "brand").get(pk=id_), clock())
        _settle(id_, state, detail, clock())
    return False


def is_waiting() -> bool:
    """Also one whose worker died: whoever looks next gives it up."""
    return TestSend.objects.filter(state__in=(_State.WAITING, _State.SENDING)).exists()


def _claim(now: datetime) -> UUID | None:
    with raw_cursor() as cursor:
        row = cursor.execute(_CLAIM, [now]).fetchone()
    return None if row is None else row[0]


def _give_up(now: datetime) -> None:
    with raw_cursor() as cursor:
        cursor.execute(_LOST, [now, now - timedelta(seconds=settings.LEASE_SECONDS)])


def _settle(id_: UUID, state: str, detail: str, now: datetime) -> None:
    with raw_cursor() as cursor:
        cursor.execute(_SETTLE, [state, detail[:500], now, id_])


def _send(test: TestSend, now: datetime) -> tuple[str, str]:
    connector = test.connector
    try:
        service = service_of(connector)
    except ConfigurationError as error:
        return _State.FAILED, str(error)
    if not connector.is_active or not isinstance(service, Provider):
        return _State.FAILED, _OFF
    if test.asked_at < now - _GOOD_FOR:
        return _State.FAILED, _LATE
    try:
        refusal = _call(service, test, now)
        if refusal:
            return _State.FAILED, refusal
    except DeliveryError as error:
        return (_State.UNKNOWN if error.accepted == "maybe" else _State.FAILED), error.detail
    except Exception as error:
        # A fault of the provider's code, at an unknown point of the call.
        logger.warning("test send failed: %s", describe(error))
        return _State.UNKNOWN, type(error).__name__
    return _State.SENT, ""


def _call(provider: Provider, test: TestSend, now: datetime) -> str:
    """Hand it over; or why it is not, asked while neither a stop nor a word of theirs can come between."""
    outgoing = _outgoing(test, now)
    with provider.open() as session:
        deadline = time.monotonic() + settings.PROVIDER_DEADLINE_SECONDS
        session.prepare(deadline)
        if isinstance(session, Meets):
            session.meet(outgoing, deadline)
        with transaction.atomic(), raw_cursor() as cursor:
            if is_stopped(cursor, [test.connector_id, test.brand_id], patience=_PATIENCE_SECONDS):
                return _STOPPED
            address_id = known(cursor, test.compared, test.channel)
            if address_id is not None:
                lock_address(address_id)
            if not test.is_self and said_no(cursor, [test.compared], test.channel, test.brand_id):
                return _NO
            session.send(outgoing, time.monotonic() + settings.PROVIDER_DEADLINE_SECONDS)
    return ""


def _outgoing(test: TestSend, now: datetime) -> Outgoing:
    """No way out is in its head, and nobody is to tell what became of it: it is of nobody's consent."""
    brand = test.brand
    return Outgoing(
        key=test.pk,
        channel=test.channel,
        to=test.recipient,
        subject=test.subject,
        html=test.html,
        text=test.text,
        sender_name=brand.sender_name or brand.name,
        sender_email=brand.sender_email,
        list_key=f"test.{brand.key}",
        unsubscribe_url="",
        at=now,
        locale=test.locale,
        options=test.options,
    )
