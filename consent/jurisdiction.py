"""Under which law a person is, and whether what they agreed to counts there: a pure function of what the ledger holds.

Consent is consent under each of the three laws, as long as it can be shown of what people were informed (LGPD 8 and 9,
GDPR 7(1), OAIC ch. B). Any other basis, such as a legitimate interest, is one of the law it was recorded for, and
of no other. Who was too young to agree did not, unless a parent did (LGPD 14 § 1, GDPR 8(1), OAIC B.60).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Final

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
# What stands around the parts of an article as the laws' own languages write it, accents aside.
_NO_WORDS: Final = frozenset({
    "art", "article", "artigo", "par", "paragraph", "inciso", "n", "no", "o", "da", "do", "alinea", "lit", "abs", "s",
})  # fmt: skip
_ALSO: Final[Mapping[str, str]] = {"dsgvo": Law.GDPR, "rgpd": Law.GDPR}

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
_SPAM_ACT_TITLE: Final = re.compile(r"\bspam[ -]act(?: 2003)?\b")
# A country of ISO 3166-1, or a part of it of ISO 3166-2.
_PLACE: Final = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")
# The parts that are known for certain; of other countries each one that could be is taken for one.
_PARTS: Final[Mapping[str, frozenset[str]]] = {
    "BR": frozenset({
        "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE", "PI", "PR",
        "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
    }),
    "AU": frozenset({"ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"}),
}  # fmt: skip


def _iso_3166() -> frozenset[str]:
    """The countries, as the time zones' data lists them; and Kosovo, which everybody calls XK and ISO leaves open."""
    table = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text(encoding="utf-8")
    return frozenset({"XK", *(line[:2] for line in table.splitlines() if line and not line.startswith("#"))})


_ISO_3166: Final = _iso_3166()


@dataclass(frozen=True, slots=True)
class Basis:
    """`law` is empty where the text names none. Nothing stated is a consent: it is what the ledger is of.

    `needs_place`: it is no basis unless it is said that it was in the country of its law.
    """

    law: str
    is_consent: bool
    is_of_parent: bool
    needs_place: bool = False


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
    """The law of a country, or of a part of one, or the one that goes by this name itself."""
    named = place.strip()
    return named.lower() if named.lower() in Law.values else _COUNTRIES.get(_country(named), otherwise)


def _country(place: str) -> str:
    """Its two letters, or those of the European Union; empty for what is no place."""
    named = place.strip().upper()
    if named == "EU":
        return named
    found = _PLACE.fullmatch(named)
    country, part = found.groups() if found is not None else ("", None)
    is_there = country in _ISO_3166 and (part is None or country not in _PARTS or part in _PARTS[country])
    return country if is_there else ""


def read_basis(text: str) -> Basis:
    """As in `lgpd:7:I`, `gdpr:6(1)(a)`, `art. 7º, inciso I, da LGPD` or `Art. 6 Abs. 1 lit. a DSGVO`."""
    article = _article(text)
    is_of_parent = article in _OF_A_PARENT
    of_spam_act = article[0] == _SPAM_ACT
    law = Law.APP.value if of_spam_act else article[0]
    return Basis(law, article == ("",) or is_of_parent or article in _CONSENT, is_of_parent, of_spam_act)


def is_known_basis(text: str) -> bool:
    """Whether it names a law and an article of it that can be the basis of writing to somebody."""
    return _article(text) in _KNOWN


def is_known_place(text: str) -> bool:
    """Whether it is a country, a part of one, the European Union, or a law by its name."""
    return text.strip().lower() in Law.values or bool(_country(text))


def _article(text: str) -> tuple[str, ...]:
    """The law, empty where the text names none, and what else it says."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    named = _SPAM_ACT_TITLE.sub(_SPAM_ACT, plain.lower())
    read = [_ALSO.get(word, word) for word in re.findall(r"spam-act|[a-z]+|\d+", named)]
    words = [word for word in read if word not in _NO_WORDS]
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
    place = law_of(given.jurisdiction)
    if basis.needs_place and not place:
        return BASIS_ELSEWHERE
    # The record names a law by its basis and by where it was (ISO/IEC TS 27560 has both): two of them are none.
    return "" if {basis.law, place} - {""} == {under.law} else BASIS_ELSEWHERE
