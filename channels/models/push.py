"""A browser that takes pushes: the keys by which words for it are encrypted, beside its address."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.connector import Connector
from customers.models import Address
from customers.models.owned import Owned
from customers.reach import ByBrand


class PushSubscription(Owned):
    """Made for one key of one connector: whoever has another cannot speak to the browser. Its keys are no way to know
    somebody, but whoever has them can write what seems to be ours."""

    reach = ByBrand("connector__brand", squad="connector__squad")

    address = models.OneToOneField(
        Address, on_delete=models.CASCADE, primary_key=True, related_name="+", verbose_name=_("address")
    )
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="+", verbose_name=_("connector"))
    public_key = models.CharField(
        _("public key"), max_length=100, help_text=_("Of the connector, as it was when the browser subscribed.")
    )
    keys = models.BinaryField(_("keys"), editable=False, help_text=_("Encrypted; write-only."))
    created_at = models.DateTimeField(_("subscribed at"))
    told_at = models.DateTimeField(_("last told at"))
    expires_at = models.DateTimeField(
        _("expires at"), null=True, help_text=_("Where the browser’s push service sets an end.")
    )

    class Meta:
        verbose_name = _("subscription of a browser")
        verbose_name_plural = _("subscriptions of browsers")

    @property
    def is_reached(self) -> bool:
        """Whether its connector still has the key it was made for."""
        return bool(self.public_key == self.connector.config.get("public_key"))

    def __str__(self) -> str:
        return str(self.address_id)
