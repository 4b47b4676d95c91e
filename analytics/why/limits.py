"""Which limit kept somebody out of a journey: the segment, or the cap with what was counted."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from analytics.why.explanation import Fact, Part, facts
from customers.authoring import durations
from customers.models import Segment
from journeys.compiling import version
from journeys.models import EntryRefusal
from journeys.version import Version

_Reason = EntryRefusal.Reason


def limit_parts(refusal: EntryRefusal) -> Iterator[Part]:
    if refusal.reason == _Reason.EXCLUDED:
        yield _segment(version(refusal.version_id))
    elif refusal.reason == _Reason.ENTRY_CAP:
        yield _entries(refusal, version(refusal.version_id))
    elif refusal.reason == _Reason.OUTSIDE_RAMP:
        yield from _ramp(version(refusal.version_id))
    elif refusal.reason == _Reason.CONCURRENCY_CAP:
        text = _("%(counted)s marketing journeys of the brand at that moment, and at most %(most)s at once.")
        yield _cap(refusal, text % {"counted": refusal.counted, "most": refusal.most})


def _segment(decided: Version) -> Part:
    segment = Segment.objects.filter(pk=decided.excluded).first() if decided.excluded else None
    name = segment.name if segment else decided.definition.entry.exclude
    link = ("customers_segment", segment.pk) if segment else None
    text = _("Whoever is in “%(segment)s” is not let in.") % {"segment": name}
    return Part("segment", _("The segment"), text, facts=facts(Fact("segment", _("segment"), name, link)))


def _entries(refusal: EntryRefusal, decided: Version) -> Part:
    cap = decided.definition.entry.cap
    span = durations.words(durations.spell(cap.per)) if cap else ""
    text = _("%(counted)s entries in the %(span)s before, and at most %(most)s are allowed.")
    return _cap(refusal, text % {"counted": refusal.counted, "span": span, "most": refusal.most})


def _ramp(decided: Version) -> Iterator[Part]:
    ramp = decided.definition.entry.ramp
    if ramp is not None:
        said = {"percent": ramp.percent, "date": ramp.compare_on}
        text = _("%(percent)s of a hundred people first, to be compared on %(date)s.") % said
        kept = facts(Fact("percent", _("percent of people first"), ramp.percent))
        yield Part("ramp", _("The group"), text, facts=kept)


def _cap(refusal: EntryRefusal, text: str) -> Part:
    kept = facts(Fact("counted", _("counted"), refusal.counted), Fact("most", _("allowed"), refusal.most))
    return Part("cap", _("The cap"), text, facts=kept)
