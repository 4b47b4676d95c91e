"""What traits mean: types, whose word counts, and which of them are not personal."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers import traits
from customers.admin.base import AnyAdmin
from customers.admin.fields import Lines
from customers.merging.anew import ask_for_traits
from customers.models import Source, TraitDefinition
from customers.segments import telling


class DefinitionForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    trusted = Lines(
        label=_("trusted sources"),
        required=False,
        help_text=_("As brand/source, by their keys, one a line: the most trusted first."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.trusted:
            keys = {one.pk: f"{one.brand.key}/{one.key}" for one in Source.objects.select_related("brand")}
            self.initial["trusted"] = [keys.get(id_, str(id_)) for id_ in self.instance.trusted]

    def clean_trusted(self) -> list[Any]:
        ids = {f"{one.brand.key}/{one.key}": one.pk for one in Source.objects.select_related("brand")}
        told = self.cleaned_data["trusted"]
        unknown = [key for key in told if key not in ids]
        if unknown:
            raise forms.ValidationError(
                _("There is no source %(key)s."), code="unknown_source", params={"key": unknown[0]}
            )
        return [ids[key] for key in told]


@admin.register(TraitDefinition)
class TraitDefinitionAdmin(AnyAdmin):
    form = DefinitionForm
    list_display = ("name", "label", "type", "winner", "is_personal")
    list_filter = ("type", "winner", "is_personal")
    search_fields = ("name", "label")
    search_help_text = _("A part of the name or of the label.")
    fields = ("name", "label", "description", "type", "winner", "trusted", "is_personal")
    when_empty = _("Traits are taken as they are told, and the last word counts. Define one to say otherwise.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("name",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if {"type", "winner", "trusted"} & set(form.changed_data):
            ask_for_traits([obj.name], request.user)
        if not change or "is_personal" in form.changed_data:
            traits.forget()
            telling.settle_all()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        ask_for_traits([obj.name], request.user)
        traits.forget()
        telling.settle_all()
