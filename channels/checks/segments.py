"""How many SMS a text is sent and paid as: 3GPP TS 23.038 (the GSM alphabet) and TS 23.040 (parts of one text)."""

from dataclasses import dataclass
from typing import Final

# The default alphabet; of the extension each sign takes two places.
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
# Alone, and as a part of several: their number takes six octets of 140.
_GSM: Final = (160, 153)
_UCS2: Final = (70, 67)


@dataclass(frozen=True, slots=True)
class Segments:
    count: int
    # Of which alphabet, and how many places of it the text takes.
    is_gsm: bool
    places: int
    # What keeps it from the smaller alphabet, as they come, each once.
    foreign: tuple[str, ...] = ()


def segments_of(text: str) -> Segments:
    foreign = tuple(dict.fromkeys(sign for sign in text if sign not in _BASIC and sign not in _EXTENDED))
    if foreign:
        # A sign outside the basic plane is two code units, which are never parted.
        widths = [2 if ord(sign) > 0xFFFF else 1 for sign in text]
        return Segments(_parts(widths, *_UCS2), is_gsm=False, places=sum(widths), foreign=foreign)
    widths = [2 if sign in _EXTENDED else 1 for sign in text]
    return Segments(_parts(widths, *_GSM), is_gsm=True, places=sum(widths))


def _parts(widths: list[int], alone: int, shared: int) -> int:
    if sum(widths) <= alone:
        return 1 if widths else 0
    parts, room = 1, shared
    for width in widths:
        if width > room:
            parts, room = parts + 1, shared
        room -= width
    return parts
