"""How a name may stand in a document that nobody has taken apart: found by a pattern of LIKE that lets too much through
and is quick, and by a regular expression that looks at what stands before and after it."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple
from urllib.parse import quote, quote_plus
from uuid import UUID

import phonenumbers
from stdnum.br import cnpj

from customers.ids import NIL
from customers.privacy.spelling import BYTES, TEXT, Spelling

# Shorter ones stand by chance in any text: they count where they are the whole of a value.
_TELLING: Final = 8
_DIGITS: Final = 8
# From here on a number is written in groups; a shorter one only if it came in groups.
_GROUPED: Final = 10
_BETWEEN: Final = " .()/+\u00a0\u2010\u2011-"
# What joins names about these, where it is not what joins them elsewhere.
_BEFORE_IN_FORMS: Final = ".@'%-"
_AFTER_DOMAIN: Final = ".@%-"
_ABOUT_DIGITS: Final = ".+@%/-"
# In the place of what stands between the cells of a file.
_DELIMITER: Final = "\x1f"


class Sought(NamedTuple):
    """`sieve` is for LIKE, `pattern` for a regular expression, both over the document in small letters. `rough` costs a
    tenth of `pattern` and lets through what that would."""

    sieve: str
    pattern: str
    rough: str = ""


def in_text(word: str) -> tuple[Sought, ...]:
    """For text, as `lower()` has it."""
    return _sought(TEXT, word)


def in_bytes(word: str) -> tuple[Sought, ...]:
    """For bytes, as `lower(encode(…, 'escape'))` has them."""
    return _sought(BYTES, word)


def in_file(word: str) -> tuple[Sought, ...]:
    """For a file of cells, in bytes: a short name may be the whole of a cell."""
    found = _sought(BYTES, word)
    if not word or _is_telling(word):
        return found
    edge = rf"{_DELIMITER}\n\r"
    cell = rf"(?:^(?:\\357\\273\\277)?|[{edge}])\"?{BYTES.spelled(word)}\"?(?:[{edge}]|$)"
    return (*found, *(Sought(sieve, cell) for sieve in _sieves(word)))


def standing(words: Iterable[str]) -> "re.Pattern[str] | None":
    """Where one of these stands in a text in small letters; short ones do not count in the middle of others."""
    ways = {one.pattern for word in words if _is_telling(word) for one in in_text(word)}
    return re.compile("|".join(sorted(ways))) if ways else None


def values(words: Iterable[tuple[UUID, str]]) -> dict[str, Any]:
    """What `mentions` and its like name, of words and the namespaces they mean somebody in."""
    given: dict[str, Any] = {}
    ordered = list(words)
    for kind, ways in (("text", in_text), ("byte", in_bytes), ("cell", in_file)):
        sought = [(space, one) for space, word in ordered for one in ways(word)]
        given[f"{kind}_spaces"] = [space for space, _one in sought]
        for name in Sought._fields:
            given[f"{kind}_{name}s"] = [getattr(one, name) for _space, one in sought]
    return given


def mentions(text: str, namespace: str = "NULL::uuid") -> str:
    """SQL: whether the text names the subject; local names count in documents of their namespace."""
    return _any(f"lower({text})", namespace, "text", "u.pattern")


def mentions_bytes(data: str, namespace: str = "NULL::uuid") -> str:
    return _any(f"lower(encode({data}, 'escape'))", namespace, "byte", "u.pattern")


def mentions_cells(data: str, namespace: str, delimiter: str) -> str:
    """Of a file, whose text of two bytes a character shows its letters once the zeros are left out."""
    text = f"lower(replace(encode({data}, 'escape'), '\\000', ''))"
    return _any(text, namespace, "cell", f"replace(u.pattern, E'\\x1f', {delimiter})")


def _any(text: str, namespace: str, kind: str, pattern: str) -> str:
    """Each part is quicker than the next, and lets through whatever that would."""
    return f"""
        ({text} LIKE ANY(%({kind}_sieves)s::text[]) AND EXISTS (
            SELECT 1
            FROM unnest(%({kind}_spaces)s::uuid[], %({kind}_sieves)s::text[], %({kind}_roughs)s::text[],
                        %({kind}_patterns)s::text[]) AS u(space, sieve, rough, pattern)
            WHERE (u.space = '{NIL}' OR u.space = {namespace})
              AND {text} LIKE u.sieve AND {text} ~ u.rough AND {text} ~ {pattern}
        ))
    """


@lru_cache(maxsize=1_000)
def _sought(spelling: Spelling, word: str) -> tuple[Sought, ...]:
    return tuple(_ways(spelling, word)) if word else ()


def _ways(spelling: Spelling, word: str) -> Iterator[Sought]:
    numbers = list(_numbers(word))
    for number in numbers:
        digits = _between(spelling).join(number)
        yield Sought(_digits_sieve(number), _number(spelling, digits), digits)
    if not numbers and _is_telling(word):
        name, rough = _name(spelling, word), f"{spelling.spelled(word)}(?:[^0-9a-z_]|$)"
        yield from (Sought(sieve, name, rough) for sieve in _sieves(word))
    elif not numbers:
        yield from (Sought(f'%"{sieve[1:]}', _string(spelling, word)) for sieve in _sieves(word))
        yield from (Sought(f"%={sieve[1:]}", _field(spelling, word)) for sieve in _sieves(word))


def _is_telling(word: str) -> bool:
    return len(word) >= _TELLING or "@" in word


def _name(spelling: Spelling, word: str) -> str:
    first = word[0].lower()
    plain = spelling.edge_before(first) + spelling.spelled(word)
    if "@" not in word:
        return plain + spelling.edge_after(word[-1])
    # After a domain a plus belongs to nothing; before an address it does, unless the address is written as forms
    # write it: there a plus is a blank.
    local, _at, domain = word.rpartition("@")
    as_form = (
        f"{spelling.edge_before(first, _BEFORE_IN_FORMS)}{spelling.spelled(local)}%(?:25)*40{spelling.spelled(domain)}"
    )
    return f"(?:{plain}|{as_form}){spelling.edge_after(word[-1], _AFTER_DOMAIN)}"


def _string(spelling: Spelling, word: str) -> str:
    """As the whole of a string of JSON."""
    return f'"{spelling.spelled(word)}(?:{spelling.backslash})*"'


def _field(spelling: Spelling, word: str) -> str:
    """As the whole of a field of a form."""
    return rf"(?:^|[?&\"\n])[^=&?\"\n ]*={spelling.spelled(word)}(?:[&#\"\n]|{spelling.backslash}|$)"


def _numbers(word: str) -> Iterator[str]:
    """What the word is as a number that people write in groups, each time in their own."""
    bare = word.lower().translate(str.maketrans("", "", _BETWEEN))
    if bare.isascii() and bare.isdigit():
        if len(bare) >= _GROUPED or (len(bare) >= _DIGITS and bare != word):
            yield bare
    elif cnpj.is_valid(bare.upper()):
        yield bare
    if word.startswith("+") and (national := _national(word)):
        yield national


def _national(word: str) -> str:
    """The digits of a telephone number as they are dialled at home, where they are enough to tell it from others."""
    try:
        number = phonenumbers.parse(word)
    except phonenumbers.NumberParseException:
        return ""
    told = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    digits = re.sub("[^0-9]", "", told)
    return digits if len(digits) >= _GROUPED else ""


def _number(spelling: Spelling, digits: str) -> str:
    """A longer one goes on behind a slash as well."""
    before = f"(?:{spelling.edge_before(digits[0], _ABOUT_DIGITS)}|(?:^|[^0-9])/)"
    after = f"(?:{spelling.edge_after(digits[-1], _ABOUT_DIGITS)}|/(?:[^0-9]|$))"
    return f"{before}(?:00|%(?:25)*2b)?{digits}{after}"


def _digits_sieve(number: str) -> str:
    """Nobody parts the last two digits, nor the first two unless one is a country's: +1 and +7."""
    first = 1 if number[0] in "17" else 2
    return f"%{'%'.join((number[:first], *number[first:-2], number[-2:]))}%"


def _between(spelling: Spelling) -> str:
    """What people put between the digits of a number, as URLs, JSON and bytes have it too."""
    escapes = f"{spelling.backslash}(?:u00a0)?|%(?:25)*(?:2[089bdef]|c2%a0)"
    return rf"(?:[{_BETWEEN}]|{escapes}|\\302\\240|\\240){{0,3}}"


def _sieves(word: str) -> list[str]:
    """As documents of one kind spell it: plain, JSON, URLs and forms. Letters beyond ASCII may be anything."""
    parts = re.split("[^\0-\x7f]+", word.lower())
    return sorted({re.sub("%+", "%", f"%{'%'.join(_like(way(part)) for part in parts)}%") for way in _WAYS})


def _like(form: str) -> str:
    """In an escape of URLs there may be another one; a backslash is doubled or not."""
    escaped = {"_": "\\_", "%": "\\%%", "\\": "%"}
    return "".join(escaped.get(one, one) for one in form.lower())


_WAYS: Final[tuple[Callable[[str], str], ...]] = (
    str,
    lambda part: json.dumps(part)[1:-1],
    quote_plus,
    *(partial(quote, safe=safe) for safe in ("", "@", "+")),
)
