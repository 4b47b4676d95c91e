"""The laws that consents and privacy requests answer to."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Law(models.TextChoices):
    LGPD = "lgpd", _("LGPD (Brazil)")
    GDPR = "gdpr", _("GDPR (European Union)")
    APP = "app", _("Australian Privacy Principles")
