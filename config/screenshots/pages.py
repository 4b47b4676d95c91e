"""Which pages are worth a picture: every list, form and page of the staff site, and those of the API and the public."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse

from channels.models import Campaign, Message, TemplateVersion
from consent.models import Notice
from customers.models import Brand, Customer, EventType, Hook, QuarantinedEvent, SchemaVersion, Segment, Source
from journeys.models import Journey, JourneyMap, Run


@dataclass(frozen=True, slots=True)
class Page:
    """`full` names the picture in full size, of those that have one; `staff` is whether somebody is logged in."""

    name: str
    path: str
    full: str = ""
    staff: bool = True


# Pages beside those that every model has: address, and the model whose telling row it is of.
_OWN: Final[tuple[tuple[str, type[Model] | None, str], ...]] = (
    ("admin:index", None, "home"),
    ("admin:channels_message_outbox", None, "outbox"),
    ("admin:channels_templateversion_preview", TemplateVersion, ""),
    ("admin:customers_segment_rule", Segment, "segment_rule"),
    ("admin:journeys_journey_author", Journey, "author"),
    ("admin:journeys_journey_numbers", Journey, "numbers"),
    ("admin:channels_campaign_numbers", Campaign, ""),
    ("admin:customers_source_health", Source, "source"),
    ("admin:customers_hook_mapping", Hook, ""),
    ("admin:customers_customer_identity", Customer, ""),
    ("admin:customers_eventtype_unplanned", None, ""),
    ("admin:customers_eventtype_usage", EventType, ""),
    ("admin:customers_schemaversion_review", SchemaVersion, ""),
    ("admin:customers_schemaversion_try", SchemaVersion, ""),
    ("admin:customers_retentionrule_overview", None, ""),
    ("admin:journeys_journey_versions", Journey, ""),
    ("admin:journeys_journey_publication", Journey, ""),
    ("admin:journeys_journey_text", Journey, ""),
    ("admin:journeys_journey_status", Journey, ""),
    ("admin:journeys_journeymap_matrix", JourneyMap, "matrix"),
    ("admin:journeys_journeymap_metro", JourneyMap, "metro"),
    ("admin:customers_brand_people", Brand, ""),
    ("admin:customers_brand_history", Brand, ""),
    ("log-in-set-up", None, ""),
    ("admin:password_change", None, ""),
    ("api-docs", None, ""),
)
_FULL: Final[dict[type[Model], str]] = {
    Customer: "customer",
    Message: "message",
    Run: "run",
    QuarantinedEvent: "quarantine",
}


def pages(user: User) -> list[Page]:
    return [
        Page("login", reverse("admin:login"), staff=False),
        *(page for entry in _OWN for page in _own(*entry)),
        *(page for model in admin.site._registry for page in _of_model(model, user)),
    ]


def _own(address: str, model: type[Model] | None, full: str) -> Iterator[Page]:
    name = address.removeprefix("admin:")
    if model is None:
        yield Page(name, reverse(address), full)
    elif (row := telling(model)) is not None:
        yield Page(name, reverse(address, args=[row.pk]), full)


def _of_model(model: type[Model], user: User) -> Iterator[Page]:
    served, meta = admin.site.get_model_admin(model), model._meta
    request: Any = RequestFactory().get("/")
    request.user = user
    name = f"{meta.app_label}_{meta.model_name}"
    yield Page(name, reverse(f"admin:{name}_changelist"))
    if served.has_add_permission(request):
        yield Page(f"{name}_add", reverse(f"admin:{name}_add"))
    row = telling(model)
    if row is not None and served.has_view_permission(request, row):
        try:
            yield Page(f"{name}_change", reverse(f"admin:{name}_change", args=[row.pk]), _FULL.get(model, ""))
        except NoReverseMatch:  # it has no page of its own
            return


def telling(model: type[Model]) -> Model | None:
    """The row that shows most: a live journey with a way back, a message that was sent, the customer it went to."""
    rows = model._default_manager.all()
    if model is Journey:
        return rows.filter(key__contains="cart").first() or rows.first()
    if model is Message:
        sent = rows.filter(state__in=["sent", "delivered", "opened", "clicked"]).order_by("-created_at").first()
        return sent or rows.first()
    if model is Run:
        return rows.filter(status=Run.Status.COMPLETED).order_by("-entered_at").first() or rows.first()
    if model is Customer:
        message = telling(Message)
        return rows.filter(profiles=message.profile_id).first() if isinstance(message, Message) else rows.first()
    if model is TemplateVersion:
        return rows.exclude(sources=None).order_by("-pk").first() or rows.order_by("-pk").first()
    if model is Segment:
        return rows.filter(is_static=False).first() or rows.first()
    if model is Notice:
        return rows.order_by("name").first()
    return rows.order_by("-pk").first()
