"""What people are asked, and the words they were asked with."""

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.law import Law
from customers import locales
from customers.ids import new_id
from customers.models import Brand
from customers.models.address import Channel
from customers.models.owned import Owned
from customers.partner import InBrand
from customers.reach import ByBrand

# Under which a brand has the purpose of the mails that confirm a consent; owed by law, since they are asked for.
CONFIRMATION_KEY = "consent-confirmation"
# A hundred years: what lasts longer has no end.
MOST_DAYS = 36_500


class Purpose(Owned):
    for_partners = InBrand()

    class Kind(models.TextChoices):
        # Without a grant: not allowed.
        MARKETING = "marketing", _("marketing")
        # Part of what the person asked for: allowed until withdrawn.
        SERVICE = "service", _("service")
        # Owed by law: allowed whatever was withdrawn.
        LEGAL = "legal", _("legal")

    class AdSignal(models.TextChoices):
        AD_USER_DATA = "ad_user_data", _("that data may be sent for advertising (ad_user_data)")
        AD_PERSONALIZATION = "ad_personalization", _("that ads may be personal (ad_personalization)")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="purposes", verbose_name=_("brand"))
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    description = models.TextField(_("description"), blank=True)
    is_offered = models.BooleanField(
        _("in the preference centre"),
        default=True,
        db_default=True,
        help_text=_("People find it there by its public name. What is owed by law is only told of."),
    )
    channels = ArrayField(
        models.CharField(max_length=10, choices=[(one.value, one.label) for one in Channel if one != Channel.PERSON]),
        verbose_name=_("channels"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("Those it is offered for in the preference centre. None: all of them."),
    )
    notice = models.ForeignKey(
        "consent.Notice",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("notice"),
        help_text=_("The words people read when they are asked by mail or in the preference centre."),
    )
    valid_days = models.PositiveIntegerField(
        _("days a consent lasts"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text=_("So many days after it was given a consent that names no end of its own expires. Empty: never."),
    )
    needs_confirmation = models.BooleanField(
        _("confirm what a page claims"),
        default=True,
        db_default=True,
        help_text=_(
            "Of marketing: where a web page tells that somebody consents, a mail to their address asks whether they "
            "do. Without it, whoever knows an address can put it on the list; a source with a secret key is believed "
            "anyway."
        ),
    )
    law = models.CharField(
        _("law"),
        max_length=4,
        choices=Law.choices,
        blank=True,
        db_default="",
        help_text=_(
            "Of marketing: the law of whom no country is known that has another of these. Each consent is then weighed "
            "by the law that its person is under: it must be known which notice was shown, a basis other than consent "
            "counts under the law it was recorded for, and for a child a parent agrees. Empty: law is not weighed."
        ),
    )
    ad_signal = models.CharField(
        _("signal of ad platforms"),
        max_length=20,
        choices=AdSignal.choices,
        blank=True,
        db_default="",
        help_text=_("What an answer to this purpose tells ad platforms when people are put into an audience there."),
    )

    tracks_links = models.BooleanField(
        _("count followed links"),
        null=True,
        blank=True,
        choices=[(None, _("as usual: of marketing only")), (True, _("yes")), (False, _("no"))],
        help_text=_(
            "Links then lead by us, which tells who followed which. Marketing goes to whoever agreed to it, and the "
            "notice they agreed to must speak of it; to what is sent without a grant nobody agreed."
        ),
    )
    tracks_opens = models.BooleanField(
        _("count openings"),
        null=True,
        blank=True,
        choices=[(None, _("as usual: of marketing only")), (True, _("yes")), (False, _("no"))],
        help_text=_("E-mails then hold a picture that nobody sees. The same holds for it."),
    )

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("brand", "key"), name="one_purpose_key_per_brand"),
            models.CheckConstraint(
                condition=models.Q(valid_days__isnull=True) | models.Q(valid_days__range=(1, MOST_DAYS)),
                name="consent_lasts_some_days",
            ),
            # What is owed cannot be refused: nobody is watched by it.
            models.CheckConstraint(
                condition=~models.Q(kind="legal")
                | (models.Q(tracks_links__isnull=True) | models.Q(tracks_links=False))
                & (models.Q(tracks_opens__isnull=True) | models.Q(tracks_opens=False)),
                name="legal_is_not_tracked",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.notice is not None and self.brand_id and self.notice.brand_id != self.brand_id:
            raise ValidationError({"notice": _("This notice is of another brand.")}, code="notice_of_other_brand")
        if self.key == CONFIRMATION_KEY and self.kind != self.Kind.LEGAL:
            text = _("The mails that confirm a consent go out by this key; such a purpose is legal.")
            raise ValidationError({"kind": text}, code="kind_of_confirmations")

        if self.kind == self.Kind.LEGAL and (self.tracks_links or self.tracks_opens):
            text = _("What is owed by law cannot be refused, so nothing is counted of it.")
            raise ValidationError({"tracks_links" if self.tracks_links else "tracks_opens": text}, code="legal_tracked")

    def public(self, *wanted: str) -> tuple[str, str]:
        """Name and description for whoever reads them, in the first of these locales that there are words in."""
        return public_words(self, self.texts.all(), wanted)

    def by(self, channel: str) -> bool:
        """Whether it is offered for this channel."""
        return not self.channels or channel in self.channels


class PurposeText(Owned):
    """How a purpose is called where people see it, in one locale."""

    reach = ByBrand("purpose__brand")

    purpose = models.ForeignKey(Purpose, on_delete=models.CASCADE, related_name="texts", verbose_name=_("purpose"))
    locale = models.CharField(_("locale"), max_length=20)
    name = models.CharField(_("public name"), max_length=200)
    description = models.TextField(_("what people get"), blank=True, max_length=2000)

    class Meta:
        verbose_name = _("public words of a purpose")
        verbose_name_plural = _("public words of purposes")
        constraints = (models.UniqueConstraint(fields=("purpose", "locale"), name="one_purpose_text_per_locale"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.locale})"


def public_words(purpose: Purpose, texts: Iterable[PurposeText], wanted: Iterable[str]) -> tuple[str, str]:
    by_locale = {text.locale: text for text in texts}
    found = locales.closest(by_locale, *wanted)
    if found is None:
        return purpose.name, purpose.description
    return by_locale[found].name, by_locale[found].description


class Notice(Owned):
    """The text shown when consent is asked; its versions never change once used."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="notices", verbose_name=_("brand"))
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_notice_key_per_brand"),)

    def __str__(self) -> str:
        return self.name


class NoticeVersion(Owned):
    """A draft until it is published; from then on the database refuses every change of it and its texts."""

    reach = ByBrand("notice__brand")

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="versions", verbose_name=_("notice"))
    number = models.PositiveIntegerField(_("version"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("notice version")
        verbose_name_plural = _("notice versions")
        constraints = (
            models.UniqueConstraint(fields=("notice", "number"), name="one_number_per_notice"),
            models.UniqueConstraint(
                fields=("notice",), condition=models.Q(published_at__isnull=True), name="one_draft_per_notice"
            ),
        )

    def __str__(self) -> str:
        return f"{self.notice} v{self.number}"

    def words(self, *wanted: str) -> "NoticeText | None":
        """In the first of these locales that there are words in."""
        by_locale = {text.locale: text for text in self.texts.all()}
        found = locales.closest(by_locale, *wanted)
        return by_locale[found] if found is not None else None


class NoticeText(Owned):
    """The words in one locale. `digest` is the SHA-256 of exactly these, sealed when they are published."""

    reach = ByBrand("version__notice__brand")

    version = models.ForeignKey(
        NoticeVersion, on_delete=models.CASCADE, related_name="texts", verbose_name=_("version")
    )
    locale = models.CharField(_("locale"), max_length=20)
    text = models.TextField(_("text"))
    digest = models.BinaryField(_("hash"), max_length=32, null=True, editable=False)

    class Meta:
        verbose_name = _("notice text")
        verbose_name_plural = _("notice texts")
        constraints = (models.UniqueConstraint(fields=("version", "locale"), name="one_text_per_locale"),)

    def __str__(self) -> str:
        return f"{self.version} ({self.locale})"
