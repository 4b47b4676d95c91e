"""What the endpoint that lets many people in takes and answers."""

from typing import Any, Final

from rest_framework import serializers

from customers.api.shapes import PersonBody
from customers.api.strict import Body, Document

MOST_PEOPLE: Final = 1000
STATUSES: Final = ("let_in", "refused", "unknown", "rejected", "busy")


class EnteringBody(PersonBody):
    """`properties` stand for those of the entry event: its key among them, if the journey has one."""

    properties = Document(required=False)

    class Meta:
        ref_name = "EnteringPerson"


class Flag(serializers.BooleanField):
    """True or false, and no word for either."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input="")
        return bool(data)


class EntriesBody(Body):
    """At most 1,000 people, each named by `customer` or `identifier`."""

    people = serializers.ListField(child=EnteringBody(), min_length=1, max_length=MOST_PEOPLE)
    dry_run = Flag(required=False, help_text="Only tell what would become of each now; nothing is done.")

    class Meta:
        ref_name = "Entries"


class FaultShape(serializers.Serializer[Any]):
    pointer = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()

    class Meta:
        ref_name = "EntryFault"


class EnteredShape(serializers.Serializer[Any]):
    """One of the people, in the order in which they were sent."""

    status = serializers.ChoiceField(choices=STATUSES)
    reason = serializers.CharField(
        allow_null=True,
        help_text="Why not: of `refused` as for refused entries; of others the code of `problem`.",
    )
    customer = serializers.UUIDField(allow_null=True)
    run = serializers.IntegerField(allow_null=True, help_text="Of who was let in; none in a try.")
    problem = FaultShape(allow_null=True)

    class Meta:
        ref_name = "EnteredPerson"


class EntryCountsShape(serializers.Serializer[Any]):
    let_in = serializers.IntegerField()
    refused = serializers.IntegerField()
    unknown = serializers.IntegerField(help_text="None of your sources has named such a person.")
    rejected = serializers.IntegerField(help_text="The identifier is none.")
    busy = serializers.IntegerField(help_text="To be sent again in a second.")

    class Meta:
        ref_name = "EntryCounts"


class EntriesShape(serializers.Serializer[Any]):
    journey = serializers.UUIDField()
    dry_run = serializers.BooleanField()
    counts = EntryCountsShape()
    reasons = serializers.DictField(child=serializers.IntegerField(), help_text="How many by reason.")
    people = EnteredShape(many=True)

    class Meta:
        ref_name = "EntriesAnswer"
