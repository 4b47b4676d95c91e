"""Content pulled from other systems as a message is made: from which hosts a brand may, what a template wants, and what
was answered lately."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from channels.models.template import TemplateVersion
from customers.ids import new_id
from customers.models import Brand
from customers.models.owned import Owned
from customers.personal import DOCUMENT, personal
from customers.reach import ByBrand, OfOrganisation


class PulledHost(Owned):
    """A host of which a brand may ask, the secret by which it knows us, and how it fares."""

    for_managers = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    host = models.CharField(
        _("host"),
        max_length=253,
        validators=[
            RegexValidator(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?\Z", _("A host, as in api.example.com."))
        ],
        help_text=_("As in api.example.com: without https:// and without a path."),
    )
    secret = models.BinaryField(_("secret"), blank=True, default=b"", editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    rests = models.PositiveSmallIntegerField(_("rests in a row"), default=0, editable=False)
    rests_until = models.DateTimeField(_("rests until"), null=True, editable=False)
    detail = models.CharField(_("last trouble"), max_length=60, blank=True, editable=False)

    class Meta:
        verbose_name = _("host for content")
        verbose_name_plural = _("hosts for content")
        ordering = ("host",)
        constraints = (models.UniqueConstraint(fields=("brand", "host"), name="one_pulled_host_per_brand"),)

    def __str__(self) -> str:
        return self.host


class PulledSource(Owned):
    """What a version of a template pulls, and by which name its words say it."""

    reach = ByBrand("version__template__brand", squad="version__template__squad")

    class Missing(models.TextChoices):
        FALLBACK = "fallback", _("say what stands in for it")
        SKIP = "skip", _("send no message")

    version = models.ForeignKey(
        TemplateVersion, on_delete=models.CASCADE, related_name="sources", verbose_name=_("version")
    )
    name = models.CharField(
        _("name"),
        max_length=32,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*\Z", _("Small letters, digits and _, a letter first."))],
        help_text=_("As the words say it: {{ pulled.weather.sky }} for “weather”."),
    )
    url = models.CharField(
        _("address"),
        max_length=1000,
        help_text=_(
            "Begins with https:// and a host of the brand’s list. Values may stand behind the host, as in"
            " ?city={{ customer.city }}; they are encoded by themselves. It answers with JSON."
        ),
    )
    timeout_ms = models.PositiveIntegerField(
        _("waits at most (ms)"), default=1000, validators=[MinValueValidator(100), MaxValueValidator(2000)]
    )
    cache_seconds = models.PositiveIntegerField(
        _("good for (seconds)"),
        default=300,
        validators=[MaxValueValidator(3600)],
        help_text=_("The same address is not asked again for so long. 0: it is asked for each batch."),
    )
    missing = models.CharField(_("without an answer"), max_length=8, choices=Missing.choices, default=Missing.SKIP)
    fallback = models.JSONField(
        _("what stands in for it"),
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text=_("As JSON, in the shape of the answer."),
    )

    class Meta:
        verbose_name = _("pulled content")
        verbose_name_plural = _("pulled contents")
        constraints = (models.UniqueConstraint(fields=("version", "name"), name="one_pulled_name_per_version"),)

    def __str__(self) -> str:
        return f"{self.version}: {self.name}"


class PulledCopy(Owned):
    """An answer that is good for a while, for all workers; `key` is a digest of who asked what. While somebody fetches
    it, nobody else does."""

    reach = OfOrganisation()

    key = models.UUIDField(_("key"), primary_key=True)
    body = personal(models.JSONField(_("answer"), null=True), DOCUMENT)
    # Values of a person were in its address: an erasure takes it away.
    is_personal = models.BooleanField(_("by values of a person"))
    fetched_at = models.DateTimeField(_("fetched at"), null=True)
    expires_at = models.DateTimeField(_("good until"), db_index=True)
    fetching_until = models.DateTimeField(_("being fetched until"), null=True)

    class Meta:
        verbose_name = _("answer to pulled content")
        verbose_name_plural = _("answers to pulled content")

    def __str__(self) -> str:
        return str(self.key)
