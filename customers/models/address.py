"""Where a message can go: addresses by channel, and the profiles they were seen with."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models.identity import Assurance, Profile
from customers.models.owned import Owned
from customers.personal import IDENTIFIER, personal
from customers.reach import AnyOf, ByProfile, Through


class Channel(models.TextChoices):
    """Ways to reach a person, named here because consent, channels and journeys all speak of them."""

    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    PUSH = "push", _("push")
    IN_APP = "in_app", _("in-app")
    WEB = "web", _("web")
    # By a person of ours: a call, or a word from the store.
    CALL = "call", _("call")
    # Consent without an address hangs on this pseudo-address, whose value is the profile's id.
    PERSON = "person", _("person")


# Endpoints of browsers are the longest.
MOST_VALUE: Final = 1_000


class Address(Owned):
    reach = AnyOf((Through("pk", "customers.AddressProfile", "address_id"), ByProfile("pk")))

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    value = personal(models.CharField(_("value"), max_length=MOST_VALUE), IDENTIFIER)
    original = personal(models.CharField(_("as given"), max_length=MOST_VALUE), IDENTIFIER)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = (models.UniqueConstraint(fields=("value", "channel"), name="one_address_per_channel_value"),)

    def __str__(self) -> str:
        return f"{self.channel}: {self.value}"


class AddressProfile(Owned):
    reach = ByProfile()

    pk = models.CompositePrimaryKey("profile_id", "address_id")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="addresses", db_index=False)
    address = models.ForeignKey(Address, on_delete=models.CASCADE, related_name="profiles")
    first_seen_at = models.DateTimeField(_("first seen at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    assurance = models.SmallIntegerField(
        _("assurance"),
        choices=Assurance.choices,
        default=Assurance.OBSERVED,
        db_default=2,
        help_text=_("How sure the surest sender was that it is theirs; what a page says is a mere claim."),
    )

    class Meta:
        verbose_name = _("address of a profile")
        verbose_name_plural = _("addresses of profiles")

    def __str__(self) -> str:
        return f"{self.address_id} of {self.profile_id}"
