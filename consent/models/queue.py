"""Consent that events carried, waiting to be applied in the order of addresses."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.personal import DOCUMENT, personal
from customers.reach import ByBrand


class ConsentItem(Owned):
    """`request` is one decoded consent request (see consent.events); `address_id` is where it hangs."""

    reach = ByBrand("brand_id")

    id = models.BigAutoField(primary_key=True)
    address_id = models.UUIDField(_("address"))
    profile_id = models.UUIDField(_("profile"), db_index=True)
    brand_id = models.UUIDField(_("brand"))
    source_id = models.UUIDField(_("source"))
    event_id = models.BigIntegerField(_("event"))
    message_id = models.CharField(_("message id"), max_length=100)
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    request = personal(models.JSONField(_("request")), DOCUMENT)

    class Meta:
        verbose_name = _("consent to apply")
        verbose_name_plural = _("consent queue")
        db_table = "consent_queue"

    def __str__(self) -> str:
        return f"{self.address_id} {self.event_id}"
