"""What an erasure leaves although it may name somebody, and why: said on the data map and on every certificate."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class Left:
    what: "_StrOrPromise"
    why: "_StrOrPromise"


EXCEPTIONS: Final = (
    Left(
        _("Others’ proof of consent, where it names the person"),
        _(
            "It is sealed as it was told, and a proof that was changed proves nothing (LGPD 16 I, GDPR 17(3)(b) and"
            " (e)). It goes when those others are erased."
        ),
    ),
    Left(
        _("Names of events, and codes of law, language and country in the consent ledger"),
        _(
            "They are words for what happened, and not for whom; facts and sealed entries are never changed (LGPD 16 I,"
            " GDPR 17(3)(b)). A text that is no code is evidence, which goes."
        ),
    ),
    Left(
        _("Ids of messages that name the person in another way than by an identifier of the message itself"),
        _(
            "Facts are never changed; an id with an address or an identifier in it is kept as a keyed hash from the"
            " beginning (GDPR 17(3)(b))."
        ),
    ),
    Left(
        _("Words of the staff: notices, templates, published journeys, names and descriptions"),
        _(
            "They are published as they stand and are no place for a customer’s name; who wrote it takes it out. Rules"
            " of segments are masked."
        ),
    ),
    Left(
        _(
            "A local name of the person in another namespace, one of fewer than eight letters and nothing else in what"
            " others say, and a name of fewer than eight characters inside a text"
        ),
        _("Nothing tells that it means the person: it may as well be another’s."),
    ),
)
