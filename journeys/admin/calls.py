"""Calls of other systems, to be read; one that failed for good has a dead letter, by which it is made once more."""

from typing import Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from customers.admin.base import Facts, link
from customers.admin.show import Tone, state, when
from journeys.compiling import version
from journeys.models import Call, CallContent

_TONES: Final[dict[str, Tone]] = {
    Call.State.WAITING: "info",
    Call.State.CALLING: "info",
    Call.State.ANSWERED: "good",
    Call.State.FAILED: "bad",
    Call.State.LEFT: "",
}


@admin.register(Call)
class CallAdmin(Facts):
    list_display = (
        "id",
        "journey",
        "step_name",
        link("run_id", "journeys_run", _("run")),
        state("state", _TONES, _("state")),
        "error",
        "status",
        "attempts",
        when("created_at", _("asked for at")),
        when("due_at", _("due")),
    )
    when_empty = _("No call yet. A live journey makes one as soon as somebody comes to a webhook step.")
    list_filter = ("state", "error", "journey")
    list_select_related = ("journey",)
    search_fields = ("id", "run__id", "profile__id")
    search_help_text = _("The id of a call, run or profile.")
    readonly_fields = ("step_name",)

    @admin.display(description=_("step"))
    def step_name(self, call: Call) -> str:
        return version(call.version_id).steps[call.step].id


@admin.register(CallContent)
class CallContentAdmin(Facts):
    list_display = (link("call_id", "journeys_call", _("call")),)
    search_fields = ("call__id",)
