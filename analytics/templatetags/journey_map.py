"""How the pages of journey maps print numbers: for people by their language, for drawings by none."""

from typing import Any

from django import forms, template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def count(value: int) -> str:
    """1,234 or 1.234, as the reader's language has it."""
    return number_format(value, force_grouping=True)


@register.filter
def share(value: float | None) -> str:
    """A share as a percentage of at most one decimal; a dash where there is nothing to have a share of."""
    if value is None:
        return "–"
    return _("%(number)s %%") % {"number": number_format(value * 100, decimal_pos=1 if 0 < value < 0.1 else 0)}


@register.filter
def plain(value: int) -> str:
    """A coordinate: the same in every language."""
    return str(value)


@register.filter
def less(value: int, by: int) -> str:
    return str(value - by)


@register.filter
def in_words(bound: forms.BoundField) -> Any:
    """What a field holds, as somebody reads it who may not write."""
    value = bound.value()
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    labels = {str(getattr(key, "value", key)): label for key, label in getattr(bound.field, "choices", ())}
    return labels.get(str(value), "–" if value in (None, "") else value)
