"""Under which law a person is, and whether what they agreed to counts there: a pure function of what the ledger holds.

Consent is consent under each of the three laws, as long as it can be shown of what people were informed (LGPD 8 and 9,
GDPR 7(1), OAIC ch. B). Any other basis, such as a legitimate interest, is one of the law it was recorded for, and
of no other. Who was too young to agree did not, unless a parent did (LGPD 14 § 1, GDPR 8(1), OAIC B.60).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from phonenumbers import SUPPORTED_REGIONS

from consent.models.law import Law

TOO_YOUNG: Final = "too_young"
BASIS_ELSEWHERE: Final = "basis_elsewhere"
NOT_INFORMED: Final = "not_informed"

# GDPR 8(1): from which age on people agree for themselves; in the EU and the EEA, and in the United Kingdom, which kept
# the regulation. Where a country has said nothing, 16.
_EUROPE: Final[Mapping[str, int]] = {
    "AT": 14, "BE": 13, "BG": 14, "CY": 14, "CZ": 15, "DE": 16, "DK": 15, "EE": 13, "ES": 14, "FI": 13, "FR": 15,
    "GB": 13, "GR": 15, "HR": 16, "HU": 16, "IE": 16, "IS": 13, "IT": 14, "LI": 16, "LT": 14, "LU": 16, "LV": 13,
    "MT": 13, "NL": 16, "NO": 13, "PL": 16, "PT": 13, "RO": 16, "SE": 13, "SI": 15, "SK": 16,
}  # fmt: skip
_COUNTRIES: Final[Mapping[str, str]] = {
    **dict.fromkeys((*_EUROPE, "EU"), Law.GDPR),
    "BR": Law.LGPD,
    "AU": Law.APP,
}
# LGPD 14 § 1 speaks of children, which ECA 2 defines; OAIC B.60 presumes capacity from 15 on.
_LEAST: Final[Mapping[str, int]] = {Law.LGPD: 12, Law.GDPR: 16, Law.APP: 15}
# Nobody's interest outweighs a minor's by itself (LGPD 14, GDPR recital 38): they agree, or a parent does.
_GROWN_UP: Final = 18
_CONSENT: Final = frozenset({
    (Law.LGPD, "7", "i"), (Law.LGPD, "11", "i"),
    (Law.GDPR, "6", "1", "a"), (Law.GDPR, "9", "2", "a"),
    (Law.APP, "6", "1", "a"), (Law.APP, "7", "3", "b"), (Law.APP, "7", "3", "b", "i"), (Law.APP, "7", "4"),
})  # fmt: skip
_OF_A_PARENT: Final = frozenset({(Law.LGPD, "14", "1"), (Law.GDPR, "8", "1"), (Law.APP, "parent")})
_NO_WORDS: Final = frozenset({"art", "article", "artigo", "par", "paragraph", "inciso", "n", "no", "o"})

# What a consent may state as its basis: LGPD 7 and 11, GDPR 6 and 9, APP 3, 6 and 7, the Spam Act 2003 (Australia), and
# what lets a parent agree.
_SPAM_ACT: Final = "spam-act"
_KNOWN: Final = (
    _CONSENT
    | _OF_A_PARENT
    | {(Law.LGPD, "7", inciso) for inciso in ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"]}
    | {(Law.LGPD, "11", "ii")}
    | {(Law.LGPD, "11", "ii", letter) for letter in "abcdefg"}
    | {(Law.GDPR, "6", "1", letter) for letter in "abcdef"}
    | {(Law.GDPR, "9", "2", letter) for letter in "abcdefghij"}
    | {(Law.APP, "3", "3"), (Law.APP, "3", "3", "a"), (Law.APP, "6", "1"), (Law.APP, "6", "1", "b")}
    | {(Law.APP, "6", "2", letter) for letter in "abcde"}
    | {(Law.APP, "7", "2"), (Law.APP, "7", "3"), (Law.APP, "7", "5")}
    | {(_SPAM_ACT, "16", "1"), (_SPAM_ACT, "16", "2"), (_SPAM_ACT, "schedule", "2")}
)
# A country of ISO 3166-1, or a part of it of ISO 3166-2.
_PLACE: Final = re.compile(r"([A-Z]{2})(-[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Basis:
    """`law` is empty where the text names none. Nothing stated is a consent: it is what the ledger is of."""

    law: str
    is_consent: bool
    is_of_parent: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What a grant states of itself; `is_informed`, that it is known which notice was shown."""

    legal_basis: str
    jurisdiction: str
    is_informed: bool
    effective_at: datetime
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Under:
    """The law somebody is under, in which country if that is known, and when they were born if that is."""

    law: str
    country: str = ""
    born: date | None = None

    def age_at(self, at: datetime) -> int | None:
        if self.born is None:
            return None
        day = at.date()
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))

    @property
    def least_age(self) -> int:
        return _EUROPE.get(self.country, _LEAST[self.law]) if self.law == Law.GDPR else _LEAST[self.law]


def law_of(place: str, otherwise: str = "") -> str:
    """The law of a country, or the one that goes by this name itself."""
    named = place.strip()
    return named.lower() if named.lower() in Law.values else _COUNTRIES.get(named.upper(), otherwise)


def read_basis(text: str) -> Basis:
    """As in `lgpd:7:I`, `gdpr:6(1)(a)` or `LGPD, art. 7, I`."""
    article = _article(text)
    is_of_parent = article in _OF_A_PARENT
    law = article[0] if article[0] in Law.values else ""
    return Basis(law, article == ("",) or is_of_parent or article in _CONSENT, is_of_parent)


def is_known_basis(text: str) -> bool:
    """Whether it names a law and an article of it that can be the basis of writing to somebody."""
    return _article(text) in _KNOWN


def is_known_place(text: str) -> bool:
    """Whether it is a country, a part of one, the European Union, or a law by its name."""
    named = text.strip().upper()
    found = _PLACE.fullmatch(named)
    return named.lower() in Law.values or named == "EU" or (found is not None and found[1] in SUPPORTED_REGIONS)


def _article(text: str) -> tuple[str, ...]:
    """The law, empty where the text names none, and what else it says."""
    named = re.sub(r"\bspam[ -]act\b", "spam-act", text.lower())
    words = [word for word in re.findall(r"spam-act|[a-z]+|\d+", named) if word not in _NO_WORDS]
    law = next((word for word in words if word in (*Law.values, _SPAM_ACT)), "")
    return (law, *(word for word in words if word != law))


def objection(under: Under, given: Given) -> str:
    """Why a grant is none under the law the person is under; empty where it is one."""
    basis = read_basis(given.legal_basis)
    age = under.age_at(given.effective_at)
    if age is not None and not basis.is_of_parent and age < (under.least_age if basis.is_consent else _GROWN_UP):
        return TOO_YOUNG
    if basis.is_consent:
        return "" if given.is_informed else NOT_INFORMED
    return "" if (basis.law or law_of(given.jurisdiction)) == under.law else BASIS_ELSEWHERE
