"""Journeys in the admin: their list and settings; drafts are written on the pages of `author`."""

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.admin import StopActions
from customers import clock
from customers.admin.base import Kept, ReadOnly
from customers.admin.show import Tone, state, when
from journeys import drafts
from journeys.admin import author
from journeys.definition import InvalidDefinition
from journeys.models import DraftRevision, Journey, JourneyVersion

if TYPE_CHECKING:
    JourneyModelForm = forms.ModelForm[Journey]
else:
    JourneyModelForm = forms.ModelForm


class JourneyForm(JourneyModelForm):
    """Only publishing makes a journey live for the first time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "status" in self.fields:
            absent = {Journey.Status.DRAFT} if self.instance.live_version_id else _NEEDING_A_VERSION
            choices = [choice for choice in Journey.Status.choices if choice[0] not in absent]
            self.fields["status"].choices = choices  # type: ignore[attr-defined]  # a field with choices


_STATUS: Final[dict[str, Tone]] = {
    Journey.Status.DRAFT: "info",
    Journey.Status.LIVE: "good",
    Journey.Status.PAUSED: "warn",
    Journey.Status.ARCHIVED: "",
}
_NEEDING_A_VERSION = {Journey.Status.LIVE, Journey.Status.PAUSED}


@admin.register(Journey)
class JourneyAdmin(StopActions, Kept):
    form = JourneyForm
    list_display = (
        "name",
        "brand",
        "squad",
        state("status", _STATUS, _("status")),
        "live_version",
        "write",
        "further",
    )
    when_empty = _("A journey is the way we want people to go: states, steps and what brings people in.")
    search_help_text = _("A part of the name or key.")
    list_filter = ("status", "brand", "squad")
    list_select_related = ("brand", "squad", "live_version__journey")
    search_fields = ("name", "key")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    readonly_fields = ("live_version", "write", "further")
    exclude = ("draft",)
    actions = ("publish_draft", "stop_sending", "release_sending")

    def get_urls(self) -> list[URLPattern]:
        return [*author.urls(self.admin_site.admin_view), *super().get_urls()]

    @admin.display(description=_("definition"))
    def write(self, journey: Journey) -> SafeString | str:
        if journey.pk is None or journey._state.adding:
            return gettext("Save the journey first; then its states and steps are written here.")
        address = reverse("admin:journeys_journey_author", args=[journey.pk])
        return format_html('<a class="t-link" href="{}">{}</a>', address, _("States and steps"))

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("journeys.publish_journey"))

    @admin.action(description=_("Publish the draft"), permissions=["publish"])
    def publish_draft(self, request: HttpRequest, queryset: QuerySet[Journey]) -> None:
        for journey in queryset:
            try:
                made = drafts.publish_draft(
                    journey,
                    by=request.user,  # type: ignore[arg-type]  # the admin lets nobody else in
                    now=clock.utcnow(),
                    revision=journey.draft_revision,
                )
            except InvalidDefinition as error:
                for problem in error.problems:
                    text = f"{journey}: {problem.pointer or '/'}: {problem.message} {problem.hint}".rstrip()
                    self.message_user(request, text, messages.ERROR)
            except drafts.NotPossible as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, gettext("%(version)s is live.") % {"version": made})


@admin.register(JourneyVersion)
class JourneyVersionAdmin(ReadOnly, Kept):
    list_display = ("__str__", when("published_at", _("published")), "published_by")
    search_help_text = _("A part of the journey’s name or key.")
    when_empty = _("No journey was published yet.")
    list_filter = ("journey",)
    list_select_related = ("journey", "published_by")
    search_fields = ("journey__name", "journey__key")


@admin.register(DraftRevision)
class DraftRevisionAdmin(ReadOnly, Kept):
    """Saved drafts, also those that others were saved over; brought back on the journey's own pages."""

    list_display = ("__str__", when("saved_at", _("saved")), "saved_by")
    search_help_text = _("A part of the journey’s name or key.")
    when_empty = _("No draft was saved yet.")
    list_filter = ("journey",)
    list_select_related = ("journey", "saved_by")
    search_fields = ("journey__name", "journey__key")
