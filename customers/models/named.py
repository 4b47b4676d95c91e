"""Which source named which profile: what a partner may know of people."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.identity import Assurance, Profile
from customers.models.owned import Owned
from customers.models.source import Source
from customers.reach import ByBrand


class ProfileSource(Owned):
    """Kept in resolve, like the brands of a profile; ids alone, without constraints, since it is a hot path."""

    reach = ByBrand("source__brand")

    pk = models.CompositePrimaryKey("profile_id", "source_id")
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    first_seen_at = models.DateTimeField(_("first seen at"))
    assurance = models.SmallIntegerField(
        _("assurance"),
        choices=Assurance.choices,
        default=Assurance.OBSERVED,
        db_default=2,
        help_text=_("How sure the source was at its surest; what only its pages name is a mere claim."),
    )

    class Meta:
        verbose_name = _("profile named by a source")
        verbose_name_plural = _("profiles named by sources")

    def __str__(self) -> str:
        return f"{self.profile_id} named by {self.source_id}"
