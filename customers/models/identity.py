"""The identity graph: every identifier has a profile of its own, edges join them, customers follow from the edges."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models.brand import Brand
from customers.models.owned import Owned
from customers.partner import OfNamedCustomer, OfNamedProfile
from customers.personal import DOCUMENT, IDENTIFIER, personal
from customers.reach import AllOf, ByBrand, ByProfile, ForAll, OfOrganisation, Through


class IdentifierKind(Owned):
    """How identifiers of a kind are read, ranked and limited."""

    reach = ForAll()

    key = models.SlugField(_("key"), max_length=32, primary_key=True)
    name = models.CharField(_("name"), max_length=100)
    rank = models.SmallIntegerField(_("rank"), help_text=_("The lower, the stronger."))
    one_per_person = models.BooleanField(
        _("one per person"),
        default=False,
        help_text=_("Two different values in one namespace never belong to one customer."),
    )
    organisation_wide = models.BooleanField(_("organisation-wide"), default=False)

    class Meta:
        verbose_name = _("identifier kind")
        verbose_name_plural = _("identifier kinds")
        ordering = ("rank",)

    def __str__(self) -> str:
        return self.name


class Customer(Owned):
    """One person as known now: the key is the component's first profile, `traits` the winners over its profiles."""

    reach = Through("pk", "customers.Profile", "customer_id")
    for_partners = OfNamedCustomer("pk")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(_("created at"))
    traits = personal(models.JSONField(_("traits"), default=dict), DOCUMENT)
    zone = models.CharField(_("time zone"), max_length=64, blank=True)
    locale = models.CharField(_("locale"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ("-id",)

    def __str__(self) -> str:
        return str(self.id)


class Profile(Owned):
    """What is known under one identifier; `customer` is the only attribution that merging changes."""

    reach = ByProfile("pk")
    for_partners = OfNamedProfile("pk")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="profiles", verbose_name=_("customer")
    )
    customer_since = models.DateTimeField(
        _("with this customer since"), help_text=_("A grant given later speaks for the whole customer.")
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self) -> str:
        return str(self.id)


class Identifier(Owned):
    reach = ByProfile()
    for_partners = OfNamedProfile()

    id = models.BigAutoField(primary_key=True)
    namespace = models.UUIDField(_("namespace"), help_text=_("Nil for kinds that are organisation-wide."))
    kind = models.ForeignKey(
        IdentifierKind, on_delete=models.PROTECT, related_name="+", verbose_name=_("kind"), db_index=False
    )
    value = personal(models.CharField(_("value"), max_length=320), IDENTIFIER)
    original = personal(models.CharField(_("as given"), max_length=320), IDENTIFIER)
    profile = models.OneToOneField(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="identifier",
        verbose_name=_("profile"),
    )
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        constraints = (
            models.UniqueConstraint(
                fields=("value", "kind", "namespace"),
                condition=models.Q(closed_at__isnull=True),
                name="one_open_identifier_per_value",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind_id}: {self.value}"


class Assurance(models.IntegerChoices):
    CLAIMED = 1, _("claimed")
    OBSERVED = 2, _("observed")
    LOGIN = 3, _("verified by log-in")
    ONE_TIME_CODE = 4, _("verified by one-time code")
    DOCUMENT = 5, _("verified by document")
    PERSON = 6, _("decided by a person")


class EdgeKind(models.TextChoices):
    JOIN = "join", _("same person")
    SPLIT = "split", _("not the same person")


class Edge(Owned):
    """Evidence that two profiles are (or are not) one person; `low` sorts before `high`.

    One row per pair, kind and assurance, kept at its earliest evidence, so that the set of edges does not
    depend on the order in which the evidence arrived.
    """

    reach = AllOf((ByProfile("low_id"), ByProfile("high_id")))

    id = models.BigAutoField(primary_key=True)
    low = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+", db_index=False)
    high = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=5, choices=EdgeKind.choices, default=EdgeKind.JOIN)
    assurance = models.SmallIntegerField(_("assurance"), choices=Assurance.choices)
    occurred_at = models.DateTimeField(_("occurred at"))
    source_id = models.UUIDField(_("source"))
    message_id = models.CharField(_("message id"), max_length=100)
    skipped = models.BooleanField(
        _("skipped"), default=False, help_text=_("Would join two values of a kind that a person has once.")
    )
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("edge")
        verbose_name_plural = _("edges")
        constraints = (
            models.UniqueConstraint(fields=("low", "high", "kind", "assurance"), name="one_edge_per_evidence"),
            models.CheckConstraint(condition=models.Q(low__lt=models.F("high")), name="edge_low_before_high"),
        )

    def __str__(self) -> str:
        return f"{self.low_id} – {self.high_id}"


class ProfileBrand(Owned):
    """In which brands a profile was seen: what makes its customer visible there."""

    reach = ByBrand()

    pk = models.CompositePrimaryKey("profile_id", "brand_id")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="brands", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    first_seen_at = models.DateTimeField(_("first seen at"))

    class Meta:
        verbose_name = _("profile in brand")
        verbose_name_plural = _("profiles in brands")

    def __str__(self) -> str:
        return f"{self.profile_id} in {self.brand_id}"


class ErasedSubject(Owned):
    """A keyed hash of an erased identifier: events that occurred by then never bring the person back."""

    reach = OfOrganisation()

    digest = models.BinaryField(primary_key=True, max_length=32)
    erased_at = models.DateTimeField(_("erased at"))
    dropped = models.IntegerField(_("events dropped since"), default=0)

    class Meta:
        verbose_name = _("erased subject")
        verbose_name_plural = _("erased subjects")

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]
