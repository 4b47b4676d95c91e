"""Campaigns on the staff pages: what they are for, what serves them, how their links are marked."""

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from channels.admin.stopping import StopActions
from channels.campaigns import members
from channels.models import Campaign, CampaignMember
from channels.scopes import names_of
from customers import audit, clock
from customers.admin.base import AnyAdmin, Kept, ReadOnly, link
from customers.admin.show import state, when

if TYPE_CHECKING:
    CampaignModelForm = forms.ModelForm[Campaign]
else:
    CampaignModelForm = forms.ModelForm


class CampaignForm(CampaignModelForm):
    """What serves it is chosen once it is there, and so has a brand."""

    # Who fills it in; each request has a class of its own.
    filled_in_by: ClassVar[Any] = None

    serving = forms.MultipleChoiceField(
        label=_("journeys and broadcasts"),
        help_text=_("Those of the brand that serve no other campaign. Messages sent so far count as well."),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            del self.fields["serving"]
            return
        offered = members.offered(self.instance, self.filled_in_by)
        mine = self.instance.members.filter(scope_id__in=list(offered)).values_list("scope_id", flat=True)
        field: Any = self.fields["serving"]
        field.choices = [(str(key), name) for key, name in offered.items()]
        field.initial = [str(key) for key in mine]


@admin.register(Campaign)
class CampaignAdmin(StopActions, Kept):
    form = CampaignForm
    list_display = (
        "name",
        "key",
        "brand",
        "squad",
        "starts_on",
        "ends_on",
        state("conversion_role", {}, _("counts as conversion")),
        "further",
    )
    list_filter = ("brand", "squad", "conversion_role")
    list_select_related = ("brand", "squad")
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    readonly_fields = ("further",)
    actions = ("stop_sending", "release_sending")
    when_empty = _("A campaign groups journeys and broadcasts, marks their links and counts what came of them.")

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """Its journeys are of its brand: it does not move to another."""
        return self.readonly_fields if obj is None else ("brand", *self.readonly_fields)

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        first = ("name", "key", "brand", "squad", "notes", ("starts_on", "ends_on"))
        marks = _(
            "What links to the brand’s own sites carry, so that their reports tell where somebody came from. An address"
            " that names one already keeps it."
        )
        may = obj is not None and self.has_change_permission(request, obj)
        return (
            (None, {"fields": (*first, "further") if obj is not None else first}),
            *(((_("What serves it"), {"fields": ("serving",)}),) if may else ()),
            (
                _("Marks of its links"),
                {"fields": (("utm_source", "utm_medium"), ("utm_campaign", "utm_content")), "description": marks},
            ),
            (_("Conversion"), {"fields": (("conversion_role", "conversion_days"),)}),
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.filled_in_by = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or "serving" not in form.cleaned_data:
            return
        wanted = [UUID(one) for one in form.cleaned_data["serving"]]
        done = members.put(obj, wanted, request.user, clock.utcnow())
        if done.added or done.removed:
            names = {str(key): name for key, name in names_of([*done.added, *done.removed]).items()}
            before = {"serving": [names.get(str(one), str(one)) for one in done.removed]}
            after = {"serving": [names.get(str(one), str(one)) for one in done.added]}
            audit.record(request.user, "campaign_members", obj, before, after, now=clock.utcnow())


@admin.register(CampaignMember)
class CampaignMemberAdmin(ReadOnly, AnyAdmin):
    """Chosen on the campaign's page; here to be found."""

    list_display = (
        "scope_id",
        link("campaign_id", "channels_campaign", _("campaign")),
        when("added_at", _("added at")),
    )
    list_filter = ("campaign",)
    search_fields = ("campaign__name",)
    search_help_text = _("A part of the campaign’s name.")
