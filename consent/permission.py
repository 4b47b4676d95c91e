"""Whether an address may be written to for a purpose, and which address of a person that is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from consent import screens
from consent.decision import Head, Verdict
from consent.ledger import ensure_chains
from consent.models import State
from consent.under_law import object_to
from consent.weighing import Ask, Facts, weigh
from customers.models.address import Channel
from customers.models.identity import Assurance
from customers.pg import raw_cursor

__all__ = [
    "Ask",
    "Choice",
    "Verdict",
    "Want",
    "choose_addresses",
    "choose_by",
    "lock_address",
    "permissions",
    "prepare_locks",
]


class Want(NamedTuple):
    """A customer to be reached by a channel for a purpose."""

    customer_id: UUID
    channel: str
    purpose_id: UUID


@dataclass(slots=True)
class Choice:
    """`profile_id` is the profile that the address was best known by; by `verified_at`, else by `seen_at`, it came
    before the others of the `known` addresses that were permitted as well."""

    address_id: UUID | None
    profile_id: UUID | None
    verdict: Verdict
    verified_at: datetime | None = field(default=None, compare=False)
    seen_at: datetime | None = field(default=None, compare=False)
    known: int = field(default=0, compare=False)


_PERMITTING = State.permitting()
# A pseudo-address has the id of its profile (see consent.addresses), which spares a join over text.
_FACTS = """
    WITH ask AS (
        SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[])
            WITH ORDINALITY AS t(customer_id, address_id, purpose_id, n)
    ), unsettled AS MATERIALIZED (
        SELECT DISTINCT p.customer_id
        FROM customers_deadletter d JOIN customers_profile p ON p.id = (d.row ->> 'profile_id')::uuid
        WHERE d.queue = 'consent' AND d.replayed_at IS NULL
    ), restricted AS MATERIALIZED (
        SELECT DISTINCT p.customer_id
        FROM consent_restriction r JOIN customers_profile p ON p.id = r.profile_id WHERE r.lifted_at IS NULL
    )
    SELECT ask.n, purpose.kind,
           EXISTS (
               SELECT 1 FROM consent_suppression s
               WHERE s.address_id = ask.address_id AND s.lifted_at IS NULL
                 AND (s.brand_id IS NULL OR s.brand_id = purpose.brand_id)
           ),
           ask.customer_id IN (SELECT customer_id FROM unsettled),
           ask.customer_id IN (SELECT customer_id FROM restricted),
           EXISTS (
               SELECT 1 FROM consent_pause s
               WHERE s.address_id = ANY(ask.address_id || own.ids) AND s.brand_id = purpose.brand_id
                 AND s.ended_at IS NULL AND s.until > %b
           ),
           purpose.law,
           h.entry_id, h.profile_id, h.state, h.effective_at, h.valid_until, h.proven_at,
           own.since[array_position(own.ids, h.profile_id)], h.method = 'claim'
    FROM ask
    JOIN consent_purpose purpose ON purpose.id = ask.purpose_id
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(p.id), '{}') AS ids, array_agg(p.customer_since) AS since
        FROM customers_profile p WHERE p.customer_id = ask.customer_id
    ) own
    LEFT JOIN LATERAL (
        SELECT c.entry_id, c.state, c.effective_at, c.valid_until, c.proven_at, c.method,
               CASE WHEN c.address_id = ask.address_id THEN c.profile_id ELSE c.address_id END AS profile_id
        FROM consent_consenthead c
        WHERE c.address_id = ANY(ask.address_id || own.ids) AND c.purpose_id = ask.purpose_id
          AND (c.address_id <> ask.address_id OR c.profile_id IS NULL OR c.profile_id = ANY(own.ids))
    ) h ON true
