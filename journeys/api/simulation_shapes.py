"""What the simulation endpoints take and answer, as the API's description tells it."""

from typing import Any

from rest_framework import serializers

from customers.api.strict import Body, Document, Moment, Text
from customers.models import Job
from journeys.simulation.supposed import MOST

MOST_EVENTS = 1_000


class Percent(serializers.FloatField):
    """A number that was sent as a number."""

    def to_internal_value(self, data: Any) -> Any:
        if type(data) not in (int, float):
            self.fail("invalid")
        return super().to_internal_value(data)


class PlayedEventBody(Body):
    """Something that happened to somebody, or might."""

    event = Text(max_length=200)
    user_id = Text(max_length=500, help_text="Anything that tells people apart.")
    occurred_at = Moment()
    properties = Document(required=False)

    class Meta:
        ref_name = "PlayedEvent"


class AssumedBody(Body):
    """Of one webhook step: an `error` in which the calls of a share of runs end, and `json` that all others get."""

    step = Text(max_length=60)
    error = Text(required=False, max_length=20, help_text="As in timeout, unreachable, status_503.")
    percent = Percent(required=False, help_text="Of runs whose calls end in the error; without it all.")
    json = serializers.JSONField(required=False, allow_null=True, help_text="The reply's body.")

    class Meta:
        ref_name = "AssumedReplies"


class SimulationBody(Body):
    """Versions are `live`, `draft` or a number. Without `events` those that are stored are played; where nothing is
    `assumed`, other systems are taken to have replied at once, and to have told nothing."""

    versions = serializers.ListField(child=Text(max_length=10), min_length=1, max_length=2)
    since = Moment(help_text="The first moment.")
    until = Moment(help_text="The last moment: time runs on to it.")
    events = serializers.ListField(child=PlayedEventBody(), required=False, min_length=1, max_length=MOST_EVENTS)
    assumed = serializers.ListField(child=AssumedBody(), required=False, max_length=MOST)

    class Meta:
        ref_name = "SimulationAsked"


class StopBody(Body):
    """An empty object."""

    class Meta:
        ref_name = "SimulationStop"


class SimulationShape(serializers.Serializer[Any]):
    """What versions of a journey would have done. `results` has each of them once it is through."""

    id = serializers.UUIDField()
    journey = serializers.UUIDField()
    versions = serializers.ListField(child=serializers.CharField())
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    over = serializers.ChoiceField(choices=("stored_events", "sent_events"))
    assumed = serializers.ListField(child=serializers.DictField(), help_text="Of other systems, as it was asked for.")
    state = serializers.ChoiceField(choices=Job.State.values)
    events_done = serializers.IntegerField()
    events_total = serializers.IntegerField(allow_null=True, help_text="Of all versions; null: not counted yet.")
    results = serializers.DictField(child=serializers.DictField(), help_text="By version: counts, paths, the unknown.")
    created_at = serializers.DateTimeField()

    class Meta:
        ref_name = "Simulation"


class SimulationsShape(serializers.Serializer[Any]):
    items = SimulationShape(many=True)
    next = serializers.CharField(allow_null=True)

    class Meta:
        ref_name = "Simulations"
