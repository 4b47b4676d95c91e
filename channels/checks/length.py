"""How long words may be before somebody cuts them: mailboxes, phones, and who pays by the part."""

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.checks.base import Finding, Level, Template, check
from channels.checks.segments import segments_of
from channels.mail.marks import MARK
from customers.models.address import Channel

# Gmail shows no more of a message than this, and hides the rest with the way out in it.
_CLIPPED: Final = 102 * 1024
_NEAR: Final = 80 * 1024
_SUBJECT: Final = 70
_PUSH_TITLE: Final = 65
_PUSH_TEXT: Final = 180
_MOST_PARTS: Final = 3


@check(place=30)
def mail_is_shown_whole(template: Template) -> Iterator[Finding]:
    for text in template.texts if template.channel == Channel.EMAIL else ():
        size = len(text.html.encode())
        said = {"size": size // 1024}
        if size > _CLIPPED:
            words = _("The page has %(size)s KB. Gmail cuts what is over 102 KB, the way out included.")
            yield Finding(Level.WARNING, words % said, text.locale)
        elif size > _NEAR:
            words = _("The page has %(size)s KB before anything is filled in; Gmail cuts what is over 102 KB.")
            yield Finding(Level.NOTE, words % said, text.locale)


@check(place=31)
def subject_is_there(template: Template) -> Iterator[Finding]:
    for text in template.texts if template.channel == Channel.EMAIL else ():
        if not text.subject.strip():
            yield Finding(Level.FAULT, _("There is no subject."), text.locale)
        elif len(MARK.sub("", text.subject)) > _SUBJECT:
            words = _("The subject is longer than %(most)s characters: phones show its beginning only.")
            yield Finding(Level.NOTE, words % {"most": _SUBJECT}, text.locale)


@check(place=32)
def sms_in_few_parts(template: Template) -> Iterator[Finding]:
    for text in template.texts if template.channel == Channel.SMS else ():
        # What is filled in is not known: it is counted as nothing, and said so.
        found = segments_of(MARK.sub("", text.text))
        level = Level.WARNING if found.count > _MOST_PARTS else Level.NOTE
        words = ngettext(
            "Sent and paid as %(count)s part (%(places)s characters, without what is filled in).",
            "Sent and paid as %(count)s parts (%(places)s characters, without what is filled in).",
            found.count,
        )
        yield Finding(level, words % {"count": found.count, "places": found.places}, text.locale)
        if found.foreign:
            words = _("Because of %(signs)s a part holds 70 characters in place of 160.")
            yield Finding(Level.NOTE, words % {"signs": " ".join(found.foreign[:12])}, text.locale)


@check(place=33)
def push_is_shown_whole(template: Template) -> Iterator[Finding]:
    for text in template.texts if template.channel == Channel.PUSH else ():
        for name, words, most in ((_("title"), text.subject, _PUSH_TITLE), (_("text"), text.text, _PUSH_TEXT)):
            if len(MARK.sub("", words)) > most:
                said = _("The %(name)s is longer than %(most)s characters: phones show its beginning only.")
                yield Finding(Level.NOTE, said % {"name": name, "most": most}, text.locale)
