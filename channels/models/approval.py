"""Templates that a provider has to approve before they may be sent: how each stands there, as it was last told."""

from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models.connector import Connector
from customers.models.owned import Owned
from customers.reach import ByBrand


class Approval(Owned):
    reach = ByBrand("connector__brand")

    class State(models.TextChoices):
        APPROVED = "approved", pgettext_lazy("template", "approved")
        PENDING = "pending", pgettext_lazy("template", "being looked at")
        REJECTED = "rejected", pgettext_lazy("template", "rejected")
        PAUSED = "paused", pgettext_lazy("template", "paused")
        DISABLED = "disabled", pgettext_lazy("template", "disabled")
        DELETED = "deleted", pgettext_lazy("template", "deleted")
        OTHER = "other", pgettext_lazy("template", "something else")

    connector = models.ForeignKey(
        Connector, on_delete=models.CASCADE, db_index=False, related_name="approvals", verbose_name=_("connector")
    )
    name = models.CharField(_("name"), max_length=512)
    language = models.CharField(_("language"), max_length=20)
    state = models.CharField(_("state"), max_length=8, choices=State.choices)
    category = models.CharField(_("category"), max_length=30, blank=True)
    quality = models.CharField(_("quality"), max_length=20, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    places = models.PositiveSmallIntegerField(
        _("places"), null=True, help_text=_("How many its words have to be filled; unknown until the list was read.")
    )
    shows_image = models.BooleanField(_("needs a picture"), default=False)
    heading_places = models.PositiveSmallIntegerField(_("places in its heading"), default=0, db_default=0)
    button_places = models.JSONField(
        _("places of its buttons"),
        default=list,
        db_default=Value([], models.JSONField()),
        help_text=_("Which of its buttons, counted from 0, have an address that is to be ended."),
    )
    needs_more = models.BooleanField(
        _("needs what is not sent"), default=False, help_text=_("Named places, a video or a document, a code to copy.")
    )
    as_of = models.DateTimeField(_("as of"))

    class Meta:
        verbose_name = _("approved template")
        verbose_name_plural = _("approved templates")
        ordering = ("name", "language")
        constraints = (
            models.UniqueConstraint(fields=("connector", "name", "language"), name="one_approval_per_language"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"


class ApprovalList(Owned):
    """When a connector's provider was last asked for all of them, and what came of it."""

    reach = ByBrand("connector__brand")

    connector = models.OneToOneField(
        Connector, on_delete=models.CASCADE, primary_key=True, related_name="approval_list", verbose_name=_("connector")
    )
    asked_at = models.DateTimeField(_("asked at"))
    read_at = models.DateTimeField(_("last read whole at"), null=True)
    fault = models.CharField(_("trouble"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("list of approved templates")
        verbose_name_plural = _("lists of approved templates")

    def __str__(self) -> str:
        return str(self.connector)
