"""Brands and the squads that work in them."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from customers.admin.base import AnyAdmin, AnyTabular, Kept
from customers.admin.fields import OneOf, currencies, locales, zones
from customers.models import Brand, Squad, SquadMember

if TYPE_CHECKING:
    BrandModelForm = forms.ModelForm[Brand]
else:
    BrandModelForm = forms.ModelForm


class BrandForm(BrandModelForm):
    zone = OneOf(
        zones(), label=_("time zone"), initial="UTC", help_text=_("Days in counters, caps and reports are days in it.")
    )
    locale = OneOf(
        locales(), label=_("locale"), initial="en", help_text=_("The language customers are written to by default.")
    )
    currency = OneOf(currencies(), label=_("currency"), initial="USD", help_text=_("Amounts are reported in it."))

    class Meta:
        model = Brand
        exclude = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, OneOf):
                field.keep(getattr(self.instance, name, ""))


@admin.register(Brand)
class BrandAdmin(Kept):
    form = BrandForm
    list_display = ("name", "key", "zone", "locale", "currency", "sender_email")
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    prepopulated_fields = {"key": ("name",)}
    when_empty = _("A brand is a name under which you speak to people. Everything else belongs to one, so begin here.")
    fieldsets = (
        (None, {"fields": ("name", "key", "zone", "locale", "currency")}),
        (
            _("Sender"),
            {
                "fields": ("sender_name", "sender_email", "postal_address"),
                "description": _("What stands in messages as the sender. Many laws ask for a postal address."),
            },
        ),
        (_("Links"), {"fields": ("web_hosts",)}),
        (
            _("Journeys"),
            {
                "fields": ("journeys_at_once",),
                "description": _(
                    "Who is in that many is let into no other marketing journey, but never taken out of one. Of"
                    " journeys that one event begins, those of higher priority go first."
                ),
            },
        ),
    )


class MemberInline(AnyTabular):
    model = SquadMember
    extra = 0


@admin.register(Squad)
class SquadAdmin(Kept):
    list_display = ("name", "brand", "people")
    list_filter = ("brand",)
    list_select_related = ("brand",)
    search_fields = ("name",)
    search_help_text = _("A part of the name.")
    autocomplete_fields = ("brand",)
    inlines = (MemberInline,)
    when_empty = _("A squad is the people who look after something in a brand: a journey, a source, a channel.")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).prefetch_related("members__user")

    @admin.display(description=_("people"))
    def people(self, squad: Squad) -> str:
        # One person may hold several roles.
        return ", ".join(dict.fromkeys(str(member.user) for member in squad.members.all()))


@admin.register(SquadMember)
class SquadMemberAdmin(AnyAdmin):
    list_display = ("user", "squad", "role")
    list_filter = ("role", "squad")
    list_select_related = ("user", "squad")
    search_fields = ("user__username", "squad__name")
    search_help_text = _("A part of a user name or of a squad’s name.")
    autocomplete_fields = ("squad",)
