"""What is put on people's own screens: the items of their in-app inbox, and what stands in the slots of web pages."""

from typing import Final

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.message import USUAL_PRIORITY, Message, Reason
from consent.models import Purpose
from customers.ids import new_id
from customers.models import Address, Brand, Profile, Squad
from customers.models.owned import Owned
from customers.personal import TEXT, personal
from customers.reach import ByBrand

_SLOT_KEY: Final = RegexValidator(r"^[a-z0-9][a-z0-9_-]*\Z", _("Small letters, digits, - and _."))


class OnScreen(Owned):
    """One message as it is shown: committed together with the message that is sent by it, once for its `key`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.UUIDField(_("key"), unique=True, editable=False)
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("brand")
    )
    message = models.ForeignKey(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("message")
    )
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("profile"),
    )
    address = models.ForeignKey(
        Address,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("address"),
    )
    purpose = models.ForeignKey(
        Purpose, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("purpose")
    )
    title = personal(models.CharField(_("title"), max_length=500, blank=True), TEXT)
    body = personal(models.TextField(_("text"), blank=True), TEXT)
    link = personal(models.CharField(_("link"), max_length=2000, blank=True), TEXT)
    image = personal(models.CharField(_("picture"), max_length=2000, blank=True), TEXT)
    button = personal(models.CharField(_("button"), max_length=200, blank=True), TEXT)
    locale = models.CharField(_("language"), max_length=20, blank=True)
    placed_at = models.DateTimeField(_("placed at"))
    expires_at = models.DateTimeField(_("shown until"))
    shown_at = models.DateTimeField(_("first shown at"), null=True)
    clicked_at = models.DateTimeField(_("first clicked at"), null=True)
    dismissed_at = models.DateTimeField(_("dismissed at"), null=True)

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def __str__(self) -> str:
        return str(self.id)


class InAppItem(OnScreen):
    """Something in a person's inbox, until it expires or is dismissed."""

    read_at = models.DateTimeField(_("read at"), null=True)

    class Meta(OnScreen.Meta):
        abstract = False
        verbose_name = _("in-app item")
        verbose_name_plural = _("in-app items")
        ordering = ("-placed_at",)
        indexes = (
            # Read by the person's own page: what is there for them, the newest first?
            models.Index(
                fields=("profile", "id"), condition=models.Q(dismissed_at__isnull=True), name="inapp_of_profile"
            ),
            # Read by retention: what is over?
            models.Index(fields=("expires_at",), name="inapp_by_end"),
        )


class WebSlot(Owned):
    """A place on the pages of a brand; what stands there is for each visitor to find out by the page."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    key = models.CharField(
        _("key"), max_length=64, validators=[_SLOT_KEY], help_text=_("What pages call it: home-hero, say.")
    )
    name = models.CharField(_("name"), max_length=200)
    where = models.CharField(
        _("where it is"), max_length=300, blank=True, help_text=_("On which pages, for whoever writes for it.")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Otherwise nothing is put or shown there, not even what is usual.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("web slot")
        verbose_name_plural = _("web slots")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_web_slot_key_per_brand"),)

    def __str__(self) -> str:
        return self.name


class WebSlotText(Owned):
    """What stands in a slot for those for whom nothing else does, in one language."""

    reach = ByBrand("slot__brand", squad="slot__squad")

    slot = models.ForeignKey(WebSlot, on_delete=models.CASCADE, related_name="texts", verbose_name=_("web slot"))
    locale = models.CharField(
        _("language"), max_length=20, help_text=_("As in BCP 47: pt-BR, en. The closest to the page’s is taken.")
    )
    title = models.CharField(_("title"), max_length=500, blank=True)
    body = models.TextField(_("text"), max_length=10_000, blank=True)
    link = models.CharField(
        _("link"),
        max_length=2000,
        blank=True,
        help_text=_("Where a tap leads: an address that begins with https://, or with / on the page itself."),
    )
    image = models.CharField(
        _("picture"), max_length=2000, blank=True, help_text=_("An address that begins with https://.")
    )
    button = models.CharField(_("button"), max_length=200, blank=True, help_text=_("What the link is called."))

    class Meta:
        verbose_name = _("usual content")
        verbose_name_plural = _("usual contents")
        constraints = (models.UniqueConstraint(fields=("slot", "locale"), name="one_usual_content_per_locale"),)

    def __str__(self) -> str:
        return f"{self.slot} {self.locale}"


class WebPlacement(OnScreen):
    """What a message put into a slot for one person; it stands there until something takes it off."""

    slot = models.ForeignKey(
        WebSlot, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("web slot")
    )
    # That of its message: a newer one of the same journey takes the place of the older.
    scope_id = models.UUIDField(_("scope"))
    priority = models.SmallIntegerField(
        _("priority"), default=USUAL_PRIORITY, help_text=_("Of its journey; of several in one slot the highest shows.")
    )
    off_at = models.DateTimeField(_("taken off at"), null=True)
    off_reason = models.CharField(
        _("taken off because"),
        max_length=20,
        blank=True,
        choices=[*Reason.choices, ("replaced", _("a newer one came"))],
    )

    class Meta(OnScreen.Meta):
        abstract = False
        verbose_name = _("web placement")
        verbose_name_plural = _("web placements")
        ordering = ("-placed_at",)
        indexes = (
            # Read by pages: what stands there for this person?
            models.Index(
                fields=("profile", "slot"),
                condition=models.Q(dismissed_at__isnull=True, off_at__isnull=True),
                name="placement_of_profile",
            ),
            # Read by a slot's page, and by retention.
            models.Index(fields=("slot", "placed_at"), name="placement_by_slot"),
            models.Index(fields=("expires_at",), name="placement_by_end"),
        )
