"""The form that takes a privacy request down."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from consent.models import PrivacyRequest
from consent.privacy import requests
from consent.privacy.requests import Asking
from customers import clock, kinds
from customers.identifiers import IdentifierError
from customers.models import IdentifierKind
from customers.privacy.subject import Naming


class OpeningForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    identifier_kind = forms.ChoiceField(label=_("known by"), widget=UnfoldAdminSelectWidget)
    identifier = forms.CharField(
        label=_("which is"),
        max_length=320,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Whole: an e-mail address, a number, a user id. Whoever else is the same person is found by it."),
    )
    asked_on = forms.DateField(
        label=_("asked on"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text=_("The day it was received: the clock of the law runs from it. Empty: today."),
    )
    note = forms.CharField(
        label=_("note"), required=False, widget=UnfoldAdminTextareaWidget, help_text=_("Gone when they are erased.")
    )

    class Meta:
        model = PrivacyRequest
        fields = ("brand", "kind", "law", "channel", "assurance")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names: list[Naming] = []
        names = dict(IdentifierKind.objects.values_list("key", "name"))
        field: Any = self.fields["identifier_kind"]
        field.choices = [(key, names.get(key, key)) for key in kinds.current(clock.utcnow())]
        field.initial = "email"

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        given = self.cleaned_data
        if {"brand", "asked_on"} <= given.keys():
            try:
                requests.day_asked(given["brand"], given["asked_on"], clock.utcnow())
            except requests.NotThatDay:
                self.add_error("asked_on", _("That day is still to come for the brand, or before there was the brand."))
        if {"brand", "identifier_kind", "identifier"} <= given.keys():
            try:
                spaces = requests.namespaces_of(given["brand"])
                self._names = requests.naming(given["identifier_kind"], given["identifier"], spaces, clock.utcnow())
            except IdentifierError as error:
                self.add_error("identifier", str(error.message))
        return cleaned

    def asking(self) -> Asking:
        given = self.cleaned_data
        return Asking(
            brand=given["brand"],
            kind=given["kind"],
            law=given["law"],
            channel=given["channel"],
            assurance=given["assurance"],
            names=self._names,
            note=given["note"],
            asked_on=given["asked_on"],
        )
