"""Why a row was refused, in the language of whoever reads it: the words are the code's, not the moment's."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from customers.hints import Text
from customers.imports.limits import MAX_CELL, MAX_ROW
from customers.mapping.problems import WORDS as OF_MAPPING
from customers.models import RefusedRow

_SEVERAL: Final = _("Import fewer columns.")
_TEXT: Final = _("Take the column as text.")
# Of a row that cannot be read, and of an event that acceptance refuses.
_OURS: Final[Mapping[str, tuple[Text, Text]]] = {
    "broken_quotes": (
        _("The quotation marks do not match: one is never closed, or something follows a closed one."),
        _("Put cells that hold quotation marks in quotation marks, and write each one inside twice."),
    ),
    "row_too_long": (_("The row is longer than %(limit)s characters."), _("Import less of it.")),
    "cell_too_long": (_("A cell is longer than %(limit)s characters."), _("Shorten it or leave it out.")),
    "wrong_cell_count": (
        _("The row does not have as many cells as there are columns."),
        _("Look for a delimiter inside a cell, or a quotation mark that is never closed."),
    ),
    "invalid_encoding": (
        _("The row holds bytes that are no characters in the encoding of the file."),
        _("Save the file in UTF-8, or choose the encoding that it is written in."),
    ),
    "invalid_product_key": (
        _("This cannot be the key of a product."),
        _("Up to 100 letters, digits and _ . : - alone, a letter or digit first."),
    ),
    "price_without_currency": (_("A price is in a currency."), _("Say in which, in a column or for all rows.")),
    "unknown_currency": (_("No such currency."), _("Write it as BRL.")),
    "invalid_address": (_("This is no address that may be shown."), _("Write one that begins with https://.")),
    "too_many_attributes": (_("More attributes than a product may have."), _SEVERAL),
    "invalid_locale": (_("This is no language."), _("Write it as pt-BR.")),
    "too_long": (_("Longer than it may be, or empty."), _("Shorten it or leave it out.")),
    "out_of_range": (_("No such amount."), _("Look at what the column becomes.")),
    "missing_identifier": (_("The row says nothing about whom it concerns."), _("Fill in one of the identifiers.")),
    "blocked_identifier": (_("A placeholder that stands for nobody."), _("Leave the cell empty, or correct it.")),
    "identifier_too_long": (_("The identifier is too long."), _("Tell the id alone.")),
    "identifier_not_canonical": (
        _("The identifier has characters that look like others."),
        _("Write it in the characters that it is meant to have."),
    ),
    "control_character": (
        _("There is a control, bidirectional or zero-width character in it."),
        _("Type it again, with visible characters only."),
    ),
    "not_one_address": (_("Not exactly one bare e-mail address."), _("Write local@domain alone.")),
    "email_not_canonical": (
        _("The address has characters that look like others."),
        _("Write it in the characters that it is meant to have."),
    ),
    "invalid_email": (_("This is no e-mail address that mail could reach."), _("Correct it, or leave the cell empty.")),
    "phone_without_country": (
        _("The phone number does not say its country."),
        _("Write it as +55 11 91234-5678, or give the source a default country."),
    ),
    "phone_with_extension": (_("A number with an extension reaches no person directly."), _("Write it without.")),
    "phone_invalid": (
        _("No number that its country’s plan has."),
        _("Correct it; mobile numbers in Brazil begin with 9 after the area code."),
    ),
    "phone_type_not_allowed": (
        _("A number of this type belongs to no person."),
        _("Tell a mobile or fixed line of the person."),
    ),
    "number_invalid": (_("Its digits do not add up."), _("Write the number as it stands in the document.")),
    "wrong_type": (_("The value is of another type than it should be."), _("Look at what the column becomes.")),
    "timezone_required": (
        _("A time without an offset is ambiguous."),
        _("Choose the format of the column, and the time zone that the file is written in."),
    ),
    "unknown_zone": (
        _("There is no such time zone."),
        _("Write it as America/Sao_Paulo, or leave the column out: then the brand’s counts."),
    ),
    "invalid_timestamp": (_("No such moment exists."), _("Correct the date, or choose the format of the column.")),
    "timestamp_in_future": (_("More than 24 hours ahead."), _("Correct the date.")),
    "too_old": (_("Older than 90 days."), _("Import it as history: it fills history and starts no journey.")),
    "missing_field": (_("The row does not name its event."), _("Fill it in, or name all rows alike.")),
    "invalid_name": (_("This is no name that an event or a property can have."), _("Name it otherwise.")),
    "reserved_name": (
        _("What happens inside is not told from outside."),
        _("Choose another name: events of this one are told by Trilha itself."),
    ),
    "type_not_allowed": (
        _("The source may not send events of this type."),
        _("Add the type to those of the source, or choose another source."),
    ),
    "unplanned_event": (_("The source takes planned events only."), _("Register the event type.")),
    "unknown_schema_version": (
        _("There is no approved version of this number."),
        _("Approve it, or choose another default for the source."),
    ),
    "schema_violation": (
        _("It does not fit the schema of its event type."),
        _("Look at the place named beside it and at the schema: %(detail)s"),
    ),
    "schema_unusable": (_("The approved schema cannot be used."), _("Tell the schema’s owner.")),
    "message_id_conflict": (
        _("Another message was accepted under this id; the first one stands."),
        _("Give every row an id of its own. The same events told by another mapping are the same events."),
    ),
    "erased_subject": (_("It tells of somebody who was erased since."), _("Take these rows out of the file.")),
    "payload_too_large": (_("The event is too large."), _SEVERAL),
    "json_too_deep": (_("The event is nested too deeply."), _SEVERAL),
    "too_many_elements": (_("The event has too many fields."), _SEVERAL),
    "nul_character": (_("There is a NUL character in it."), _("Save the file again as text.")),
    "number_not_finite": (_("The number is too large."), _TEXT),
    "number_out_of_range": (_("The number is too large or has too many digits."), _TEXT),
    "unknown_field": (_("There is no such field."), _("Choose something else for the column.")),
    "unsupported_type": (_("Rows cannot become messages of this type."), _("Choose something else.")),
    "insufficient_scope": (_("A file may not say that somebody was verified."), _("Leave it out.")),
    "unknown_value": (_("Not a way in which a person is known."), _("Leave it out.")),
    "unstorable": (
        _("The database cannot hold a value of this row."),
        _("Importing the same again will not help: change the value."),
    ),
}
WORDS: Final[Mapping[str, tuple[Text, Text]]] = {**OF_MAPPING, **_OURS}
_LIMITS: Final = {"row_too_long": MAX_ROW, "cell_too_long": MAX_CELL}


def words_of(code: str, message: str, hint: str) -> tuple[str, str]:
    """What is wrong and what to do; of a code without words of its own what its door said."""
    if code not in WORDS:
        return message, hint
    values = {"limit": f"{_LIMITS.get(code, 0):,}", "detail": message}
    said, to_do = (str(text) for text in WORDS[code])
    return said % values if "%(" in said else said, to_do % values if "%(" in to_do else to_do


def put_into_words(row: RefusedRow) -> RefusedRow:
    """The row with its reason as this reader would read it; not to be saved."""
    row.message, row.hint = words_of(row.code, row.message, row.hint)
    return row
