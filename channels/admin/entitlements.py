"""What customers were granted: read, granted and taken back by the staff, with the reason; each on the audit trail."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels.entitlements import ledger
from channels.entitlements.ledger import Act, Grant
from channels.models import Entitlement, EntitlementEntry, Origin
from customers import clock
from customers.admin.base import ExactSearch, Facts, Kept, link, table
from customers.admin.look_up import LookUp
from customers.admin.show import Tone, state, when
from customers.ids import new_id
from customers.models import Profile
from customers.pg import raw_cursor
from customers.visibility import beside, may_change

if TYPE_CHECKING:
    EntitlementModelForm = forms.ModelForm[Entitlement]
else:
    EntitlementModelForm = forms.ModelForm

_State = Entitlement.State
_TONES: dict[Any, Tone] = {_State.OPEN: "good", _State.REVOKED: "warn"}
_GRANTED = ("brand", "profile", "key", "quantity", "expires_at", "reason")


class GrantForm(EntitlementModelForm):
    """Of a grant that is there only the reason of its end is asked for."""

    granted_for: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("reason", "ended_reason"):
            if name in self.fields:
                self.fields[name].required = True

    def clean_profile(self) -> Any:
        profile = self.cleaned_data["profile"]
        if not Profile.objects.visible_to(self.granted_for).filter(pk=profile.pk).exists():
            raise ValidationError(_("There is no such profile."), code="profile")
        return profile

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= clock.utcnow():
            raise ValidationError(_("It is good until a time to come."), code="past")
        return expires_at


@admin.register(Entitlement)
class EntitlementAdmin(ExactSearch, Kept):
    form = GrantForm
    list_display = (
        "key",
        state("state", _TONES, _("state")),
        "left",
        link("profile_id", "customers_profile", _("profile")),
        "brand",
        state("origin", {}, _("granted by")),
        when("granted_at", _("granted")),
        when("expires_at", _("good until")),
    )
    list_filter = ("brand", "state", "origin", "key")
    list_select_related = ("brand",)
    search_fields = ("key", "profile__id", "profile__customer__id", "id")
    search_help_text = _("A whole key, or the id of a profile or customer.")
    show_full_result_count = False
    autocomplete_fields = ("brand",)
    when_empty = _(
        "Nobody was granted anything yet. Journeys grant by a step, partners by the API, you by the button above."
    )
    readonly_fields = (
        "profile_link", "state", "remaining", "granted_at", "ended_at", "origin", "origin_id", "step_id", "ledger",
    )  # fmt: skip

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "profile":
            kwargs["widget"] = LookUp(db_field.remote_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Entitlement | None = None) -> bool:
        """Changing one is taking it back, which is done once."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == _State.OPEN)

    def get_readonly_fields(self, request: HttpRequest, obj: Entitlement | None = None) -> Any:
        return self.readonly_fields if obj is None else (*_GRANTED, *self.readonly_fields)

    def get_fieldsets(self, request: HttpRequest, obj: Entitlement | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": _GRANTED}),)
        told = ("brand", "profile_link", "key", ("quantity", "remaining"), "state", "granted_at", "expires_at")
        by = ("origin", "origin_id", "step_id", "reason")
        end = {"fields": ("ended_reason",), "description": _("Saving with a reason takes back what is left of it.")}
        ended = (_("Its end"), {"fields": ("ended_at", "ended_reason")})
        return (
            (None, {"fields": told}),
            (_("Why"), {"fields": by}),
            (_("Take it back"), end) if self.has_change_permission(request, obj) else ended,
            (_("Ledger"), {"fields": ("ledger",)}),
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.granted_for = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Entitlement, form: Any, change: bool) -> None:
        now = clock.utcnow()
        act = Act(Origin.STAFF, str(request.user.pk), f"staff-{new_id()}")
        with transaction.atomic(), raw_cursor() as cursor:
            if change:
                done = ledger.revoke(cursor, [obj.pk], act, obj.ended_reason, now)
            else:
                grant = Grant(obj.brand_id, obj.profile_id, obj.key, act, obj.quantity, obj.expires_at, obj.reason)
                obj.pk, _is_new = ledger.grant_one(cursor, grant, now)
                done = may_change(request.user, Entitlement.objects.get(pk=obj.pk))
        if not done:
            # Somebody was quicker, or it is no brand of theirs: written inside the page's transaction, it is undone.
            raise PermissionDenied
        kept = Entitlement.objects.get(pk=obj.pk)
        for field in kept._meta.concrete_fields:
            setattr(obj, field.attname, getattr(kept, field.attname))
        obj._state.adding = False

    profile_link = staticmethod(link("profile_id", "customers_profile", _("profile")))

    @admin.display(description=_("left"), ordering="remaining")
    def left(self, entitlement: Entitlement) -> Any:
        if entitlement.quantity is None:
            return _("not counted")
        values = {"left": entitlement.remaining, "quantity": entitlement.quantity}
        return _("%(left)s of %(quantity)s") % values

    @admin.display(description=_("newest first"))
    def ledger(self, entitlement: Entitlement) -> SafeString | str:
        rows = beside(entitlement, EntitlementEntry).filter(entitlement=entitlement).order_by("-pk")
        return table(
            (_("at"), _("what happened"), _("quantity"), _("left"), _("by"), _("of number")),
            (
                (one.at, one.get_kind_display(), one.quantity, one.remaining, one.get_origin_display(), one.origin_id)
                for one in rows[:200]
            ),
        )


@admin.register(EntitlementEntry)
class EntitlementEntryAdmin(Facts):
    list_display = (
        state("kind", {}, _("what happened")),
        link("entitlement_id", "channels_entitlement", _("entitlement")),
        "quantity",
        "remaining",
        state("origin", {}, _("by")),
        when("at", _("at")),
    )
    list_filter = ("brand", "kind", "origin")
    search_fields = ("entitlement__id", "idempotency_key")
    when_empty = _("Nothing was granted yet, and so nothing used.")
