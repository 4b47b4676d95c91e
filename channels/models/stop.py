"""Stops: while one stands, nothing of its scope is handed to a provider."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.scopes import ByScope
from customers.models.owned import Owned


class SendStop(Owned):
    """`scope_id` is a journey, broadcast, campaign, connector or brand; standing while `released_at` is null."""

    reach = ByScope()

    id = models.BigAutoField(primary_key=True)
    scope_id = models.UUIDField(_("scope"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    stopped_at = models.DateTimeField(_("stopped at"))
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        constraints = (
            models.UniqueConstraint(
                fields=("scope_id",),
                condition=models.Q(released_at__isnull=True),
                name="one_standing_stop_per_scope",
            ),
        )

    def __str__(self) -> str:
        return str(self.scope_id)
