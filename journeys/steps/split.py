"""Split: the first branch whose rule holds, else the other way."""

from typing import Annotated, Any, ClassVar

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import Text, form
from customers.rules import WALK
from journeys.models import Cause
from journeys.steps.base import Go, Here, Outcome, Step


class SplitBranch(Struct, kw_only=True, forbid_unknown_fields=True):
    rule: Annotated[dict[str, Any], form(_("if"), kind="rule", place=WALK)]
    next: Annotated[str, form(_("then go to"), refers="step")]


class Split(Step, tag_field="type", tag="split", kw_only=True, forbid_unknown_fields=True):
    """Rules see the customer's traits, segments and permissions, the properties of the entry event, and the run."""

    label: ClassVar[Text] = _("Split")
    help: ClassVar[Text] = _("Takes the first branch whose condition holds.")
    waits: ClassVar[bool] = False

    branches: Annotated[list[SplitBranch], form(_("branches"))]
    otherwise: Annotated[str, form(_("otherwise go to"), refers="step")]

    def targets(self) -> list[str]:
        return [*(branch.next for branch in self.branches), self.otherwise]

    def rules(self) -> list[tuple[str, dict[str, Any]]]:
        return [(f"/branches/{n}/rule", branch.rule) for n, branch in enumerate(self.branches)]

    def enter(self, here: Here) -> Outcome:
        for n, branch in enumerate(self.branches):
            if here.rules[n].holds(here.facts):
                return Go(branch.next, Cause.BRANCH, n)
        return Go(self.otherwise, Cause.OTHERWISE)
