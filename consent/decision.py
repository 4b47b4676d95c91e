"""The rule of permission, as a pure function of what the ledger holds (DESIGN §5)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from consent.jurisdiction import BASIS_ELSEWHERE, NOT_INFORMED, TOO_YOUNG
from consent.models import Purpose, State

# Asked for every head of every send.
_PERMITTING = State.permitting()
_OPPOSING = State.opposing()
_SILENT = State.undecided() | {State.UNKNOWN}


# Named tuples: three of them are made for every address asked for, and frozen dataclasses are slow to make.
class Verdict(NamedTuple):
    """`reason` is empty when allowed; `entry_id` names the ledger entry that decided, if one did."""

    allowed: bool
    reason: str
    entry_id: int | None


class Head(NamedTuple):
    """A consent in force. `profile_id` is None for one that binds the address whoever uses it;
    `customer_since` tells when the profile joined the customer who is asked for; `is_claim`, that it rests on no more
    than what a page told us, where anybody may have named anybody."""

    entry_id: int
    profile_id: UUID | None
    state: str
    effective_at: datetime
    valid_until: datetime | None
    proven_at: datetime | None
    customer_since: datetime | None
    is_claim: bool = False
    # Why a grant is none under the law of whom it is asked for (consent.jurisdiction).
    objection: str = ""

    @property
    def grants(self) -> bool:
        return self.state in _PERMITTING

    def expired(self, now: datetime) -> bool:
        return self.valid_until is not None and self.valid_until <= now

    def reason(self, now: datetime) -> str:
        """Why this head does not permit; empty when it does."""
        if self.grants:
            return "consent_expired" if self.expired(now) else self.objection
        if self.state in _OPPOSING:
            return "withdrawn"
        return "consent_expired" if self.state == State.EXPIRED else "no_consent"


class _Voice(NamedTuple):
    """What one profile says in the end, by the head it rests on and since when."""

    head: Head
    reason: str
    effective_at: datetime
    since: datetime | None
    profile_id: UUID | None


# The strictest first, where several refuse.
_STRICTNESS = {
    "withdrawn": 0,
    "consent_expired": 1,
    TOO_YOUNG: 2,
    BASIS_ELSEWHERE: 3,
    NOT_INFORMED: 4,
    "no_consent": 5,
}


# Since when two profiles have been one customer, for those who had been together before the later of them moved.
Together = Mapping[frozenset[UUID], datetime]
_NO_TIMES: Together = {}


def decide(
    kind: str,
    suppressed: bool,
    heads: Sequence[Head],
    now: datetime,
    *,
    unsettled: bool = False,
    restricted: bool = False,
    paused: bool = False,
    together: Together = _NO_TIMES,
) -> Verdict:
    """The verdict for one customer, address and purpose.

    `heads` are those at the address (of the customer's profiles, and of no profile) and at the customer's
    pseudo-addresses. `unsettled`: a consent of the customer could not be applied and waits for a person. `restricted`:
    they asked that what is known of them be kept and not used. `paused`: they asked for peace for a while; a refusal
    that outlasts the pause is told first.
    """
    if restricted and kind != Purpose.Kind.LEGAL:
        return Verdict(False, "restricted", None)
    verdict = _decide(kind, suppressed, heads, now, unsettled, together)
    if paused and verdict.allowed and kind != Purpose.Kind.LEGAL:
        return Verdict(False, "paused", verdict.entry_id)
    return verdict


def _decide(
    kind: str, suppressed: bool, heads: Sequence[Head], now: datetime, unsettled: bool, together: Together
) -> Verdict:
    if suppressed:
        return Verdict(False, "suppressed", None)
    voices = _voices(heads, now)
    refusals = [voice for voice in voices if voice.reason and not _outweighed(voice, voices, together)]
    if kind == Purpose.Kind.LEGAL:
        refusals = []
    elif unsettled:
        return Verdict(False, "consent_unsettled", None)
    elif kind == Purpose.Kind.SERVICE:
        refusals = [voice for voice in refusals if voice.reason == "withdrawn"]
    if refusals:
        strictest = min(refusals, key=_severity)
        return Verdict(False, strictest.reason, strictest.head.entry_id)
    grants = [voice.head for voice in voices if not voice.reason]
    if grants:
        return Verdict(True, "", max(grants, key=_recency).entry_id)
    if kind == Purpose.Kind.MARKETING:
        return Verdict(False, "no_consent", None)
    return Verdict(True, "", None)


def _severity(voice: _Voice) -> tuple[int, float, int]:
    return _STRICTNESS[voice.reason], -voice.effective_at.timestamp(), voice.head.entry_id


def _recency(head: Head) -> tuple[datetime, bool, int]:
    """Later wins; at one time the refusal does."""
    return head.effective_at, not head.grants, head.entry_id


def _voices(heads: Sequence[Head], now: datetime) -> list[_Voice]:
    """One voice per profile with an entry: its latest head, or the address-wide withdrawal that binds it."""
    if len(heads) == 1:
        # As nearly always: nobody to be weighed against.
        return [
            _Voice(heads[0], heads[0].reason(now), heads[0].effective_at, heads[0].customer_since, heads[0].profile_id)
        ]
    # Who was only asked, or took a word back, says nothing against what others or the same one said elsewhere; nor does
    # what is no consent under the law.
    heads = [head for head in heads if head.state not in _SILENT and not head.objection] or heads
    wide = max((head for head in heads if head.profile_id is None), key=_recency, default=None)
    own: dict[UUID, list[Head]] = {}
    for head in heads:
        if head.profile_id is not None:
            own.setdefault(head.profile_id, []).append(head)
    voices = [_voice(of_profile, wide, now) for of_profile in own.values()]
    if wide is not None and ((wide.grants and not wide.reason(now)) or not voices):
        voices.append(_Voice(wide, wide.reason(now), wide.effective_at, wide.customer_since, None))
    return voices


def _voice(own: Sequence[Head], wide: Head | None, now: datetime) -> _Voice:
    latest = _latest(own)
    since = latest.customer_since
    reason = latest.reason(now)
    if wide is None or wide.state not in _OPPOSING or _freed(latest, wide, now):
        return _Voice(latest, reason, latest.effective_at, since, latest.profile_id)
    if reason == "withdrawn" and _recency(latest) > _recency(wide):
        return _Voice(latest, reason, latest.effective_at, since, latest.profile_id)
    return _Voice(wide, "withdrawn", wide.effective_at, since, latest.profile_id)


def _latest(own: Sequence[Head]) -> Head:
    """What the profile said last; but a no that it surely said is not taken back by a claim."""
    latest = max(own, key=_recency)
    if latest.is_claim and latest.grants:
        surely = max((head for head in own if not head.is_claim), key=_recency, default=latest)
        return surely if surely.state in _OPPOSING else latest
    return latest


def _freed(latest: Head, wide: Head, now: datetime) -> bool:
    """Only the profile's own later grant, proven, frees it from an address-wide withdrawal."""
    return not latest.reason(now) and latest.proven_at is not None and latest.proven_at > wide.effective_at


def _outweighed(refusal: _Voice, voices: Iterable[_Voice], together: Together) -> bool:
    """Whether another profile's grant came after the refusal and after the two had become one customer."""
    return any(
        not voice.reason
        and (since := _one_since(refusal, voice, together)) is not None
        and (granted_at := _granted_at(voice.head, refusal.head)) is not None
        and granted_at > max(refusal.effective_at, since)
        for voice in voices
    )


def _one_since(one: _Voice, other: _Voice, together: Together) -> datetime | None:
    """Since when two voices are of one customer; nobody knows of one that binds the address whoever uses it."""
    if one.since is None or other.since is None:
        return None
    if one.profile_id is not None and other.profile_id is not None:
        return together.get(frozenset((one.profile_id, other.profile_id)), max(one.since, other.since))
    return max(one.since, other.since)


def _granted_at(grant: Head, refusal: Head) -> datetime | None:
    """When the grant came, as far as it counts against this refusal: an address-wide one wants proof, and a claim,
    which may be a stranger's, counts against nobody's."""
    return grant.proven_at if refusal.profile_id is None or grant.is_claim else grant.effective_at
