"""Randomized split: one of several arms by lot, the same one each time for the same person or the same run."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import Text, form
from customers.rules.errors import Problem
from journeys.models import Cause
from journeys.steps.base import Go, Here, Lot, Outcome, Step
from journeys.steps.shares import WHOLE, Words, drawn_by, share_problems

_WORDS: Final = Words(
    "arms",
    "name",
    "arm_count",
    _("A randomized split has 2 to 9 arms."),
    _("This cannot be the name of an arm."),
    "duplicate_arm",
)


class Arm(Struct, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, form(_("arm"), _("Names it in reports; people who were drawn stay under this name."))]
    share: Annotated[int, form(_("percent"), _("All arms together are 100."))]
    next: Annotated[str, form(_("then go to"), refers="step")]
    holdout: Annotated[bool, form(_("held out: others are compared with it"))] = False


class RandomSplit(Step, tag_field="type", tag="random_split", kw_only=True, forbid_unknown_fields=True):
    """The lot is drawn by a hash of the journey, this step's id and the unit, so nothing has to be remembered and a
    simulation draws the same; who was drawn first for which arm is kept as an exposure all the same."""

    label: ClassVar[Text] = _("Randomized split")
    help: ClassVar[Text] = _("Draws one of several ways, by shares.")

    arms: Annotated[list[Arm], form(_("arms"))]
    unit: Annotated[
        Literal["person", "run"],
        form(
            _("drawn for"),
            choices={"person": _("the person, once and for all"), "run": _("each run anew")},
        ),
    ] = "person"

    def targets(self) -> list[str]:
        return [arm.next for arm in self.arms]

    def enter(self, here: Here) -> Outcome:
        is_fresh = self.unit == "run"
        side = here.draw(self.id, WHOLE, is_fresh=is_fresh)
        drawn = drawn_by([arm.share for arm in self.arms], side)
        arm = self.arms[drawn]
        return Go(arm.next, Cause.ARM, drawn, lot=Lot(arm.name, arm.holdout, is_fresh))

    def problems(self) -> Iterator[Problem]:
        yield from share_problems(_WORDS, [arm.name for arm in self.arms], [arm.share for arm in self.arms])
        if sum(arm.holdout for arm in self.arms) > 1:
            yield Problem("holdouts", "/arms", _("Only one arm is held out."))
