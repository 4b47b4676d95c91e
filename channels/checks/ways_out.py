"""Whether a reader finds the way out: what is marketing names it in its words (LGPD art. 8 §5, CAN-SPAM §7704(a))."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from django.utils.translation import gettext as _

from channels import templates
from channels.checks.base import Finding, Level, Template, check
from channels.templates import Text
from consent.models import Purpose
from customers.models.address import Channel

_WAYS: Final = ("unsubscribe_url", "preferences_url")
_WORDS: Final = re.compile(r"\b(?:stop|parar|sair|cancelar)\b", re.IGNORECASE)
# What was asked for, and what is owed, is not left as marketing is.
_NEED_NONE: Final = frozenset({Purpose.Kind.SERVICE, Purpose.Kind.LEGAL})


@check(place=10)
def can_be_left(template: Template) -> Iterator[Finding]:
    if template.channel != Channel.EMAIL or template.purpose_kind in _NEED_NONE:
        return
    level = Level.FAULT if template.purpose_kind == Purpose.Kind.MARKETING else Level.WARNING
    for text in template.texts:
        page = template.pages.get(text.locale)
        led = page is None or any(way in (link.href or "") for link in page.links for way in _WAYS)
        for part, has_way in (("HTML", led), (_("the plain text"), not text.text.strip() or _names(text.text, _WAYS))):
            if not has_way:
                said = _(
                    "No way out in %(part)s: marketing needs a link to {{ unsubscribe_url }} or {{ preferences_url }}."
                )
                yield Finding(level, said % {"part": part}, text.locale)
        if not _tells_address(text, template):
            said = _("The brand’s postal address is missing, which marketing needs: {{ brand.postal_address }}.")
            yield Finding(level, said, text.locale)


@check(place=11)
def sms_can_be_left(template: Template) -> Iterator[Finding]:
    if template.channel != Channel.SMS or template.purpose_kind in _NEED_NONE:
        return
    for text in template.texts:
        if not _WORDS.search(text.text) and not _names(text.text, _WAYS):
            said = _("No way out is named: marketing says by which word it ends, such as STOP or SAIR.")
            yield Finding(Level.WARNING, said, text.locale)


def _tells_address(text: Text, template: Template) -> bool:
    address = template.brand.postal_address.strip()
    parts = [part for part in (text.html, text.text) if part.strip()]
    return any(_names(part, ("brand",), "postal_address") or (address and address in part) for part in parts)


def _names(source: str, roots: Collection[str], below: str = "") -> bool:
    """Whether it is filled in, rather than stands in a comment."""
    try:
        read = templates.read_of(source) if "{" in source else set()
    except templates.TemplateError:
        return False
    return any(path[0] in roots and (not below or below in path[1:]) for path in read)
