"""Reasons for which a webhook was not taken, in words."""

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_WORDS: Final[dict[str, "_StrOrPromise"]] = {
    "timeout": _("no answer in time"),
    "unreachable": _("not reached"),
    "untrusted": _("its certificate is not trusted"),
    "refused_address": _("its address may not be called"),
    "interrupted": _("the connection broke"),
    "bad_reply": _("the reply makes no sense"),
    "too_large": _("the reply is too long"),
    "bad_request": _("the call cannot be made"),
    "redirect_not_followed": _("it points elsewhere, which is not followed"),
    "gone": _("it is gone"),
    "crashed": _("its worker died each time"),
    "unreadable": _("the event cannot be read"),
    "forgotten": _("nothing is left to tell"),
    "erased": _("the person was erased"),
    "removed": _("the webhook was removed"),
}


# Statuses that a filter offers; any other is found by the webhook and its state.
_STATUSES: Final = (400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504)


def reasons() -> list[tuple[str, str]]:
    """For a choice: as they are declared, since nobody counts what stands in millions of rows."""
    return [(one, words(one)) for one in (*_WORDS, *(f"status_{status}" for status in _STATUSES))]


def words(reason: str) -> str:
    """A reason that is not here is a status, or stands for itself."""
    if reason.startswith("status_"):
        return gettext("it answered %(status)s") % {"status": reason.removeprefix("status_")}
    return str(_WORDS.get(reason, reason))
