"""What resolve hands on: events to be matched and profiles that changed their customer."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.reach import ByBrand, ByProfile, OfOrganisation


class AwaitedName(Owned):
    """An event name that something live waits for; resolve queues only events with such names."""

    reach = OfOrganisation()

    name = models.CharField(_("event name"), max_length=120)
    waiter = models.CharField(
        _("waiter"), max_length=100, help_text=_("Who waits, as kind:id, e.g. journey_version:7.")
    )

    class Meta:
        verbose_name = _("awaited name")
        verbose_name_plural = _("awaited names")
        constraints = (models.UniqueConstraint(fields=("name", "waiter"), name="one_row_per_waiter_and_name"),)

    def __str__(self) -> str:
        return f"{self.name} ← {self.waiter}"


class MatchItem(Owned):
    """A committed event that a journey may await. Keyed by profile: merges move customers, never queues."""

    reach = ByBrand("brand_id")

    id = models.BigAutoField(primary_key=True)
    event_id = models.BigIntegerField(_("event"))
    received_at = models.DateTimeField(_("received at"))
    occurred_at = models.DateTimeField(_("occurred at"))
    profile_id = models.UUIDField(_("profile"))
    brand_id = models.UUIDField(_("brand"))
    name = models.CharField(_("event name"), max_length=120)
    message_id = models.CharField(_("message id"), max_length=100)

    class Meta:
        verbose_name = _("event to match")
        verbose_name_plural = _("match queue")
        db_table = "customers_match_queue"
        indexes = (
            # Read by match and by advance: what is the oldest of a profile, of however many?
            models.Index(fields=("profile_id", "received_at", "event_id"), name="match_queue_by_profile"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"


class MergeItem(Owned):
    """A profile whose customer changed; whoever keeps a copy of customer_id moves it."""

    reach = ByProfile()

    id = models.BigAutoField(primary_key=True)
    profile_id = models.UUIDField(_("profile"), db_index=True)
    from_customer_id = models.UUIDField(_("from customer"))
    to_customer_id = models.UUIDField(_("to customer"))
    queued_at = models.DateTimeField(_("queued at"))

    class Meta:
        verbose_name = _("merge to follow")
        verbose_name_plural = _("merge queue")
        db_table = "customers_merge_queue"

    def __str__(self) -> str:
        return f"{self.profile_id} → {self.to_customer_id}"
