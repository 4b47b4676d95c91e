"""Addresses nothing may be sent to, whatever was granted."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Address, Brand
from customers.models.owned import Owned


class Suppression(Owned):
    class Reason(models.TextChoices):
        BOUNCE = "bounce", _("hard bounce")
        COMPLAINT = "complaint", _("complaint")
        STOP = "stop", _("STOP reply")
        ERASURE = "erasure", _("erasure")
        MANUAL = "manual", _("by hand")

    id = models.BigAutoField(primary_key=True)
    address = models.ForeignKey(Address, on_delete=models.PROTECT, related_name="+", verbose_name=_("address"))
    brand = models.ForeignKey(
        Brand,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("brand"),
        help_text=_("Empty: in every brand."),
    )
    reason = models.CharField(_("reason"), max_length=10, choices=Reason.choices)
    created_at = models.DateTimeField(_("created at"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = (
            models.UniqueConstraint(
                fields=("address", "brand", "reason"),
                condition=models.Q(lifted_at__isnull=True),
                nulls_distinct=False,
                name="one_open_suppression",
            ),
        )

    def __str__(self) -> str:
        return f"{self.reason} {self.address_id}"
