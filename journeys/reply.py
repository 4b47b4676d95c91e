"""What a journey takes out of another system's reply: fields of its JSON, as typed variables, or it is no reply."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import orjson
from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import form
from customers.mapping.paths import ABSENT, read_path, walk
from customers.rules.errors import Problem
from journeys.variables import VariableDef, fit

MOST: Final = 20


class BadReply(Exception):
    """The reply is not what was agreed: no JSON, or a field that is missing or of another kind."""


class Taken(Struct, kw_only=True, forbid_unknown_fields=True):
    """A field of the reply by its JSON Pointer, which a variable is to hold."""

    variable: Annotated[str, form(_("variable"), refers="variable")]
    pointer: Annotated[str, form(_("from the reply’s"), _("A JSON Pointer, as in /score or /offers/0/name."))]
    optional: Annotated[
        bool, form(_("may be missing"), _("Then the variable stays as it was; of a wrong kind it may never be."))
    ] = False


def read_reply(taken: Sequence[Taken], declared: Sequence[VariableDef], body: bytes) -> dict[str, Any]:
    """The values by variable; raises BadReply. Of a reply from which nothing is taken the body is not read."""
    if not taken:
        return {}
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadReply from None
    kinds: Mapping[str, str] = {one.name: one.kind for one in declared}
    values = {}
    for one in taken:
        path = read_path(one.pointer)
        found = ABSENT if path is None else walk(document, path.steps)
        if found is ABSENT or found is None:
            if one.optional:
                continue
            raise BadReply
        value = fit(kinds[one.variable], found)
        if value is None:
            raise BadReply
        values[one.variable] = value
    return values


def problems_of(taken: Sequence[Taken]) -> Iterator[Problem]:
    """Pointers begin at the step that has them as `reply`."""
    if len(taken) > MOST:
        yield Problem("reply_count", "/reply", _("At most 20 fields are taken out of a reply."))
    for n, one in enumerate(taken):
        path = read_path(one.pointer)
        if path is None or path.of_item or path.beside:
            hint = _("A JSON Pointer begins with a slash, as in /score.")
            yield Problem("pointer_invalid", f"/reply/{n}/pointer", _("This leads nowhere in a reply."), hint)
        if one.variable in {other.variable for other in taken[:n]}:
            message = _("“%(name)s” is already used.") % {"name": one.variable}
            yield Problem("duplicate_variable", f"/reply/{n}/variable", message, _("Set it once."))
