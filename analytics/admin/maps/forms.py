"""The forms of a map: what stands in its cells, columns and rows, and how its page is filtered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from analytics.map_board import Filters, Standing
from analytics.map_numbers import PERIODS
from customers.models import EventType, SquadMember
from customers.people import colleagues
from journeys.maps.errors import FieldChange
from journeys.maps.places import AnyPart
from journeys.models import JourneyMap, MapChannel, MapStage, Touchpoint

if TYPE_CHECKING:
    from customers.sight import Person

    PartModelForm = forms.ModelForm[Any]
else:
    PartModelForm = forms.ModelForm

_LINES = forms.Textarea(attrs={"rows": 2})
_ANSWERS = ("customer_is", "customer_wants", "removes_friction", "next_step", "expected_action")
_EVENTS_OFFERED = 500


class PartForm(PartModelForm):
    """A stage, channel or touchpoint; `lock` is the revision its author saw."""

    lock = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, *args: Any, map_: JourneyMap, user: "Person", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.map = map_
        if not self.is_bound and "lock" not in self.initial:
            self.initial["lock"] = self.instance.lock_version
        self.narrow(user)

    def narrow(self, user: "Person") -> None:
        """Offer no more than belongs to the map."""

    def values(self) -> dict[str, Any]:
        """What was written, by the names of the part's columns."""
        return {
            name: _key(self.cleaned_data[name.removesuffix("_id")])
            for name in self.instance.written
            if name.removesuffix("_id") in self.cleaned_data
        }


class StageForm(PartForm):
    class Meta:
        model = MapStage
        fields = ("name", "question", "feeling", "good_experience", "next_step")
        widgets = dict.fromkeys(("question", "feeling", "good_experience", "next_step"), _LINES)


class ChannelForm(PartForm):
    class Meta:
        model = MapChannel
        fields = ("kind", "name")


class TouchpointForm(PartForm):
    class Meta:
        model = Touchpoint
        fields = (
            "name", "stage", "channel", "customer_is", "customer_wants", "removes_friction", "next_step", "message",
            "expected_action", "expected_event", "conversion_days", "arrival_event", "owner_role", "owner",
            "is_critical", "intent",
        )  # fmt: skip
        widgets = dict.fromkeys(
            ("customer_is", "customer_wants", "removes_friction", "next_step", "expected_action"), _LINES
        ) | {
            "message": forms.Textarea(attrs={"rows": 3}),
            "expected_event": forms.TextInput(attrs={"list": "event-names"}),
            "arrival_event": forms.TextInput(attrs={"list": "event-names"}),
        }

    def narrow(self, user: "Person") -> None:
        offered: Any = self.fields
        offered["stage"].queryset = self.map.stages.filter(removed_at=None)
        offered["channel"].queryset = self.map.channels.filter(removed_at=None)
        for name in ("stage", "channel"):
            offered[name].empty_label = None
        people = colleagues(get_user_model()._default_manager.filter(is_active=True), user)
        of_brand = SquadMember.objects.filter(squad__brand=self.map.brand_id).values("user")
        known = Q(pk__in=of_brand) | Q(pk=user.pk) | Q(pk=self.instance.owner_id)
        offered["owner"].queryset = people.filter(known).order_by("username")

    def event_names(self) -> list[str]:
        """The planned events of the brand, as suggestions."""
        planned = EventType.objects.filter(brand=self.map.brand_id).order_by("name")
        return list(planned.values_list("name", flat=True)[:_EVENTS_OFFERED])


FORMS: Mapping[str, type[PartForm]] = {"stage": StageForm, "channel": ChannelForm, "touchpoint": TouchpointForm}
MODELS: Mapping[str, type[AnyPart]] = {"stage": MapStage, "channel": MapChannel, "touchpoint": Touchpoint}


def _key(value: Any) -> Any:
    return getattr(value, "pk", value)


@dataclass(frozen=True, slots=True)
class Written:
    """A field as it is shown, with what somebody else did to it meanwhile."""

    bound: forms.BoundField
    theirs: str = ""
    contested: bool = False
    changed: bool = False

    @property
    def is_short(self) -> bool:
        """Whether half a line is enough for it."""
        return not isinstance(self.bound.field.widget, forms.Textarea) and self.bound.name != "name"


def written_fields(form: PartForm, changes: Iterable[FieldChange] = ()) -> list[Written]:
    by_field = {change.name.removesuffix("_id"): change for change in changes}
    return [_written(form, bound, by_field.get(bound.name)) for bound in form.visible_fields()]


def _written(form: PartForm, bound: forms.BoundField, change: FieldChange | None) -> Written:
    if change is None or change.before == change.theirs:
        return Written(bound)
    return Written(bound, _in_words(form, bound.name, change.theirs), change.is_contested, changed=True)


def _in_words(form: PartForm, name: str, value: Any) -> str:
    """A value as people read it: a choice by its label, a row by its name."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    offered = getattr(form.fields[name], "choices", ())
    labels = {str(getattr(key, "value", key)): str(label) for key, label in offered}
    return labels.get(str(value), "" if value is None else str(value))


class FilterForm(forms.Form):
    """How a map's page is narrowed down; what is not understood narrows nothing."""

    days = forms.TypedChoiceField(
        label=_("Period"),
        coerce=int,
        required=False,
        choices=lambda: [(days, gettext("last %(days)s days") % {"days": days}) for days in PERIODS],
    )
    owner = forms.ChoiceField(label=_("Owner"), required=False)
    standing = forms.ChoiceField(label=_("Standing"), required=False, choices=[("", _("all")), *Standing.choices])
    critical = forms.BooleanField(label=_("Critical moments only"), required=False)

    def __init__(self, data: Any, owners: Iterable[tuple[str, str]]) -> None:
        super().__init__(data)
        people = list(owners)
        choices: list[Any] = [("", _("everybody")), ("nobody", _("nobody yet")), *SquadMember.Role.choices]
        field: Any = self.fields["owner"]
        field.choices = choices + people

    @property
    def period(self) -> int:
        self.is_valid()
        return int(self.cleaned_data.get("days") or PERIODS[0])

    @property
    def filters(self) -> Filters:
        self.is_valid()
        found = self.cleaned_data
        return Filters(found.get("owner", ""), bool(found.get("critical")), found.get("standing", ""))


class PlaceForm(forms.Form):
    """Which live step goes where: to a touchpoint that is there, or to a new one in a stage."""

    journey = forms.UUIDField()
    step = forms.CharField(max_length=60)
    to = forms.RegexField(r"^(touchpoint|stage):[0-9a-f-]{36}$")

    def target(self) -> tuple[str, UUID]:
        kind, _colon, key = self.cleaned_data["to"].partition(":")
        return kind, UUID(key)

    def clean_to(self) -> str:
        to: str = self.cleaned_data["to"]
        try:
            UUID(to.partition(":")[2])
        except ValueError:
            raise forms.ValidationError(_("There is no such place on the map.")) from None
        return to
