"""Systems and partners that send us events, and the keys they write with."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models.brand import Brand, Squad
from customers.models.owned import Owned
from customers.reach import ByBrand

# What browsers call the origin of a page: scheme, host and, where it is not the usual one, port.
ORIGIN = r"\Ahttps?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?\Z"


class Source(Owned):
    class Unplanned(models.TextChoices):
        ACCEPT = "accept", _("accept without a schema")
        MARK = "mark", _("accept and mark")
        QUARANTINE = "quarantine", _("refuse into quarantine")

    # What happens inside Trilha is told by this source; no key writes to it.
    RESERVED_KEY = "trilha"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="sources", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("squad")
    )
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    owner = models.CharField(
        _("owner"), max_length=200, blank=True, help_text=_("The team or partner whose system it is.")
    )
    contact = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("person"),
        help_text=_("Who is asked when something is wrong with it."),
    )
    documentation_url = models.URLField(_("documentation"), blank=True)
    notes = models.TextField(_("notes"), blank=True, help_text=_("What whoever looks after it next must know."))
    namespace = models.UUIDField(
        _("identity namespace"),
        help_text=_("Where this source's own user ids are unique; its brand unless told otherwise."),
        blank=True,
    )
    region = models.CharField(
        _("default country"),
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters, as in ISO 3166: BR, AU."))],
        help_text=_("Whose phone numbers it sends without a country; empty: such numbers are refused."),
    )
    unplanned = models.CharField(
        _("unplanned events"), max_length=12, choices=Unplanned.choices, default=Unplanned.ACCEPT
    )
    per_minute = models.PositiveIntegerField(
        _("calls a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("With its write keys; more are told to come back later. Empty: any number. Tokens have their own."),
    )
    window_at = models.DateTimeField(_("counting since"), null=True, editable=False)
    used = models.PositiveIntegerField(_("calls since then"), default=0, editable=False)
    rejects_above = models.PositiveSmallIntegerField(
        _("alert above"),
        null=True,
        blank=True,
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Per cent of a day's messages that are refused. Empty: no alert."),
    )
    silent_after = models.PositiveSmallIntegerField(
        _("silent after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Hours without a message. Empty: when it is quiet for longer than it usually is."),
    )
    only_listed = models.BooleanField(
        _("only the types listed"),
        default=False,
        help_text=_("Events of other types are refused, also planned ones."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_source_key_per_brand"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if not self.namespace:
            self.namespace = self.brand_id
        super().save(*args, **kwargs)


class WriteKey(Owned):
    """A source's key: only its SHA-256 and first characters are kept; the key is shown once.

    A browser key stands in pages for all to read, so it is no secret and is kept whole. It is good for writing from
    pages of its origins alone, and nothing that it says of who somebody is counts for more than a claim.
    """

    reach = ByBrand("source__brand", squad="source__squad")

    class Mode(models.TextChoices):
        LIVE = "live", pgettext_lazy("write key", "live")
        TEST = "test", _("test")

    class Kind(models.TextChoices):
        SERVER = "server", pgettext_lazy("write key", "server")
        BROWSER = "browser", pgettext_lazy("write key", "browser")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="write_keys", verbose_name=_("source"))
    kind = models.CharField(
        _("used by"),
        max_length=7,
        choices=Kind.choices,
        default=Kind.SERVER,
        help_text=_("A server keeps its key secret. A browser key stands in web pages, where everybody can read it."),
    )
    origins = ArrayField(
        models.CharField(max_length=260, validators=[RegexValidator(ORIGIN, _("An origin: https://www.example.com."))]),
        verbose_name=_("origins"),
        default=list,
        blank=True,
        help_text=_("From whose pages a browser key may write, one a line: https://www.example.com, without a path."),
    )
    public = models.CharField(_("key"), max_length=80, blank=True, editable=False)
    mode = models.CharField(_("mode"), max_length=4, choices=Mode.choices, default=Mode.LIVE)
    per_minute = models.PositiveIntegerField(
        _("calls a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("With this key alone, beside what the source may call. Empty: as often as the source."),
    )
    window_at = models.DateTimeField(_("counting since"), null=True, editable=False)
    used = models.PositiveIntegerField(_("calls since then"), default=0, db_default=0, editable=False)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.BinaryField(_("digest"), max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(
        _("ends at"), null=True, blank=True, help_text=_("Empty: it is good until it is revoked.")
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    # To the minute.
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    replaces = models.ForeignKey(
        "self", on_delete=models.SET_NULL, related_name="+", null=True, blank=True, verbose_name=_("replaces")
    )

    class Meta:
        verbose_name = _("write key")
        verbose_name_plural = _("write keys")
        constraints = (
            # A secret is never kept, and what is no secret can be copied again whenever a page needs it.
            models.CheckConstraint(
                name="only_browser_keys_are_public",
                condition=models.Q(kind="server", public="", origins=[])
                | models.Q(kind="browser") & ~models.Q(public=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.get_mode_display()})"

    def is_good(self, now: datetime) -> bool:
        """Whether it lets anybody write at `now`."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
