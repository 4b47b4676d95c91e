"""What customers were granted: each grant with what is left of it, and the ledger of all that was done to it."""

import re

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models import Brand, Profile
from customers.models.owned import Owned
from customers.partner import OfNamedCustomer
from customers.personal import TEXT, personal

MOST_AT_ONCE = 1_000_000
KEY = re.compile(r"[a-z][a-z0-9_.-]{0,59}")
key_is_sound = RegexValidator(rf"^{KEY.pattern}\Z", _("Small letters, digits and _ . - alone, a letter first."))


class Origin(models.TextChoices):
    """Who had it granted, used or taken back."""

    RUN = "run", pgettext_lazy("origin", "journey")
    API = "api", pgettext_lazy("origin", "partner")
    STAFF = "staff", pgettext_lazy("origin", "staff")
    TIME = "time", pgettext_lazy("origin", "passing of time")


class Entitlement(Owned):
    """One grant, and the lock of all that is done to it. It hangs on the profile that it was given to, so that who is
    taken apart keeps what is theirs; it is good for the whole customer. Without a `quantity` it may be used as often
    as one likes until it ends."""

    for_partners = OfNamedCustomer("profile__customer_id")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("entitlement", "open")
        USED = "used", pgettext_lazy("entitlement", "used up")
        REVOKED = "revoked", pgettext_lazy("entitlement", "revoked")
        EXPIRED = "expired", pgettext_lazy("entitlement", "expired")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("profile")
    )
    key = models.CharField(
        _("key"), max_length=60, validators=[key_is_sound], help_text=_("What is granted: free_shipping, say.")
    )
    quantity = models.PositiveIntegerField(
        _("quantity"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_AT_ONCE)],
        help_text=_("How often it may be used. Empty: as often as they like, until it ends."),
    )
    remaining = models.PositiveIntegerField(_("left"), null=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    granted_at = models.DateTimeField(_("granted at"))
    expires_at = models.DateTimeField(_("good until"), null=True, blank=True, help_text=_("Empty: without an end."))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    origin = models.CharField(_("granted by"), max_length=5, choices=Origin.choices)
    origin_id = models.CharField(_("of number"), max_length=64, blank=True)
    scope_id = models.UUIDField(_("stands in"), null=True)
    step_id = models.CharField(_("step"), max_length=60, blank=True)
    entry_key = models.CharField(_("entry key"), max_length=200, blank=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=120)
    reason = personal(models.CharField(_("reason"), max_length=300, blank=True), TEXT)
    ended_reason = personal(models.CharField(_("reason of its end"), max_length=300, blank=True), TEXT)

    class Meta:
        verbose_name = _("entitlement")
        verbose_name_plural = _("entitlements")
        ordering = ("-granted_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("brand", "idempotency_key"), name="one_grant_per_idempotency_key"),
            models.CheckConstraint(
                condition=models.Q(quantity__isnull=True, remaining__isnull=True)
                | models.Q(
                    quantity__gte=1, remaining__isnull=False, remaining__gte=0, remaining__lte=models.F("quantity")
                ),
                name="entitlement_never_below_nothing",
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", ended_at__isnull=True)
                | ~models.Q(state="open") & models.Q(ended_at__isnull=False),
                name="entitlement_ends_once",
            ),
        )
        indexes = (
            # Read by every use, by steps and by a customer's page: what do these profiles have?
            models.Index(fields=("profile", "key"), name="entitlement_of_profile"),
            # Read by the sweep: whose time is over?
            models.Index(fields=("expires_at",), condition=models.Q(state="open"), name="entitlement_to_expire"),
            # Read by the list: the latest of a brand.
            models.Index(fields=("brand", "granted_at"), name="entitlement_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.key} {self.get_state_display()}"


class EntitlementEntry(Owned):
    """The ledger: append-only. Without a quantity, of what may be used without counting."""

    class Kind(models.TextChoices):
        GRANT = "grant", pgettext_lazy("entitlement", "granted")
        USE = "use", pgettext_lazy("entitlement", "used")
        REVOKE = "revoke", pgettext_lazy("entitlement", "revoked")
        EXPIRE = "expire", pgettext_lazy("entitlement", "expired")

    id = models.BigAutoField(primary_key=True)
    brand = models.ForeignKey(
        Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+",
        verbose_name=_("brand"),
    )  # fmt: skip
    entitlement = models.ForeignKey(
        Entitlement, on_delete=models.PROTECT, db_index=False, related_name="entries", verbose_name=_("entitlement")
    )
    kind = models.CharField(_("what happened"), max_length=6, choices=Kind.choices)
    quantity = models.PositiveIntegerField(_("quantity"), null=True)
    remaining = models.PositiveIntegerField(_("left"), null=True)
    at = models.DateTimeField(_("at"))
    origin = models.CharField(_("by"), max_length=5, choices=Origin.choices)
    origin_id = models.CharField(_("of number"), max_length=64, blank=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=120)

    class Meta:
        verbose_name = _("entry of the ledger of entitlements")
        verbose_name_plural = _("entries of the ledger of entitlements")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("entitlement", "idempotency_key"), name="one_entry_per_idempotency_key"),
        )
        indexes = (
            # Read by whoever uses something again under the key of before.
            models.Index(fields=("idempotency_key",), name="entitlement_entry_by_key"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.quantity or ''}".strip()
