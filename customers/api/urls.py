"""The partner API of the sense layer."""

from django.urls import path

from customers.api.cloudevents import CloudEvents
from customers.api.event_types import EventTypes, EventTypeVersions
from customers.api.events import EventBatch, SingleEvent
from customers.api.people import CustomerDetail, LookUp, Timeline
from customers.api.segment_members import SegmentMembers
from customers.api.segments import CustomerSegments, SegmentDetail, SegmentRule, Segments

urlpatterns = [
    path("cloudevents", CloudEvents.as_view(), name="api-cloudevents"),
    path("event-types", EventTypes.as_view(), name="api-event-types"),
    path("event-types/<str:event_type_id>/versions", EventTypeVersions.as_view(), name="api-schema-versions"),
    path("events", SingleEvent.as_view(), name="api-event"),
    path("events/batch", EventBatch.as_view(), name="api-events"),
    path("customers/lookup", LookUp.as_view(), name="api-customer-lookup"),
    path("customers/<str:customer_id>", CustomerDetail.as_view(), name="api-customer"),
    path("customers/<str:customer_id>/segments", CustomerSegments.as_view(), name="api-customer-segments"),
    path("segments", Segments.as_view(), name="api-segments"),
    path("segments/<str:segment_id>", SegmentDetail.as_view(), name="api-segment"),
    path("segments/<str:segment_id>/members", SegmentMembers.as_view(), name="api-segment-members"),
    path("segments/<str:segment_id>/rule", SegmentRule.as_view(), name="api-segment-rule"),
    path("customers/<str:customer_id>/timeline", Timeline.as_view(), name="api-timeline"),
]
