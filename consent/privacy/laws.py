"""What each law asks of us: by when, how sure we must be of who asks, and for which reasons we may refuse."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from consent.models import PrivacyRequest
from customers.moments import months_on

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_Kind, _Law, _Assurance = PrivacyRequest.Kind, PrivacyRequest.Law, PrivacyRequest.Assurance
_LGPD_DAYS: Final = 15
_APP_DAYS: Final = 30

# What is handed out or destroyed goes by nobody's mere word; to be left alone may be asked by whoever is written to.
LEAST: Final[Mapping[str, int]] = {
    _Kind.ACCESS: _Assurance.LOGIN,
    _Kind.PORTABILITY: _Assurance.LOGIN,
    _Kind.ERASURE: _Assurance.LOGIN,
    _Kind.CORRECTION: _Assurance.LOGIN,
    _Kind.OBJECTION: _Assurance.OBSERVED,
    _Kind.RESTRICTION: _Assurance.OBSERVED,
}

_ALL: Final = frozenset(_Kind.values)
_HANDED_OUT: Final = frozenset({_Kind.ACCESS.value, _Kind.PORTABILITY.value})
_GOES: Final = frozenset({_Kind.ERASURE.value})

# By law, the reasons it allows, each with its words and the kinds of requests it may be given for.
_REASONS: Final[Mapping[str, Mapping[str, tuple["_StrOrPromise", frozenset[str]]]]] = {
    _Law.LGPD: {
        "identity": (_("Who asks could not be shown to be the person (Art. 18 § 3)."), _ALL),
        "not_controller": (_("We hold nothing of the person; told who may (Art. 18 § 4 I)."), _ALL),
        "impossible": (_("Cannot be done at once, for reasons told to the person (Art. 18 § 4 II)."), _ALL),
        "legal_duty": (_("Must be kept by law (Art. 16 I)."), _GOES),
        "trade_secret": (_("Would tell trade secrets (Art. 18 V, 19 § 1)."), _HANDED_OUT),
    },
    _Law.GDPR: {
        "identity": (_("Who asks could not be shown to be the person (Art. 12(2), 12(6))."), _ALL),
        "unfounded": (_("Manifestly unfounded or excessive (Art. 12(5))."), _ALL),
        "legal_duty": (_("Must be kept by law (Art. 17(3)(b))."), _GOES),
        "legal_claims": (_("Needed for legal claims (Art. 17(3)(e), 18(2))."), _GOES | {_Kind.RESTRICTION.value}),
        "others": (_("Would harm the rights of others (Art. 15(4), 20(4))."), _HANDED_OUT),
    },
    _Law.APP: {
        "identity": (_("Who asks could not be shown to be the person (APP 12.1, 13.1)."), _ALL),
        "frivolous": (_("Frivolous or vexatious (APP 12.3(c))."), _ALL),
        "others": (_("Would unreasonably affect the privacy of others (APP 12.3(b))."), _HANDED_OUT),
        "legal_claims": (_("Concerns legal proceedings (APP 12.3(d))."), _HANDED_OUT | _GOES),
        "legal_duty": (_("Must be kept by law (APP 11.2(d), 12.3(g))."), _HANDED_OUT | _GOES),
    },
}


def due_on(law: str, asked_on: date) -> date:
    """The last day to answer, counted from the day it was asked; both are days of the brand's zone."""
    if law == _Law.GDPR:
        # Regulation 1182/71, Art. 3(2)(c): the day of the same number, or the last of a shorter month.
        return months_on(asked_on, 1)
    return asked_on + timedelta(days=_LGPD_DAYS if law == _Law.LGPD else _APP_DAYS)


def reasons(law: str, kind: str) -> dict[str, "_StrOrPromise"]:
    """For which this law lets us refuse requests of this kind."""
    return {key: words for key, (words, kinds) in _REASONS[_Law(law)].items() if kind in kinds}


def reason_words(law: str, key: str) -> "_StrOrPromise":
    found = _REASONS[_Law(law)].get(key)
    return found[0] if found else key
