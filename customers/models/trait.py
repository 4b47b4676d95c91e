"""Traits with their time: what a profile was said to be, from when, and when we heard it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.identity import Profile
from customers.models.owned import Owned
from customers.personal import DOCUMENT, personal
from customers.reach import ByProfile


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
    value = personal(models.JSONField(_("value"), null=True), DOCUMENT)
    valid_from = models.DateTimeField(_("valid from"))
    recorded_at = models.DateTimeField(_("recorded at"))
    event_id = models.BigIntegerField(_("event"))

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
