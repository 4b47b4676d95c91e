"""What runs hold in their typed variables."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.personal import DOCUMENT, TEXT, personal
from customers.reach import ByBrand
from journeys.models.run import Run


class Variable(Owned):
    """A value that a move of a run gave a variable: the last one counts, and those before say what was seen when. Of
    its columns one is filled, by the variable's kind."""

    reach = ByBrand("run__journey__brand")

    pk = models.CompositePrimaryKey("run_id", "name", "seq")
    run = models.ForeignKey(Run, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    name = models.CharField(_("variable"), max_length=60)
    seq = models.IntegerField(_("sequence"), help_text=_("The move that gave it."))
    text = personal(models.TextField(_("text"), null=True), TEXT)
    number = personal(models.FloatField(_("number"), null=True), DOCUMENT)
    boolean = personal(models.BooleanField(_("yes or no"), null=True), DOCUMENT)
    moment = personal(models.DateTimeField(_("moment"), null=True), DOCUMENT)

    class Meta:
        verbose_name = _("variable")
        verbose_name_plural = _("variables")

    def __str__(self) -> str:
        return f"{self.run_id}.{self.name}"
