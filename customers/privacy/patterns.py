"""How a name may be written in a document that nobody has taken apart: patterns of LIKE over the text in lower case."""

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

# Shorter ones stand by chance in any text: they count where they are the whole of a string.
_TELLING: Final = 8


def in_text(word: str) -> list[str]:
    """For text, as `lower()` has it."""
    return sorted({_like(form) for form in _forms(word)})


def in_bytes(word: str) -> list[str]:
    """For bytes, as `lower(encode(…, 'escape'))` has them."""
    return sorted({_like(_escaped(form)) for form in _forms(word)})


def _forms(word: str) -> Iterator[str]:
    lower = word.lower()
    quoted, plain = json.dumps(lower), json.dumps(lower, ensure_ascii=False)
    if len(word) >= _TELLING or "@" in word:
        yield from (lower, quoted[1:-1], plain[1:-1], quote(lower, safe="").lower(), quote_plus(lower).lower())
    elif word:
        yield from (quoted, plain)


def _like(form: str) -> str:
    escaped = form.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _escaped(form: str) -> str:
    """As PostgreSQL writes bytes in its escape format, in lower case."""
    return "".join(_byte(one) for one in form.encode())


def _byte(one: int) -> str:
    if one == 0x5C:
        return "\\\\"
    return chr(one) if 0 < one < 0x80 else f"\\{one:03o}"


def mentions(text: str, namespace: str = "NULL::uuid") -> str:
    """SQL: whether the text names the subject; local names count in documents of their namespace."""
    return _any(f"lower({text})", namespace, "text")


def mentions_bytes(data: str, namespace: str = "NULL::uuid") -> str:
    return _any(f"lower(encode({data}, 'escape'))", namespace, "byte")


def _any(text: str, namespace: str, kind: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM unnest(%({kind}_spaces)s::uuid[], %({kind}_patterns)s::text[]) AS u(space, pattern)"
        f" WHERE (u.space = '00000000-0000-0000-0000-000000000000' OR u.space = {namespace}) AND {text} LIKE u.pattern)"
    )
