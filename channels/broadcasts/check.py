"""What stands in the way of starting a broadcast, and what somebody should know before they do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from channels.accounts import service_of
from channels.broadcasts.timing import FIRST_ZONE, zone_of
from channels.models import Broadcast, TemplateText, TemplateVersion
from channels.providers import base
from channels.templates import TemplateError, read_of
from consent.models import Purpose
from customers import moments
from customers.models import Segment
from customers.models.address import Channel

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

# Where a person must be able to say no by a link in the words themselves.
_LINKED: Final = frozenset((Channel.EMAIL.value,))
_LINKS: Final = frozenset(("unsubscribe_url", "preferences_url"))
# Where the day comes last.
_LAST_ZONE: Final = "Pacific/Pago_Pago"
_DEAD: Final = {
    Segment.State.DRAFT: _("The segment has no rule yet."),
    Segment.State.STOPPED: _("The segment was not built to its end: build it anew."),
    Segment.State.ARCHIVED: _("The segment is archived."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """`stops`: it cannot be started so. Otherwise it is to be known."""

    code: str
    text: "_StrOrPromise"
    stops: bool = True


def latest_version(broadcast: Broadcast) -> TemplateVersion | None:
    return TemplateVersion.objects.filter(template=broadcast.template_id).order_by("-number").first()


def problems(broadcast: Broadcast, now: datetime) -> list[Problem]:
    """All of them, those that stop it first."""
    found = [*_where(broadcast), *_who(broadcast), *_what(broadcast), *_when(broadcast, now)]
    return sorted(found, key=lambda one: not one.stops)


def _where(broadcast: Broadcast) -> Iterator[Problem]:
    connector = broadcast.connector
    if connector.brand_id != broadcast.brand_id or connector.channel != broadcast.channel:
        yield Problem("connector_of_other_channel", _("The connector is not one of this channel."))
    elif not connector.is_active:
        yield Problem("connector_off", _("The connector is switched off."))
    else:
        try:
            service = service_of(connector)
        except base.ConfigurationError:
            service = None
        if not isinstance(service, base.Provider):
            yield Problem("connector_unusable", _("The connector’s settings do not fit."))


def _who(broadcast: Broadcast) -> Iterator[Problem]:
    segment = broadcast.segment
    if segment.brand_id != broadcast.brand_id:
        yield Problem("segment_of_other_brand", _("The segment is another brand’s."))
    elif segment.state in _DEAD:
        yield Problem("segment_not_live", _DEAD[Segment.State(segment.state)])
    elif segment.state == Segment.State.BUILDING:
        text = _("The segment is being built: the broadcast begins once that is done.")
        yield Problem("segment_building", text, stops=False)
    if broadcast.purpose.brand_id != broadcast.brand_id:
        yield Problem("purpose_of_other_brand", _("The purpose is another brand’s."))
    elif broadcast.purpose.kind == Purpose.Kind.LEGAL:
        text = _("What the law demands goes to everybody, whatever they said: be sure that it is that.")
        yield Problem("purpose_legal", text, stops=False)


def _what(broadcast: Broadcast) -> Iterator[Problem]:
    template = broadcast.template
    if template.brand_id != broadcast.brand_id or template.channel != broadcast.channel:
        yield Problem("template_of_other_channel", _("The template is not one of this channel."))
        return
    version = latest_version(broadcast)
    texts = list(TemplateText.objects.filter(version=version).order_by("locale")) if version else []
    if not texts:
        yield Problem("template_without_words", _("The template has no words yet."))
        return
    if broadcast.brand.locale not in {text.locale for text in texts}:
        words = _("The template has no words in the brand’s language; who speaks another gets those of any.")
        yield Problem("words_not_in_brand_locale", words, stops=False)
    yield from _readable(broadcast, texts)


def _readable(broadcast: Broadcast, texts: list[TemplateText]) -> Iterator[Problem]:
    for text in texts:
        try:
            read = {path for source in (text.subject, text.html, text.text) if source for path in read_of(source)}
        except TemplateError as error:
            words = _("The words in %(locale)s cannot be read: %(fault)s.")
            yield Problem("words_unreadable", words % {"locale": text.locale, "fault": error})
            continue
        names = {path[0] for path in read}
        if _must_link(broadcast) and names.isdisjoint(_LINKS):
            words = _("The words in %(locale)s have no link to unsubscribe.")
            yield Problem("no_way_out", words % {"locale": text.locale})
        if names & {"event", "journey"}:
            words = _("The words in %(locale)s name the event or journey, which a broadcast has none of.")
            yield Problem("names_an_event", words % {"locale": text.locale}, stops=False)


def _must_link(broadcast: Broadcast) -> bool:
    return broadcast.channel in _LINKED and broadcast.purpose.kind == Purpose.Kind.MARKETING


def _when(broadcast: Broadcast, now: datetime) -> Iterator[Problem]:
    if broadcast.when == Broadcast.When.AT and broadcast.starts_at is None:
        yield Problem("no_moment", _("Say at which moment it begins."))
    if broadcast.when == Broadcast.When.AT and broadcast.starts_at is not None and broadcast.starts_at < now:
        yield Problem("moment_past", _("The moment is past."))
    if broadcast.when == Broadcast.When.LOCAL:
        yield from _when_local(broadcast, now)
    size, per_minute = broadcast.segment.size, broadcast.per_minute
    if per_minute and timedelta(minutes=size / per_minute) > broadcast.not_later_than:
        text = _("By so many a minute some will be too late: the whole takes longer than it may.")
        yield Problem("too_slow", text, stops=False)


def _when_local(broadcast: Broadcast, now: datetime) -> Iterator[Problem]:
    if broadcast.local_day is None or broadcast.local_time is None:
        yield Problem("no_local_time", _("Say on which day and at what time of day it goes."))
        return
    first, last = (
        moments.at(broadcast.local_day, broadcast.local_time, zone_of(name)) for name in (FIRST_ZONE, _LAST_ZONE)
    )
    if last < now:
        yield Problem("moment_past", _("The moment is past."))
    elif first < now:
        text = _("In some places that time has gone by: people there get it at once, unless it is too late.")
        yield Problem("moment_past_in_places", text, stops=False)
