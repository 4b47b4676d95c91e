"""What the journey endpoints take and answer, as the API's description tells it."""

from typing import Any

from rest_framework import serializers

from customers.api.shapes import PersonBody
from customers.api.strict import Body, Document, Id, Text
from journeys.models import EntryRefusal, Journey

STATUSES = ("active", "completed", "exited", "failed", "expired", "merged")


class JourneyShape(serializers.Serializer[Any]):
    """A journey as its live version has it."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Journey.Status.values)
    version = serializers.IntegerField()
    purpose = serializers.CharField(help_text="The key of the purpose its messages are sent for.")
    entry_event = serializers.CharField()
    entry_key = serializers.CharField(allow_null=True, help_text="The property that tells runs of one person apart.")
    startable = serializers.BooleanField(help_text="Whether a run can be started by a call, now.")
    created_at = serializers.DateTimeField()

    class Meta:
        ref_name = "Journey"


class StateShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=("initial", "active", "success", "failure"))

    class Meta:
        ref_name = "JourneyState"


class StepShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    type = serializers.CharField()
    state = serializers.CharField()

    class Meta:
        ref_name = "JourneyStep"


class JourneyDetailShape(JourneyShape):
    """A journey with its states and steps."""

    states = StateShape(many=True)
    steps = StepShape(many=True)

    class Meta:
        ref_name = "JourneyDetail"


class JourneysShape(serializers.Serializer[Any]):
    items = JourneyShape(many=True)
    next = serializers.CharField(allow_null=True)

    class Meta:
        ref_name = "Journeys"


class RunShape(serializers.Serializer[Any]):
    """One person's way through one version of a journey."""

    id = serializers.IntegerField()
    journey = serializers.UUIDField()
    journey_key = serializers.CharField()
    version = serializers.IntegerField()
    customer = serializers.UUIDField()
    entry_key = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES)
    state = serializers.CharField()
    step = serializers.CharField(help_text="Where it stands, or stood when it ended.")
    entered_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="When it is looked at again at the latest.")
    ended_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        ref_name = "Run"


class MoveShape(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    cause = serializers.CharField()
    step_from = serializers.CharField(allow_null=True)
    step_to = serializers.CharField(allow_null=True, help_text="null: it left by an exit.")
    state = serializers.CharField()
    event = serializers.IntegerField(allow_null=True, help_text="The event that caused it, if one of yours did.")

    class Meta:
        ref_name = "Move"


class RunDetailShape(RunShape):
    path = MoveShape(many=True)

    class Meta:
        ref_name = "RunDetail"


class RunsShape(serializers.Serializer[Any]):
    items = RunShape(many=True)
    next = serializers.CharField(allow_null=True)

    class Meta:
        ref_name = "Runs"


class RefusedEntryShape(serializers.Serializer[Any]):
    """An entry that started no run."""

    id = serializers.IntegerField()
    journey = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=EntryRefusal.Reason.values)
    entry_key = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()

    class Meta:
        ref_name = "RefusedEntry"


class RefusedEntriesShape(serializers.Serializer[Any]):
    items = RefusedEntryShape(many=True)
    next = serializers.CharField(allow_null=True)

    class Meta:
        ref_name = "RefusedEntries"


class StartBody(PersonBody):
    """Whom to start. `properties` stand for those of the entry event: its key among them, if the journey has one."""

    journey = Id()
    properties = Document(required=False)

    class Meta:
        ref_name = "RunStart"


class StartedShape(serializers.Serializer[Any]):
    """201: started, with the run. 200: not let in, with the refused entry. One of the two is null."""

    started = serializers.BooleanField()
    run = RunShape(allow_null=True)
    refused = RefusedEntryShape(allow_null=True)

    class Meta:
        ref_name = "RunStarted"


class ExitBody(Body):
    """`state`: an end state of the journey; left out, the run ends in the state it is in."""

    state = Text(required=False, max_length=60)
    reason = Text(required=False, max_length=200, help_text="Kept with the event that this call is.")

    class Meta:
        ref_name = "RunExit"
