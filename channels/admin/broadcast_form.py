"""The form of a broadcast: which channel it goes by follows from its connector."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget

from channels.models import Broadcast, Connector
from channels.models.connector import CALLS

if TYPE_CHECKING:
    BroadcastModelForm = forms.ModelForm[Broadcast]
else:
    BroadcastModelForm = forms.ModelForm

_HOUR = timedelta(hours=1)


class BroadcastForm(BroadcastModelForm):
    late_after = forms.IntegerField(
        label=_("not later than, in hours"),
        min_value=1,
        max_value=31 * 24,
        initial=24,
        help_text=_("Counted from when it was to go. What could not go by then is not sent."),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    wait_for = forms.FloatField(
        label=_("wait for so many hours"),
        min_value=0,
        max_value=14 * 24,
        initial=4,
        required=False,
        help_text=_("After the last of the pilot group."),
        widget=UnfoldAdminDecimalFieldWidget,
    )

    class Meta:
        model = Broadcast
        exclude = ("channel", "not_later_than", "pilot_wait")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["late_after"] = int(self.instance.not_later_than / _HOUR)
            self.initial["wait_for"] = self.instance.pilot_wait / _HOUR
        connectors: Any = self.fields.get("connector")
        if connectors is not None:
            connectors.queryset = connectors.queryset.exclude(channel=CALLS)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        brand = cleaned.get("brand") or getattr(self.instance, "brand", None)
        for name in ("segment", "purpose", "connector", "template"):
            chosen = cleaned.get(name)
            if chosen is not None and brand is not None and chosen.brand_id != brand.pk:
                self.add_error(name, _("This is another brand’s."))
        connector, template = cleaned.get("connector"), cleaned.get("template")
        if isinstance(connector, Connector) and template is not None and connector.channel != template.channel:
            words = _("The connector sends by %(connector)s, and the template is for %(template)s.")
            names = {"connector": connector.get_channel_display(), "template": template.get_channel_display()}
            self.add_error("template", words % names)
        self._check_when(cleaned)
        return cleaned

    def _check_when(self, cleaned: dict[str, Any]) -> None:
        when = cleaned.get("when")
        if when == Broadcast.When.AT and not cleaned.get("starts_at"):
            self.add_error("starts_at", _("Say at which moment it begins."))
        if when == Broadcast.When.LOCAL:
            for name in ("local_day", "local_time"):
                if not cleaned.get(name):
                    self.add_error(name, _("Say on which day and at what time of day it goes."))

    def _post_clean(self) -> None:
        cleaned = self.cleaned_data
        if isinstance(cleaned.get("connector"), Connector):
            self.instance.channel = cleaned["connector"].channel
        if cleaned.get("late_after"):
            self.instance.not_later_than = cleaned["late_after"] * _HOUR
        if cleaned.get("wait_for") is not None:
            self.instance.pilot_wait = cleaned["wait_for"] * _HOUR
        super()._post_clean()  # type: ignore[misc]  # Django's own step of a model's form
