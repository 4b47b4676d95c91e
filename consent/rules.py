"""Leaf kind `consent`: what a customer last said to a purpose.

It tells what was said, by the strictest of the customer's voices. Whether a message may go out is another question,
asked for each address when it is sent (consent.permission).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple
from uuid import UUID

import msgspec
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent.models import State
from consent.named_in_rules import CHANNELS, absent_purpose, channel_problems, purpose_problems, purposes_offered
from customers.hints import Text, form
from customers.models.address import Channel
from customers.rules.errors import Problem
from customers.rules.leaf import BLANK, PEOPLE, Facts, Holds, Leaf
from customers.rules.reading import Fragment, Reading

if TYPE_CHECKING:
    from customers.sight import Person

KIND: Final = "consent"
# By which facts bring what a customer has said.
SAID: Final = "consents"
GIVEN, REFUSED, EXPIRED, ASKED, NEVER = "given", "refused", "expired", "asked", "never"
_WORDS: Final[dict[str, Text]] = {
    GIVEN: _("is given"),
    REFUSED: _("is refused or withdrawn"),
    EXPIRED: _("has expired"),
    ASKED: _("was asked for and not answered"),
    NEVER: _("was never spoken of"),
}
_PERMITTING, _OPPOSING = sorted(State.permitting()), sorted(State.opposing())

# What stands for each profile: its own, what binds an address of its whoever uses it, and what hangs on the person.
_STANDS: Final = """
    SELECT h.profile_id AS id, h.address_id, h.state, h.valid_until FROM {heads} h WHERE h.profile_id IS NOT NULL
    UNION ALL
    SELECT ap.profile_id, h.address_id, h.state, h.valid_until
    FROM {heads} h JOIN customers_addressprofile ap ON ap.address_id = h.address_id WHERE h.profile_id IS NULL
    UNION ALL
    SELECT h.address_id, h.address_id, h.state, h.valid_until FROM {heads} h WHERE h.profile_id IS NULL
"""
_PURPOSE: Final = "purpose_id = (SELECT id FROM consent_purpose WHERE brand_id = %s AND key = %s)"
_NOW: Final = f"(SELECT profile_id, address_id, state, valid_until FROM consent_consenthead WHERE {_PURPOSE})"
# The heads as they follow from the entries that had taken effect (consent.heads.follow): an answer before a request,
# the later one, a refusal at one time, and what was heard last. A claimed grant is none beside a sure answer, unless
# that had run out, or the same page told of a no in between.
_SURE: Final = """
    SELECT s.state, s.effective_at, s.valid_until FROM consent_consententry s
    WHERE s.address_id = e.address_id AND s.purpose_id = e.purpose_id
      AND s.profile_id IS NOT DISTINCT FROM e.profile_id AND s.effective_at <= %(moment)s
      AND s.method <> 'claim' AND s.state = ANY(%(answers)s)
    ORDER BY s.effective_at DESC, (s.state = ANY(%(permitting)s)), s.id DESC LIMIT 1
"""
_OUTRANKED: Final = f"""
    e.method = 'claim' AND e.state = ANY(%(permitting)s) AND EXISTS (
        SELECT 1 FROM ({_SURE}) sure
        WHERE (sure.state = ANY(%(opposing)s) OR sure.valid_until IS NULL OR sure.valid_until > e.effective_at)
          AND NOT EXISTS (
              SELECT 1 FROM consent_consententry n
              WHERE n.address_id = e.address_id AND n.purpose_id = e.purpose_id
                AND n.profile_id IS NOT DISTINCT FROM e.profile_id AND n.method = 'claim'
                AND n.state = ANY(%(opposing)s) AND n.effective_at BETWEEN sure.effective_at AND e.effective_at
          )
    )
"""
_THEN: Final = f"""(
    SELECT DISTINCT ON (address_id, profile_id) profile_id, address_id, state, valid_until
    FROM consent_consententry e
    WHERE purpose_id = (SELECT id FROM consent_purpose WHERE brand_id = %(brand)s AND key = %(key)s)
      AND effective_at <= %(moment)s AND NOT ({_OUTRANKED})
    ORDER BY address_id, profile_id, (state = ANY(%(undecided)s)), effective_at DESC, (state = ANY(%(permitting)s)),
             id DESC
)"""
_NAMED: Final = re.compile(r"%\((\w+)\)s")
_VOICES: Final = """
    SELECT {customer}count(*) AS n, bool_or(s.state = ANY(%s)) AS refused,
        bool_or(s.state = ANY(%s) AND (s.valid_until IS NULL OR s.valid_until > %s)) AS given,
        bool_or(s.state = 'expired' OR s.state = ANY(%s) AND s.valid_until <= %s) AS expired,
        min(s.valid_until) FILTER (WHERE s.state = ANY(%s) AND s.valid_until > %s) AS until
    FROM {people} w JOIN ({stands}) s ON s.id = w.id{channel}{grouped}
