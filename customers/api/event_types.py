"""Event types: what a partner may look up before it sends, and checks its own code against."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from customers.api.base import PartnerView, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import a_text, one_uuid
from customers.models import EventType, SchemaVersion, Scope
from customers.registry.example import example

TYPES = Listing("event types", Order("created_at", key=uuid_key), {"name": a_text("Only the one of this name.")})
_SCHEMA = {"type": "object", "required": ["order_id"], "properties": {"order_id": {"type": "string"}}}
_TYPE: dict[str, Any] = {
    "id": "0195577f-7400-7000-8000-000000000000",
    "name": "Order Completed",
    "description": "An order was placed.",
    "compatibility": "backward",
    "role": "order",
    "version": 2,
    "created_at": "2026-03-02T12:00:00Z",
}
_VERSION: dict[str, Any] = {
    "number": 2,
    "status": "approved",
    "approved_at": "2026-03-02T12:00:00Z",
    "deprecated_at": None,
    "schema": _SCHEMA,
    "upcast": [{"op": "rename", "property": "order", "to": "order_id"}],
    "example": {"order_id": "text"},
}


class EventTypeShape(serializers.Serializer[Any]):
    """What events of a name mean."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    compatibility = serializers.ChoiceField(choices=EventType.Compatibility.values)
    role = serializers.CharField(allow_null=True, help_text="What it counts as in reports.")
    version = serializers.IntegerField(
        allow_null=True, help_text="What events that name no version are held to; null: none is approved."
    )
    created_at = serializers.DateTimeField()

    class Meta:
        ref_name = "EventType"


class EventTypesShape(serializers.Serializer[Any]):
    items = EventTypeShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")

    class Meta:
        ref_name = "EventTypes"


class VersionShape(serializers.Serializer[Any]):
    """An edition of the form."""

    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=("approved", "deprecated"))
    approved_at = serializers.DateTimeField(allow_null=True)
    deprecated_at = serializers.DateTimeField(allow_null=True)
    schema = serializers.DictField(help_text="JSON Schema 2020-12 of the properties (of the traits for identify).")
    upcast = serializers.ListField(
        child=serializers.DictField(), help_text="How events of the version before are read in this shape."
    )
    example = serializers.DictField(help_text="Made from the schema, to begin with.")

    class Meta:
        ref_name = "SchemaVersion"


class VersionsShape(serializers.Serializer[Any]):
    items = VersionShape(many=True)

    class Meta:
        ref_name = "SchemaVersions"


class EventTypes(PartnerView):
    """The event types of the token's brand."""

    scopes = {"GET": Scope.EVENT_TYPES_READ.value}
    parameters = TYPES.parameters()

    @extend_schema(
        operation_id="list_event_types",
        summary="Event types",
        tags=["event types"],
        responses={200: EventTypesShape},
        examples=[OpenApiExample("One", {"items": [_TYPE], "next": None}, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request) -> HttpResponse:
        wanted = {name: self.given[name] for name in ("name",) if name in self.given}
        rows = EventType.objects.visible_to(self.partner).filter(**wanted).prefetch_related("versions")
        return ok(TYPES.page(rows, self.given, self.partner, lambda page: [_show(one) for one in page]))


class EventTypeVersions(PartnerView):
    """All editions that were approved, the newest first; drafts are nobody's business yet."""

    scopes = {"GET": Scope.EVENT_TYPES_READ.value}

    @extend_schema(
        operation_id="list_schema_versions",
        summary="The schema versions of an event type",
        tags=["event types"],
        responses={200: VersionsShape},
        examples=[OpenApiExample("One", {"items": [_VERSION]}, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request, event_type_id: str) -> HttpResponse:
        types = EventType.objects.visible_to(self.partner)
        found = types.filter(pk=one_uuid(event_type_id)).first()
        if found is None:
            raise not_found()
        versions = found.versions.exclude(status=SchemaVersion.Status.DRAFT).order_by("-number")
        return ok({"items": [_show_version(one) for one in versions]})


def _show(event_type: EventType) -> dict[str, Any]:
    approved = [one.number for one in event_type.versions.all() if one.status == SchemaVersion.Status.APPROVED]
    return {
        "id": event_type.pk,
        "name": event_type.name,
        "description": event_type.description,
        "compatibility": event_type.compatibility,
        "role": event_type.role or None,
        "version": max(approved, default=None),
        "created_at": event_type.created_at,
    }


def _show_version(version: SchemaVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "status": version.status,
        "approved_at": version.approved_at,
        "deprecated_at": version.deprecated_at,
        "schema": version.schema,
        "upcast": version.upcast,
        "example": example(version.schema),
    }
