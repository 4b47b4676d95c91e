"""Exit: the end of a way through the journey."""

from journeys.steps.base import End, Here, Outcome, Step


class Exit(Step, tag_field="type", tag="exit", kw_only=True, forbid_unknown_fields=True):
    """`state` must be a success or failure state; `outcome` names the end in reports."""

    outcome: str = ""

    def enter(self, here: Here) -> Outcome:
        return End()
