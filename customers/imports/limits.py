"""How large a file, a row and a cell may be, and the reasons for which a file as a whole is refused."""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CHUNK_BYTES: Final = 1 << 20
MAX_COLUMNS: Final = 500
MAX_HEADING: Final = 100
# Characters of a cell, and of a row with all its lines; an event holds no more than 64 KB.
MAX_CELL: Final = 32_768
MAX_ROW: Final = 131_072
# Whoever has more refused rows mends the mapping or the file first.
MAX_REFUSED: Final = 100_000

WORDS: Final[Mapping[str, "str | Promise"]] = {
    "file_too_large": _("The file is larger than %(limit)s. Split it, or have IMPORT_MAX_BYTES raised."),
    "file_empty": _("The file is empty."),
    "file_packed": _("This is a packed file or a workbook. Save it as CSV, unpacked, and hand that in."),
    "file_binary": _("This is no text: it holds NUL characters. Save it as CSV in UTF-8 and hand that in."),
    "file_cut_off": _("The file is cut off in the middle of a character. Save it again."),
    "no_rows": _("The file has no rows besides the names of its columns."),
    "too_many_columns": _("The file has %(count)s columns; at most %(limit)s can be read. Leave some out."),
    "first_row_broken": _("The first row cannot be read: a quotation mark is never closed, or it is far too long."),
    "one_message_a_row": _("A row becomes one message: the mapping has one event, for all rows."),
    "other_rows": _("Rows of this kind become messages of these types: %(types)s."),
    "no_time": _("Events need their time: say which column tells when they occurred."),
    "not_said": _("Say this for all rows, or by a column: %(names)s."),
    "unknown_kind": _("There are no such kinds of identifiers: %(kinds)s."),
    "two_columns": _("Two columns are to become %(name)s. Ignore one of them, or name it otherwise."),
    "unknown_column": _("The file has no such columns: %(columns)s."),
}


class FileRefused(Exception):
    """A file that cannot be imported, or not so; `str` says why, in the language of whoever reads it."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def __str__(self) -> str:
        return str(WORDS[self.code]) % self.values if self.values else str(WORDS[self.code])


def max_bytes() -> int:
    return int(settings.IMPORT_MAX_BYTES)
