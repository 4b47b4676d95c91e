"""How identifiers are read: what makes two spellings one value, and what is no identifier at all."""

import re
import unicodedata
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

USER_ID = "user_id"
ANONYMOUS_ID = "anonymous_id"
EMAIL = "email"
# Kinds whose values mean the same in every source.
ORGANISATION_WIDE = frozenset((EMAIL,))

MAX_LENGTH = 254
MAX_EMAIL_LENGTH = 320

# What half-finished integrations send for "nobody": joined, they would make one customer of thousands.
_PLACEHOLDERS = frozenset(
    (
        "[object object]", "anonymous", "guest", "n/a", "nan", "nil", "none", "null", "test@test.com",
        "undefined", "unknown",
    )
)  # fmt: skip
_NO_DIGITS = "0-./ "
# Controls of format and direction, zero-width, line ends, private, unassigned: unseen, so easily forged.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SEVERAL = re.compile(r"[\s,;:<>()\"\\]")
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class IdentifierError(ValueError):
    """The value identifies nobody; `code` and `hint` say why and what to send."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def normalise(kind: str, value: str) -> tuple[str, str]:
    """`value` as it is compared, and as it was given (how a message would be addressed)."""
    return _email(value) if kind == EMAIL else _opaque(value)


def _opaque(value: str) -> tuple[str, str]:
    """Another system's key: compared as it is but for its composition (NFC), never trimmed."""
    if len(value) > MAX_LENGTH:
        raise _too_long(MAX_LENGTH)
    _refuse_placeholder(value)
    if value.isascii():
        if not value.isprintable():
            raise _unseen()
        return value, value
    if any(unicodedata.category(character) in _UNSEEN for character in value):
        raise _unseen()
    if _is_look_alike(value):
        raise IdentifierError(
            "identifier_not_canonical",
            "Holds a character that Unicode replaces by another one.",
            "Send the replacement itself.",
        )
    return unicodedata.normalize("NFC", value), value


def _email(value: str) -> tuple[str, str]:
    original = value.strip(" ")
    if len(original) > MAX_EMAIL_LENGTH:
        raise _too_long(MAX_EMAIL_LENGTH)
    _refuse_placeholder(original)
    if _SEVERAL.search(original) or original.count("@") > 1:
        raise IdentifierError("not_one_address", "Not exactly one bare e-mail address.", "Send local@domain alone.")
    if not original.isascii() and any(_becomes_ascii(character) for character in original):
        raise IdentifierError(
            "email_not_canonical",
            "Holds a character that some systems turn into an ASCII letter.",
            "Send the plain letter if that is what is meant.",
        )
    local, _, domain = original.rpartition("@")
    canonical = _canonical_domain(domain)
    if len(local) <= 64 and _PLAIN_LOCAL.fullmatch(local) and canonical:
        folded = f"{local.translate(_LOWER)}@{canonical}"
    else:
        folded = _unusual_email(original)
    if len(folded) > MAX_LENGTH:
        raise _not_an_email()
    _refuse_placeholder(folded)
    return folded, original


def _unusual_email(value: str) -> str:
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


def _is_look_alike(value: str) -> bool:
    """Whether NFC would replace (not compose) a character: the Kelvin sign would become K."""
    return any(unicodedata.normalize("NFC", character) != character for character in value)


def _refuse_placeholder(value: str) -> None:
    if not value.strip(_NO_DIGITS) or value == "-1" or value.strip().lower() in _PLACEHOLDERS or value.isspace():
        raise IdentifierError(
            "blocked_identifier",
            "A placeholder that stands for nobody.",
            "Leave the field out, or send null.",
        )


def _too_long(limit: int) -> IdentifierError:
    return IdentifierError("identifier_too_long", f"Longer than {limit} characters.", "Send the id alone.")


def _unseen() -> IdentifierError:
    return IdentifierError(
        "control_character",
        "Holds a control, bidirectional or zero-width character.",
        "Send visible characters only.",
    )


def _not_an_email() -> IdentifierError:
    return IdentifierError(
        "invalid_email",
        "Not an e-mail address that could receive mail.",
        "Send local@domain with a public domain.",
    )
