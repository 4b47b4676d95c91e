"""Traits with their time: what a profile was said to be, from when, and when we heard it; and what a trait means."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.identity import Profile
from customers.models.owned import Owned
from customers.personal import TRAIT, personal
from customers.reach import ByProfile, ForAll


class Trait(Owned):
    """An interval by its beginning: it holds until the next row of the same profile and name.

    An interval's end is the next one's beginning, so a late arrival splits an interval without rewriting a row.
    """

    reach = ByProfile()

    id = models.BigAutoField(primary_key=True)
    profile = models.ForeignKey(
        Profile, on_delete=models.CASCADE, related_name="traits", db_index=False, verbose_name=_("profile")
    )
    name = models.CharField(_("name"), max_length=120)
    value = personal(models.JSONField(_("value"), null=True), TRAIT)
    valid_from = models.DateTimeField(_("valid from"))
    recorded_at = models.DateTimeField(_("recorded at"))
    event_id = models.BigIntegerField(_("event"))
    source_id = models.UUIDField(_("source"), null=True)

    class Meta:
        verbose_name = _("trait")
        verbose_name_plural = _("traits")
        constraints = (
            models.UniqueConstraint(
                fields=("profile", "name", "valid_from", "event_id"), name="one_trait_value_per_event"
            ),
        )

    def __str__(self) -> str:
        return self.name


class TraitDefinition(Owned):
    """What a trait of this name means everywhere, and whose word on it counts. A trait without one is taken as told."""

    reach = ForAll()

    class Type(models.TextChoices):
        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        FLAG = "flag", _("yes or no")
        MOMENT = "moment", _("date or time")
        LIST = "list", pgettext_lazy("type of a value", "list")
        DOCUMENT = "document", _("object")

    class Winner(models.TextChoices):
        LATEST = "latest", _("what was said last")
        FIRST = "first", _("what was said first")
        TRUSTED = "trusted", _("what the more trusted source says")

    name = models.CharField(_("name"), max_length=120, primary_key=True, help_text=_("As events tell it."))
    label = models.CharField(_("label"), max_length=120, blank=True)
    description = models.TextField(_("description"), blank=True)
    type = models.CharField(
        _("type"),
        max_length=8,
        choices=Type.choices,
        blank=True,
        help_text=_("A value of another type is kept and never wins. Empty: any value."),
    )
    winner = models.CharField(
        _("which value counts"),
        max_length=8,
        choices=Winner.choices,
        default=Winner.LATEST,
        help_text=_("Of all that a customer's profiles were said to be."),
    )
    trusted = ArrayField(
        models.UUIDField(),
        verbose_name=_("trusted sources"),
        default=list,
        blank=True,
        help_text=_("The most trusted first; what others say counts after them, the latest first."),
    )
    is_personal = models.BooleanField(
        _("personal"),
        default=True,
        help_text=_("Shown only to those who may read personal data. Not so: plan, tier, language and the like."),
    )

    class Meta:
        verbose_name = _("definition of a trait")
        verbose_name_plural = _("definitions of traits")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.label or self.name
