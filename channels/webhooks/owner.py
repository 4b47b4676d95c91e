"""Whoever owns an endpoint that was switched off by itself is told so, once, by the installation's own mail.

The mail is a job, asked for in the transaction that switches it off: nobody waits for a mail server there. It is noted
as sent before it is handed over, so that a worker that dies in between sends none twice.
"""

from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.models import WebhookEndpoint
from customers import jobs
from customers.jobs import Slice

MAIL: Final = "webhook_off_mail"
# An owner is a person or a team, in words; so many of the addresses in them are written to.
_MOST: Final = 5
_TRIES: Final = 36
_PAUSE: Final = timedelta(minutes=10)


class NoMailServer(Exception):
    """It was away for hours; the job has failed, and its page says so."""


def tell_owner(endpoint: WebhookEndpoint, now: datetime) -> None:
    """Have the owner told, where there is a mail to tell by and an address to tell at."""
    if settings.TRILHA_MAIL_FROM and addresses(endpoint.owner):
        jobs.ask(
            MAIL, now, brand=endpoint.brand, squad=endpoint.squad, subject=endpoint.name,
            arguments={"endpoint": str(endpoint.pk), "off_at": now.isoformat()},
        )  # fmt: skip


def addresses(owner: str) -> list[str]:
    """The e-mail addresses in what was written as its owner."""
    words = (word.strip("<>()[]\"',;") for part in owner.replace(",", " ").split() for word in part.split(";"))
    found = dict.fromkeys(word for word in words if _is_address(word))
    return list(found)[:_MOST]


def work(turn: Slice) -> bool:
    endpoint = WebhookEndpoint.objects.select_related("brand").get(pk=UUID(turn.job.arguments["endpoint"]))
    off_at = turn.job.arguments["off_at"]
    to = addresses(endpoint.owner)
    if "sent" in turn.job.cursor or endpoint.off_at is None or endpoint.off_at.isoformat() != off_at or not to:
        # It is on again, or was switched off once more, which has a mail of its own.
        return True
    connection = get_connection()
    try:
        connection.open()
    except (OSError, SMTPException):
        return _try_later(turn)
    try:
        turn.note(sent=True)
        mail = _mail(endpoint, to)
        mail.connection = connection
        mail.send()
    finally:
        connection.close()
    return True


def _try_later(turn: Slice) -> bool:
    """A mail server that is away is asked again for some hours; called where it was not to be reached."""
    tried = turn.job.cursor.get("tried", 0) + 1
    if tried >= _TRIES:
        raise NoMailServer
    turn.note(tried=tried)
    turn.rest = _PAUSE
    return False


def _mail(endpoint: WebhookEndpoint, to: list[str]) -> EmailMessage:
    with translation.override(_language(endpoint.brand.locale)):
        off_at = endpoint.off_at or timezone.now()
        said = {
            "name": endpoint.name,
            "brand": endpoint.brand.name,
            "why": endpoint.get_off_reason_display(),
            "at": date_format(timezone.localtime(off_at), "SHORT_DATETIME_FORMAT"),
            "page": settings.TRILHA_PUBLIC_URL + reverse("admin:channels_webhookendpoint_change", args=[endpoint.pk]),
        }
        subject = gettext("Outgoing webhook switched off: %(name)s") % said
        text = gettext(
            "The outgoing webhook “%(name)s” of %(brand)s was switched off at %(at)s (UTC): %(why)s.\n\n"
            "It is told nothing until somebody switches it on again. What it missed can be told once more from its "
            "page:\n%(page)s\n"
        )
        return EmailMessage(" ".join(subject.split()), text % said, settings.TRILHA_MAIL_FROM, to)


def _language(locale: str) -> str:
    return "pt-br" if locale.lower().startswith("pt") else "en"


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def register() -> None:
    jobs.register(MAIL, _("Mail about a webhook that was switched off"), work)
