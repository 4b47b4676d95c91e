"""What the endpoints of tasks take and answer, as the API's description tells it."""

from typing import Any

from rest_framework import serializers

from channels.models import Task
from customers.api.strict import Body, Choice, Text


class TaskShape(serializers.Serializer[Any]):
    """What a person is to do. Whom it is about is told once it is yours, and in full with customers:personal only."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Task.Kind.values)
    queue = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=Task.State.values)
    reason = serializers.CharField(
        allow_blank=True, help_text="Why it is not to be done any more, or not before `not_before`."
    )
    customer = serializers.UUIDField(allow_null=True)
    phone = serializers.CharField(allow_blank=True, help_text="Empty until you have claimed it, and once they say no.")
    title = serializers.CharField()
    instructions = serializers.CharField(allow_blank=True)
    priority = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    not_before = serializers.DateTimeField(allow_null=True, help_text="Nobody is to be called sooner.")
    due_at = serializers.DateTimeField()
    claimed_at = serializers.DateTimeField(allow_null=True)
    is_yours = serializers.BooleanField()
    ended_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(choices=["", *Task.Outcome.values])

    class Meta:
        ref_name = "Task"


class TasksShape(serializers.Serializer[Any]):
    items = TaskShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "Tasks"


class CompleteBody(Body):
    outcome = Choice(choices=Task.Outcome.values)
    note = Text(required=False, max_length=500)

    class Meta:
        ref_name = "TaskCompletion"
