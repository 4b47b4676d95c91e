"""What somebody asked for by a link or form and has yet to confirm from their own mailbox: double opt-in."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Method
from consent.models.purpose import NoticeVersion, Purpose
from customers.ids import new_id
from customers.models import Address, Brand, Profile
from customers.models.owned import Owned


class Confirmation(Owned):
    """A request that a mail was sent about. With a purpose it asks for consent; without, for more frequent mail or the
    end of a pause."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("waits for an answer")
        CONFIRMED = "confirmed", _("confirmed")
        # Withdrawn or asked anew after it was sent.
        OVERTAKEN = "overtaken", _("overtaken")
        EXPIRED = "expired", _("expired")
        # The address had too many of them that day.
        HELD_BACK = "held_back", _("not sent: too many that day")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    address = models.ForeignKey(Address, on_delete=models.PROTECT, related_name="+", verbose_name=_("address"))
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("profile")
    )
    purpose = models.ForeignKey(
        Purpose, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("purpose")
    )
    every_days = models.PositiveSmallIntegerField(_("days between messages"), null=True)
    ends_pause = models.BooleanField(_("ends a pause"), default=False, db_default=False)
    notice_version = models.ForeignKey(
        NoticeVersion, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("notice version")
    )
    language = models.CharField(_("language shown"), max_length=20, blank=True)
    method = models.CharField(_("asked by"), max_length=14, choices=Method.choices)
    asked_at = models.DateTimeField(_("asked at"))
    expires_at = models.DateTimeField(_("expires at"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    requested_entry_id = models.BigIntegerField(_("entry of the request"), null=True)
    given_entry_id = models.BigIntegerField(_("entry of the consent"), null=True)

    class Meta:
        verbose_name = _("request for confirmation")
        verbose_name_plural = _("requests for confirmation")
        constraints = (
            # A mailbox is asked about one thing once at a time, for whichever profile.
            models.UniqueConstraint(
                fields=("address", "brand", "purpose", "ends_pause"),
                condition=models.Q(outcome="open"),
                nulls_distinct=False,
                name="one_open_confirmation",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__isnull=False, every_days__isnull=True, ends_pause=False)
                | models.Q(purpose__isnull=True, every_days__isnull=False, ends_pause=False)
                | models.Q(purpose__isnull=True, every_days__isnull=True, ends_pause=True),
                name="confirmation_asks_for_one_thing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.address_id} {self.outcome}"
