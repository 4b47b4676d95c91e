"""The form by which policies are tried out."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from channels.pacing.rules import About
from channels.pacing.trying import Answer, attempt
from channels.pacing.words import about, says
from consent.models import Purpose
from customers import clock
from customers.models import Brand, Customer
from customers.models.address import Channel
from customers.places import zones


class _Choice(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    widget = UnfoldAdminSelectWidget


class TryForm(forms.Form):
    brand = _Choice(label=_("brand"), queryset=Brand.objects.none())
    channel = forms.ChoiceField(
        label=_("channel"),
        choices=[one for one in Channel.choices if one[0] != Channel.PERSON],
        widget=UnfoldAdminSelectWidget(),
    )
    purpose = _Choice(label=_("purpose"), queryset=Purpose.objects.none())
    customer = forms.UUIDField(
        label=_("customer"),
        required=False,
        help_text=_("The id of somebody: their zone and what they had count. Empty: somebody new."),
        widget=UnfoldAdminTextInputWidget(),
    )
    zone = forms.ChoiceField(
        label=_("time zone"),
        required=False,
        choices=[("", _("the customer’s, else the brand’s")), *((one, one) for one in zones())],
        widget=UnfoldAdminSelectWidget(),
    )
    at = forms.DateTimeField(
        label=_("moment"),
        required=False,
        help_text=_("By the clock of that zone, or of the brand’s where none is chosen; empty: now."),
        widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )

    def __init__(self, user: Any, data: Any = None) -> None:
        super().__init__(data)
        self.user = user
        brands, purposes = self.fields["brand"], self.fields["purpose"]
        brands.queryset = Brand.objects.visible_to(user)  # type: ignore[attr-defined]  # a model choice
        purposes.queryset = Purpose.objects.visible_to(user)  # type: ignore[attr-defined]  # a model choice

    def clean_customer(self) -> UUID | None:
        customer: UUID | None = self.cleaned_data["customer"]
        if customer is not None and not Customer.objects.visible_to(self.user).filter(pk=customer).exists():
            raise ValidationError(_("Nobody whom you may see has this id."), code="customer")
        return customer

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        brand, purpose = cleaned.get("brand"), cleaned.get("purpose")
        if brand is not None and purpose is not None and purpose.brand_id != brand.pk:
            self.add_error("purpose", _("This purpose is of another brand."))
        return cleaned

    def answer(self) -> dict[str, Any]:
        """For the page: each policy in words, and what comes of all together."""
        given = self.cleaned_data
        brand, purpose = given["brand"], given["purpose"]
        zone = ZoneInfo(given["zone"]) if given["zone"] else None
        at = clock.utcnow()
        if given["at"] is not None:
            at = given["at"].replace(tzinfo=zone or ZoneInfo(brand.zone))
        of = About(brand.pk, given["channel"], purpose.pk, purpose.kind)
        found: Answer = attempt(of, at, customer_id=given["customer"], zone=zone)
        until = None if found.block is None else found.block.until
        return {
            "zone": found.zone.key,
            "whose": found.whose,
            "local": found.local.strftime("%Y-%m-%d %H:%M"),
            "rows": [(one.policy, says(one.policy), about(one.policy), one.counted, one.holds) for one in found.tried],
            "reason": None if found.block is None else found.block.reason.label,
            "until": None if until is None else until.astimezone(found.zone).strftime("%Y-%m-%d %H:%M"),
            "is_legal": purpose.kind == Purpose.Kind.LEGAL,
        }
