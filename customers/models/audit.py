"""What people changed, and what the machinery could not finish."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.brand import Brand
from customers.models.owned import Owned
from customers.personal import DOCUMENT, TEXT, personal
from customers.reach import OfOrganisation


class AuditEntry(Owned):
    """Append-only, hash-chained per day: who changed what, from what, to what."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    day = models.DateField(_("day"), help_text=_("The chain this entry belongs to (UTC)."))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("actor"),
    )
    brand = models.ForeignKey(
        Brand,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("brand"),
    )
    action = models.CharField(_("action"), max_length=64)
    object_type = models.CharField(_("object type"), max_length=64)
    object_id = models.CharField(_("object"), max_length=64)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    position = models.PositiveIntegerField(_("position in the day"))
    previous = models.BinaryField(_("previous hash"), max_length=32)
    digest = models.BinaryField(_("hash"), max_length=32)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("day", "position"), name="one_audit_entry_per_position"),)
        indexes = (
            models.Index(fields=("object_type", "object_id"), name="audit_by_object"),
            # Read by the trail's own page: what has this person done, what happened in this brand, who did this?
            models.Index(fields=("actor", "id"), name="audit_by_actor"),
            models.Index(fields=("brand", "id"), name="audit_by_brand"),
            models.Index(fields=("action", "id"), name="audit_by_action"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class BatchClaim(Owned):
    """Units a worker is about to work on, committed before the work: how a crash is counted.

    The worker holds the row's lock while it works and deletes it with the work's own commit; a row that is
    old and unlocked names units whose worker died.
    """

    reach = OfOrganisation()

    id = models.BigAutoField(primary_key=True)
    queue = models.CharField(_("queue"), max_length=32)
    unit_ids = ArrayField(models.BigIntegerField())
    started_at = models.DateTimeField(_("started at"))

    class Meta:
        verbose_name = _("batch in work")
        verbose_name_plural = _("batches in work")

    def __str__(self) -> str:
        return f"{self.queue} × {len(self.unit_ids)}"


class UnitAttempt(Owned):
    """A unit that failed or whose worker died: worked on alone from now on, five times at most."""

    reach = OfOrganisation()

    pk = models.CompositePrimaryKey("queue", "unit_id")
    queue = models.CharField(_("queue"), max_length=32)
    unit_id = models.BigIntegerField(_("unit"))
    attempts = models.SmallIntegerField(_("attempts"))
    reason = personal(models.TextField(_("reason")), TEXT)
    next_at = models.DateTimeField(_("next attempt at"))

    class Meta:
        verbose_name = _("unit attempt")
        verbose_name_plural = _("unit attempts")

    def __str__(self) -> str:
        return f"{self.queue} {self.unit_id} × {self.attempts}"


class DeadLetter(Owned):
    """A unit given up after its attempts, with what is needed to replay it."""

    reach = OfOrganisation()

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    queue = models.CharField(_("queue"), max_length=32)
    unit_id = models.BigIntegerField(_("unit"))
    reason = personal(models.TextField(_("reason")), TEXT)
    attempts = models.SmallIntegerField(_("attempts"))
    row = personal(models.JSONField(_("row"), help_text=_("The queue row as it stood; replay puts it back.")), DOCUMENT)
    replayed_at = models.DateTimeField(_("replayed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        ordering = ("-id",)
        indexes = (models.Index(fields=("queue", "unit_id"), name="dead_letter_by_unit"),)

    def __str__(self) -> str:
        return f"{self.queue} {self.unit_id}"
