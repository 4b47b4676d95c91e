"""What segments keep: memberships, versions, inputs, sizes, and the queues of who is looked at again."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from customers.admin.base import Facts, QueueRows, link
from customers.admin.show import flag, when
from customers.models import (
    SegmentInput,
    SegmentItem,
    SegmentMembership,
    SegmentSize,
    SegmentTurn,
    SegmentVersion,
)


@admin.register(SegmentItem)
class SegmentItemAdmin(QueueRows):
    queue = "segment"
    list_display = (
        "id",
        link("segment_id", "customers_segment", _("segment")),
        link("profile_id", "customers_profile", _("profile")),
        when("queued_at", _("queued")),
    )
    when_empty = _("Nothing waits: everybody was looked at again.")
    search_fields = ("id", "profile_id")


@admin.register(SegmentTurn)
class SegmentTurnAdmin(QueueRows):
    queue = "segment_turn"
    ordering = ("due_at",)
    list_display = (
        "id",
        link("segment_id", "customers_segment", _("segment")),
        link("profile_id", "customers_profile", _("profile")),
        when("due_at", _("due")),
    )
    when_empty = _("No segment waits for time to pass.")
    search_fields = ("id", "profile_id")


_SEGMENT = link("segment_id", "customers_segment", _("segment"))
_CUSTOMER = link("customer_id", "customers_customer", _("customer"))


@admin.register(SegmentMembership)
class SegmentMembershipAdmin(Facts):
    list_display = (
        "id",
        _SEGMENT,
        _CUSTOMER,
        when("entered_at", _("in it since")),
        when("left_at", _("until")),
        flag("historical", (_("historical"), ""), (_("as it happened"), "good")),
    )
    list_filter = ("segment", ("left_at", admin.EmptyFieldListFilter), "historical")
    search_fields = ("customer_id", "profile__id")
    when_empty = _("Nobody is in a segment yet.")


@admin.register(SegmentVersion)
class SegmentVersionAdmin(Facts):
    list_display = ("number", _SEGMENT, when("made_at", _("made")), "made_by")
    list_filter = ("segment",)
    list_select_related = ("made_by",)
    search_fields = ("segment__key",)
    when_empty = _("No segment has a rule yet.")


@admin.register(SegmentInput)
class SegmentInputAdmin(Facts):
    list_display = ("kind", "name", _SEGMENT)
    list_filter = ("kind",)
    search_fields = ("name",)
    when_empty = _("No segment looks at anything.")


@admin.register(SegmentSize)
class SegmentSizeAdmin(Facts):
    list_display = ("day", _SEGMENT, "size")
    list_filter = ("segment",)
    search_fields = ("segment__key",)
    when_empty = _("No segment was counted yet.")
