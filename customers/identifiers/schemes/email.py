"""E-mail addresses: one bare address, its domain in lower-case punycode, its ASCII letters folded."""

import re
import unicodedata
from functools import lru_cache
from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from email_validator import EmailNotValidError, validate_email

from customers.identifiers.errors import IdentifierError, too_long
from customers.identifiers.placeholders import refuse_placeholder
from customers.identifiers.scheme import Scheme, Text

# As told; what is compared fits what mail systems take (RFC 5321 §4.5.3.1).
_MAX_TOLD = 320
_MAX_LENGTH = 254
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SEVERAL = re.compile(r"[\s,;:<>()\"\\]")
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Email(Scheme):
    key: ClassVar[str] = "email"
    label: ClassVar[Text] = _("e-mail address")

    def read(self, value: str, region: str = "") -> tuple[str, str]:
        original = value.strip(" ")
        if len(original) > _MAX_TOLD:
            raise too_long(_MAX_TOLD)
        refuse_placeholder(original)
        if _SEVERAL.search(original) or original.count("@") > 1:
            raise IdentifierError("not_one_address", "Not exactly one bare e-mail address.", "Send local@domain alone.")
        if not original.isascii() and any(_becomes_ascii(character) for character in original):
            raise IdentifierError(
                "email_not_canonical",
                "Holds a character that some systems turn into an ASCII letter.",
                "Send the plain letter if that is what is meant.",
            )
        local, _at, domain = original.rpartition("@")
        canonical = _canonical_domain(domain)
        if len(local) <= 64 and _PLAIN_LOCAL.fullmatch(local) and canonical:
            folded = f"{local.translate(_LOWER)}@{canonical}"
        else:
            folded = _unusual(original)
        if len(folded) > _MAX_LENGTH:
            raise _not_an_email()
        refuse_placeholder(folded)
        return folded, original


def _unusual(value: str) -> str:
    try:
        parsed = validate_email(value, check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise _not_an_email() from None
    # Only ASCII letters are folded: elsewhere upper and lower case are no settled pairs.
    return f"{parsed.local_part.translate(_LOWER)}@{parsed.ascii_domain.lower()}"


@lru_cache(maxsize=10_000)
def _canonical_domain(domain: str) -> str:
    """The domain in lower-case punycode, or "" when no address can have it; few domains make most mail."""
    try:
        parsed = validate_email(f"a@{domain}", check_deliverability=False, strict=True)
    except EmailNotValidError:
        return ""
    return parsed.ascii_domain.lower()


def _becomes_ascii(character: str) -> bool:
    """Kelvin sign, dotless i, long s, full-width letters: case or compatibility mappings lead into ASCII."""
    if character.isascii() or unicodedata.combining(character):
        return False
    forms = (
        character.lower(),
        character.upper(),
        character.casefold(),
        unicodedata.normalize("NFKC", character),
    )
    return any(form[:1].isascii() for form in forms)


def _not_an_email() -> IdentifierError:
    return IdentifierError(
        "invalid_email",
        "Not an e-mail address that could receive mail.",
        "Send local@domain with a public domain.",
    )
