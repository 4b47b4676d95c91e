"""What is wrong with a schema or an upcast, and where."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class Fault:
    """A stable code, a JSON pointer into the document, and what to do about it."""

    code: str
    pointer: str
    message: "_StrOrPromise"
    hint: "_StrOrPromise" = ""
