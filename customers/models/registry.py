"""The event registry: what an event of a name must look like, version by version."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models.brand import Brand
from customers.models.owned import Owned
from customers.models.source import Source
from customers.partner import InBrand
from customers.reach import ByBrand


def _whoever(label: Any) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True, verbose_name=label
    )


class EventType(Owned):
    for_partners = InBrand()

    class Role(models.TextChoices):
        ORDER = "order", _("order")
        REFUND = "refund", _("refund")
        ACTIVATION = "activation", _("activation")
        FEATURE_USED = "feature_used", _("feature used")
        CANCELLED = "cancelled", pgettext_lazy("event", "cancelled")
        CONTACT = "contact", _("contact")
        RESOLVED = "resolved", _("resolved")
        VIEW = "view", _("product viewed")

    class Compatibility(models.TextChoices):
        BACKWARD = "backward", _("backward")
        FORWARD = "forward", _("forward")
        FULL = "full", _("full")
        NONE = "none", _("none")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="event_types", verbose_name=_("brand"))
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    compatibility = models.CharField(
        _("compatibility"), max_length=8, choices=Compatibility.choices, default=Compatibility.BACKWARD
    )
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, blank=True)
    amount_property = models.CharField(_("amount property"), max_length=120, blank=True)
    currency_property = models.CharField(_("currency property"), max_length=120, blank=True)
    key_property = models.CharField(_("key property"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("event type")
        verbose_name_plural = _("event types")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "name"), name="one_event_type_name_per_brand"),)

    def __str__(self) -> str:
        return self.name


class SchemaVersion(Owned):
    reach = ByBrand("event_type__brand")
    for_partners = InBrand()

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        APPROVED = "approved", _("approved")
        DEPRECATED = "deprecated", _("deprecated")

    event_type = models.ForeignKey(
        EventType, on_delete=models.CASCADE, related_name="versions", verbose_name=_("event type")
    )
    number = models.PositiveIntegerField(_("version"))
    schema = models.JSONField(
        _("schema"), help_text=_("JSON Schema 2020-12 of the properties (of the traits for identify).")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    upcast = models.JSONField(
        _("upcast"), default=list, blank=True, help_text=_("Operations from the version before to this one.")
    )
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("follows")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    proposed_at = models.DateTimeField(_("proposed at"), null=True, blank=True)
    proposed_by = _whoever(_("proposed by"))
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    approved_by = _whoever(_("approved by"))
    deprecated_at = models.DateTimeField(_("deprecated at"), null=True, blank=True)
    deprecated_by = _whoever(_("deprecated by"))

    class Meta:
        verbose_name = _("schema version")
        verbose_name_plural = _("schema versions")
        ordering = ("event_type", "-number")
        permissions = (("approve_schemaversion", _("Can approve and deprecate schema versions")),)
        constraints = (
            models.UniqueConstraint(fields=("event_type", "number"), name="one_number_per_event_type"),
            # Of two approvals at once, one was judged against a version that is the latest no more.
            models.UniqueConstraint(
                fields=("event_type", "follows"),
                condition=~Q(status="draft"),
                nulls_distinct=False,
                name="one_version_follows_another",
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_type} v{self.number}"


class SourceEventType(Owned):
    """A type that a source may send, and which version its events are held to when they name none."""

    reach = ByBrand("source__brand", squad="source__squad")

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="event_types", verbose_name=_("source"))
    event_type = models.ForeignKey(EventType, on_delete=models.CASCADE, related_name="+", verbose_name=_("event type"))
    default_version = models.PositiveIntegerField(
        _("default version"),
        null=True,
        blank=True,
        help_text=_("What events that name no version are held to; empty: the latest approved."),
    )

    class Meta:
        verbose_name = _("event type of a source")
        verbose_name_plural = _("event types of sources")
        constraints = (models.UniqueConstraint(fields=("source", "event_type"), name="one_row_per_source_and_type"),)

    def __str__(self) -> str:
        return f"{self.source} · {self.event_type}"
