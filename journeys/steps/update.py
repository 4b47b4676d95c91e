"""Profile update: say something new of the customer, and move on at once."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from django.utils.translation import gettext_lazy as _
from msgspec import UNSET, Struct, UnsetType

from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.value_leaf import NAME as TRAIT
from customers.rules.values import is_number
from journeys.models import Cause
from journeys.steps.base import EVENT, Go, Here, Outcome, Step, Telling

_MOST: Final = 50
_LONGEST: Final = 1_000
# Traits by which people are written to, and told apart: only they and those who know them say these.
_NOT_OURS: Final = frozenset({"email", "phone", "token"})


class TraitChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """What becomes of one trait. The value is the one given here, or that of a property of the entry event."""

    trait: Annotated[str, form(_("trait"), refers="trait")]
    do: Annotated[
        Literal["set", "add", "clear"],
        form(
            _("what becomes of it"),
            choices={
                "set": _("it is set"),
                "add": _("a number is added to it"),
                "clear": _("it is cleared"),
            },
        ),
    ] = "set"
    value: Annotated[Any | UnsetType, form(_("value"), unset=_("none"), is_usual=True)] = UNSET
    property: Annotated[
        str | None, form(_("or the entry event’s"), _("A property; where it is missing, nothing is said."))
    ] = None

    def said(self, properties: Mapping[str, Any]) -> Any:
        """What is to be said, or UNSET where the event says nothing."""
        if self.do == "clear":
            return None
        value = self.value if self.property is None else properties.get(self.property, UNSET)
        return UNSET if self.do == "add" and not is_number(value) else value

    def problems(self) -> Iterator[Problem]:
        if not TRAIT.fullmatch(self.trait):
            yield Problem("name_invalid", "/trait", _("This cannot be the name of a trait."))
        if self.trait in _NOT_OURS:
            hint = _("Have the source that knows it tell it.")
            yield Problem("trait_not_ours", "/trait", _("An address is not said by a journey."), hint)
        given = (self.value is not UNSET) + (self.property is not None)
        if self.do == "clear" and given:
            yield Problem("value_not_allowed", "/value", _("A trait that is cleared has no value."))
        elif self.do != "clear" and given != 1:
            hint = _("Give a value, or the name of a property of the entry event.")
            yield Problem("value_unclear", "/value", _("It is not clear what is to be said."), hint)
        elif self.value is not UNSET:
            yield from self._value_problems()

    def _value_problems(self) -> Iterator[Problem]:
        if self.do == "add" and not is_number(self.value):
            yield Problem("value_not_allowed", "/value", _("Only a number can be added."))
        elif not isinstance(self.value, str | int | float) or (
            isinstance(self.value, str) and len(self.value) > _LONGEST
        ):
            hint = _("Give a text of at most 1,000 characters, a number, true or false.")
            yield Problem("value_not_allowed", "/value", _("This value cannot be said."), hint)


class Update(Step, tag_field="type", tag="update", kw_only=True, forbid_unknown_fields=True):
    """What is said goes the way of whatever else is said of somebody: it has a source, a time and an event, and is of
    the type that its trait has; whoever awaits a change hears of it. Rules further on see it already."""

    label: ClassVar[Text] = _("Profile update")
    help: ClassVar[Text] = _("Sets, adds to or clears traits of the customer, and moves on at once.")
    waits: ClassVar[bool] = False
    tells: ClassVar[bool] = True

    changes: Annotated[list[TraitChange], form(_("changes"))]
    next: Annotated[str, form(_("then go to"), refers="step")]

    def targets(self) -> list[str]:
        return [self.next]

    def reads(self) -> frozenset[str]:
        return frozenset({EVENT}) if self.properties() else frozenset()

    def properties(self) -> list[str]:
        return [change.property for change in self.changes if change.property]

    def problems(self) -> Iterator[Problem]:
        if not 1 <= len(self.changes) <= _MOST:
            yield Problem("change_count", "/changes", _("A profile update changes 1 to 50 traits."))
        for n, change in enumerate(self.changes):
            if change.trait in {other.trait for other in self.changes[:n]}:
                message = _("“%(name)s” is already changed here.") % {"name": change.trait}
                yield Problem("duplicate_trait", f"/changes/{n}/trait", message, _("Change it once."))
            for problem in change.problems():
                yield Problem(problem.code, f"/changes/{n}{problem.pointer}", problem.message, problem.hint)

    def enter(self, here: Here) -> Outcome:
        telling = Telling()
        for change in self.changes:
            said = change.said(here.facts.properties)
            if said is not UNSET:
                (telling.added if change.do == "add" else telling.said)[change.trait] = said
        return Go(self.next, Cause.UPDATED, tells=telling)
