"""What the consent endpoints take and answer, as the API's description tells it."""

from typing import Any

from rest_framework import serializers

from consent.models import Method, State
from customers.api.shapes import PersonBody
from customers.api.strict import Moment, Number, Text
from customers.models.address import Channel


class ConsentBody(PersonBody):
    """A person's answer and what proves it. `address` left out: the e-mail they were named by, else the person."""

    purpose = Text(max_length=64, help_text="The purpose's key in the brand. One with a law weighs each consent by it.")
    address = Text(required=False, max_length=320, help_text="The e-mail address it is about.")
    occurred_at = Moment(required=False, help_text="When they answered; left out: now.")
    method = Text(required=False, max_length=40, help_text="login or double_opt_in where that is how it was proven.")
    notice = Text(
        required=False,
        max_length=64,
        help_text="The words they were shown, by key. A law needs them.",
    )
    notice_version = Number(required=False, help_text="And which version of them.")
    language = Text(required=False, max_length=20)
    legal_basis = Text(
        required=False,
        max_length=64,
        help_text="A known law and its article, such as lgpd:7:I.",
    )
    jurisdiction = Text(required=False, max_length=8, help_text="A country (ISO 3166: BR), EU, or a law.")
    collector = Text(required=False, max_length=200, help_text="Which form, shop or person asked.")
    url = Text(required=False, max_length=2000, help_text="The page it happened on.")
    ip = Text(required=False, max_length=64)
    user_agent = Text(required=False, max_length=2000)

    class Meta:
        ref_name = "Withdrawal"


class GrantBody(ConsentBody):
    """A person's yes and what proves it. A grant that cannot be read to its end is refused."""

    valid_until = Moment(required=False, help_text="Left out: without an end.")

    class Meta:
        ref_name = "Grant"


class PermissionShape(serializers.Serializer[Any]):
    allowed = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True, help_text="Why not.")

    class Meta:
        ref_name = "Permission"


class LeftOutShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    pointer = serializers.CharField()
    message = serializers.CharField()

    class Meta:
        ref_name = "LeftOut"


class RecordedShape(serializers.Serializer[Any]):
    """The entry of the ledger that now proves it, and what may be sent from now on."""

    entry = serializers.IntegerField()
    channel = serializers.ChoiceField(choices=Channel.values, help_text="person: it hangs on no address.")
    permission = PermissionShape()
    left_out = LeftOutShape(many=True, help_text="Details of a withdrawal that could not be read: it counts anyway.")

    class Meta:
        ref_name = "ConsentRecorded"


class ProofShape(serializers.Serializer[Any]):
    entry = serializers.IntegerField()
    method = serializers.ChoiceField(choices=Method.values)
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    source = serializers.CharField(  # type: ignore[assignment]  # Field has an attribute of this name
        allow_null=True, help_text="The key of the source, if it is one of yours."
    )
    notice = serializers.CharField(allow_null=True)
    notice_version = serializers.IntegerField(allow_null=True)
    language = serializers.CharField(allow_null=True)
    legal_basis = serializers.CharField(allow_null=True)
    jurisdiction = serializers.CharField(allow_null=True)
    collector = serializers.CharField(allow_null=True)
    position = serializers.IntegerField(help_text="In the chain of its address.")
    digest = serializers.CharField(help_text="SHA-256 over the entry and the one before.")

    class Meta:
        ref_name = "ConsentProof"


class StandingShape(serializers.Serializer[Any]):
    """A consent in force, and what may be sent to that address for that purpose, all consents considered."""

    purpose = serializers.CharField()
    channel = serializers.ChoiceField(choices=Channel.values)
    address = serializers.CharField(
        allow_null=True, help_text="Masked unless a source of yours named it and the token reads personal values."
    )
    state = serializers.ChoiceField(choices=State.values)
    effective_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    permission = PermissionShape()
    proof = ProofShape()

    class Meta:
        ref_name = "Consent"


class StandingsShape(serializers.Serializer[Any]):
    items = StandingShape(many=True)

    class Meta:
        ref_name = "Consents"
