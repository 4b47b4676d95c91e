"""Secrets by which a shop's server vouches for its visitors: made, shown once, and ended."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from customers import clock
from customers.admin.base import Kept
from customers.admin.show import badge, when
from customers.models import Source, VisitorSecret
from customers.visitors import secrets

if TYPE_CHECKING:
    SecretModelForm = forms.ModelForm[VisitorSecret]
else:
    SecretModelForm = forms.ModelForm


class SecretForm(SecretModelForm):
    def clean_source(self) -> Source:
        source: Source = self.cleaned_data["source"]
        there = VisitorSecret.objects.filter(source=source)
        if sum(one.is_good(clock.utcnow()) for one in there) >= secrets.MOST:
            raise ValidationError(_("So many are in force already. End one first."), code="too_many")
        return source


@admin.register(VisitorSecret)
class VisitorSecretAdmin(Kept):
    form = SecretForm
    list_display = ("__str__", "source", "standing", when("created_at", _("created")), when("ended_at", _("ended")))
    list_filter = ("source", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("source",)
    search_fields = ("source__name",)
    search_help_text = _("A part of the source’s name.")
    # A secret is given for a source by those who may change the source.
    parent = "source"
    fields = ("source",)
    readonly_fields = ("standing", "created_at", "ended_at")
    actions = ("end",)
    when_empty = _(
        "Your server signs with a secret who is signed in on your pages. Without one the in-app inbox shows people only"
        " what was written to their browser."
    )

    def get_fields(self, request: HttpRequest, obj: VisitorSecret | None = None) -> Any:
        return self.fields if obj is None else ("source", *self.readonly_fields)

    def has_change_permission(self, request: HttpRequest, obj: VisitorSecret | None = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_visitorsecret"))

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: Any, **kwargs: Any) -> Any:
        if db_field.name == "source":
            kwargs["queryset"] = Source.objects.exclude(key=Source.RESERVED_KEY)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: VisitorSecret, form: Any, change: bool) -> None:
        made, plaintext = secrets.issue(obj.source, clock.utcnow())
        obj.pk = made.pk
        text = gettext("The secret is %(secret)s. Copy it now: it is shown this once.") % {"secret": plaintext}
        self.message_user(request, text, messages.WARNING)

    @admin.display(description=_("status"))
    def standing(self, secret: VisitorSecret) -> SafeString:
        if secret.is_good(clock.utcnow()):
            return badge(pgettext("visitor secret", "in force"), "good")
        return badge(pgettext("visitor secret", "ended"), "")

    @admin.action(description=_("End at once"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[VisitorSecret]) -> None:
        now = clock.utcnow()
        ended = [one for one in queryset if one.is_good(now)]
        for one in ended:
            secrets.end(one, now)
        count = len(ended)
        text = ngettext("%(count)s secret was ended.", "%(count)s secrets were ended.", count)
        self.message_user(request, text % {"count": count})
