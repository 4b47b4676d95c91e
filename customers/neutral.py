"""Cells that a spreadsheet would take for formulas, made harmless, and back."""

from typing import Final

_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


def neutral(cell: str) -> str:
    """The cell as a spreadsheet shows it and computes nothing (OWASP ASVS 1.2.10)."""
    return f"'{cell}" if cell.startswith(_STARTS) else cell


def as_it_was(cell: str) -> str:
    """What `neutral` made harmless."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_STARTS) else cell
