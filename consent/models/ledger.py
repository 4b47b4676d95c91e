"""The consent ledger: append-only entries hash-chained per address, and the heads that follow from them."""

from datetime import UTC, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.purpose import NoticeVersion, Purpose
from customers.models import Address, Brand, Profile, Source
from customers.models.owned import Owned
from customers.partner import OfNamedCustomer
from customers.personal import DOCUMENT, personal
from customers.reach import AnyOf, ByBrand, ByProfile, Through

# Until when consent can be valid: at the edge of the calendar what PostgreSQL stores, Python cannot read.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2201, 1, 1, tzinfo=UTC)
_READABLE = models.Q(valid_until__gte=EARLIEST, valid_until__lt=LATEST)


class State(models.TextChoices):
    """The ten states of the Data Privacy Vocabulary's mapping of ISO/IEC TS 27560."""

    REQUESTED = "requested", _("requested")
    DEFERRED = "deferred", _("request deferred")
    REFUSED = "refused", _("refused")
    GIVEN = "given", _("given")
    RENEWED = "renewed", _("renewed")
    WITHDRAWN = "withdrawn", _("withdrawn")
    REVOKED = "revoked", _("revoked")
    EXPIRED = "expired", _("expired")
    INVALIDATED = "invalidated", _("invalidated")
    UNKNOWN = "unknown", _("unknown")

    @classmethod
    def permitting(cls) -> frozenset[str]:
        return frozenset({cls.GIVEN, cls.RENEWED})

    @classmethod
    def opposing(cls) -> frozenset[str]:
        return frozenset({cls.REFUSED, cls.WITHDRAWN, cls.REVOKED, cls.INVALIDATED})

    @classmethod
    def undecided(cls) -> frozenset[str]:
        """Asked and not answered: never takes the place of an answer given before."""
        return frozenset({cls.REQUESTED, cls.DEFERRED})


class Method(models.TextChoices):
    EVENT = "event", _("event of a source")
    # Anybody may have named anybody: a web page's, or what a source itself does not vouch for.
    CLAIM = "claim", _("unproven claim")
    ONE_CLICK = "one_click", _("one-click unsubscribe")
    LINK = "link", _("link in a message")
    API = "api", _("API")
    STAFF = "staff", _("member of staff")
    IMPORT = "import", _("import")
    LOGIN = "login", _("log-in")
    DOUBLE_OPT_IN = "double_opt_in", _("double opt-in")
    KEYWORD = "keyword", _("keyword reply")
    PROVIDER = "provider", _("provider's report")

    @classmethod
    def proven(cls) -> frozenset[str]:
        """Methods by which a profile's own later grant outweighs an address-wide withdrawal (DESIGN §5)."""
        return frozenset({cls.LOGIN, cls.DOUBLE_OPT_IN})


class ConsentChain(Owned):
    """One row per address: the lock every consent change and every send takes, and the chain's head."""

    # As its address does, without asking that first.
    reach = AnyOf((Through("address_id", "customers.AddressProfile", "address_id"), ByProfile("address_id")))

    address = models.OneToOneField(
        Address, on_delete=models.PROTECT, primary_key=True, related_name="+", verbose_name=_("address")
    )
    length = models.PositiveIntegerField(_("length"), default=0)
    digest = models.BinaryField(_("head hash"), max_length=32, default=bytes(32))

    class Meta:
        verbose_name = _("consent chain")
        verbose_name_plural = _("consent chains")

    def __str__(self) -> str:
        return str(self.address_id)


