"""Asking for test sends: to whom one may go, and its words as they will be sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from channels.models import Connector, Seed, TemplateVersion, TestSend
from channels.previews import Ask, show
from channels.templates import Rendered
from channels.test_sends.refusing import said_no
from customers import bells, kinds, personal
from customers.identifiers import IdentifierError
from customers.ids import new_id
from customers.models import Brand
from customers.models.address import Channel
from customers.pg import raw_cursor

# Whose address is a text that somebody can write down.
CHANNELS: Final = (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)
MOST: Final = 25
MOST_A_DAY: Final = 500
_KINDS: Final = {Channel.EMAIL: "email", Channel.SMS: "phone", Channel.WHATSAPP: "phone"}
# Of the words, as their reader speaks.
_MARKS: Final = {"pt": "[Teste]"}
_USUAL_MARK: Final = "[Test]"


class NotSent(ValueError):
    """Why there is no test send, in words for whoever asked."""


@dataclass(frozen=True, slots=True)
class To:
    """One who is to get it; `is_self` for the asker's own address, which needs no leave."""

    value: str
    is_self: bool = False


def seeds_of(user: Any, list_ids: Iterable[UUID], channel: str, brand_id: UUID) -> list[To]:
    seeds = Seed.objects.visible_to(user).filter(list__in=list(list_ids), list__brand=brand_id, channel=channel)
    return [To(value) for value in seeds.order_by("pk").values_list("value", flat=True)]


def ask(
    user: Any,
    version: TemplateVersion,
    connector: Connector,
    to: Sequence[To],
    preview: Ask,
    now: datetime,
    key: UUID | None = None,
) -> int:
    """Queue them and say how many; raises NotSent, and then none is. What is asked twice by one `key` goes once."""
    channel = version.template.channel
    addresses = _addresses(to, channel, preview.brand.pk, now)
    _mind(version, connector, len(addresses))
    shown = show(preview)
    if shown.rendered is None:
        raise NotSent(shown.fault)
    words, asking = marked(shown.rendered, channel), key or new_id()
    rows = [
        TestSend(
            brand=preview.brand,
            squad_id=version.template.squad_id,
            version=version,
            connector=connector,
            profile_id=preview.somebody.profile_id,
            channel=channel,
            recipient=address.original,
            compared=address.compared,
            is_self=address.is_self,
            key=asking,
            locale=words.locale,
            subject=words.subject,
            html=words.html,
            text=words.text,
            options=dict(words.options),
            asked_by=user,
            asked_at=now,
        )
        for address in addresses
    ]
    with transaction.atomic():
        # Whoever asks for the brand meanwhile counts these.
        Brand.objects.select_for_update(no_key=True).get(pk=preview.brand.pk)
        lately = TestSend.objects.filter(brand=preview.brand, asked_at__gt=now - timedelta(days=1)).exclude(key=asking)
        if lately.count() + len(rows) > MOST_A_DAY:
            said = _("The brand had %(most)s test sends within a day; it is enough for now.")
            raise NotSent(said % {"most": MOST_A_DAY})
        TestSend.objects.bulk_create(rows, ignore_conflicts=True)
        bells.ring("tests")
    return len(rows)


def marked(words: Rendered, channel: str) -> Rendered:
    """So that nobody who finds it takes it for the real one."""
    mark = _MARKS.get(words.locale.lower().partition("-")[0], _USUAL_MARK)
    if channel == Channel.EMAIL:
        return Rendered(f"{mark} {words.subject}", words.html, words.text, words.locale, words.options)
    return Rendered(words.subject, words.html, f"{mark} {words.text}", words.locale, words.options)


def _mind(version: TemplateVersion, connector: Connector, count: int) -> None:
    template = version.template
    if template.channel not in CHANNELS:
        raise NotSent(_("Test sends go by e-mail, SMS and WhatsApp; what other channels show is seen in the preview."))
    if (connector.channel, connector.brand_id) != (template.channel, template.brand_id) or not connector.is_active:
        raise NotSent(_("This connector is not one of the template’s brand and channel, or it is switched off."))
    if not count:
        raise NotSent(_("Nobody would get it: choose yourself or a seed list with addresses of this channel."))
    if count > MOST:
        raise NotSent(_("At most %(most)s get a test at once.") % {"most": MOST})


@dataclass(frozen=True, slots=True)
class _Address:
    compared: str
    # As a provider is given it.
    original: str
    is_self: bool


def _addresses(to: Sequence[To], channel: str, brand_id: UUID, now: datetime) -> list[_Address]:
    """Each once; who said no is named so that whoever keeps the list finds them, and nobody else reads who it is."""
    if channel not in _KINDS:
        return []
    kind = kinds.current(now)[_KINDS[Channel(channel)]]
    found: dict[str, _Address] = {}
    for one in to:
        try:
            compared, original = kind.read(one.value)
        except IdentifierError:
            raise NotSent(_("“%(value)s” is no address of this channel.") % {"value": _masked(one.value)}) from None
        found.setdefault(compared, _Address(compared, original if channel == Channel.EMAIL else compared, one.is_self))
    with raw_cursor() as cursor:
        refused = said_no(cursor, [one.compared for one in found.values() if not one.is_self], channel, brand_id)
    if refused:
        words = _("%(values)s wants nothing of this brand, or takes nothing: no test either. Take it from the list.")
        raise NotSent(words % {"values": ", ".join(sorted(map(_masked, refused)))})
    return list(found.values())


def _masked(value: str) -> str:
    return str(personal.mask(value, personal.IDENTIFIER))
