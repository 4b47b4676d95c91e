"""Where the staff pages lead: by layer, each person only where they may go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class List:
    """A model's list; whoever may see it has it in the navigation, under the model's own name."""

    model: str
    icon: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of its own, by the name of its address and the permission that opens it."""

    title: "_StrOrPromise"
    icon: str
    address: str
    permission: str = ""


_NAVIGATION: Final[tuple[tuple["_StrOrPromise", bool, tuple[List | Page, ...]], ...]] = (
    ("", False, (Page(_("Today"), "home", "admin:index"),)),
    (
        pgettext_lazy("layer", "Sense"),
        False,
        (
            List("customers.Customer", "group"),
            List("customers.Segment", "groups_3"),
            List("customers.DuplicatePair", "person_search"),
            List("customers.Event", "bolt"),
            List("customers.QuarantinedEvent", "report"),
            List("customers.Source", "input"),
            List("customers.Import", "upload_file"),
            List("customers.EventType", "schema"),
            List("customers.IdentifierKind", "fingerprint"),
            List("customers.TraitDefinition", "badge"),
            List("customers.Job", "progress_activity"),
            List("customers.Hook", "webhook"),
            List("customers.ReceivedBody", "inbox"),
            List("customers.WriteKey", "key"),
            List("customers.VisitorSecret", "badge"),
            List("customers.PartnerToken", "api"),
        ),
    ),
    (
        _("Consent"),
        False,
        (
            List("consent.Purpose", "flag"),
            List("consent.Notice", "article"),
            List("consent.ConsentHead", "verified_user"),
            List("consent.ConsentEntry", "history_edu"),
            List("consent.Confirmation", "mark_email_unread"),
            List("consent.Pause", "pause_circle"),
            List("consent.Preference", "tune"),
            List("consent.PrivacyRequest", "shield_person"),
            Page(_("Data map"), "database", "admin:consent_privacyrequest_data_map", "consent.view_privacyrequest"),
            List("consent.Suppression", "block"),
            List("consent.LedgerAnchor", "anchor"),
        ),
    ),
    (
        pgettext_lazy("layer", "Act"),
        False,
        (
            List("channels.Campaign", "campaign"),
            List("channels.Broadcast", "send"),
            List("channels.Message", "outgoing_mail"),
            Page(_("Sandbox outbox"), "outbox", "admin:channels_message_outbox", "channels.view_message"),
            List("channels.Task", "task_alt"),
            List("channels.Conversation", "forum"),
            List("channels.InAppItem", "inbox_customize"),
            List("channels.WebSlot", "web"),
            List("channels.WebPlacement", "web_stories"),
            List("channels.Template", "draft"),
            List("channels.ContentBlock", "extension"),
            List("channels.Approval", "approval"),
            List("channels.Image", "image"),
            List("channels.PulledHost", "dns"),
            List("channels.SeedList", "mark_email_read"),
            List("channels.TestSend", "experiment"),
            List("channels.Connector", "cable"),
            List("channels.PushSubscription", "notifications_active"),
            List("channels.WebhookEndpoint", "webhook"),
            List("channels.WebhookDelivery", "outbound"),
            List("channels.SendStop", "front_hand"),
            List("channels.PacingPolicy", "speed"),
            List("channels.Receipt", "mark_email_read"),
            List("channels.ProviderCallback", "phone_callback"),
            List("channels.Entitlement", "redeem"),
            List("channels.Product", "shopping_bag"),
            List("channels.Recommending", "recommend"),
            List("channels.Exposure", "science"),
        ),
    ),
    (
        pgettext_lazy("layer", "Decide"),
        False,
        (
            List("journeys.Journey", "route"),
            List("journeys.JourneyMap", "grid_on"),
            List("journeys.Run", "directions_walk"),
            List("journeys.EntryRefusal", "do_not_disturb_on"),
        ),
    ),
    (
        _("Owners"),
        True,
        (
            List("customers.Brand", "storefront"),
            List("customers.Squad", "diversity_3"),
            List("auth.User", "person"),
            List("auth.Group", "badge"),
            List("customers.AuditEntry", "policy"),
        ),
    ),
    (
        _("Machinery"),
        True,
        (
            List("customers.DeadLetter", "skull"),
            List("customers.InboxItem", "inbox"),
            List("consent.ConsentItem", "pending_actions"),
            List("customers.MatchItem", "join_inner"),
            List("customers.MergeItem", "merge"),
            List("customers.SegmentItem", "filter_alt"),
            List("customers.SegmentTurn", "update"),
            List("journeys.RecheckItem", "restart_alt"),
            List("journeys.Halt", "pause_circle"),
            List("journeys.Changeover", "swap_horiz"),
            List("journeys.Occurrence", "calendar_month"),
            List("journeys.CallList", "list_alt"),
            List("journeys.CallListRow", "format_list_numbered"),
            List("journeys.Simulation", "science"),
            List("channels.BroadcastRecipient", "contact_mail"),
            List("channels.BroadcastMove", "history"),
            List("channels.BroadcastProgress", "progress_activity"),
            List("channels.BroadcastTally", "tag"),
            List("customers.BatchClaim", "stacks"),
            List("customers.Identifier", "id_card"),
            List("customers.Edge", "hub"),
            List("customers.ProfileMove", "call_merge"),
            List("customers.AwaitedName", "hourglass_top"),
            List("consent.Erasure", "person_remove"),
            List("consent.Restriction", "person_off"),
            List("consent.PrivacyArchive", "folder_zip"),
            List("consent.PrivacyStep", "checklist"),
            List("customers.ErasedAddress", "no_accounts"),
            List("customers.KeptAnswer", "replay"),
            List("customers.RetentionRule", "auto_delete"),
            List("customers.RetentionRecord", "delete_history"),
            List("customers.HourTally", "bar_chart"),
            List("customers.Tally", "tag"),
            List("channels.CoView", "visibility"),
            List("channels.AlsoViewed", "join_left"),
            List("django_celery_beat.PeriodicTask", "schedule"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Where this person may go, layer by layer; a layer with nothing for them is left out."""
    groups = []
    for title, collapsible, entries in _NAVIGATION:
        items = [item for entry in entries if (item := _item(entry, request)) is not None]
        if items:
            groups.append({"title": title, "collapsible": collapsible, "items": items})
    return groups


def _item(entry: List | Page, request: HttpRequest) -> dict[str, Any] | None:
    if isinstance(entry, Page):
        if entry.permission and not request.user.has_perm(entry.permission):
            return None
        return {"title": entry.title, "icon": entry.icon, "link": reverse(entry.address)}
    model = apps.get_model(entry.model)
    if not admin.site.get_model_admin(model).has_view_permission(request):
        return None
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return {"title": capfirst(str(model._meta.verbose_name_plural)), "icon": entry.icon, "link": address}
