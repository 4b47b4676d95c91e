"""What is said: Liquid templates by version and locale; a message keeps the version it was made from."""

from typing import Any

from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models import Brand, Squad
from customers.models.address import Channel
from customers.models.owned import Owned
from customers.reach import ByBrand


class Template(Owned):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="templates", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_template_key_per_brand"),)

    def __str__(self) -> str:
        return self.name


class TemplateVersion(Owned):
    reach = ByBrand("template__brand", squad="template__squad")

    template = models.ForeignKey(
        Template, on_delete=models.PROTECT, related_name="versions", verbose_name=_("template")
    )
    number = models.PositiveIntegerField(_("version"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        constraints = (models.UniqueConstraint(fields=("template", "number"), name="one_number_per_template"),)

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"


class TemplateText(Owned):
    """The words in one locale. `html` is for e-mail, made of `mjml` as it was saved where there is any; `text` is the
    plain part, or the whole elsewhere."""

    reach = ByBrand("version__template__brand", squad="version__template__squad")

    version = models.ForeignKey(
        TemplateVersion, on_delete=models.CASCADE, related_name="texts", verbose_name=_("version")
    )
    locale = models.CharField(_("locale"), max_length=20)
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    mjml = models.TextField(
        _("MJML"),
        default="",
        db_default="",
        blank=True,
        help_text=_("A layout of an e-mail that fits every screen. Its HTML is made of it as it is saved."),
    )
    html = models.TextField(_("HTML"), blank=True, help_text=_("Leave it empty where there is MJML."))
    text = models.TextField(
        _("text"), blank=True, help_text=_("For an e-mail it may be left empty: it is made from the HTML, links kept.")
    )
    options = models.JSONField(
        _("besides the words"),
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text=_("As JSON: what the channel knows besides, such as a link, a picture, or a provider’s template."),
    )
    # Fields as their author wrote them, of those that were made of what was written: blocks filled in, or plain words
    # taken from the page.
    authored = models.JSONField(
        _("as written"), default=dict, db_default=Value({}, models.JSONField()), blank=True, editable=False
    )

    class Meta:
        verbose_name = _("template text")
        verbose_name_plural = _("template texts")
        constraints = (models.UniqueConstraint(fields=("version", "locale"), name="one_template_text_per_locale"),)

    def __str__(self) -> str:
        return f"{self.version} ({self.locale})"

    def as_written(self) -> dict[str, Any]:
        """What its author would go on writing at."""
        return {
            "locale": self.locale,
            "subject": self.authored.get("subject", self.subject),
            "mjml": self.mjml,
            # It is made of the layout.
            "html": "" if self.mjml else self.authored.get("html", self.html),
            "text": self.authored.get("text", self.text),
            "options": self.authored.get("options", self.options),
        }
