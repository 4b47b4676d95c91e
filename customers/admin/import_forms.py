"""Forms of imports: handing in a file, how it is read, and what its columns become."""

from typing import Any, Final
from zoneinfo import available_timezones

import msgspec
from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from customers import clock, kinds
from customers.hints import Text
from customers.imports import choices as chosen
from customers.imports import rows
from customers.imports.choices import Choices
from customers.imports.guess import FORMATS
from customers.models import Import, Source
from customers.reach import reach_of
from customers.sight import sight_of

_TYPES: Final[tuple[tuple[str, "str | Promise"], ...]] = (
    ("text", _("text")),
    ("number", _("number")),
    ("money", _("money, kept in cents")),
    ("boolean", _("yes or no")),
    ("time", _("date or time")),
)
_TARGETS: Final[tuple[tuple[str, Text], ...]] = (
    (rows.TRAIT, _("a trait")),
    (rows.PROPERTY, _("a property")),
    (rows.TIME, _("when it occurred")),
    (rows.NAME, _("the event’s name")),
    (rows.ID, _("the event’s own id")),
)
_LONGEST: Final = 120
_SAID: Final = "said-"
_LONGEST_SAID: Final = 200


class HandInForm(forms.Form):
    source = forms.ModelChoiceField(Source.objects.none(), label=_("Source"), widget=UnfoldAdminSelectWidget)
    rows = forms.ChoiceField(label=_("Each row is"), choices=Import.Rows.choices, widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        label=_("CSV file"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
        allow_empty_file=True,
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["source"]
        field.queryset = sources_for(request)


class ReadingForm(forms.Form):
    """How the file is read, where it does not look like what it is."""

    encoding = forms.ChoiceField(label=_("Encoding"), choices=Import.Encoding.choices, widget=UnfoldAdminSelectWidget)
    delimiter = forms.ChoiceField(
        label=_("Between cells"), choices=Import.Delimiter.choices, widget=UnfoldAdminSelectWidget
    )
    has_header = forms.BooleanField(
        label=_("The first row names the columns"), required=False, widget=UnfoldBooleanSwitchWidget
    )


def sources_for(request: HttpRequest) -> Any:
    """Sources for which this person may import: of no squad, of one of theirs, or of a brand they manage.

    Nobody need be able to change a source for that: an import adds to what it sends, like a partner with its key.
    """
    sources = Source.objects.visible_to(request.user).select_related("brand")
    sources = sources.exclude(key=Source.RESERVED_KEY).filter(is_active=True)
    sight = sight_of(request.user)
    return sources if sight.superuser else sources.filter(reach_of(Source).changed(sight))


def targets(parent: Import) -> list[tuple[Any, Any]]:
    """What a column may become, in groups."""
    kind = rows.kind_of(parent)
    known = [(rows.IDENTIFIER + key, key) for key in kinds.current(clock.utcnow())] if kind.names_people else []
    said = [(rows.PART + name, part.label) for name, part in kind.parts.items()]
    said += [(to, label) for to, label in _TARGETS if to == kind.free or to in kind.told]
    whose: list[tuple[Any, Any]] = [(_("whose it is"), known)] if known else []
    return [(chosen.IGNORE, _("ignored")), *whose, (_("what it says"), said)]


def read_choices(data: Any, parent: Import) -> Choices:
    """What was posted, or ValidationError of msgspec where it is no choice of ours."""
    columns = [
        {
            "to": data.get(f"to-{number}", chosen.IGNORE)[:_LONGEST],
            "name": data.get(f"name-{number}", "").strip()[:_LONGEST],
            "as": data.get(f"as-{number}", "text"),
            "format": data.get(f"format-{number}", "").strip()[:_LONGEST] or "iso",
        }
        for number in range(len(parent.columns))
    ]
    told = {name: data.get(name, "").strip()[:_LONGEST] for name in ("zone", "decimal", "event", "currency")}
    said = {name: data.get(f"{_SAID}{name}", "").strip()[:_LONGEST_SAID] for name in rows.kind_of(parent).said_for_all}
    return msgspec.convert({"columns": columns, "historical": "historical" in data, "said": said, **told}, Choices)


def said_rows(parent: Import, choices: Choices) -> list[dict[str, Any]]:
    """What may be said once for all rows, with what was said."""
    return [
        {
            "name": f"{_SAID}{name}",
            "label": part.label,
            "help": part.help,
            "value": choices.said.get(name, ""),
            "options": _options([("", "–"), *part.options.items()], choices.said.get(name, "")) if part.options else [],
        }
        for name, part in rows.kind_of(parent).said_for_all.items()
    ]


def column_rows(parent: Import, choices: Choices, samples: list[list[str]]) -> list[dict[str, Any]]:
    """Each column with what was chosen for it and its first values."""
    offered = targets(parent)
    return [
        {
            "number": number,
            "heading": heading,
            "values": [row[number][:60] for row in samples if len(row) > number],
            "to": _options(offered, column.to),
            "name": column.name,
            "as": _options(list(_TYPES), column.as_),
            "format": column.format,
        }
        for number, (heading, column) in enumerate(zip(parent.columns, choices.columns, strict=True))
    ]


def _options(offered: list[tuple[Any, Any]], value: str) -> list[dict[str, Any]]:
    """Options and groups of options for the template, the chosen one marked."""
    return [
        {"label": label_or_value, "group": _options(held, value)}
        if isinstance(held, list)
        else {"label": held, "value": label_or_value, "selected": label_or_value == value}
        for label_or_value, held in offered
    ]


def helps() -> dict[str, Any]:
    """What the fields of the mapping offer to choose from."""
    return {"formats": FORMATS, "zones": sorted(available_timezones())}
