"""Privacy requests: what somebody asks of us by law, how it goes, and what is left when it is done."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consent.models.law import Law as KnownLaw
from customers.ids import new_id
from customers.models import Brand, Job, Source
from customers.models.owned import Owned
from customers.partner import FromSource
from customers.personal import DOCUMENT, TEXT, personal
from customers.reach import ByBrand


class PrivacyRequest(Owned):
    """`subject` holds the names by which the person was asked for, [namespace, kind, value, original] each, and is
    emptied by an erasure; `digests` are keyed hashes of them, by which the request is still found."""

    for_partners = FromSource()

    class Kind(models.TextChoices):
        ACCESS = "access", _("access")
        PORTABILITY = "portability", _("portability")
        CORRECTION = "correction", _("correction")
        ERASURE = "erasure", _("erasure")
        OBJECTION = "objection", _("objection to marketing")
        RESTRICTION = "restriction", _("restriction of processing")

    Law = KnownLaw

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        FORM = "form", _("form")
        PHONE = "phone", _("telephone")
        LETTER = "letter", _("letter")
        SHOP = "shop", _("in person")
        API = "api", _("API")

    class Assurance(models.IntegerChoices):
        NONE = 0, pgettext_lazy("assurance", "not checked")
        OBSERVED = 2, _("wrote from their own address")
        LOGIN = 3, _("logged in")
        ONE_TIME_CODE = 4, _("one-time code")
        DOCUMENT = 5, _("document")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("privacy request", "open")
        VERIFYING = "verifying", pgettext_lazy("privacy request", "identity being checked")
        READY = "ready", pgettext_lazy("privacy request", "ready")
        WORKING = "working", pgettext_lazy("privacy request", "being carried out")
        DONE = "done", pgettext_lazy("privacy request", "done")
        REFUSED = "refused", pgettext_lazy("privacy request", "refused")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    kind = models.CharField(_("what is asked"), max_length=12, choices=Kind.choices)
    law = models.CharField(_("law"), max_length=4, choices=Law.choices)
    channel = models.CharField(_("came by"), max_length=6, choices=Channel.choices)
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("source")
    )
    subject = personal(models.JSONField(_("who asks"), default=list), DOCUMENT)
    digests = ArrayField(models.CharField(max_length=64), default=list, editable=False)
    assurance = models.SmallIntegerField(_("identity checked by"), choices=Assurance.choices, default=Assurance.NONE)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    refusal = models.CharField(_("reason of the refusal"), max_length=24, blank=True)
    # Workers of the version before leave it to the database.
    asked_on = models.DateField(
        _("asked on"),
        db_default=Cast(Now(), models.DateField()),
        help_text=_("The day it was received, in the brand’s zone: the clock of the law runs from it."),
    )
    opened_at = models.DateTimeField(_("taken down at"))
    due_on = models.DateField(_("due on"), help_text=_("The last day, in the brand’s zone."))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("taken down by"),
    )
    job = models.ForeignKey(
        Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("job")
    )

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        ordering = ("due_on", "opened_at")
        permissions = (
            ("carry_out_privacyrequest", _("Can carry out privacy requests")),
            ("download_privacyrequest", _("Can download what is held of a person")),
        )
        indexes = (
            # Read by the first page and the list of what is to be done.
            models.Index(
                fields=("due_on",), condition=~models.Q(state__in=("done", "refused")), name="privacy_request_pending"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_law_display()}"

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.DONE, self.State.REFUSED)


class PrivacyStep(Owned):
    """Who did what about a request, and what they noted."""

    reach = ByBrand("request__brand")

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(
        PrivacyRequest, on_delete=models.CASCADE, related_name="steps", verbose_name=_("privacy request")
    )
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    state = models.CharField(_("state"), max_length=10, choices=PrivacyRequest.State.choices)
    assurance = models.SmallIntegerField(_("identity checked by"), choices=PrivacyRequest.Assurance.choices, null=True)
    note = personal(models.TextField(_("note"), blank=True), TEXT)

    class Meta:
        verbose_name = _("step of a privacy request")
        verbose_name_plural = _("steps of privacy requests")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.request_id} {self.state}"


class PrivacyArchive(Owned):
    """What was held of somebody, in one file, sealed; it goes when its time is over or the person is erased."""

    reach = ByBrand("request__brand")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.OneToOneField(
        PrivacyRequest, on_delete=models.CASCADE, related_name="archive", verbose_name=_("privacy request")
    )
    made_at = models.DateTimeField(_("made at"))
    expires_at = models.DateTimeField(_("kept until"))
    size = models.BigIntegerField(_("bytes"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    counts = models.JSONField(_("rows by store"), default=dict)
    data = personal(models.BinaryField(_("sealed file")), TEXT)
    downloads = models.PositiveIntegerField(_("downloads"), default=0)
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("file of what is held")
        verbose_name_plural = _("files of what is held")
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return str(self.request_id)


class Erasure(Owned):
    """One erasure, and its certificate: when, by whom, how many rows. `shown` are the profiles that it was confirmed
    for; `subject` is what it still needs to know of the person, sealed. Both are empty when it is done."""

    reach = ByBrand("brand")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.OneToOneField(
        PrivacyRequest,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="erasure",
        verbose_name=_("privacy request"),
    )
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("brand")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("confirmed by"),
    )
    begun_at = models.DateTimeField(_("begun at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    identifiers = models.PositiveIntegerField(_("identifiers"), default=0)
    addresses = models.PositiveIntegerField(_("addresses"), default=0)
    counts = models.JSONField(_("rows by store"), default=dict)
    shown = ArrayField(models.UUIDField(), verbose_name=_("profiles shown"), default=list, db_default=[], blank=True)
    subject = personal(models.BinaryField(_("sealed subject"), default=b""), TEXT)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ("-begun_at",)

    def __str__(self) -> str:
        return str(self.id)


class Restriction(Owned):
    """While it stands, nothing is done with what is known under a profile but keeping it."""

    reach = ByBrand("request__brand")

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(
        PrivacyRequest, on_delete=models.PROTECT, related_name="restrictions", verbose_name=_("privacy request")
    )
    profile_id = models.UUIDField(_("profile"), db_index=True)
    since = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("restriction")
        verbose_name_plural = _("restrictions")
        ordering = ("-since",)
        constraints = (
            models.UniqueConstraint(
                fields=("profile_id",), condition=models.Q(lifted_at__isnull=True), name="one_restriction_of_a_profile"
            ),
        )

    def __str__(self) -> str:
        return str(self.profile_id)
