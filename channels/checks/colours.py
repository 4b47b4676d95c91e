"""Colours as styles write them, and how far two stand apart: WCAG 2.2, relative luminance and contrast ratio."""

import re
from typing import Final

Colour = tuple[int, int, int]

BLACK: Final[Colour] = (0, 0, 0)
WHITE: Final[Colour] = (255, 255, 255)
_HEX: Final = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})(?![0-9a-f])")
_RGB: Final = re.compile(r"rgba?\(\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*(?:[,/]\s*([\d.]+)\s*)?\)")
# The sixteen of CSS 2.1, and a few that layouts use.
_NAMED: Final[dict[str, Colour]] = {
    "aqua": (0, 255, 255), "black": BLACK, "blue": (0, 0, 255), "fuchsia": (255, 0, 255), "gray": (128, 128, 128),
    "green": (0, 128, 0), "grey": (128, 128, 128), "lightgray": (211, 211, 211), "lime": (0, 255, 0),
    "maroon": (128, 0, 0), "navy": (0, 0, 128), "olive": (128, 128, 0), "orange": (255, 165, 0),
    "purple": (128, 0, 128), "red": (255, 0, 0), "silver": (192, 192, 192), "teal": (0, 128, 128), "white": WHITE,
    "yellow": (255, 255, 0),
}  # fmt: skip


def colour(said: str, behind: Colour | None = None) -> Colour | None:
    """The first colour named; `behind` where it says that one sees through; None for what cannot be known."""
    said = said.strip().lower()
    if said in ("transparent", "none", "inherit", ""):
        return behind
    if "gradient(" in said:
        return None
    if found := _HEX.search(said):
        digits = found[1] if len(found[1]) == 6 else "".join(2 * digit for digit in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.search(said):
        if found[4] is not None and found[4] not in ("1", "1.0"):
            # It sees through, or says so in no number.
            return None
        return min(int(found[1]), 255), min(int(found[2]), 255), min(int(found[3]), 255)
    return next((_NAMED[word] for word in re.findall(r"[a-z]+", said) if word in _NAMED), None)


def contrast(one: Colour, other: Colour) -> float:
    """From 1 (the same) to 21 (black on white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(of: Colour) -> float:
    parts = [part / 255 for part in of]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
