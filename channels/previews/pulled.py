"""What a preview pulls: asked as a message would ask, by the same list of hosts, bounds and copies; and a note of what
stands in for an answer. Of a draft as of saved words, and also where nobody is chosen to look."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from channels.dispatch.extras import Path
from channels.models import PulledSource
from channels.pulled.address import names_person
from channels.pulled.fetching import Got, Missed
from channels.pulled.known import Pulled
from channels.pulled.loading import Whose, is_named, look

_PATIENCE_SECONDS: Final = 5.0


class NotPulledError(Exception):
    """There would be no message; the text says which content it is, and why."""


def pulled(
    sources: Sequence[PulledSource], names: Collection[Path], whose: Whose, now: datetime, *, is_masked: bool
) -> tuple[Pulled, list[str]]:
    """The values, and what stands in for some of them in words. Raises NotPulledError."""
    named = [source for source in sources if is_named(source, names)]
    asked = [source for source in named if not (is_masked and names_person(source.url))]
    came: Mapping[str, Got | Missed] = {
        source.name: one
        for source, one in zip(asked, look(asked, whose, now, time.monotonic() + _PATIENCE_SECONDS), strict=True)
    }
    values: dict[str, Any] = {}
    notes: list[str] = []
    for source in named:
        found = came.get(source.name) or Missed(_("its address holds what you may not read"))
        if isinstance(found, Got):
            values[source.name] = found.value
            continue
        said = {"name": f"pulled.{source.name}", "why": found.why}
        if source.missing != PulledSource.Missing.FALLBACK:
            raise NotPulledError(_("Not sent: %(name)s could not be had (%(why)s).") % said)
        values[source.name] = source.fallback
        notes.append(_("%(name)s shows what stands in for it (%(why)s).") % said)
    return Pulled(values, {}), notes
