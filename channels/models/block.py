"""Content blocks: words that many templates share, by version and locale."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.template import TemplateText
from customers.ids import new_id
from customers.models import Brand, Squad
from customers.models.address import Channel
from customers.models.owned import Owned
from customers.reach import ByBrand


class ContentBlock(Owned):
    ANY = "any"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    channel = models.CharField(
        _("channel"), max_length=10, choices=[(ANY, _("any")), *Channel.choices], default=ANY, blank=False
    )

    class Meta:
        verbose_name = _("content block")
        verbose_name_plural = _("content blocks")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_block_key_per_brand"),)

    def __str__(self) -> str:
        return self.name


class ContentBlockVersion(Owned):
    reach = ByBrand("block__brand", squad="block__squad")

    block = models.ForeignKey(
        ContentBlock, on_delete=models.PROTECT, related_name="versions", verbose_name=_("content block")
    )
    number = models.PositiveIntegerField(_("version"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of a content block")
        verbose_name_plural = _("versions of content blocks")
        constraints = (models.UniqueConstraint(fields=("block", "number"), name="one_number_per_block"),)

    def __str__(self) -> str:
        return f"{self.block} v{self.number}"


class ContentBlockText(Owned):
    """The words in one locale, for each place where they may stand: in a layout, in a page, in plain words."""

    reach = ByBrand("version__block__brand", squad="version__block__squad")

    version = models.ForeignKey(
        ContentBlockVersion, on_delete=models.CASCADE, related_name="texts", verbose_name=_("version")
    )
    locale = models.CharField(_("locale"), max_length=20)
    mjml = models.TextField(
        _("MJML"),
        blank=True,
        help_text=_("Elements of a layout, such as a whole mj-section, for templates that are written in MJML."),
    )
    html = models.TextField(
        _("HTML"),
        blank=True,
        help_text=_("For templates that are written in HTML."),
    )
    text = models.TextField(
        _("text"),
        blank=True,
        help_text=_("For plain words. Left empty, it is made from the HTML."),
    )

    class Meta:
        verbose_name = _("words of a content block")
        verbose_name_plural = _("words of content blocks")
        constraints = (models.UniqueConstraint(fields=("version", "locale"), name="one_block_text_per_locale"),)

    def __str__(self) -> str:
        return f"{self.version} ({self.locale})"


class BlockUse(Owned):
    """That a template's words were made with this version of a block, be it named there or by another block."""

    reach = ByBrand("block_version__block__brand", squad="block_version__block__squad")

    text = models.ForeignKey(
        TemplateText, on_delete=models.CASCADE, related_name="blocks", verbose_name=_("template text")
    )
    block_version = models.ForeignKey(
        ContentBlockVersion, on_delete=models.PROTECT, related_name="uses", verbose_name=_("version of a content block")
    )

    class Meta:
        verbose_name = _("use of a content block")
        verbose_name_plural = _("uses of content blocks")
        constraints = (models.UniqueConstraint(fields=("text", "block_version"), name="one_use_of_a_block"),)

    def __str__(self) -> str:
        return f"{self.text}: {self.block_version}"
