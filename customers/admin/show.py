"""Columns of lists and fields of pages that show a value as `customers.looks` has it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from customers.looks import Tone, as_text, badge, document, moment

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

__all__ = ["Tone", "as_text", "badge", "document", "flag", "laid_out", "moment", "state", "when"]


def state(attribute: str, tones: Mapping[Any, Tone], label: "_StrOrPromise") -> Callable[[Any], SafeString | str]:
    """A column of a field with choices; a state without a tone is neither good nor bad."""

    @admin.display(description=label, ordering=attribute)
    def column(obj: Any) -> SafeString | str:
        value = getattr(obj, attribute)
        if value is None or value == "":
            return ""
        return badge(getattr(obj, f"get_{attribute}_display")(), tones.get(value, ""))

    return column


def flag(attribute: str, yes: tuple["_StrOrPromise", Tone], no: tuple["_StrOrPromise", Tone]) -> Any:
    """A column of a yes or no, each in words."""

    @admin.display(description=_("status"), ordering=attribute)
    def column(obj: Any) -> SafeString:
        return badge(*(yes if getattr(obj, attribute) else no))

    return column


def when(attribute: str, label: "_StrOrPromise") -> Callable[[Any], SafeString | str]:
    """A column of a time, near ones by their distance; the exact one is in the title."""

    @admin.display(description=label, ordering=attribute)
    def column(obj: Any) -> SafeString | str:
        return moment(getattr(obj, attribute))

    return column


def laid_out(attribute: str, label: "_StrOrPromise") -> Callable[[Any], SafeString | str]:
    """A field of a page that holds a document."""

    @admin.display(description=label)
    def column(obj: Any) -> SafeString | str:
        return document(getattr(obj, attribute))

    return column