"""


def permissions(asks: Sequence[Ask], now: datetime, *, heed_pauses: bool = True) -> list[Verdict]:
    """The verdict on each ask, by one statement for all; what is not known to be allowed is refused.

    Without heeding pauses it tells what is allowed once they are over.
    """
    if not asks:
        return []
    customers, addresses, purposes = map(list, zip(*asks, strict=True))
    with raw_cursor() as cursor:
        rows = cursor.execute(_FACTS, [customers, addresses, purposes, now], prepare=True).fetchall()
        found: list[list[_Row]] = [[] for _ask in asks]
        for row in rows:
            found[row[0] - 1].append(row)
        verdicts = [_plainly(told, now, heed_pauses) for told in found]
        doubtful = [n for n, verdict in enumerate(verdicts) if verdict is None]
        weighed = iter(_weigh(cursor, [asks[n] for n in doubtful], [found[n] for n in doubtful], now, heed_pauses))
        return [next(weighed) if verdict is None else verdict for verdict in verdicts]


# Of _FACTS.
_Row = tuple[Any, ...]


def _plainly(told: Sequence[_Row], now: datetime, heed_pauses: bool) -> Verdict | None:
    """What nearly every ask comes to, without weighing: one consent that permits, and nothing beside it. None for all
    that `decide` has to judge."""
    if len(told) != 1:
        return None
    _n, _kind, suppressed, unsettled, restricted, paused, law, entry_id, _profile, state, _at, until, *_rest = told[0]
    if suppressed or unsettled or restricted or law or (paused and heed_pauses):
        return None
    if state not in _PERMITTING or (until is not None and until <= now):
        return None
    return Verdict(True, "", entry_id)


def _weigh(
    cursor: Any, asks: Sequence[Ask], found: Sequence[Sequence[_Row]], now: datetime, heed_pauses: bool
) -> list[Verdict]:
    facts = [_facts(told, heed_pauses) for told in found]
    if any(known is not None and known.law for known in facts):
        object_to(cursor, asks, facts, [now] * len(asks))
    return weigh(cursor, asks, facts, now)


def _facts(told: Sequence[_Row], heed_pauses: bool) -> Facts | None:
    """None for a purpose that is not there."""
    if not told:
        return None
    _n, kind, suppressed, unsettled, restricted, paused, law, *_head = told[0]
    heads = [Head(*row[7:]) for row in told if row[7] is not None]
    return Facts(kind, suppressed, unsettled, restricted, heed_pauses and paused, law, heads)


class _Candidate(NamedTuple):
    address_id: UUID
    profile_id: UUID
    last_seen_at: datetime
    verified_at: datetime | None

    def rank(self) -> tuple[bool, float, int]:
        """Sorts the address last verified first, else the one last seen; ties by id."""
        at = self.verified_at or self.last_seen_at
        return self.verified_at is None, -at.timestamp(), self.address_id.int


# Any page may claim that a device is somebody's. A browser's own profile has what it told of itself; who is known by
# more than claims has no device by claims alone, neither by one about them nor by one that joins a browser to them.
_IS_CLAIMED_BY_A_STRANGER = """
    ap.assurance <= %b AND (
        EXISTS (SELECT 1 FROM customers_profilesource s WHERE s.profile_id = p.id AND s.assurance > %b)
        AND NOT EXISTS (
            SELECT 1 FROM customers_identifier i WHERE i.profile_id = p.id AND i.kind_id = 'anonymous_id'
        )
        OR EXISTS (
            SELECT 1 FROM customers_profile o JOIN customers_profilesource s ON s.profile_id = o.id AND s.assurance > %b
            WHERE o.customer_id = p.customer_id AND o.id <> p.id
        )
        AND NOT EXISTS (
            SELECT 1 FROM (
                SELECT e.high_id AS id FROM customers_edge e
                WHERE e.low_id = p.id AND e.kind <> 'split' AND NOT e.skipped AND e.assurance > %b
                UNION ALL
                SELECT e.low_id FROM customers_edge e
                WHERE e.high_id = p.id AND e.kind <> 'split' AND NOT e.skipped AND e.assurance > %b
            ) surely JOIN customers_profile o ON o.id = surely.id AND o.customer_id = p.customer_id
        )
    )
""".replace("%b", str(Assurance.CLAIMED.value))
_CANDIDATES = f"""
    SELECT want.n, known.*
    FROM unnest(%b::uuid[], %b::text[]) WITH ORDINALITY AS want(customer_id, channel, n), LATERAL (
        SELECT ap.address_id, ap.profile_id, ap.last_seen_at, ap.verified_at
        FROM customers_profile p
        JOIN customers_addressprofile ap ON ap.profile_id = p.id
        JOIN customers_address a ON a.id = ap.address_id AND a.channel = want.channel
        WHERE p.customer_id = want.customer_id AND (want.channel <> 'push' OR NOT ({_IS_CLAIMED_BY_A_STRANGER}))
        -- Never flattened: look-ups by key, however many the planner thinks there are.
        OFFSET 0
    ) known
