"""When the ledgers were anchored, and whether what was anchored is still there."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from consent.models import LedgerAnchor
from customers.admin.base import Facts, hexadecimal
from customers.admin.show import flag, when


@admin.register(LedgerAnchor)
class LedgerAnchorAdmin(Facts):
    list_display = (
        "number",
        when("at", _("anchored")),
        "chains",
        "entries",
        "days",
        "audit_entries",
        "notices",
        flag("deviations", (_("deviations"), "bad"), (_("none"), "good")),
    )
    search_fields = ("number",)
    readonly_fields = ("merkle_root",)
    when_empty = _(
        "The ledgers were not anchored yet. Once an hour their hashes are written to a folder outside the database."
    )
    merkle_root = staticmethod(hexadecimal("root", _("Merkle root")))
