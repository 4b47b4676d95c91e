"""A journey and its immutable versions; a run pins the version it entered."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models import Brand, Squad
from customers.models.owned import Owned
from customers.partner import InBrand
from customers.reach import ByBrand


class Journey(Owned):
    for_partners = InBrand()

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        LIVE = "live", pgettext_lazy("journey", "live")
        PAUSED = "paused", _("paused")
        ARCHIVED = "archived", _("archived")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="journeys", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.DRAFT)
    draft = models.JSONField(_("draft"), default=dict, blank=True)
    draft_revision = models.PositiveIntegerField(
        _("draft's revision"),
        default=0,
        editable=False,
        help_text=_("How often the draft was saved: two people at once notice each other by it."),
    )
    live_version = models.ForeignKey(
        "JourneyVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("live version"),
    )
    ramp_over = models.JSONField(
        _("group that everybody follows"),
        null=True,
        editable=False,
        help_text=_("The ramp, as it is written, after which somebody let everybody in."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("journey")
        verbose_name_plural = _("journeys")
        ordering = ("name",)
        permissions = (("publish_journey", _("Can publish journey")),)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_journey_key_per_brand"),)

    def __str__(self) -> str:
        return self.name


class JourneyVersion(Owned):
    """Append-only: what was published, by whom, when. `id` is small because every run carries it."""

    reach = ByBrand("journey__brand", squad="journey__squad")

    id = models.AutoField(primary_key=True)
    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="versions", verbose_name=_("journey"))
    number = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("definition"))
    bindings = models.JSONField(
        _("bindings"), help_text=_("What the keys in the definition stood for when it was published.")
    )
    published_at = models.DateTimeField(_("published at"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    returns_to = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("return to"),
        help_text=_("The earlier version whose document was made live again."),
    )

    class Meta:
        verbose_name = _("journey version")
        verbose_name_plural = _("journey versions")
        ordering = ("journey", "-number")
        constraints = (models.UniqueConstraint(fields=("journey", "number"), name="one_number_per_journey"),)

    def __str__(self) -> str:
        return f"{self.journey} v{self.number}"
