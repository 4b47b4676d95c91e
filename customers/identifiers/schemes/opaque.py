"""Another system's keys: compared as they are but for their composition (NFC), never trimmed."""

import unicodedata
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from customers.identifiers.errors import IdentifierError, too_long, unseen
from customers.identifiers.placeholders import refuse_placeholder
from customers.identifiers.scheme import Scheme, Text

MAX_LENGTH = 254
# Controls of format and direction, zero-width, line ends, private, unassigned: unseen, so easily forged.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


class Opaque(Scheme):
    key: ClassVar[str] = "opaque"
    label: ClassVar[Text] = _("as it is")

    def read(self, value: str, region: str = "") -> tuple[str, str]:
        if len(value) > MAX_LENGTH:
            raise too_long(MAX_LENGTH)
        refuse_placeholder(value)
        if value.isascii():
            if not value.isprintable():
                raise unseen()
            return value, value
        if any(unicodedata.category(character) in _UNSEEN for character in value):
            raise unseen()
        if _is_look_alike(value):
            raise IdentifierError(
                "identifier_not_canonical",
                "Holds a character that Unicode replaces by another one.",
                "Send the replacement itself.",
            )
        return unicodedata.normalize("NFC", value), value


def _is_look_alike(value: str) -> bool:
    """Whether NFC would replace (not compose) a character: the Kelvin sign would become K."""
    return any(unicodedata.normalize("NFC", character) != character for character in value)
