"""Whether links lead somewhere, and say where."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from channels.checks.base import Finding, Level, Template, check
from channels.liquid.markup import SCHEMES
from channels.mail.marks import MARK

# Below them a company that is made up may have its site, as the demo has.
_SAMPLES: Final = frozenset({"example.com", "example.org", "example.net", "localhost", "127.0.0.1"})
_RUN: Final = frozenset({"data", "javascript", "vbscript"})
_EMPTY_WORDS: Final = frozenset({"click here", "here", "link", "read more", "clique aqui", "aqui", "saiba mais"})


@check(place=20)
def lead_somewhere(template: Template) -> Iterator[Finding]:
    for locale, page in template.pages.items():
        for link in page.links:
            name = link.words.strip()[:40] or (link.href or "")[:60] or "?"
            if fault := _fault(link.href):
                yield Finding(Level.FAULT, fault % {"name": name}, locale)
            elif warning := _warning(link.href or ""):
                yield Finding(Level.WARNING, warning % {"name": name}, locale)


@check(place=21)
def say_where(template: Template) -> Iterator[Finding]:
    for locale, page in template.pages.items():
        for link in page.links:
            words = link.words.strip().strip(".!»→").strip().lower()
            if not words:
                text = _("A link to %(address)s has no words: who has it read aloud does not know what it is for.")
                yield Finding(Level.WARNING, text % {"address": (link.href or "")[:60]}, locale)
            elif words in _EMPTY_WORDS:
                text = _("“%(words)s” does not say where the link leads: who jumps from link to link hears only that.")
                yield Finding(Level.NOTE, text % {"words": link.words.strip()}, locale)


def _fault(href: str | None) -> str:
    said = (href or "").strip()
    if said in ("", "#"):
        return _("The link “%(name)s” leads nowhere.")
    if _is_liquid(said) or said.startswith("#"):
        return ""
    try:
        parts = urlsplit(said)
        host = parts.hostname
    except ValueError:
        return _("The address of the link “%(name)s” cannot be read.")
    if not parts.scheme:
        return _("The link “%(name)s” leads nowhere from a mail: its address is to begin with https://.")
    if parts.scheme in _RUN:
        return _("The link “%(name)s” would run something: no mail program follows it.")
    empty = (parts.scheme in ("http", "https") and not host) or (
        parts.scheme in ("mailto", "tel", "sms") and not parts.path
    )
    if empty or re.search(r"\s", MARK.sub("", said)):
        return _("The address of the link “%(name)s” cannot be read.")
    # An app's own is its author's to know.
    return ""


def _warning(href: str) -> str:
    href = href.strip()
    if _is_liquid(href) or href.startswith("#"):
        return ""
    parts = urlsplit(href)
    if (parts.hostname or "").removeprefix("www.") in _SAMPLES:
        return _("The link “%(name)s” leads to an address that is only for samples.")
    if parts.scheme == "http":
        return _("The link “%(name)s” is not encrypted: let it begin with https://.")
    if parts.scheme not in SCHEMES and parts.scheme != "cid":
        return _("The link “%(name)s” leads into an app: who has it not gets nowhere.")
    return ""


def _is_liquid(said: str) -> bool:
    return said.startswith(("{{", "{%"))
