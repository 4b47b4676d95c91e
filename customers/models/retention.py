"""How long things are kept, and what went when its time was over."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.brand import Brand
from customers.models.job import Job
from customers.models.owned import Owned


class RetentionRule(Owned):
    """A duration that differs from the product's own, for everything or for one brand."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("what"), max_length=40)
    brand = models.ForeignKey(
        Brand,
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("brand"),
        help_text=_("Empty: every brand that has no rule of its own."),
    )
    days = models.PositiveIntegerField(_("days"), validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention")
        ordering = ("kind", "brand__name")
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "brand"), nulls_distinct=False, name="one_retention_rule_per_kind_and_brand"
            ),
        )

    def __str__(self) -> str:
        return self.kind


class RetentionRecord(Owned):
    """What one run took away of one kind: its count outlives it."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", null=True)
    kind = models.CharField(_("what"), max_length=40)
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("brand")
    )
    partition = models.CharField(_("partition"), max_length=63, blank=True)
    cutoff = models.DateTimeField(_("older than"))
    rows = models.BigIntegerField(_("rows"), default=0)
    oldest = models.DateTimeField(_("the oldest"), null=True)
    newest = models.DateTimeField(_("the newest"), null=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("what retention took")
        verbose_name_plural = _("what retention took")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("job", "kind", "brand", "partition"), nulls_distinct=False, name="one_record_per_run_and_kind"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.partition}".strip()
