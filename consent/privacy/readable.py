"""The page of an export: what is held of a person as they can read it, one page in each language.

Files beside it tell machines the same, by their own names and in their own forms.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from customers.privacy.others import BASE64
from customers.privacy.stores import Table
from customers.privacy.words import word

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

    from consent.privacy.export import Section

LANGUAGES: Final = ("en", "pt-br")
# As many columns, of short words, as fit beside one another; other rows are told one below the other.
_COLUMNS: Final = 5
_SHORT: Final = 60
_MARKUP: Final = re.compile(r"\s*<(!doctype|html|head|body|p|div|table)\b", re.IGNORECASE)
_UNSEEN: Final = re.compile(r"<(head|style|script)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_BREAKS: Final = re.compile(r"<(br|/p|/div|/tr|/h[1-6]|/li)\b", re.IGNORECASE)
# As the database writes one.
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00", re.ASCII)
_SPACES: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value by the name that people have for it: a text, or parts of its own."""

    name: "_StrOrPromise"
    text: str = ""
    parts: tuple["Cell", ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.text and not self.parts

    @property
    def is_short(self) -> bool:
        return not self.parts and len(self.text) <= _SHORT and "\n" not in self.text


@dataclass(frozen=True, slots=True)
class Shown:
    """A table's rows; `heads` are empty where they are told one below the other."""

    label: str
    heads: tuple["_StrOrPromise", ...]
    rows: tuple[tuple[Cell, ...], ...]


def page(sections: "Sequence[Section]", now: datetime, zone: ZoneInfo, language: str) -> str:
    """Times are those of the zone."""
    with translation.override(language), timezone.override(zone):
        held = [
            {"store": one.store, "count": one.count, "tables": [_shown(*table) for table in one.tables if table[1]]}
            for one in sections
            if one.count
        ]
        context = {
            "sections": held,
            "nothing": [one.store for one in sections if not one.count],
            "moment": _moment(now),
            "zone": zone.key,
            "language": language,
            "languages": LANGUAGES,
        }
        return render_to_string("consent/privacy_export.html", context)


def _shown(table: Table, held: Sequence[Mapping[str, Any]]) -> Shown:
    names = [name.removesuffix(BASE64) for name in table.shown]
    rows = [tuple(_cell(word(name), row.get(name), _field(table, name)) for name in names) for row in held]
    # A column that nobody has anything in tells nothing.
    told = [n for n in range(len(names)) if any(not row[n].is_empty for row in rows)]
    rows = [tuple(row[n] for n in told) for row in rows]
    label = str(table.model._meta.verbose_name_plural)
    if len(told) <= _COLUMNS and all(cell.is_short for row in rows for cell in row):
        return Shown(label, tuple(word(names[n]) for n in told), tuple(rows))
    return Shown(label, (), tuple(tuple(cell for cell in row if not cell.is_empty) for row in rows))


def _field(table: Table, name: str) -> "Field[Any, Any] | None":
    """The model's own, where the export tells it as it is."""
    try:
        field = table.model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) else None


def _cell(name: "_StrOrPromise", value: Any, field: "Field[Any, Any] | None" = None) -> Cell:
    if isinstance(value, Mapping):
        return Cell(name, parts=tuple(one for key, told in value.items() if not (one := _cell(key, told)).is_empty))
    if isinstance(value, list):
        if all(not isinstance(one, dict | list) for one in value):
            return Cell(name, ", ".join(_text(one, field) for one in value))
        return Cell(name, parts=tuple(_cell(str(n), one) for n, one in enumerate(value, 1)))
    return Cell(name, _text(value, field))


def _text(value: Any, field: "Field[Any, Any] | None") -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field is not None and field.choices:
        choices: dict[Any, Any] = dict(field.flatchoices)
        return str(choices.get(value, value))
    text = str(value)
    if _MOMENT.fullmatch(text):
        return _moment(datetime.fromisoformat(text))
    return _words(text) if _MARKUP.match(text) else text


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")


def _words(markup: str) -> str:
    """What a letter says, without its looks."""
    text = strip_tags(_BREAKS.sub(r"\n<\1", _UNSEEN.sub("", markup)))
    return _LINES.sub("\n", _SPACES.sub(" ", unescape(text))).strip()
