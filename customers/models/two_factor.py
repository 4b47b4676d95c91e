"""The second step of log-in: an authenticator app, and recovery codes for when it is lost."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models.owned import Owned
from customers.reach import OfOrganisation


class Authenticator(Owned):
    """An app that shows six digits; its secret is sealed, and each of its codes is taken once."""

    reach = OfOrganisation()

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    secret = models.BinaryField(_("secret"), editable=False)
    last_step = models.BigIntegerField(_("last code's time step"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"))
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)

    class Meta:
        verbose_name = _("authenticator")
        verbose_name_plural = _("authenticators")

    def __str__(self) -> str:
        return str(self.pk)


class RecoveryCode(Owned):
    """Logs in once in place of the app; only its keyed digest is kept, so it is shown once."""

    reach = OfOrganisation()

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    digest = models.BinaryField(_("digest"), max_length=32, editable=False)
    used_at = models.DateTimeField(_("used at"), null=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = (models.UniqueConstraint(fields=("user", "digest"), name="one_recovery_code_per_digest"),)

    def __str__(self) -> str:
        return str(self.pk)
