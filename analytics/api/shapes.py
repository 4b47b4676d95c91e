"""What the message endpoints answer, as the API's description tells it."""

from typing import Any

from rest_framework import serializers

from channels.models import Message, Reason
from customers.models.address import Channel


class MessageShape(serializers.Serializer[Any]):
    """A message that was asked for, sent or not."""

    id = serializers.UUIDField()
    customer = serializers.UUIDField()
    journey = serializers.UUIDField(allow_null=True)
    run = serializers.IntegerField(allow_null=True)
    channel = serializers.ChoiceField(choices=Channel.values)
    purpose = serializers.CharField()
    template = serializers.CharField()
    template_version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Message.State.values)
    reason = serializers.ChoiceField(choices=Reason.values, allow_null=True, help_text="Why not, or why not yet.")
    created_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        ref_name = "Message"


class MoveShape(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    cause = serializers.CharField()
    text = serializers.CharField()
    step_from = serializers.CharField(allow_null=True)
    step_to = serializers.CharField(allow_null=True)
    state = serializers.CharField()
    event_id = serializers.IntegerField(allow_null=True, help_text="If one of your sources sent it.")
    inputs = serializers.DictField(help_text="What a rule looked at, masked.")
    variables = serializers.DictField(help_text="The journey's variables that got a value by it, masked.")
    not_kept = serializers.CharField(allow_null=True)

    class Meta:
        ref_name = "WhyMove"


class PartShape(serializers.Serializer[Any]):
    part = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    facts = serializers.DictField(help_text="By name; personal ones are masked.")
    moves = MoveShape(many=True, required=False)
    not_kept = serializers.ListField(child=serializers.CharField(), help_text="What nobody can tell any more.")

    class Meta:
        ref_name = "WhyPart"


class WhyShape(serializers.Serializer[Any]):
    """What led to it, from the references kept with each decision, in the order in which it happened."""

    outcome = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    verdict = serializers.CharField()
    would_have_allowed = serializers.CharField(allow_null=True)
    parts = PartShape(many=True)

    class Meta:
        ref_name = "Why"


class MessageDetailShape(MessageShape):
    why = WhyShape()

    class Meta:
        ref_name = "MessageDetail"


class MessagesShape(serializers.Serializer[Any]):
    items = MessageShape(many=True)
    next = serializers.CharField(allow_null=True)

    class Meta:
        ref_name = "Messages"
