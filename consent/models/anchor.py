"""When the ledgers were anchored outside the database: for people to see; the anchors themselves are in files."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.reach import OfOrganisation


class LedgerAnchor(Owned):
    """What one anchor covered. The proof is its signed line in the folder of anchors, which this only repeats."""

    reach = OfOrganisation()

    id = models.BigAutoField(primary_key=True)
    number = models.PositiveIntegerField(_("number"), unique=True)
    at = models.DateTimeField(_("at"))
    root = models.BinaryField(_("Merkle root"), max_length=32)
    chains = models.BigIntegerField(_("consent chains"))
    entries = models.BigIntegerField(_("consent entries"))
    days = models.BigIntegerField(_("days of the audit trail"))
    audit_entries = models.BigIntegerField(_("audit entries"))
    notices = models.BigIntegerField(_("notice versions"), default=0, db_default=0)
    deviations = models.BigIntegerField(
        _("deviations"),
        help_text=_("Chains that no longer held what an earlier anchor had seen, and anchors taken from the folder."),
    )

    class Meta:
        verbose_name = _("ledger anchor")
        verbose_name_plural = _("ledger anchors")
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"{self.number} · {self.at:%Y-%m-%d %H:%M}"
