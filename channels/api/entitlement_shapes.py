"""What the endpoints of entitlements take and answer, as the API's description tells it."""

from typing import Any

from rest_framework import serializers

from channels.models import Entitlement, Origin
from channels.models.entitlement import MOST_AT_ONCE
from customers.api.shapes import PersonBody
from customers.api.strict import Body, Moment, Number, Text


class EntitlementShape(serializers.Serializer[Any]):
    """One grant, and what is left of it. Without a quantity it is used without counting, while it is good."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    quantity = serializers.IntegerField(allow_null=True)
    remaining = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=Entitlement.State.values)
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    origin = serializers.ChoiceField(choices=[Origin.RUN.value, Origin.API.value, Origin.STAFF.value])
    reason = serializers.CharField(allow_blank=True, help_text="Masked without the scope customers:personal.")

    class Meta:
        ref_name = "Entitlement"


class EntitlementsShape(serializers.Serializer[Any]):
    items = EntitlementShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "Entitlements"


class BalanceShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    counted = serializers.IntegerField(help_text="How often it could be used, of grants that are counted.")
    is_free = serializers.BooleanField(help_text="Whether it could be used without counting.")

    class Meta:
        ref_name = "EntitlementBalance"


class BalancesShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    items = BalanceShape(many=True)

    class Meta:
        ref_name = "EntitlementBalances"


class GrantBody(PersonBody):
    key = Text(max_length=60, help_text="What is granted: small letters, digits and _ . - alone.")
    quantity = Number(
        required=False, min_value=1, max_value=MOST_AT_ONCE, help_text="Left out: as often as they like, while good."
    )
    expires_at = Moment(required=False, help_text="Left out: without an end.")
    reason = Text(required=False, max_length=300)

    class Meta:
        ref_name = "NewEntitlement"


class UseBody(PersonBody):
    key = Text(max_length=60)
    quantity = Number(required=False, min_value=1, max_value=MOST_AT_ONCE, help_text="Left out: 1.")

    class Meta:
        ref_name = "EntitlementUse"


class UsedPartShape(serializers.Serializer[Any]):
    entitlement = serializers.UUIDField()
    quantity = serializers.IntegerField()
    remaining = serializers.IntegerField(allow_null=True)

    class Meta:
        ref_name = "EntitlementUsedPart"


class UsedShape(serializers.Serializer[Any]):
    """What it was taken from: of all the customer's grants of this key, those that end first."""

    key = serializers.CharField()
    quantity = serializers.IntegerField()
    used = UsedPartShape(many=True)

    class Meta:
        ref_name = "EntitlementUsed"


class RevokeBody(Body):
    reason = Text(max_length=300)

    class Meta:
        ref_name = "EntitlementRevocation"
