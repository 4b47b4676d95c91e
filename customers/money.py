"""How many digits the smaller unit of a currency has: amounts are kept in whole ones of it, as cents.

By ISO 4217, as shops and banks count. CLDR, by which amounts are written for readers, leaves out small coins that are
out of use (RSD, IQD), and would take what was kept with them for a hundred times as much.
"""

from decimal import Decimal
from typing import Final

_NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS: Final = "CLF UYW"
_DIGITS: Final = {
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
    **dict.fromkeys(_FOUR_DIGITS.split(), 4),
}


def minor_digits(currency: str) -> int:
    """Two where nobody knows the currency, as most have."""
    return _DIGITS.get(currency.strip().upper(), 2)


def in_major_units(minor: int, currency: str) -> Decimal:
    """4990 of BRL are 49.90."""
    return Decimal(minor).scaleb(-minor_digits(currency))
