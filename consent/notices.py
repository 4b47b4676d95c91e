"""Notices: a version is written as a draft, and published once, whole, for ever."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from consent.models import NoticeText, NoticeVersion, Purpose


class NotPublished(Exception):
    """The version cannot be published; the message says why."""


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def publish(version: NoticeVersion, now: datetime) -> None:
    """Seal its texts and let it be shown, cited and never changed. Published already, it stays as it is."""
    with transaction.atomic():
        held = NoticeVersion.objects.select_for_update().get(pk=version.pk)
        if held.published_at is not None:
            return
        texts = list(held.texts.order_by("pk"))
        if not any(text.text.strip() for text in texts):
            raise NotPublished(_("A version without words in any language cannot be published."))
        for text in texts:
            text.digest = digest(text.text)
        NoticeText.objects.bulk_update(texts, ["digest"])
        held.published_at = now
        held.save(update_fields=["published_at"])


def latest(purpose: Purpose) -> NoticeVersion | None:
    """What people are shown now when they are asked about the purpose."""
    published = NoticeVersion.objects.filter(notice=purpose.notice_id or None, published_at__isnull=False)
    return published.order_by("-number").first() if purpose.notice_id else None
