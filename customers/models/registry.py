"""The event registry: what an event of a name must look like, version by version."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models.brand import Brand
from customers.models.owned import Owned
from customers.reach import ByBrand


class EventType(Owned):
    class Role(models.TextChoices):
        ORDER = "order", _("order")
        REFUND = "refund", _("refund")
        ACTIVATION = "activation", _("activation")
        FEATURE_USED = "feature_used", _("feature used")
        CANCELLED = "cancelled", pgettext_lazy("event", "cancelled")
        CONTACT = "contact", _("contact")
        RESOLVED = "resolved", _("resolved")

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
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("schema version")
        verbose_name_plural = _("schema versions")
        ordering = ("event_type", "-number")
        constraints = (models.UniqueConstraint(fields=("event_type", "number"), name="one_number_per_event_type"),)

    def __str__(self) -> str:
        return f"{self.event_type} v{self.number}"
