"""What people ask of us beside consent: to be left in peace for a while, a language, and how often at most."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Method
from customers.models import Address, Brand
from customers.models.owned import Owned


class Pause(Owned):
    """Until then nothing of this brand goes to the address but what is owed by law; consents stay as they are.

    On a pseudo-address it holds for every address of that person. Each method has its own, so that nobody ends by a
    link what the staff set. Of one that was ended early, or taken over by another, `ended_at` tells when.
    """

    id = models.BigAutoField(primary_key=True)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    address = models.ForeignKey(
        Address, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("address")
    )
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    method = models.CharField(_("method"), max_length=14, choices=Method.choices)
    message_id = models.CharField(_("message"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = (
            models.UniqueConstraint(
                fields=("address", "brand", "method"),
                condition=models.Q(ended_at__isnull=True),
                name="one_open_pause",
            ),
            models.CheckConstraint(condition=models.Q(until__gt=models.F("since")), name="pause_ends_after_it_begins"),
        )

    def __str__(self) -> str:
        return f"{self.address_id} {self.until:%Y-%m-%d}"


class Preference(Owned):
    """How a brand writes to an address: in which language, how often at most, and whether it sees what is read."""

    id = models.BigAutoField(primary_key=True)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    address = models.ForeignKey(
        Address, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("address")
    )
    language = models.CharField(_("language"), max_length=20, blank=True, help_text=_("Empty: as the person has it."))
    every_days = models.PositiveSmallIntegerField(
        _("days between messages"),
        default=0,
        help_text=_("At most one marketing message in so many days. 0: no limit."),
    )
    is_untracked = models.BooleanField(
        _("not seen"),
        default=False,
        db_default=False,
        help_text=_("Whether they open what we send, and which links they follow, is not to be known."),
    )
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = (models.UniqueConstraint(fields=("address", "brand"), name="one_preference_per_address"),)

    def __str__(self) -> str:
        return f"{self.address_id} {self.language}"
