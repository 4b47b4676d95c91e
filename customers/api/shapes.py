"""What the sense layer takes and answers, as the API's description tells it."""

from typing import Any

from rest_framework import serializers

from customers.accept.native import ASSURANCES, KEY_PATTERN
from customers.api.strict import Body, Choice, Document, Id, Text
from customers.kinds import BUILT_IN


class IdentifierBody(Body):
    """An identifier that one of the token's sources has named before."""

    kind = Text(max_length=32, help_text=f"{', '.join(BUILT_IN)}, or a kind of the installation's own.")
    value = Text(max_length=320, trim_whitespace=False)

    class Meta:
        ref_name = "Identifier"


class PersonBody(Body):
    """Whom it concerns: `customer` or `identifier`, one of the two."""

    one_of = ("customer", "identifier")

    customer = Id(required=False)
    identifier = IdentifierBody(required=False)

    class Meta:
        ref_name = "Person"


class LookupBody(Body):
    identifier = IdentifierBody()

    class Meta:
        ref_name = "CustomerLookup"


class NamedShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    value = serializers.CharField(help_text="Masked without the scope customers:personal.")
    since = serializers.DateTimeField()

    class Meta:
        ref_name = "CustomerIdentifier"


class CustomerShape(serializers.Serializer[Any]):
    """A person as your sources know them."""

    id = serializers.UUIDField(help_text="May change when two customers turn out to be one; identifiers do not.")
    created_at = serializers.DateTimeField()
    identifiers = NamedShape(many=True)
    traits = serializers.DictField(help_text="What your sources last said; masked without customers:personal.")

    class Meta:
        ref_name = "Customer"


class EventShape(serializers.Serializer[Any]):
    """An event that one of your sources sent."""

    id = serializers.IntegerField()
    message_id = serializers.CharField()
    type = serializers.CharField()
    name = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # Field has an attribute of this name
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    historical = serializers.BooleanField()
    content = serializers.DictField(
        allow_null=True, help_text="Properties or traits; masked without customers:personal; null: erased."
    )

    class Meta:
        ref_name = "TimelineEvent"


class TimelineShape(serializers.Serializer[Any]):
    items = EventShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "Timeline"


class IdentifiersBody(Body):
    """One or more, by kind. All that a message names is taken to be one person. An installation may have kinds of
    its own beside these."""

    others = {"type": "string"}

    user_id = Text(required=False, help_text="Unique in the source's namespace, as are all that are not said to be.")
    crm_id = Text(required=False)
    cpf = Text(required=False, help_text="Organisation-wide; with or without its separators.")
    cnpj = Text(required=False, help_text="Organisation-wide.")
    abn = Text(required=False, help_text="Organisation-wide.")
    loyalty_card = Text(required=False)
    email = Text(required=False, help_text="Organisation-wide.")
    phone = Text(required=False, help_text="Organisation-wide. With its country, unless the source has a default.")
    device = Text(required=False)
    anonymous_id = Text(required=False)

    class Meta:
        ref_name = "EventIdentifiers"


class EventBody(Body):
    """Something that happened to somebody, or (identify) something they were said to be."""

    type = Choice(
        choices=("track", "identify", "group", "alias"),
        required=False,
        help_text="Left out: track. A group tells that they belong to one, an alias that they had another name.",
    )
    name = Text(required=False, max_length=120, help_text="Of the event; an identify has none.")
    id = Text(required=False, max_length=100, help_text="Yours: the same id again is a repetition, stored once.")
    occurred_at = serializers.DateTimeField(required=False, help_text="With an offset; left out: now.")
    identifiers = IdentifiersBody()
    previous = IdentifiersBody(required=False, help_text="Of an alias: the former name, one identifier.")
    group = Text(required=False, max_length=254, help_text="Of a group message: the group's id.")
    properties = Document(required=False, help_text=f"Of a track. Keys match {KEY_PATTERN}.")
    traits = Document(required=False, help_text="Of an identify.")
    context = Document(required=False)  # type: ignore[assignment]  # Field has a property of this name
    schema_version = serializers.IntegerField(required=False, help_text="Left out: the latest approved.")
    historical = serializers.BooleanField(
        required=False, help_text="It fills history, as far back as you like, and starts and resumes no journey."
    )
    assurance = Choice(
        choices=tuple(ASSURANCES),
        required=False,
        help_text="How you know who it is; more than observed wants the scope identity:assure.",
    )

    class Meta:
        ref_name = "Event"


class BatchBody(Body):
    """At most 1,000 events and 1 MB; each is accepted or refused by itself."""

    events = serializers.ListField(child=EventBody(), max_length=1000)

    class Meta:
        ref_name = "EventBatch"


class AcceptedShape(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=("accepted", "duplicate"))

    class Meta:
        ref_name = "EventAccepted"


class RejectedShape(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Which event of the list.")
    pointer = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()

    class Meta:
        ref_name = "EventRejected"


class BatchShape(serializers.Serializer[Any]):
    """Accepted means: durable. What was rejected is kept in quarantine."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectedShape(many=True)

    class Meta:
        ref_name = "EventBatchAccepted"
