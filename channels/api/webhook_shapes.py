"""Outgoing webhooks as the API's description tells them."""

from typing import Any

from rest_framework import serializers

from channels.models import WebhookDelivery, WebhookEndpoint
from customers.api.strict import Body, Moment, Number, Text

MOST_NAMES = 200
MOST_HOURS = 168


class WebhookShape(serializers.Serializer[Any]):
    """A webhook that a token made. Its secret is told once, when it is made or renewed."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    tells_personal = serializers.BooleanField(help_text="Without it values of events are masked.")
    tells_history = serializers.BooleanField()
    owner = serializers.CharField()
    is_active = serializers.BooleanField()
    off_reason = serializers.ChoiceField(choices=["", *WebhookEndpoint.Off.values])
    off_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Nothing has succeeded since then.")
    created_at = serializers.DateTimeField()

    class Meta:
        ref_name = "Webhook"


class NewWebhookShape(WebhookShape):
    secret = serializers.CharField(
        allow_null=True, help_text="By which you verify signatures; null in an answer that is given again."
    )

    class Meta:
        ref_name = "WebhookWithSecret"


class WebhooksShape(serializers.Serializer[Any]):
    items = WebhookShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "Webhooks"


class Flag(serializers.BooleanField):
    """True or false, and no word that could be read as one."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input="")
        return data


class WebhookBody(Body):
    name = Text(max_length=200)
    url = Text(max_length=500, help_text="Begins with https://; public addresses only, by port 443 or 8443.")
    events = serializers.ListField(
        child=Text(max_length=120), min_length=1, max_length=MOST_NAMES, help_text="Exact names."
    )
    tells_personal = Flag(required=False, help_text="Takes the scope customers:personal. Left out: false.")
    tells_history = Flag(required=False, help_text="Also of what imports fill in. Left out: false.")
    owner = Text(max_length=200, help_text="Who is told when it fails.")

    class Meta:
        ref_name = "NewWebhook"


class SecretBody(Body):
    overlap_hours = Number(
        required=False,
        min_value=0,
        max_value=MOST_HOURS,
        help_text="For so long the secret before it is signed with as well. Left out: 24.",
    )

    class Meta:
        ref_name = "NewWebhookSecret"


class NothingBody(Body):
    """Nothing has to be said."""

    class Meta:
        ref_name = "Nothing"


class DeliveryShape(serializers.Serializer[Any]):
    """`id` is the `webhook-id` of each attempt."""

    id = serializers.UUIDField()
    event = serializers.CharField(allow_null=True, help_text="Null: a test.")
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=WebhookDelivery.State.values)
    reason = serializers.CharField(allow_blank=True)
    status = serializers.IntegerField(allow_null=True, help_text="What you answered last.")
    tries = serializers.IntegerField(help_text="Those that count in the schedule.")
    attempts = serializers.IntegerField()
    received_at = serializers.DateTimeField(help_text="When the event was received.")
    due_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried next.")
    settled_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        ref_name = "WebhookDelivery"


class DeliveriesShape(serializers.Serializer[Any]):
    items = DeliveryShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "WebhookDeliveries"


class ReplayBody(Body):
    """Events received from `since` on and before `until`, at most 400 days."""

    since = Moment()
    until = Moment()
    only_failed = Flag(
        required=False,
        help_text="False: those too that were delivered, or came while the webhook was off. Left out: true.",
    )

    class Meta:
        ref_name = "WebhookReplay"


class ReplayShape(serializers.Serializer[Any]):
    job = serializers.UUIDField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    only_failed = serializers.BooleanField()

    class Meta:
        ref_name = "WebhookReplayAsked"