class ConsentEntry(Owned):
    """One thing that happened to one consent. `profile` null: it holds for the address whoever uses it.

    `digest` = SHA-256 over the entry before, the plain fields and `commitment`, which itself is the salted
    SHA-256 of the evidence; erasing the evidence row leaves the chain verifiable.
    """

    for_partners = OfNamedCustomer("profile__customer_id")

    id = models.BigAutoField(primary_key=True)
    address = models.ForeignKey(Address, on_delete=models.PROTECT, related_name="+", verbose_name=_("address"))
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("profile"),
    )
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+", verbose_name=_("purpose"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    effective_at = models.DateTimeField(_("effective at"), help_text=_("The earlier of occurred and received."))
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    method = models.CharField(_("method"), max_length=14, choices=Method.choices)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("source"))
    message_id = models.CharField(_("message id"), max_length=100, blank=True)
    event_id = models.BigIntegerField(_("event"), null=True)
    notice_version = models.ForeignKey(
        NoticeVersion, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("notice version")
    )
    language = models.CharField(_("language shown"), max_length=20, blank=True)
    legal_basis = models.CharField(
        _("legal basis"), max_length=64, blank=True, help_text=_("Law and article, e.g. lgpd:7:I.")
    )
    jurisdiction = models.CharField(_("jurisdiction"), max_length=8, blank=True)
    collector = models.CharField(_("collected by"), max_length=200, blank=True)
    withdrawal_path = models.CharField(_("how to withdraw"), max_length=200, blank=True)
    position = models.PositiveIntegerField(_("position in the chain"))
    previous = models.BinaryField(_("previous hash"), max_length=32)
    commitment = models.BinaryField(_("commitment to the evidence"), max_length=32)
    digest = models.BinaryField(_("hash"), max_length=32)

    class Meta:
        verbose_name = _("consent entry")
        verbose_name_plural = _("consent ledger")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("address", "position"), name="one_entry_per_chain_position"),
            models.CheckConstraint(condition=_READABLE, name="entry_valid_until_readable"),
        )
        indexes = (
            # Read by the numbers of a purpose.
            models.Index(fields=("purpose", "recorded_at"), name="entry_by_purpose_and_time"),
        )

    def __str__(self) -> str:
        return f"{self.state} · {self.purpose_id}"


class ConsentEvidence(Owned):
    """The personal part of an entry: who, from which address, device and page. Erasure deletes it."""

    reach = ByBrand("entry__brand")

    entry = models.OneToOneField(ConsentEntry, on_delete=models.DO_NOTHING, primary_key=True, related_name="evidence")
    salt = models.BinaryField(_("salt"), max_length=16)
    fields = personal(models.JSONField(_("fields")), DOCUMENT)

    class Meta:
        verbose_name = _("consent evidence")
        verbose_name_plural = _("consent evidence")

    def __str__(self) -> str:
        return str(self.entry_id)


class ErasedEvidence(Owned):
    """That an erasure took the evidence of an entry: where it is gone without this, somebody else took it."""

    reach = ByBrand("entry__brand")

    entry = models.OneToOneField(
        ConsentEntry,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="+",
        verbose_name=_("consent entry"),
    )
    erased_at = models.DateTimeField(_("erased at"))

    class Meta:
        verbose_name = _("erased evidence")
        verbose_name_plural = _("erased evidence")

    def __str__(self) -> str:
        return str(self.entry_id)


class ConsentHead(Owned):
    """The entry in force for (address, profile or null, purpose); ties of time go to the withdrawal."""

    reach = ByBrand("purpose__brand")

    id = models.BigAutoField(primary_key=True)
    address = models.ForeignKey(
        Address, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("address")
    )
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("profile"),
    )
    purpose = models.ForeignKey(
        Purpose, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("purpose")
    )
    entry_id = models.BigIntegerField(_("entry"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    method = models.CharField(_("method"), max_length=14, choices=Method.choices)
    effective_at = models.DateTimeField(_("effective at"))
    valid_until = models.DateTimeField(_("valid until"), null=True)
    proven_at = models.DateTimeField(
        _("proven at"),
        null=True,
        help_text=_("When the consent in force was last proven; a repetition without proof keeps it."),
    )

    told = models.PositiveSmallIntegerField(
        _("told of"), default=0, db_default=0, help_text=_("1: that it is about to expire. 2: that it has expired.")
    )

    class Meta:
        verbose_name = _("current consent")
        verbose_name_plural = _("current consents")
        permissions = (("withdraw_consenthead", _("Can withdraw and pause for people who ask")),)
        constraints = (
            models.UniqueConstraint(
                fields=("address", "purpose", "profile"), nulls_distinct=False, name="one_head_per_consent"
            ),
            models.CheckConstraint(condition=_READABLE, name="head_valid_until_readable"),
        )
        indexes = (
            # Read by beat: which consents are about to expire, or have, without anybody having been told?
            models.Index(
                fields=("valid_until",),
                condition=models.Q(valid_until__isnull=False, told__lt=2),
                name="head_to_tell_of",
            ),
            # Read by the numbers of a purpose, and by whoever looks for what is about to end.
            models.Index(fields=("purpose", "state", "valid_until"), name="head_by_purpose_and_state"),
        )

    def __str__(self) -> str:
        return f"{self.state} · {self.purpose_id}"
