"""Who owns what: brands of the one organisation, and the squads that work in them."""

from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models.owned import Owned
from customers.reach import ByBrand

# A name with a dot at least, and nothing before or behind it: no scheme, port or path.
_HOST: Final = RegexValidator(
    r"^(?!-)[^\s/:@?#.\\]+(\.[^\s/:@?#.\\]+)+\Z", _("The name of a host is meant, as in acme.example.")
)


class Brand(Owned):
    reach = ByBrand("pk")
    for_managers = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.SlugField(_("key"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200)
    zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        help_text=_("IANA name; days in counters and caps are days in it."),
    )
    locale = models.CharField(_("locale"), max_length=20, default="en")
    currency = models.CharField(_("currency"), max_length=3, default="USD", help_text=_("ISO 4217 code."))
    sender_name = models.CharField(_("sender name"), max_length=200, blank=True)
    sender_email = models.EmailField(_("sender e-mail"), blank=True)
    postal_address = models.TextField(_("postal address"), blank=True)
    web_hosts = ArrayField(
        models.CharField(max_length=253, validators=[_HOST]),
        verbose_name=_("hosts of its sites"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_(
            "As in acme.example, which holds for shop.acme.example as well; several by commas. Links to them carry the "
            "marks (utm) of the campaign that sends them, links to others never."
        ),
    )
    journeys_at_once = models.PositiveSmallIntegerField(
        _("marketing journeys at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("In so many a person may be at most; empty: in any number."),
    )
    second_person_approves = models.BooleanField(
        _("a second person approves schemas"),
        default=False,
        help_text=_("Whoever proposes a schema version does not approve it."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        permissions = (("view_pii", _("Can read personal data")),)
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Squad(Owned):
    reach = ByBrand("brand", squad="pk")
    for_managers = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="squads", verbose_name=_("brand"))
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        verbose_name = _("squad")
        verbose_name_plural = _("squads")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "name"), name="one_squad_name_per_brand"),)

    def __str__(self) -> str:
        return self.name


class SquadMember(Owned):
    reach = ByBrand("squad__brand", squad="squad")
    for_managers = True

    class Role(models.TextChoices):
        PROCESS_OWNER = "process_owner", _("process owner")
        DATA_OWNER = "data_owner", _("data owner")
        CHANNEL_OWNER = "channel_owner", _("channel owner")

    squad = models.ForeignKey(Squad, on_delete=models.CASCADE, related_name="members", verbose_name=_("squad"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)

    class Meta:
        verbose_name = _("squad member")
        verbose_name_plural = _("squad members")
        constraints = (models.UniqueConstraint(fields=("squad", "user", "role"), name="one_role_once_per_squad"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"
