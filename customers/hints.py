"""What a form says about a field of a struct: put beside its type, so that forms need no list of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from django.utils.functional import Promise

Text = str | Promise
# A kind: nobody fills it in, since it follows from others.
DERIVED: Final = "derived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """`refers` names what the value is a key of (a step, a connector …); `beside` the sibling that narrows the
    choice; `kind` a way of showing that the type does not tell; `unset` what it means to leave it out;
    `is_usual` that it is filled in more often than not, though it may be left out."""

    label: Text = ""
    help: Text = ""
    refers: str = ""
    beside: str = ""
    kind: str = ""
    unset: Text = ""
    is_usual: bool = False
    # Of a rule: where it is asked, if not where the others of its document are.
    place: str = ""
    choices: Mapping[str, Text] = field(default_factory=dict)


def form(
    label: Text = "",
    help: Text = "",
    *,
    refers: str = "",
    beside: str = "",
    kind: str = "",
    unset: Text = "",
    is_usual: bool = False,
    place: str = "",
    choices: Mapping[str, Text] | None = None,
) -> msgspec.Meta:
    hint = Hint(
        label=label,
        help=help,
        refers=refers,
        beside=beside,
        kind=kind,
        unset=unset,
        is_usual=is_usual,
        place=place,
        choices=choices or {},
    )
    return msgspec.Meta(extra={"form": hint})
