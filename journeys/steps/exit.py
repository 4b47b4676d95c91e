"""Exit: the end of a way through the journey."""

from typing import Annotated, ClassVar

from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from journeys.steps.base import End, Here, Outcome, Step


class Exit(Step, tag_field="type", tag="exit", kw_only=True, forbid_unknown_fields=True):
    """`state` must be a success or failure state; `outcome` names the end in reports."""

    label: ClassVar[Text] = _("Exit")
    help: ClassVar[Text] = _("The end of this way.")

    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""

    def enter(self, here: Here) -> Outcome:
        return End()