"""
_HOLDS: Final = {
    REFUSED: "coalesce({a}.refused, false)",
    GIVEN: "coalesce({a}.given AND NOT {a}.refused, false)",
    EXPIRED: "coalesce({a}.expired AND NOT {a}.given AND NOT {a}.refused, false)",
    ASKED: "coalesce({a}.n > 0 AND NOT {a}.expired AND NOT {a}.given AND NOT {a}.refused, false)",
    NEVER: "coalesce({a}.n, 0) = 0",
}


class Said(NamedTuple):
    """One consent as it stands: of an address's channel, or of the person as such."""

    purpose: str
    channel: str
    state: str
    valid_until: datetime | None


def standing(said: Iterable[Said], now: datetime) -> str:
    """What several voices come to: the strictest that answers."""
    found = {_standing(one, now) for one in said}
    return next((one for one in (REFUSED, GIVEN, EXPIRED, ASKED) if one in found), NEVER)


def _standing(one: Said, now: datetime) -> str:
    if one.state in State.opposing():
        return REFUSED
    if one.state in State.permitting():
        return GIVEN if one.valid_until is None or one.valid_until > now else EXPIRED
    return EXPIRED if one.state == State.EXPIRED else ASKED


def _then(brand_id: UUID | None, purpose: str, moment: datetime) -> Fragment:
    """The heads of that moment; a fragment's values stand in the order of their places."""
    given = {
        "brand": brand_id,
        "key": purpose,
        "moment": moment,
        "undecided": sorted(State.undecided()),
        "permitting": _PERMITTING,
        "opposing": _OPPOSING,
        "answers": [*_PERMITTING, *_OPPOSING],
    }
    return _NAMED.sub("%s", _THEN), [given[name] for name in _NAMED.findall(_THEN)]


class ConsentStanding(Leaf, frozen=True, kw_only=True):
    """Without a channel all count; what is said of the person as such counts for every channel."""

    kind: ClassVar[str] = KIND
    label: ClassVar[Text] = _("Consent")
    inputs: ClassVar[frozenset[str]] = frozenset({"consents"})
    places: ClassVar[frozenset[str]] = frozenset({PEOPLE})

    purpose: Annotated[str, form(_("purpose"), refers="purpose")]
    state: Annotated[
        str,
        form(
            _("state"),
            _("What was said last, and the strictest where several speak. Each send asks anew whether it may."),
            choices=_WORDS,
        ),
    ] = GIVEN
    channel: Annotated[
        str | msgspec.UnsetType, form(_("channel"), unset=_("any"), choices={"": _("any"), **CHANNELS})
    ] = msgspec.UNSET

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        values = {"purpose": said.get("purpose", BLANK), "state": said.get("state", BLANK)}
        if "channel" in said:
            text = gettext("consent to %(purpose)s by %(channel)s %(state)s")
            return text % (values | {"channel": said["channel"]})
        return gettext("consent to %(purpose)s %(state)s") % values

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        return {"purpose": purposes_offered(brand_id, user)}

    @property
    def watched(self) -> frozenset[tuple[str, str]]:
        return frozenset({(KIND, self.purpose)})

    @property
    def identifiers(self) -> frozenset[str]:
        """Who comes by an address comes under what was said of it."""
        return frozenset({"email", "phone"})

    @property
    def is_timed(self) -> bool:
        return self.state in (GIVEN, EXPIRED)

    def problems(self) -> Iterator[Problem]:
        yield from purpose_problems(self.purpose)
        if self.state not in _HOLDS:
            hint = format_lazy(_("Use one of {states}."), states=", ".join(_HOLDS))
            yield Problem("unknown_state", "/state", _("There is no such state."), hint)
        if self.channel is not msgspec.UNSET:
            yield from channel_problems(self.channel)

    def absent(self, brand_id: UUID) -> Iterator[Problem]:
        yield from absent_purpose(brand_id, self.purpose)

    def python(self) -> Holds:
        channels = None if self.channel is msgspec.UNSET else (self.channel, Channel.PERSON.value)

        def holds(facts: Facts) -> bool:
            said = (
                one
                for one in facts.extra.get(SAID, ())
                if one.purpose == self.purpose and (channels is None or one.channel in channels)
            )
            return standing(said, facts.now) == self.state

        return holds

    def sql(self, reading: Reading) -> Fragment:
        return self._asked(reading, (_NOW, [reading.brand_id, self.purpose]))

    def as_of(self, reading: Reading) -> Fragment:
        return self._asked(reading, _then(reading.brand_id, self.purpose, reading.now))

    def _asked(self, reading: Reading, heads: Fragment) -> Fragment:
        source, given = heads
        channel, named = "", []
        if self.channel is not msgspec.UNSET:
            channel = " JOIN customers_address a ON a.id = s.address_id AND a.channel IN (%s, %s)"
            named = [self.channel, Channel.PERSON.value]
        grouped = " WHERE w.customer_id = c.id" if reading.by_key else " GROUP BY w.customer_id"
        text = _VOICES.format(
            customer="" if reading.by_key else "w.customer_id, ",
            people=reading.people,
            stands=_STANDS.format(heads=source),
            channel=channel,
            grouped=grouped,
        )
        now = reading.now
        counted = [_OPPOSING, _PERMITTING, now, _PERMITTING, now, _PERMITTING, now]
        alias = reading.beside((text, [*counted, *given * 3, *named]))
        if self.is_timed:
            reading.turns.append((f"{alias}.until", []))
        return _HOLDS[self.state].format(a=alias), []
