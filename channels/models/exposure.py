"""Who was drawn for which arm of an experiment, the first time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Brand, Profile
from customers.models.owned import Owned


class Exposure(Owned):
    """Append-only: the first time that a unit came to an experiment. `scope_id` is what the experiment stands in (a
    journey), `key` its name there, which is the same in all versions; `unit` is the profile or the run drawn for."""

    id = models.BigAutoField(primary_key=True)
    brand = models.ForeignKey(
        Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+",
        verbose_name=_("brand"),
    )  # fmt: skip
    scope_id = models.UUIDField(_("stands in"))
    key = models.CharField(_("experiment"), max_length=60)
    unit = models.CharField(_("drawn for"), max_length=40)
    arm = models.CharField(_("arm"), max_length=60)
    is_holdout = models.BooleanField(_("held out"), default=False)
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("profile")
    )
    run_id = models.BigIntegerField(_("run"), null=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("exposure")
        verbose_name_plural = _("exposures")
        constraints = (models.UniqueConstraint(fields=("scope_id", "key", "unit"), name="one_first_exposure"),)

    def __str__(self) -> str:
        return f"{self.key} {self.arm}"
