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


class Ramp(Struct, kw_only=True, forbid_unknown_fields=True):
    """So many of a hundred are let in first, always the same ones, until a person has looked at how they fare."""

    percent: Annotated[int, form(_("percent of people first"), _("From 1 to 100; who they are is drawn once for all."))]
    compare_on: Annotated[
        str,
        form(
            _("compare on"),
            _("A date such as 2026-12-31: from then on the journey’s page asks to let everybody in or to stop."),
        ),
    ]
