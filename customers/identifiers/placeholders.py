"""What half-finished integrations send for "nobody": joined, such values would make one customer of thousands."""

from customers.identifiers.errors import blocked

_PLACEHOLDERS = frozenset(
    (
        "[object object]", "anonymous", "guest", "n/a", "nan", "nil", "none", "null", "test@test.com",
        "undefined", "unknown",
    )
)  # fmt: skip
_NO_DIGITS = "0-./ "


def refuse_placeholder(value: str) -> None:
    if not value.strip(_NO_DIGITS) or value == "-1" or value.strip().lower() in _PLACEHOLDERS or value.isspace():
        raise blocked()
