"""Leaf kind `this_run`: what the run itself is that a rule is asked of: its state, its age, what came of it so far."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.leaf import BLANK, WALK, Facts, Holds
from customers.rules.operators import OPERATORS
from customers.rules.value_leaf import ValueLeaf
from journeys.models import Cause

# By which facts bring what the run is, and how many messages it had when it last came to rest.
THIS_RUN: Final = "this_run"
MESSAGES: Final = "messages_of_run"
STATE, LAST_STEP, LAST_OUTCOME, HOURS, SENT = "state", "last_step", "last_outcome", "hours", "messages"
_NAMES: Final[dict[str, Text]] = {
    STATE: _("its state"),
    HOURS: _("hours since it began"),
    SENT: _("how many messages it had"),
    LAST_STEP: _("the step before"),
    LAST_OUTCOME: _("how the step before ended"),
}
OUTCOMES: Final = frozenset(cause.name.lower() for cause in Cause)


class ThisRun(ValueLeaf, frozen=True):
    """`messages` counts the message steps whose message went out or is still to go, as it was when the run last came
    to rest; `last_outcome` is the cause of the run's last move."""

    kind: ClassVar[str] = THIS_RUN
    label: ClassVar[Text] = _("The run itself")
    places: ClassVar[frozenset[str]] = frozenset({WALK})

    name: Annotated[str, form(_("what of it"), choices=_NAMES)]

    @property
    def inputs(self) -> frozenset[str]:  # type: ignore[override]  # what is read depends on what is asked
        return frozenset({THIS_RUN, MESSAGES} if self.name == SENT else {THIS_RUN})

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        values = [said.get("name", BLANK), said.get("op", BLANK), *([said["value"]] if "value" in said else [])]
        return " ".join([str(_("of the run,")), *values])

    def problems(self) -> Iterator[Problem]:
        if self.name not in _NAMES:
            hint = format_lazy(_("Use one of {names}."), names=", ".join(_NAMES))
            yield Problem("name_invalid", "/name", _("A run has nothing of this name."), hint)
            return
        yield from super().problems()

    def misfits(self, states: Sequence[str], steps: Sequence[str]) -> Iterator[Problem]:
        """What it is compared with that no run of a journey with these states and steps can ever have."""
        known = {STATE: states, LAST_STEP: steps, LAST_OUTCOME: sorted(OUTCOMES)}.get(self.name)
        if known is None or self.op not in ("eq", "ne", "in", "not_in"):
            return
        for n, value in enumerate(self.value if isinstance(self.value, list) else [self.value]):
            if value not in known:
                at = f"/value/{n}" if isinstance(self.value, list) else "/value"
                hint = format_lazy(_("Use one of {names}."), names=", ".join(known[:20]))
                yield Problem("unknown_value", at, _("This is never so of a run of this journey."), hint)

    def python(self) -> Holds:
        test = OPERATORS[self.op].python(self.value)
        return lambda facts: test(facts.extra.get(THIS_RUN, {}).get(self.name))

    def seen(self, facts: Facts) -> Mapping[str, Any]:
        return {f"run.{self.name}": facts.extra.get(THIS_RUN, {}).get(self.name)}
