"""Pairs of customers that look like one person: proposed by a search, decided by people, never by itself."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models.identity import Profile
from customers.models.owned import Owned
from customers.reach import AllOf, ByProfile


class DuplicatePair(Owned):
    """Two profiles, each standing for its customer; `low` sorts before `high`.

    `evidence` says of each comparison how far it agrees, never what the values are: they are read from the
    customers when somebody looks. What was rejected is kept, and not proposed again while it agrees no better.
    """

    reach = AllOf((ByProfile("low_id"), ByProfile("high_id")))

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("pair", "to be decided")
        ACCEPTED = "accepted", pgettext_lazy("pair", "merged")
        REJECTED = "rejected", pgettext_lazy("pair", "two people")
        # They look alike no more, have become one otherwise, or were told apart by hand.
        SETTLED = "settled", pgettext_lazy("pair", "no question any more")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    low = models.ForeignKey(
        Profile, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("one profile")
    )
    high = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+", verbose_name=_("other profile"))
    probability = models.FloatField(_("probability"))
    evidence = models.JSONField(_("evidence"), default=list)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(_("found at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        ordering = ("-probability", "pk")
        constraints = (
            models.UniqueConstraint(fields=("low", "high"), name="one_pair_of_two_profiles"),
            models.CheckConstraint(condition=models.Q(low__lt=models.F("high")), name="pair_low_before_high"),
        )
        indexes = (
            # Read by the list of what is to be decided, and by whoever goes from one to the next.
            models.Index(fields=("-probability", "id"), condition=models.Q(state="open"), name="pair_to_be_decided"),
        )

    def __str__(self) -> str:
        return f"{self.low_id} – {self.high_id}"
