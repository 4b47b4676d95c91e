"""Whether the provider lets the template out that a text names, as far as that is known."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from channels.approvals.book import WORDS, books, language_of
from channels.checks.base import Finding, Level, Template, check
from channels.models import Connector
from customers.clock import utcnow
from customers.models.address import Channel


@check(place=5)
def approved(template: Template) -> Iterator[Finding]:
    if template.channel != Channel.WHATSAPP:
        return
    connectors = Connector.objects.filter(brand=template.brand, channel=template.channel, is_active=True)
    named = dict(connectors.values_list("pk", "name"))
    for connector_id, book in books(named, utcnow()).items():
        for text in template.texts:
            name = str(text.options.get("template") or "")
            # A name that a value makes is known as it is sent.
            if "{" in name or (fault := book.fault(text.options, text.locale)) is None:
                continue
            said = _("The template %(name)s (%(language)s) cannot be sent by %(connector)s: %(why)s.")
            told = {
                "name": name,
                "language": language_of(text.options, text.locale),
                "connector": named[connector_id],
                "why": WORDS[fault],
            }
            yield Finding(Level.FAULT, said % told, text.locale)
