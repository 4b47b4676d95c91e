"""What a simulation could not know, on which its numbers rest all the same."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from journeys.version import Version


class Unknown(TextChoices):
    OTHER_JOURNEYS = (
        "other_journeys",
        _("Whether other journeys would have taken whom this one sends there: they are taken to have."),
    )
    ENTITLEMENTS = (
        "entitlements",
        _("What people had been granted from elsewhere: only what this journey would have granted is counted."),
    )
    REPLIES = (
        "replies",
        _(
            "What other systems would have replied: where nothing else is assumed they are taken to have replied at "
            "once, and to have told nothing."
        ),
    )
    PEOPLE = "people", _("Whether people had agreed, and what was known of them: everybody is taken to have agreed.")
    SAME_PERSON = (
        "same_person",
        _("Who was known to be the same person then: people are taken as they are known today."),
    )
    ADDRESSES = "addresses", _("Which addresses were known then: those that are known today are used.")
    ANY_SEGMENT = "any_segment", _("Who was in a segment: nobody is taken to have been in any.")
    SEGMENT_BEFORE = (
        "segment_before",
        _("Who was in a segment before it was built: nobody is taken to have been in it."),
    )
    OTHER_SENDS = (
        "other_sends",
        _("What people were sent beside this journey, where a cap counts that: nothing is taken to have been."),
    )
    HELD_BACK = (
        "held_back",
        _("What people did while a message was held back by a cap or for the hour: it is taken to go afterwards."),
    )
    HOW_OFTEN = (
        "how_often",
        _("How often people wanted marketing at most: nobody is taken to have wanted it less often."),
    )
    AT_ONCE = "at_once", _("In which other journeys people were: the brand’s cap of journeys at once is left out.")
    SEGMENT_MOVES = (
        "segment_moves",
        _("Who came and left while nobody waited for that: only moves that were told are played."),
    )
    CHANGES = (
        "changes",
        _(
            "When what exits by condition ask about changed while nobody waited for that: they are asked on entry, as "
            "messages go and at changes that were told."
        ),
    )
    ANY_CALLED = "any_called", _("Who was in the segment when the calendar came: nobody is taken to have been called.")
    CALLED_BEFORE = (
        "called_before",
        _("Who was in the segment before it was built: only those known to have been in it are called."),
    )
    RAMP = "ramp", _("When everybody would have been let in: the small group is taken to be all that comes in.")
    ANSWERS = "answers", _("What people would have done had they been sent something else.")
    BEFORE = "before", _("Runs that had begun before the first event looked at.")


def unknown(
    version: Version, *, is_assumed: bool, asks_segments: bool, is_paced: bool, is_wanted_less: bool
) -> Iterator[Unknown]:
    """With `is_assumed`, nothing is known of anybody beside the events."""
    entry = version.definition.entry
    of_steps = {step.unknown for step in version.steps}
    yield from (one for one in Unknown if one.value in of_steps)
    yield from (Unknown.PEOPLE,) if is_assumed else (Unknown.SAME_PERSON, Unknown.ADDRESSES)
    if asks_segments:
        yield Unknown.ANY_SEGMENT if is_assumed else Unknown.SEGMENT_BEFORE
    if is_paced:
        yield from (Unknown.OTHER_SENDS, Unknown.HELD_BACK) if is_assumed else (Unknown.HELD_BACK,)
    if is_wanted_less:
        yield Unknown.HOW_OFTEN
    if version.is_marketing:
        yield Unknown.AT_ONCE
    if entry.kind == "segment":
        yield Unknown.SEGMENT_MOVES
    if version.looks:
        yield Unknown.CHANGES
    if entry.schedule is not None:
        yield Unknown.ANY_CALLED if is_assumed else Unknown.CALLED_BEFORE
    if entry.ramp is not None:
        yield Unknown.RAMP
    yield from (Unknown.ANSWERS, Unknown.BEFORE)


def in_words(codes: Iterable[Any]) -> list[str]:
    """In the reader's language; what was kept as a text stays one."""
    return [str(Unknown(code).label) if code in Unknown.values else str(code) for code in codes]
