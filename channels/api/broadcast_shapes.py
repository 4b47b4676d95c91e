"""Broadcasts as the API's description tells them."""

from typing import Any

from rest_framework import serializers

from channels.models import Broadcast
from customers.api.strict import Body, Text


class BroadcastNumbersShape(serializers.Serializer[Any]):
    """recipients = waiting + made + all that were refused."""

    recipients = serializers.IntegerField()
    waiting = serializers.IntegerField()
    made = serializers.IntegerField(help_text="Those who have a message.")
    refused = serializers.DictField(child=serializers.IntegerField(), help_text="By reason.")

    class Meta:
        ref_name = "BroadcastNumbers"


class BroadcastShape(serializers.Serializer[Any]):
    """What goes to whom, and how far it is."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    segment = serializers.CharField(help_text="Its key.")
    channel = serializers.CharField()
    state = serializers.ChoiceField(choices=Broadcast.State.values)
    begins_at = serializers.DateTimeField(allow_null=True)
    begun_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    numbers = BroadcastNumbersShape(
        allow_null=True, help_text="Null where its segment tells personal data and you do not read that."
    )

    class Meta:
        ref_name = "Broadcast"


class BroadcastsShape(serializers.Serializer[Any]):
    items = BroadcastShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "Broadcasts"


class WhyBody(Body):
    """Why, for whoever reads later what was done."""

    reason = Text(required=False, max_length=500)

    class Meta:
        ref_name = "BroadcastReason"
