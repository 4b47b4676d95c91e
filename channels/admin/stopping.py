"""Stopping what sends, and letting it go on."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from channels import scopes, stops
from channels.models import SendStop
from customers import clock
from customers.admin.base import AnyAdmin, Kept
from customers.admin.show import flag, when

if TYPE_CHECKING:
    StopModelForm = forms.ModelForm[SendStop]
else:
    StopModelForm = forms.ModelForm


class StopActions(AnyAdmin):
    """Stop what the chosen objects send, and let it go on; a stop has taken effect when the answer comes."""

    @admin.action(description=_("Stop sending"), permissions=["change"])
    def stop_sending(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = sum(stops.stop(scope.pk, request.user.pk, "", clock.utcnow()) for scope in queryset)
        text = ngettext("%(count)s was stopped.", "%(count)s were stopped.", count)
        self.message_user(request, text % {"count": count})

    @admin.action(description=_("Let sending go on"), permissions=["change"])
    def release_sending(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = sum(stops.release(scope.pk, clock.utcnow()) for scope in queryset)
        text = ngettext("%(count)s was released.", "%(count)s were released.", count)
        self.message_user(request, text % {"count": count})


class StopForm(StopModelForm):
    # Who fills it in; each request has a class of its own.
    stopped_by: ClassVar[Any] = None

    def clean_scope_id(self) -> Any:
        scope_id = self.cleaned_data["scope_id"]
        if not scopes.may_stop(self.stopped_by, scope_id):
            raise ValidationError(_("Nothing that is yours to stop has this id."), code="scope")
        return scope_id


@admin.register(SendStop)
class SendStopAdmin(Kept):
    """Set for a journey, broadcast, campaign, connector or brand, and released; never edited."""

    list_display = (
        "scope_id",
        "reason",
        "stopped_by",
        when("stopped_at", _("stopped")),
        flag("released_at", (_("released"), "good"), (_("standing"), "bad")),
    )
    when_empty = _("Nothing is stopped. While a stop stands, nothing of its journey, connector or brand goes out.")
    search_help_text = _("A part of the reason, or of the id of what is stopped.")
    list_filter = (("released_at", admin.EmptyFieldListFilter),)
    list_select_related = ("stopped_by",)
    search_fields = ("scope_id", "reason")
    form = StopForm
    fields = ("scope_id", "reason")
    readonly_fields = ("stopped_by", "stopped_at", "released_at")
    actions = ("release",)

    def has_change_permission(self, request: HttpRequest, obj: SendStop | None = None) -> bool:
        return False

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.change_sendstop"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.stopped_by = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: SendStop | None = None) -> Any:
        return self.fields if obj is None else (*self.fields, *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: SendStop, form: Any, change: bool) -> None:
        stops.stop(obj.scope_id, request.user.pk, obj.reason, clock.utcnow())
        obj.pk = SendStop.objects.get(scope_id=obj.scope_id, released_at=None).pk

    @admin.action(description=_("Let sending go on"), permissions=["release"])
    def release(self, request: HttpRequest, queryset: QuerySet[SendStop]) -> None:
        standing = queryset.filter(released_at=None).values_list("scope_id", flat=True)
        count = sum(stops.release(scope, clock.utcnow()) for scope in list(standing))
        text = ngettext("%(count)s was released.", "%(count)s were released.", count)
        self.message_user(request, text % {"count": count})
