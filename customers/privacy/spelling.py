"""How documents that nobody has taken apart spell a character, and where a name in them begins and ends.

Regular expressions that PostgreSQL and Python read alike, over a document in small letters: no more in them than
alternatives, classes and repetition.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# What belongs to a name wherever it stands: letters and digits, but neither punctuation nor symbols.
_LETTERS: Final = (
    "0-9a-z_ªµºÀ-ÖØ-öø-\u1fff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufefe\uff10-\uffef\U00010000-\U0001efff"
    "\U00020000-\U0010ffff"
)
_ASCII_LETTERS: Final = "0-9a-z_"
# What joins names, and stands about them as well.
_JOINTS: Final = ".+@'%-"
# "Ana's": what follows an apostrophe is no part of the name before it.
_JOINTS_AFTER: Final = ".+@%-"
_PERCENT: Final = "%(?:25)*"
_HEX: Final = "[0-9a-f]"
# What is neither: as URLs and as JSON write it.
_URL_EDGES: Final = (
    f"{_PERCENT}(?:[01]{_HEX}|2[0-46-9acf]|3[a-f]|5[b-e]|60|7[b-f]|c2{_PERCENT}[89ab]{_HEX}"
    f"|e2{_PERCENT}[89a]{_HEX}{_PERCENT}[89ab]{_HEX})"
)
_JSON_EDGES: Final = (
    f"00(?:[01]{_HEX}|2[0-46-9acf]|3[a-f]|5[b-e]|60|7[b-f]|[89ab]{_HEX}|[df]7)"
    f"|2[0-9ab]{_HEX}{_HEX}|30[0-3]{_HEX}|feff|ff0{_HEX}"
)
# Punctuation in UTF-8 as the escape format has it, the byte order marks, and symbols beyond the first plane.
_BYTE_EDGES: Final = (
    r"\\302\\2[0-7][0-7]|\\303\\2[26]7|\\342\\2[0-5][0-7]\\2[0-7][0-7]|\\343\\200\\2[0-7][0-7]"
    r"|\\357\\273\\277|\\357\\274\\2[01][0-7]|\\360\\237\\2[0-7][0-7]\\2[0-7][0-7]"
)
_MARKS: Final = r"\\377\\376|\\376\\377"
# A backslash before these begins an escape, as it does before whatever is spelled as one.
_ONE_LETTER: Final = "bfnrtu"


@dataclass(frozen=True, slots=True)
class Spelling:
    """`backslash` is one of the document's. Edges are what is none of `letters`, `symbols`, and of single bytes those
    `before` a name and `after` one that ends in ASCII. `encodings` are those of bytes, none for text."""

    backslash: str
    letters: str
    symbols: str
    before: str
    after: str
    encodings: tuple[str, ...]

    @property
    def escape(self) -> str:
        """What begins an escape of JSON; where JSON stands in a string of JSON it is doubled, and doubled again."""
        return f"(?:{self.backslash})+"

    def edge_before(self, first: str, joints: str = _JOINTS) -> str:
        """What may stand before a name that begins with `first`."""
        edges = [
            self._apart(joints),
            f"{self.escape}[bfnrt]",
            f"{self.escape}u(?:{_JSON_EDGES}|d83[c-e]{self.escape}ud[c-f]{_HEX}{_HEX})",
            _URL_EDGES,
            *filter(None, [self.symbols, self.before]),
        ]
        if first.isascii() and first.isalnum() and first not in _ONE_LETTER:
            edges.append(self.backslash)
        return f"(?:^|{'|'.join(edges)})[{_class(_JOINTS)}]*"

    def edge_after(self, last: str, joints: str = _JOINTS_AFTER) -> str:
        """What may stand after a name that ends with `last`; a full stop is one where no name goes on."""
        edges = [
            self._apart(joints),
            f"{self.escape}(?:[^u\\\\]|$|u(?:{_JSON_EDGES}|d83[c-e]))",
            _URL_EDGES,
            *filter(None, [self.symbols, self.after if last.isascii() else ""]),
        ]
        return f"[{_class(_JOINTS)}]*(?:$|{'|'.join(edges)})"

    def _apart(self, joints: str) -> str:
        return f"[^{self.letters}{_class(joints)}\\\\]"

    def spelled(self, word: str) -> str:
        """The word, each of its characters in any of the ways it may be written."""
        return "".join(self.character(one) for one in word)

    def character(self, one: str) -> str:
        if one.isascii():
            return self._ascii(one.lower())
        forms = dict.fromkeys((one.lower(), one.upper(), one))
        forms |= {unicodedata.normalize("NFD", form): None for form in forms}
        ways = {way: None for form in forms for way in self._ways(form)}
        return f"(?:{'|'.join(ways)})"

    def _ascii(self, one: str) -> str:
        if one.isalnum():
            return one
        literal = self.backslash if one == "\\" else re.escape(one)
        ways = [literal, f"{_PERCENT}{ord(one):02x}", f"{self.escape}u{ord(one):04x}"]
        if one == " ":
            ways.append(r"\+")
        if one in '"\\/':
            ways.append(self.escape + literal)
        return f"(?:{'|'.join(ways)})"

    def _ways(self, form: str) -> Iterator[str]:
        yield "".join(self.escape + f"u{unit:04x}" if unit > 0x7F else chr(unit).lower() for unit in _units(form))
        for encoding in ("utf-8", "cp1252"):
            if encoded := _encoded(form, encoding):
                yield "".join(f"{_PERCENT}{byte:02x}" if byte > 0x7F else chr(byte).lower() for byte in encoded)
        if not self.encodings:
            yield form
        for encoding in self.encodings:
            if encoded := _encoded(form, encoding).replace(b"\0", b""):
                yield "".join(_byte(byte) for byte in encoded)


def _class(characters: str) -> str:
    """As they stand in a class."""
    return re.escape(characters)


def _units(form: str) -> list[int]:
    """Of UTF-16, in which JSON escapes."""
    held = form.encode("utf-16-be")
    return [int.from_bytes(held[at : at + 2]) for at in range(0, len(held), 2)]


@lru_cache(maxsize=1_000)
def _encoded(form: str, encoding: str) -> bytes:
    try:
        return form.encode(encoding)
    except UnicodeEncodeError:
        return b""


def _byte(one: int) -> str:
    """As PostgreSQL writes it in its escape format, in small letters."""
    if one == 0x5C:
        return r"\\\\"
    return re.escape(chr(one).lower()) if one < 0x80 else rf"\\{one:03o}"


TEXT: Final = Spelling(r"\\", _LETTERS, "", "", "", ())
# As `lower(encode(…, 'escape'))` has them, with or without the zeros of UTF-16. A single byte that is no letter of
# Latin-1 may end a letter of UTF-8: then another byte stands before it.
BYTES: Final = Spelling(
    r"\\\\",
    _ASCII_LETTERS,
    _BYTE_EDGES,
    rf"{_MARKS}|(?:^|[^0-9])\\2[0-7][0-7]",
    r"\\2[0-7][0-7]",
    ("utf-8", "cp1252", "utf-16-le", "utf-16-be"),
)
