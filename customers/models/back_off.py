"""How log-in slows down for an account, or for an address, that keeps failing."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.reach import OfOrganisation


class LogInBackOff(Owned):
    """Attempts since the last success, by a keyed digest of the account's name or of the network address."""

    reach = OfOrganisation()

    digest = models.BinaryField(primary_key=True, max_length=32)
    failures = models.PositiveIntegerField(_("failures"))
    last_at = models.DateTimeField(_("last at"))
    blocked_until = models.DateTimeField(_("blocked until"), null=True)

    class Meta:
        verbose_name = _("log-in back-off")
        verbose_name_plural = _("log-in back-offs")

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]
