"""Test sends: a message to oneself or to a seed list, made of a template as somebody would get it. They stand apart
from messages, so that nothing which counts messages counts them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models.connector import Connector
from channels.models.message import Reason
from channels.models.template import TemplateVersion
from customers.ids import new_id
from customers.models import Brand, Profile, Squad
from customers.models.address import Channel
from customers.models.owned import Owned
from customers.personal import DOCUMENT, IDENTIFIER, TEXT, personal
from customers.reach import ByBrand


class SeedList(Owned):
    """People of ours, or mailboxes of ours, who look at messages before customers do."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        verbose_name = _("seed list")
        verbose_name_plural = _("seed lists")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "name"), name="one_seed_list_per_name"),)

    def __str__(self) -> str:
        return self.name


class Seed(Owned):
    reach = ByBrand("list__brand", squad="list__squad")

    list = models.ForeignKey(SeedList, on_delete=models.CASCADE, related_name="seeds", verbose_name=_("seed list"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    value = personal(models.CharField(_("address"), max_length=320), IDENTIFIER)
    label = models.CharField(_("whose"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("seed")
        verbose_name_plural = _("seeds")
        constraints = (models.UniqueConstraint(fields=("list", "channel", "value"), name="one_seed_per_address"),)

    def __str__(self) -> str:
        return self.label or str(self.pk)


class TestSend(Owned):
    """One message to one address; its words are kept until it was sent and no longer."""

    __test__ = False

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("test send", "waiting")
        SENDING = "sending", pgettext_lazy("test send", "being sent")
        SENT = "sent", pgettext_lazy("test send", "sent")
        FAILED = "failed", pgettext_lazy("test send", "not sent")
        UNKNOWN = "unknown", pgettext_lazy("test send", "unknown")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("squad")
    )
    version = models.ForeignKey(
        TemplateVersion, on_delete=models.PROTECT, related_name="test_sends", verbose_name=_("template")
    )
    connector = models.ForeignKey(
        Connector, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("connector")
    )
    # Whose data filled it in; nobody's where it was a made-up person.
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("as if for"),
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    # One asking of a form; and the address as it is compared, and whether it is the asker's own.
    key = models.UUIDField(_("key"), editable=False)
    compared = personal(models.CharField(_("compared as"), max_length=320), IDENTIFIER)
    is_self = models.BooleanField(_("own address"), default=False)
    recipient = personal(models.CharField(_("to"), max_length=320), IDENTIFIER)
    locale = models.CharField(_("language"), max_length=20)
    subject = personal(models.CharField(_("subject"), max_length=600, blank=True), TEXT)
    html = personal(models.TextField("HTML", blank=True), TEXT)
    text = personal(models.TextField(_("text"), blank=True), TEXT)
    options = personal(models.JSONField(_("besides the words"), default=dict), DOCUMENT)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    asked_at = models.DateTimeField(_("asked at"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    detail = personal(models.CharField(_("detail"), max_length=500, blank=True), TEXT)
    begun_at = models.DateTimeField(_("begun at"), null=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("test send")
        verbose_name_plural = _("test sends")
        ordering = ("-asked_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("key", "compared"), name="one_test_send_per_asking"),)
        indexes = (
            # Read by the sender: what waits, and what was begun and not ended?
            models.Index(
                fields=("asked_at",),
                condition=models.Q(state__in=("waiting", "sending")),
                name="test_sends_open",
            ),
        )

    def __str__(self) -> str:
        return str(self.id)

    @property
    def why(self) -> str:
        """Reasons of ours in the reader's language; a provider's own words as they are."""
        return str(Reason(self.detail).label) if self.detail in Reason.values else self.detail
