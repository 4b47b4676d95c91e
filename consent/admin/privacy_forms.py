"""The form that takes a privacy request down."""

from datetime import datetime
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
    field_order = ("brand", "kind", "law", "channel", "asked_on", "identifier_kind", "source", "identifier")
    note = forms.CharField(
        label=_("note"), required=False, widget=UnfoldAdminTextareaWidget, help_text=_("Gone when they are erased.")
    )

    class Meta:
        model = PrivacyRequest
        # The source says in whose system an id means somebody; it is not who handed the request on.
        fields = ("brand", "kind", "law", "channel", "source", "assurance")
        labels = {"source": _("id given by")}
        help_texts = {
            "source": _(
                "The system whose id it is: the same id may be another person's elsewhere. Needed where the brand has"
                " several systems that give ids of their own."
            )
        }

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
        if {"brand", "identifier_kind", "identifier", "source"} <= given.keys():
            try:
                self._names = self._name()
            except IdentifierError as error:
                self.add_error("identifier", str(error.message))
            except requests.SeveralMeant:
                told = _("More than one person goes by this. Take the request down by a name that is theirs alone.")
                self.add_error("identifier", told)
        return cleaned

    def _name(self) -> list[Naming]:
        given, now = self.cleaned_data, clock.utcnow()
        source = given["source"] if given["identifier_kind"] in local_kinds(now) else None
        spaces = [source.namespace] if source else requests.namespaces_of(given["brand"])
        if source and source.brand_id != given["brand"].pk:
            self.add_error("source", _("This is a source of another brand."))
            return []
        if given["identifier_kind"] in local_kinds(now) and len(spaces) != 1:
            self.add_error("source", _("Say which source gave the id: the same one may be another person's elsewhere."))
            return []
        return requests.name_of_one(given["identifier_kind"], given["identifier"], spaces, now)

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


def local_kinds(now: datetime) -> list[str]:
    """Kinds of identifiers that mean somebody in one system alone."""
    return [key for key, kind in kinds.current(now).items() if not kind.organisation_wide]