"""


def choose_addresses(wants: Sequence[Want], now: datetime) -> list[list[Choice]]:
    """For each want the address to use (for push every permitted one); two statements for all.

    None permitted: the one that came closest, with its refusal. No address at all: a choice of nothing.
    """
    return choose_by(wants, lambda asks: permissions([ask for _n, ask in asks], now))


def choose_by(
    wants: Sequence[Want], permitted: Callable[[Sequence[tuple[int, Ask]]], Sequence[Verdict]]
) -> list[list[Choice]]:
    """The same by permission of whichever moment; each ask comes with the number of its want."""
    candidates = _candidates(wants)
    asks = [
        (n, Ask(want.customer_id, candidate.address_id, want.purpose_id))
        for n, (want, known) in enumerate(zip(wants, candidates, strict=True))
        for candidate in known
    ]
    verdicts = iter(permitted(asks))
    return [
        _choose(
            want.channel,
            [
                Choice(one.address_id, one.profile_id, next(verdicts), one.verified_at, one.last_seen_at, len(known))
                for one in known
            ],
        )
        for want, known in zip(wants, candidates, strict=True)
    ]


def _choose(channel: str, choices: list[Choice]) -> list[Choice]:
    if not choices:
        return [Choice(None, None, Verdict(False, "no_address", None))]
    if len(choices) == 1:
        return choices
    allowed = [choice for choice in choices if choice.verdict.allowed]
    if channel == Channel.PUSH and allowed:
        return allowed
    return [(allowed or choices)[0]]


def _candidates(wants: Sequence[Want]) -> list[list[_Candidate]]:
    """Each want's addresses, best first; one that several profiles share counts once, by its best."""
    if not wants:
        return []
    found: list[list[_Candidate]] = [[] for _want in wants]
    told = [n for n, want in enumerate(wants) if want.channel not in screens.CHANNELS]
    with raw_cursor() as cursor:
        if told:
            asked = [[wants[n].customer_id for n in told], [wants[n].channel for n in told]]
            cursor.execute(_CANDIDATES, asked, prepare=True)
            for row in cursor.fetchall():
                found[told[row[0] - 1]].append(_Candidate._make(row[1:]))
        if len(told) < len(wants):
            _add_screens(cursor, wants, found)
    return [known if len(known) < 2 else _best_first(known) for known in found]


def _add_screens(cursor: Any, wants: Sequence[Want], found: list[list[_Candidate]]) -> None:
    own = [n for n, want in enumerate(wants) if want.channel in screens.CHANNELS]
    customers, purposes = [wants[n].customer_id for n in own], [wants[n].purpose_id for n in own]
    for screen in screens.find(cursor, customers, purposes):
        n = own[screen.n]
        address_id = screens.address_id(wants[n].channel, screen.profile_id)
        found[n].append(_Candidate(address_id, screen.profile_id, screen.seen_at, None))


def _best_first(known: Iterable[_Candidate]) -> list[_Candidate]:
    best: dict[UUID, _Candidate] = {}
    for one in sorted(known, key=lambda one: (one.rank(), one.profile_id)):
        best.setdefault(one.address_id, one)
    return list(best.values())


def prepare_locks(address_ids: Sequence[UUID]) -> None:
    """Make the lock rows these addresses lack; committed before the sends, nobody waits for a new row."""
    if address_ids:
        with raw_cursor() as cursor:
            ensure_chains(cursor, address_ids)


def lock_address(address_id: UUID) -> None:
    """Inside a transaction: hold the address against every change of its consent and every other send."""
    with raw_cursor() as cursor:
        if not _lock_chain(cursor, address_id):
            ensure_chains(cursor, [address_id])
            _lock_chain(cursor, address_id)


def _lock_chain(cursor: Any, address_id: UUID) -> bool:
    cursor.execute("SELECT 1 FROM consent_consentchain WHERE address_id = %s FOR UPDATE", [address_id], prepare=True)
    return cursor.fetchone() is not None
