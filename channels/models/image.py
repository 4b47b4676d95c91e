"""Images of a brand, for its messages: looked through and made anew as they are handed in, never changed afterwards."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.block import ContentBlockText
from channels.models.template import TemplateText
from customers.ids import new_id
from customers.models import Brand, Squad
from customers.models.owned import Owned
from customers.reach import ByBrand, OfOrganisation


class Image(Owned):
    class Kind(models.TextChoices):
        JPEG = "jpeg", "JPEG"
        PNG = "png", "PNG"
        GIF = "gif", "GIF"
        WEBP = "webp", "WebP"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    # Made by us: nothing of what a file was called gets into an address.
    file = models.CharField(_("file"), max_length=40, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=4, choices=Kind.choices, editable=False)
    digest = models.CharField(_("SHA-256"), max_length=64, editable=False)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    size = models.PositiveIntegerField(_("bytes"), editable=False)
    uploaded_at = models.DateTimeField(_("handed in at"), editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("handed in by"),
    )

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_image_key_per_brand"),)

    def __str__(self) -> str:
        return self.name


class ImageAlt(Owned):
    """What it shows, for whoever does not see it."""

    reach = ByBrand("image__brand", squad="image__squad")

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="alts", verbose_name=_("image"))
    locale = models.CharField(_("locale"), max_length=20)
    text = models.CharField(_("what it shows"), max_length=300)

    class Meta:
        verbose_name = _("text for an image")
        verbose_name_plural = _("texts for an image")
        constraints = (models.UniqueConstraint(fields=("image", "locale"), name="one_image_alt_per_locale"),)

    def __str__(self) -> str:
        return f"{self.image} ({self.locale})"


class StoredFile(Owned):
    """The bytes of a file that this installation keeps in its database (channels.images.storage)."""

    reach = OfOrganisation()

    name = models.CharField(_("name"), max_length=100, primary_key=True)
    data = models.BinaryField(_("bytes"))

    class Meta:
        verbose_name = _("stored file")
        verbose_name_plural = _("stored files")

    def __str__(self) -> str:
        return self.name


class ImageUse(Owned):
    """That words of a template, or of a block, show the image: it stays as long as they do."""

    reach = ByBrand("image__brand", squad="image__squad")

    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="uses", verbose_name=_("image"))
    text = models.ForeignKey(
        TemplateText, on_delete=models.CASCADE, null=True, related_name="images", verbose_name=_("template text")
    )
    block_text = models.ForeignKey(
        ContentBlockText,
        on_delete=models.CASCADE,
        null=True,
        related_name="images",
        verbose_name=_("words of a content block"),
    )

    class Meta:
        verbose_name = _("use of an image")
        verbose_name_plural = _("uses of images")
        constraints = (
            models.UniqueConstraint(fields=("image", "text"), name="one_use_of_an_image"),
            models.UniqueConstraint(fields=("image", "block_text"), name="one_use_of_an_image_in_a_block"),
            models.CheckConstraint(
                condition=models.Q(text__isnull=False) ^ models.Q(block_text__isnull=False),
                name="image_used_in_one_place",
            ),
        )

    def __str__(self) -> str:
        return f"{self.image}: {self.text or self.block_text}"
