"""CloudEvents as the API's description tells them."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from customers.accept.cloudevents import SOURCE_PATTERN
from customers.api.strict import Body, Choice, Text

FAMILY: Final = "application/cloudevents"
EVENT_TYPE: Final = f"{FAMILY}+json"
BATCH_TYPE: Final = f"{FAMILY}-batch+json"


class CloudEventBody(Body):
    """A CloudEvent in the JSON format. Further attributes are kept with the event; their names are small letters and
    digits, their values text, integers of 32 bits or booleans."""

    others = {"type": ["string", "integer", "boolean", "null"]}

    specversion = Choice(choices=("1.0",))
    id = Text(max_length=100, help_text="Unique among the events of its source.")
    source = serializers.RegexField(SOURCE_PATTERN, help_text="Where it happened, a URI reference.")  # type: ignore[assignment]  # Field has an attribute of this name
    type = Text(max_length=120, help_text="The event's name, such as com.example.order.completed.")
    time = serializers.DateTimeField(required=False, allow_null=True, help_text="When it happened; left out: now.")
    subject = Text(required=False, allow_null=True, help_text="The user's id, where nothing else names anybody.")
    userid = Text(
        required=False,
        allow_null=True,
        help_text="Or anonymousid, email, crmid: any kind of identifier.",
    )
    dataschema = Text(required=False, allow_null=True)
    datacontenttype = Text(required=False, allow_null=True)
    schemaversion = serializers.IntegerField(required=False, allow_null=True, help_text="Left out: the latest.")
    historical = serializers.BooleanField(required=False, allow_null=True, help_text="Fills history, moves nobody.")
    data = serializers.JSONField(required=False, allow_null=True, help_text="An object: the event's properties.")  # type: ignore[assignment]  # Serializer has a property of this name
    data_base64 = Text(required=False, allow_null=True, help_text="Instead of data: the bytes of its JSON.")

    class Meta:
        ref_name = "CloudEvent"


def _header(name: str, description: str, schema: dict[str, Any] | None = None) -> OpenApiParameter:
    return OpenApiParameter(
        f"ce-{name}", schema or {"type": "string"}, OpenApiParameter.HEADER, description=description
    )


# In binary mode these say what the event's attributes say otherwise; they may be told in any number.
HEADERS: Final = [
    _header("specversion", "With it, and with data as the body, the event is told in binary mode.", {"const": "1.0"}),
    _header("id", "Percent-encoded, as are all of these."),
    _header("source", "Where it happened."),
    _header("type", "The event's name."),
    _header("time", "When it happened.", {"type": "string", "format": "date-time"}),
    _header("subject", "The user's id, where no other attribute names anybody."),
    _header("userid", "Whom it concerns."),
]
