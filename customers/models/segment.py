"""Segments: people chosen by a rule, or put on a list by hand; membership is an interval."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models.brand import Brand, Squad
from customers.models.identity import Profile
from customers.models.owned import Owned
from customers.partner import InBrand, OfNamedCustomer
from customers.reach import AllOf, ByBrand, ByProfile


class Segment(Owned):
    """`state` says whether its membership follows what happens: while it is built, what changed waits."""

    class State(models.TextChoices):
        # It has no rule yet, and nobody is in it.
        DRAFT = "draft", pgettext_lazy("segment", "without a rule")
        BUILDING = "building", pgettext_lazy("segment", "being built")
        # The build failed or somebody stopped it: build it anew.
        STOPPED = "stopped", pgettext_lazy("segment", "build given up")
        LIVE = "live", pgettext_lazy("segment", "live")
        ARCHIVED = "archived", pgettext_lazy("segment", "archived")

    for_partners = InBrand()

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("squad")
    )
    key = models.CharField(
        _("key"),
        max_length=64,
        validators=[RegexValidator(r"^[a-z][a-z0-9_.]{0,63}\Z", _("Small letters, digits, _ and dots."))],
        help_text=_("What rules, journeys and partners call it; never changed."),
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    is_static = models.BooleanField(
        _("list"), default=False, help_text=_("People are put on a list by hand or by a partner; no rule chooses them.")
    )
    rule = models.JSONField(_("rule"), null=True, blank=True)
    rule_version = models.PositiveIntegerField(_("version of the rule"), default=0)
    builds = models.PositiveIntegerField(
        _("builds"), default=0, editable=False, help_text=_("Of several asked for, the last is done.")
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.DRAFT)
    size = models.BigIntegerField(_("people"), default=0)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    built_at = models.DateTimeField(_("built at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    is_personal = models.BooleanField(
        _("personal"),
        default=False,
        editable=False,
        help_text=_("Its rule asks personal data: who is in it is shown to those who may read that."),
    )

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_segment_key_per_brand"),)

    def __str__(self) -> str:
        return self.name


class SegmentVersion(Owned):
    """The rule as it was from a time on; membership names the version that it follows from."""

    reach = ByBrand("segment__brand", squad="segment__squad")

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions", verbose_name=_("segment"))
    number = models.PositiveIntegerField(_("number"))
    rule = models.JSONField(_("rule"))
    made_at = models.DateTimeField(_("made at"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )

    class Meta:
        verbose_name = _("version of a segment")
        verbose_name_plural = _("versions of segments")
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("segment", "number"), name="one_segment_version_per_number"),)

    def __str__(self) -> str:
        return f"{self.segment_id} {self.number}"


class SegmentInput(Owned):
    """What a live segment looks at: resolve has those looked at again in whom just that has changed."""

    class Kind(models.TextChoices):
        TRAIT = "trait", _("trait")
        EVENT = "event", _("event")
        IDENTIFIER = "identifier", _("identifier")
        SEGMENT = "segment", _("segment")
        # The rule holds for somebody of whom nothing is known, so whoever is new must be looked at.
        NEW = "new", _("new customer")

    reach = ByBrand("segment__brand", squad="segment__squad")

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="inputs", verbose_name=_("segment"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("input of a segment")
        verbose_name_plural = _("inputs of segments")
        constraints = (models.UniqueConstraint(fields=("segment", "kind", "name"), name="one_row_per_segment_input"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class SegmentMembership(Owned):
    """A customer is in a segment from `entered_at` until `left_at`. The profile is the customer's first at entry: by it
    the membership follows when people are merged, who are in it twice then, or taken apart."""

    reach = AllOf((ByBrand("segment__brand"), ByProfile()))
    for_partners = OfNamedCustomer()
    telling = models.Q(segment__is_personal=True)

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("segment")
    )
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("profile")
    )
    customer_id = models.UUIDField(_("customer"))
    entered_at = models.DateTimeField(_("in it since"))
    left_at = models.DateTimeField(_("until"), null=True, blank=True)
    rule_version = models.PositiveIntegerField(_("version of the rule"), default=0)
    historical = models.BooleanField(
        _("historical"), default=False, help_text=_("Found by a build or an import: it started nothing.")
    )

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (
            models.UniqueConstraint(
                fields=("segment", "profile"),
                condition=models.Q(left_at__isnull=True),
                name="one_open_membership_per_profile",
            ),
        )
        indexes = (
            # Read by a customer's page and by rules that look at segments.
            models.Index(fields=("customer_id", "segment"), name="membership_by_customer"),
            # Read by a broadcast that takes its people in: who has left since it began?
            models.Index(
                fields=("segment", "left_at", "id"),
                condition=models.Q(left_at__isnull=False),
                name="membership_left",
            ),
        )

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"


class SegmentItem(Owned):
    """Somebody to be looked at again, for one segment. Keyed by profile: merges move customers, never queues."""

    reach = ByBrand("segment__brand")

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(
        Segment,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("segment"),
    )
    profile_id = models.UUIDField(_("profile"))
    event_id = models.BigIntegerField(_("event"), null=True)
    hops = models.SmallIntegerField(_("hops"), default=0)
    historical = models.BooleanField(_("historical"), default=False)
    queued_at = models.DateTimeField(_("queued at"))

    class Meta:
        verbose_name = _("person to look at again")
        verbose_name_plural = _("segment queue")
        db_table = "customers_segment_queue"

    def __str__(self) -> str:
        return f"{self.profile_id} for {self.segment_id}"


class SegmentTurn(Owned):
    """When somebody's answer to a segment's rule may change by the passing of time alone."""

    reach = ByBrand("segment__brand")

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(
        Segment,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("segment"),
    )
    profile_id = models.UUIDField(_("profile"))
    due_at = models.DateTimeField(_("due at"))

    class Meta:
        verbose_name = _("turn of time")
        verbose_name_plural = _("turns of time")
        db_table = "customers_segment_turn"
        constraints = (models.UniqueConstraint(fields=("segment", "profile_id"), name="one_turn_per_person"),)
        indexes = (
            # Read by the stage that looks at who is due.
            models.Index(fields=("due_at",), name="segment_turn_due"),
        )

    def __str__(self) -> str:
        return f"{self.profile_id} for {self.segment_id}"


class SegmentSize(Owned):
    """How many were in a segment when they were last counted on a day of its brand."""

    reach = ByBrand("segment__brand", squad="segment__squad")
    telling = models.Q(segment__is_personal=True)

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes", verbose_name=_("segment"))
    day = models.DateField(_("day"))
    size = models.BigIntegerField(_("people"))

    class Meta:
        verbose_name = _("size of a segment")
        verbose_name_plural = _("sizes of segments")
        constraints = (models.UniqueConstraint(fields=("segment", "day"), name="one_size_per_day"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.size}"
