"""Addresses at which foreign systems report, each with its signature and its mapping, and the bodies that came."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models.owned import Owned
from customers.models.source import Source
from customers.personal import DOCUMENT, TEXT, personal
from customers.reach import ByBrand


def no_events() -> dict[str, Any]:
    return {"events": []}


class Hook(Owned):
    """`secrets` are sealed, the newest first; several hold at once while a sender changes over."""

    reach = ByBrand("source__brand", squad="source__squad")

    class Scheme(models.TextChoices):
        STANDARD = "standard", _("Standard Webhooks")
        HMAC = "hmac", _("HMAC of the body in a header")
        TIMED = "timed", _("HMAC of time and body, as t=…,v1=…")

    class Algorithm(models.TextChoices):
        SHA256 = "sha256", "SHA-256"
        SHA512 = "sha512", "SHA-512"
        SHA1 = "sha1", "SHA-1"

    class Encoding(models.TextChoices):
        HEX = "hex", _("hexadecimal")
        BASE64 = "base64", "Base64"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="hooks", verbose_name=_("source"))
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("active"), default=True)
    scheme = models.CharField(_("signature"), max_length=10, choices=Scheme.choices, default=Scheme.STANDARD)
    header = models.CharField(
        _("header of the signature"),
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z][A-Za-z0-9-]*$", _("Letters, digits and dashes."))],
        help_text=_("Such as X-Hub-Signature-256. Standard Webhooks has names of its own."),
    )
    algorithm = models.CharField(_("algorithm"), max_length=8, choices=Algorithm.choices, default=Algorithm.SHA256)
    encoding = models.CharField(_("written as"), max_length=8, choices=Encoding.choices, default=Encoding.HEX)
    prefix = models.CharField(
        _("before the signature"), max_length=20, blank=True, help_text=_("Such as sha256=; often nothing.")
    )
    secrets = models.BinaryField(_("secrets"), default=b"", editable=False)
    mapping = models.JSONField(_("mapping"), default=no_events)
    per_minute = models.PositiveIntegerField(
        _("bodies a minute"), default=600, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    window_at = models.DateTimeField(null=True, editable=False)
    used = models.PositiveIntegerField(default=0, editable=False)
    bad_signatures = models.BigIntegerField(_("bad signatures"), default=0, editable=False)
    bad_signature_at = models.DateTimeField(_("last bad signature"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ReceivedBody(Owned):
    """What came to a hook, as it came, and what became of it. `key` tells a repetition by what was signed."""

    reach = ByBrand("hook__source__brand", squad="hook__source__squad")

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("received body", "waiting")
        DONE = "done", pgettext_lazy("received body", "interpreted")
        UNHANDLED = "unhandled", pgettext_lazy("received body", "unhandled")
        FAILED = "failed", pgettext_lazy("received body", "failed")

    id = models.BigAutoField(primary_key=True)
    hook = models.ForeignKey(Hook, on_delete=models.PROTECT, related_name="bodies", verbose_name=_("webhook"))
    received_at = models.DateTimeField(_("received at"))
    key = models.UUIDField(_("key"), unique=True)
    digest = models.UUIDField(_("digest"))
    delivery_id = models.CharField(_("delivery"), max_length=200, blank=True)
    content_type = models.CharField(_("content type"), max_length=100)
    headers = personal(models.JSONField(_("headers"), default=dict), DOCUMENT)
    body = personal(models.BinaryField(_("body")), TEXT)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(_("reason"), max_length=64, blank=True, db_index=True)
    problems = models.JSONField(_("problems"), default=list, blank=True)
    interpreted_at = models.DateTimeField(_("interpreted at"), null=True, blank=True)
    accepted = models.PositiveIntegerField(_("events accepted"), default=0)
    duplicates = models.PositiveIntegerField(_("known already"), default=0)
    refused = models.PositiveIntegerField(_("events refused"), default=0)
    repeats = models.PositiveIntegerField(_("came again"), default=0)

    class Meta:
        verbose_name = _("received body")
        verbose_name_plural = _("received bodies")
        ordering = ("-id",)
        indexes = (
            # Read by interpretation.
            models.Index(fields=("id",), condition=models.Q(status="waiting"), name="body_waiting"),
            # Read by a hook's page: what came lately, and how it went.
            models.Index(fields=("hook", "received_at"), name="body_by_hook"),
        )

    def __str__(self) -> str:
        return f"{self.hook_id} {self.delivery_id or self.id}"
