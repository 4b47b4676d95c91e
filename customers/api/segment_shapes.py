"""Segments, lists and memberships as the API's description tells them."""

from typing import Any

from rest_framework import serializers

from customers.api.shapes import IdentifierBody
from customers.api.strict import Body, Document, Number, Text
from customers.models import Segment

MOST_ROWS = 1000


class SegmentShape(serializers.Serializer[Any]):
    """People of the brand whom a rule chooses; a list has none, and people are put on it."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    is_list = serializers.BooleanField()
    is_personal = serializers.BooleanField(
        help_text="Its rule asks personal data: without the scope customers:personal nobody is told who is in it."
    )
    state = serializers.ChoiceField(choices=Segment.State.values)
    size = serializers.IntegerField(
        help_text="People of the brand, of whom your sources may have named only some. Where `is_personal` and without"
        " the scope customers:personal: in tens, 0 below ten."
    )
    counted_at = serializers.DateTimeField(allow_null=True)
    rule = serializers.DictField(allow_null=True)
    words = serializers.CharField(allow_null=True, help_text="The rule in words.")
    version = serializers.IntegerField(help_text="Of the rule; 0: it never had one.")
    built_at = serializers.DateTimeField(allow_null=True, help_text="When its membership was first or last complete.")
    created_at = serializers.DateTimeField()

    class Meta:
        ref_name = "Segment"


class SegmentsShape(serializers.Serializer[Any]):
    items = SegmentShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "Segments"


class SegmentBody(Body):
    """A segment with its rule, or, without one, a list."""

    key = Text(max_length=64, help_text="What rules and journeys call it; never changed.")
    name = Text(max_length=200)
    description = Text(required=False, allow_blank=True, max_length=2000)
    rule = Document(required=False)

    class Meta:
        ref_name = "NewSegment"


class RuleBody(Body):
    """The rule that is to stand from now on, instead of the version that you have seen."""

    rule = Document()
    version = Number(
        min_value=0, help_text="The segment's `version` as you read it: if it is another by now, nothing is done."
    )

    class Meta:
        ref_name = "SegmentRule"


class MemberShape(serializers.Serializer[Any]):
    customer = serializers.UUIDField()
    since = serializers.DateTimeField()
    historical = serializers.BooleanField(help_text="Found by a build or an import: it started nothing.")

    class Meta:
        ref_name = "SegmentMember"


class MembersShape(serializers.Serializer[Any]):
    """Of those your sources have named."""

    items = MemberShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "SegmentMembers"


class MembershipShape(serializers.Serializer[Any]):
    segment = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    since = serializers.DateTimeField()
    historical = serializers.BooleanField()

    class Meta:
        ref_name = "Membership"


class MembershipsShape(serializers.Serializer[Any]):
    items = MembershipShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "Memberships"


class PeopleBody(Body):
    """People to be put on the list and taken off it, at most 1,000 of each; who is named in both is taken off."""

    add = serializers.ListField(child=IdentifierBody(), required=False, max_length=MOST_ROWS)
    remove = serializers.ListField(child=IdentifierBody(), required=False, max_length=MOST_ROWS)

    class Meta:
        ref_name = "ListChange"


class RejectedPersonShape(serializers.Serializer[Any]):
    pointer = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()

    class Meta:
        ref_name = "RejectedPerson"


class ListChangedShape(serializers.Serializer[Any]):
    """How many people came and left; others were on the list, or off it, before. The same again changes nothing."""

    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = RejectedPersonShape(many=True)

    class Meta:
        ref_name = "ListChanged"
