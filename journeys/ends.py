"""How a journey may end a run wherever it rests: by an event, by a rule, or by its age."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from channels.entitlements import telling as entitled
from channels.entitlements.leaf import HELD
from consent.expiring import EXPIRED
from consent.permitted import PERMISSION
from consent.requests import GRANTED, PREFERENCES, WITHDRAWN
from consent.telling import CHANGED
from customers.hints import form
from customers.internal import SEGMENT_ENTERED, SEGMENT_LEFT, TRAIT_CHANGED
from customers.rules import WALK, Rule
from customers.rules.in_segment import SEGMENTS
from journeys.steps.base import TRAITS, EventMatch

if TYPE_CHECKING:
    from journeys.definition import Definition

# By what a rule asks, the events that tell of a change of it.
_CHANGES: Final[Mapping[str, Sequence[str]]] = {
    TRAITS: (TRAIT_CHANGED,),
    SEGMENTS: (SEGMENT_ENTERED, SEGMENT_LEFT),
    # The events that carry consent as well: what happened before it was told how is replayed by them.
    PERMISSION: (CHANGED, EXPIRED, GRANTED, WITHDRAWN, PREFERENCES),
    HELD: (entitled.GRANTED, entitled.USED, entitled.REVOKED, entitled.EXPIRED),
}
# Those that may come of what is of a person whichever brand it is known by: a trait, an address that is suppressed.
OF_THE_PERSON: Final = frozenset((TRAIT_CHANGED, CHANGED))
# The way from a last step leads to an exit in the end's state, and nothing on it waits.
LastStep = Annotated[
    str | None,
    form(
        _("with a last step"),
        _("Whoever ends so still goes from there to an exit in the same state; nothing on that way may wait."),
        refers="step",
    ),
]


class ExitEvent(EventMatch, kw_only=True, forbid_unknown_fields=True):
    """An event that ends the run at once, in any wait."""

    state: Annotated[str, form(_("ends in state"), refers="state")]
    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""
    goal: Annotated[bool, form(_("is a goal"), _("Who ends so has reached it: reports tell it apart."))] = False
    within: Annotated[
        timedelta | None,
        form(_("only within"), _("Counts what happened so long after they came in, and not what happened later.")),
    ] = None
    last_step: LastStep = None


class ExitRule(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule about the customer that ends the run; looked at on entry, before each message and, in any wait, as soon as
    traits, segments, consent or entitlements change that it asks about."""

    rule: Annotated[dict[str, Any], form(_("if"), kind="rule", place=WALK)]
    state: Annotated[str, form(_("ends in state"), refers="state")]
    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""
    goal: Annotated[bool, form(_("is a goal"), _("Who ends so has reached it: reports tell it apart."))] = False
    last_step: LastStep = None


class Expiry(Struct, kw_only=True, forbid_unknown_fields=True):
    """The age at which a run ends in whatever wait it is."""

    after: Annotated[timedelta, form(_("so long after they came in"))]
    state: Annotated[str, form(_("ends in state"), refers="state")]
    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""
    last_step: LastStep = None


End = ExitEvent | ExitRule | Expiry


def ends_of(definition: "Definition") -> Iterator[tuple[str, End]]:
    """Every such end with its place in the document."""
    yield from ((f"/exit_events/{n}", end) for n, end in enumerate(definition.exit_events))
    yield from ((f"/exit_rules/{n}", end) for n, end in enumerate(definition.exit_rules))
    if definition.timeout:
        yield "/timeout", definition.timeout


def last_steps(definition: "Definition") -> set[str]:
    """Ids of the steps that ends name as their last."""
    return {end.last_step for _at, end in ends_of(definition) if end.last_step}


def changes_of(rules: Iterable[Rule]) -> frozenset[str]:
    """The events after which these rules may hold that did not before."""
    asked = frozenset[str]().union(*(rule.inputs for rule in rules))
    return frozenset(name for input_ in asked for name in _CHANGES.get(input_, ()))
