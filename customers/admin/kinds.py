"""Kinds of identifiers: what this installation's systems call people by, and how each is read and limited."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers import clock
from customers.admin.base import Kept
from customers.admin.fields import Lines
from customers.identifiers.scheme import schemes
from customers.merging.anew import ask_for_regrouping
from customers.models import IdentifierKind


class KindForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    scheme = forms.ChoiceField(label=_("read as"), help_text=IdentifierKind._meta.get_field("scheme").help_text)
    blocked = Lines(
        label=_("blocked values"), required=False, help_text=IdentifierKind._meta.get_field("blocked").help_text
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scheme" in self.fields:
            choices = [(key, one.label) for key, one in sorted(schemes().items())]
            self.fields["scheme"].choices = choices  # type: ignore[attr-defined]  # a choice field, see above


@admin.register(IdentifierKind)
class IdentifierKindAdmin(Kept):
    """What a value means must not change once there are values: the scheme and its namespace are for ever. Ranks and
    limits may: who belongs to whom then follows anew."""

    form = KindForm
    list_display = ("name", "key", "scheme", "rank", "most_per_customer", "most_people", "organisation_wide")
    fields = (
        "key",
        "name",
        "scheme",
        "rank",
        "most_per_customer",
        "most_people",
        "organisation_wide",
        "is_typed",
        "blocked",
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and {"most_per_customer", "most_people"} & set(form.changed_data):
            ask_for_regrouping(clock.utcnow(), request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("key", "scheme", "organisation_wide")
