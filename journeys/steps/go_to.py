"""Go to another journey: have it take the customer, with data, and go on here either way."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from django.utils.translation import gettext_lazy as _
from msgspec import UNSET, Struct, UnsetType

from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.value_leaf import NAME as PROPERTY
from journeys.models import Cause
from journeys.steps.base import EVENT, NAME, Answer, Go, Here, Outcome, Step, Wait

if TYPE_CHECKING:
    from journeys.engine.acting import Batch
    from journeys.simulation.moment import Moment

_MOST: Final = 50
_LONGEST: Final = 1_000


class HandedOver(Struct, kw_only=True, forbid_unknown_fields=True):
    """A property that the other journey's entry sees: a value, or what a property of the entry event here was."""

    name: Annotated[str, form(_("name"), _("As the other journey’s entry has it, its key among them."))]
    value: Annotated[Any | UnsetType, form(_("value"), unset=_("none"), is_usual=True)] = UNSET
    property: Annotated[
        str | None, form(_("or the entry event’s"), _("A property; where it is missing, nothing is said."))
    ] = None

    def problems(self) -> Iterator[Problem]:
        if not PROPERTY.fullmatch(self.name):
            yield Problem("name_invalid", "/name", _("This cannot be the name of a property."))
        if (self.value is not UNSET) + (self.property is not None) != 1:
            hint = _("Give a value, or the name of a property of the entry event.")
            yield Problem("value_unclear", "/value", _("It is not clear what is to be said."), hint)
        elif self.value is not UNSET and (
            not isinstance(self.value, str | int | float)
            or (isinstance(self.value, str) and len(self.value) > _LONGEST)
        ):
            hint = _("Give a text of at most 1,000 characters, a number, true or false.")
            yield Problem("value_not_allowed", "/value", _("This value cannot be said."), hint)


class GoTo(Step, tag_field="type", tag="go_to", kw_only=True, forbid_unknown_fields=True):
    """`journey` is the key of one of the brand's; its live version lets people in by its own rules, as it would by its
    entry event. A run rests here for a moment, until the engine has asked it."""

    label: ClassVar[Text] = _("Go to another journey")
    help: ClassVar[Text] = _("Has another journey take the person, by its own conditions; the way here goes on.")
    waits: ClassVar[bool] = True
    acts: ClassVar[bool] = True
    holds_customer: ClassVar[bool] = True
    unknown: ClassVar[str] = "other_journeys"

    journey: Annotated[str, form(_("journey"), refers="journey")]
    next: Annotated[str, form(_("then go to"), refers="step")]
    refused: Annotated[
        str,
        form(
            _("where it does not take them, go to"),
            _("They are in it already, may not come in, or it is not live."),
            refers="step",
        ),
    ]
    data: Annotated[list[HandedOver], form(_("with"))] = []

    def targets(self) -> list[str]:
        return [self.next, self.refused]

    def at_once(self) -> list[str]:
        # The rest is none that a loop could be broken by.
        return self.targets()

    def reads(self) -> frozenset[str]:
        return frozenset({EVENT}) if self.properties() else frozenset()

    def properties(self) -> list[str]:
        return [one.property for one in self.data if one.property]

    def said(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """What the other journey's entry is told."""
        values = {one.name: properties.get(one.property, UNSET) if one.property else one.value for one in self.data}
        return {name: value for name, value in values.items() if value is not UNSET}

    def enter(self, here: Here) -> Outcome:
        return Wait(here.now)

    def journeys(self) -> list[tuple[str, str]]:
        return [("/journey", self.journey)]

    def named(self) -> Mapping[str, str]:
        return {"journey": self.journey}

    @classmethod
    def act(cls, batch: "Batch") -> Mapping[int, Answer]:
        return batch.hand_over()

    def suppose(self, moment: "Moment") -> Outcome:
        return self.answered(is_taken=self.journey not in moment.closed)

    def answered(self, *, is_taken: bool) -> Go:
        """What a run does once the other journey has answered."""
        return Go(self.next, Cause.HANDED_OVER) if is_taken else Go(self.refused, Cause.TURNED_AWAY)

    def problems(self) -> Iterator[Problem]:
        if not NAME.fullmatch(self.journey):
            yield Problem("name_invalid", "/journey", _("This cannot be a journey."), _("Give the key of a journey."))
        if len(self.data) > _MOST:
            yield Problem("data_count", "/data", _("At most 50 properties are handed over."))
        for n, one in enumerate(self.data):
            if one.name in {other.name for other in self.data[:n]}:
                message = _("“%(name)s” is already used.") % {"name": one.name}
                yield Problem("duplicate_name", f"/data/{n}/name", message, _("Give it another name."))
            for problem in one.problems():
                yield Problem(problem.code, f"/data/{n}{problem.pointer}", problem.message, problem.hint)
