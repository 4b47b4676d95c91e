"""The identity graph: every identifier has a profile of its own, edges join them, customers follow from the edges."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models.brand import Brand
from customers.models.owned import Owned
from customers.partner import OfNamedCustomer, OfNamedProfile
from customers.personal import IDENTIFIER, TRAITS, personal
from customers.reach import AllOf, ByBrand, ByProfile, ForAll, OfOrganisation, Through


class IdentifierKind(Owned):
    """How identifiers of a kind are read, ranked and limited (DESIGN §3, Identity)."""

    reach = ForAll()

    key = models.SlugField(
        _("key"), max_length=32, primary_key=True, help_text=_("What events call it: loyalty_card, say.")
    )
    name = models.CharField(_("name"), max_length=100)
    scheme = models.CharField(
        _("read as"), max_length=16, default="opaque", help_text=_("What makes two spellings one value.")
    )
    rank = models.SmallIntegerField(
        _("rank"),
        help_text=_("The lower, the stronger: an event belongs to the strongest identifier that it names."),
    )
    most_per_customer = models.PositiveIntegerField(
        _("most per customer"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("In one namespace; evidence that would go beyond is kept and not followed. Empty: no limit."),
    )
    most_people = models.PositiveIntegerField(
        _("most people"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("A value that more people than these were seen with tells nobody from anybody: it joins none."),
    )
    organisation_wide = models.BooleanField(
        _("organisation-wide"),
        default=False,
        help_text=_("Means the same in every source; others are unique in their source's namespace."),
    )
    is_typed = models.BooleanField(
        _("typed by people"),
        default=False,
        help_text=_(
            "Somebody said so, as of an e-mail in a form: where two disagree, ids that a system gave come first."
        ),
    )
    blocked = ArrayField(
        models.CharField(max_length=320),
        verbose_name=_("blocked values"),
        default=list,
        blank=True,
        help_text=_("Placeholders that stand for nobody, beside those that are refused everywhere."),
    )
    is_seeded = models.BooleanField(_("built in"), default=False, editable=False)

    class Meta:
        verbose_name = _("identifier kind")
        verbose_name_plural = _("identifier kinds")
        ordering = ("rank", "key")

    def __str__(self) -> str:
        return self.name


class Customer(Owned):
    """One person as known now: the key is the component's first profile, `traits` the winners over its profiles."""

    reach = Through("pk", "customers.Profile", "customer_id")
    for_partners = OfNamedCustomer("pk")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(_("created at"))
    traits = personal(models.JSONField(_("traits"), default=dict), TRAITS)
    zone = models.CharField(_("time zone"), max_length=64, blank=True)
    locale = models.CharField(_("locale"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, db_default="")

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ("-id",)
        permissions = (("merge_customer", _("Can merge and take apart customers")),)

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
    shared_at = models.DateTimeField(
        _("shared since"),
        null=True,
        blank=True,
        help_text=_("Seen with more people than its kind may have: it joins nobody any more."),
    )
    exempt = models.BooleanField(
        _("exempt"),
        default=False,
        db_default=False,
        help_text=_("A person decided that it is not shared, however many it is seen with."),
    )

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
        indexes = (
            # Read by the first page and the list of those that are shared, of which there are few.
            models.Index(fields=("id",), condition=models.Q(shared_at__isnull=False), name="identifier_of_too_many"),
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
    ALIAS = "alias", _("new name of the same")


class Edge(Owned):
    """Evidence that two profiles are (or are not) one person; `low` sorts before `high`.

    One row per pair, kind and assurance, kept at its earliest evidence, so that the set of edges does not
    depend on the order in which the evidence arrived. What a person decided is kept at its latest instead.
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
        _("skipped"), default=False, help_text=_("Kept and not followed: see the limits of its identifiers' kinds.")
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


class ProfileMove(Owned):
    """A profile that changed its customer: the log of merges and unmerges, by which they are undone and explained."""

    reach = ByProfile()

    id = models.BigAutoField(primary_key=True)
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="moves", verbose_name=_("profile")
    )
    from_customer_id = models.UUIDField(_("from customer"))
    to_customer_id = models.UUIDField(_("to customer"))
    was_since = models.DateTimeField(_("had been with them since"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("move of a profile")
        verbose_name_plural = _("moves of profiles")
        # Read by permission at a moment past: whose profiles were this customer's then?
        indexes = (models.Index(fields=("from_customer_id", "at"), name="move_by_former_customer"),)

    def __str__(self) -> str:
        return f"{self.profile_id} → {self.to_customer_id}"


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


class ErasedAddress(Owned):
    """A keyed hash of an erased address: handed in again, it stays suppressed. `address_id` is the row that was its."""

    reach = OfOrganisation()

    id = models.BigAutoField(primary_key=True)
    digest = models.BinaryField(_("keyed hash"), max_length=32, unique=True)
    address_id = models.UUIDField(_("address"), null=True)
    erased_at = models.DateTimeField(_("erased at"))

    class Meta:
        verbose_name = _("erased address")
        verbose_name_plural = _("erased addresses")

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:12]


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
