"""Files of rows handed in to be imported: as they came, until they are done with, and what was refused of them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models.job import Job
from customers.models.owned import Owned
from customers.models.source import Source
from customers.personal import DOCUMENT, TEXT, personal
from customers.reach import ByBrand


class Import(Owned):
    """A CSV file for a source: how it is read, what its columns mean, and the job that works on it."""

    reach = ByBrand("source__brand", squad="source__squad")

    class Rows(models.TextChoices):
        CUSTOMERS = "customers", _("customers")
        EVENTS = "events", _("events")
        CONSENTS = "consents", pgettext_lazy("rows", "consents")
        PRODUCTS = "products", pgettext_lazy("rows", "products")

    class Encoding(models.TextChoices):
        UTF_8 = "utf-8", "UTF-8"
        UTF_16_LE = "utf-16-le", "UTF-16 LE"
        UTF_16_BE = "utf-16-be", "UTF-16 BE"
        WINDOWS_1252 = "cp1252", "Windows-1252"

    class Delimiter(models.TextChoices):
        COMMA = ",", _("comma ,")
        SEMICOLON = ";", _("semicolon ;")
        TAB = "\t", _("tab")
        PIPE = "|", _("pipe |")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", verbose_name=_("source"))
    rows = models.CharField(_("each row is"), max_length=10, choices=Rows.choices)
    file_name = models.CharField(_("file"), max_length=200)
    size = models.BigIntegerField(_("bytes"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    encoding = models.CharField(_("encoding"), max_length=10, choices=Encoding.choices)
    # How many bytes at the beginning only tell the encoding.
    mark = models.PositiveSmallIntegerField(default=0)
    delimiter = models.CharField(_("between cells"), max_length=1, choices=Delimiter.choices)
    has_header = models.BooleanField(_("the first row names the columns"), default=True)
    columns = models.JSONField(_("columns"), default=list)
    # What was chosen for the columns on the page, of which the mapping is made.
    choices = models.JSONField(default=dict)
    mapping = models.JSONField(_("mapping"), default=dict)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("job"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("handed in by")
    )
    created_at = models.DateTimeField(_("handed in at"))
    removed_at = models.DateTimeField(_("file removed at"), null=True)

    class Meta:
        verbose_name = pgettext_lazy("noun", "import")
        verbose_name_plural = _("imports")
        ordering = ("-created_at",)
        indexes = (
            # Read by the pruning of files that are done with.
            models.Index(fields=("created_at",), condition=models.Q(removed_at=None), name="import_file_is_kept"),
        )

    def __str__(self) -> str:
        return self.file_name


class ImportChunk(Owned):
    """A piece of the file, as it came: any worker on any host can read it."""

    reach = ByBrand("parent__source__brand", squad="parent__source__squad")

    id = models.BigAutoField(primary_key=True)
    parent = models.ForeignKey(
        Import, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=pgettext_lazy("noun", "import")
    )
    number = models.PositiveIntegerField(_("number"))
    data = personal(models.BinaryField(_("bytes")), TEXT)

    class Meta:
        verbose_name = _("piece of an imported file")
        verbose_name_plural = _("pieces of imported files")
        constraints = (models.UniqueConstraint(fields=("parent", "number"), name="one_chunk_of_a_number"),)

    def __str__(self) -> str:
        return f"{self.parent_id} {self.number}"


class RefusedRow(Owned):
    """A row of a file that became nothing, with the reason; what there is for mending the file."""

    reach = ByBrand("parent__source__brand", squad="parent__source__squad")

    id = models.BigAutoField(primary_key=True)
    parent = models.ForeignKey(
        Import, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=pgettext_lazy("noun", "import")
    )
    row = models.BigIntegerField(_("row"))
    code = models.CharField(_("reason"), max_length=64)
    message = models.TextField(_("message"))
    hint = models.TextField(_("hint"), blank=True)
    place = models.CharField(_("place"), max_length=500, blank=True)
    cells = personal(models.JSONField(_("cells"), default=list), DOCUMENT)

    class Meta:
        verbose_name = _("refused row")
        verbose_name_plural = _("refused rows")
        ordering = ("row",)
        constraints = (models.UniqueConstraint(fields=("parent", "row"), name="one_refusal_of_a_row"),)

    def __str__(self) -> str:
        return f"{self.row}: {self.code}"
