"""What a preview is made of: for whom, when, in which language, and what happened before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from channels.dispatch import extras
from channels.models import PulledSource
from channels.previews import NOBODY, Ask, Somebody, find
from channels.previews.somebody import latest_event
from channels.pulled.known import ROOT
from channels.templates import Text
from consent.models import Purpose
from customers import clock, suggest
from customers.admin.fields import Document, DocumentArea
from customers.models import Brand

_LONGEST: Final = 320
_EVENTS: Final = "preview-events"


@dataclass(frozen=True, slots=True)
class Looked:
    """The words that are looked at, saved or not, and what they pull."""

    channel: str
    brand: Brand
    texts: list[Text]
    sources: list[PulledSource]


class PreviewForm(forms.Form):
    person = forms.CharField(
        label=_("as seen by"),
        required=False,
        max_length=_LONGEST,
        help_text=_("A whole identifier or address, or the id of a customer. Empty: somebody nothing is known of."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    locale = forms.ChoiceField(label=_("language"), required=False, widget=UnfoldAdminSelectWidget())
    at = forms.DateTimeField(
        label=_("moment"),
        required=False,
        help_text=_("What was known of them then, by the brand’s clock. Empty: now."),
        widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )
    purpose = forms.ModelChoiceField(
        label=_("for"),
        queryset=Purpose.objects.none(),
        required=False,
        help_text=_("What it would be sent for: products and other contents are loaded for it."),
        widget=UnfoldAdminSelectWidget(),
    )
    event = forms.CharField(
        label=_("event"),
        required=False,
        max_length=200,
        help_text=_("Its name: what their latest one said fills in {{ event }} and {{ journey }}."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "list": _EVENTS}),
    )
    variables = Document(
        label=_("or what it says"),
        required=False,
        help_text=_('As JSON, as in {"total": 4990}.'),
        widget=DocumentArea({"rows": 3}),
    )

    def __init__(self, user: Any, looked: Looked, data: Any = None) -> None:
        super().__init__(data)
        self.user, self.looked = user, looked
        brand, texts = looked.brand, looked.texts
        purposes: Any = self.fields["purpose"]
        purposes.queryset = Purpose.objects.visible_to(user).filter(brand=brand)
        if not any(extras.named_in(text).keys() - {ROOT} for text in texts):
            del self.fields["purpose"]
        chosen: Any = self.fields["locale"]
        chosen.choices = [("", _("theirs, else the brand’s")), *((text.locale, text.locale) for text in texts)]
        self.somebody: Somebody = NOBODY

    @property
    def events(self) -> tuple[str, list[str]]:
        """To choose from, and the id of their list."""
        return _EVENTS, suggest.event_names(self.looked.brand.pk)

    def clean_at(self) -> datetime:
        at: datetime | None = self.cleaned_data["at"]
        return clock.utcnow() if at is None else at.replace(tzinfo=ZoneInfo(self.looked.brand.zone))

    def clean_variables(self) -> dict[str, Any]:
        given = self.cleaned_data.get("variables") or {}
        if not isinstance(given, dict):
            raise ValidationError(_('This is no object, as in {"total": 4990}.'), code="object")
        return given

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("person") and "at" in cleaned:
            found = find(self.user, cleaned["person"], self.looked.brand.pk, cleaned["at"])
            if found is None:
                self.add_error("person", _("Nobody whom you may see is known by this."))
            else:
                self.somebody = found
        if cleaned.get("event") and not cleaned.get("variables") and not self.errors:
            brand = self.looked.brand
            said = latest_event(self.user, self.somebody, brand.pk, cleaned["event"], cleaned["at"])
            if said is None:
                self.add_error("event", _("They had no such event by then. Write below what it would say."))
            cleaned["variables"] = dict(said or {})
        return cleaned

    def ask(self) -> Ask:
        """Of a valid form; of one that was not sent in, as it would begin."""
        given = self.cleaned_data if self.is_bound and self.is_valid() else {}
        return Ask(
            texts=self.looked.texts,
            brand=self.looked.brand,
            at=given.get("at") or clock.utcnow(),
            somebody=self.somebody if given else NOBODY,
            variables=given.get("variables") or {},
            locale=given.get("locale") or "",
            channel=self.looked.channel,
            sources=self.looked.sources,
            purpose_id=purpose.pk if (purpose := given.get("purpose")) else None,
        )
