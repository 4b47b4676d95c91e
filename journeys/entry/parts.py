"""The parts of an entry that limit who comes in."""

from datetime import timedelta
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import form


class EntryCap(Struct, kw_only=True, forbid_unknown_fields=True):
    """At most so often in any such span of time, whatever the keys: a sliding window, so that midnight lets nobody in
    twice within minutes."""

    most: Annotated[int, form(_("at most so often"))]
    per: Annotated[timedelta, form(_("in any"), _("Counted back from each entry, not by the calendar."))]
