"""What the tables kept about one message or run, read by a fixed number of statements."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q

from channels.models import Broadcast, Campaign, Message, Reason, Receipt, SendStop
from consent.models import ConsentEntry, ConsentEvidence, Suppression
from customers.models import Event, Profile, SchemaVersion
from journeys.compiling import version
from journeys.engine.variables import value_of
from journeys.models import (
    Call,
    CancelWatch,
    Cause,
    JourneyVersion,
    PlacedStep,
    RuleInputs,
    Run,
    RunContext,
    Touchpoint,
    Transition,
    Variable,
)
from journeys.moves import Placed, placed
from journeys.version import Version

# A run that loops for years is cut here; what led to a message stands at the end.
MOST_MOVES = 500
MOST_RECEIPTS = 20


@dataclass(slots=True)
class Way:
    """A run with its moves, the events that caused them and the traits that rules saw."""

    run: Run
    version: Version
    context: RunContext | None
    moves: list[Transition]
    left_out: int
    events: dict[int, Event]
    schemas: dict[int, SchemaVersion]
    traits: dict[int, dict[str, Any]]
    # What rules saw beside traits and events.
    facts: dict[int, dict[str, Any]]
    # By move, the typed variables that it gave a value.
    gave: dict[int, dict[str, Any]]
    # By move out of a step that asks another system, the error that led to it.
    errors: dict[int, str]
    # By the number of a move, the version whose step it left, and the one by which it came to the next.
    left: dict[int, Version] = field(default_factory=dict)
    came: dict[int, Version] = field(default_factory=dict)
    # Of the versions it was moved between, their numbers.
    numbers: dict[int, int] = field(default_factory=dict)

    @property
    def entry_event(self) -> Event | None:
        return self.events.get(self.context.event_id) if self.context and self.context.event_id else None


@dataclass(slots=True)
class Proofs:
    """Ledger entries by id, and the evidence that is still there; `cited` are those told of already."""

    entries: dict[int, ConsentEntry] = field(default_factory=dict)
    evidence: dict[int, dict[str, Any]] = field(default_factory=dict)
    cited: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Records:
    message: Message
    way: Way | None
    proofs: Proofs
    touchpoint: Touchpoint | None = None
    watch: CancelWatch | None = None
    deciding: Event | None = None
    other_message: Message | None = None
    suppressions: list[Suppression] = field(default_factory=list)
    stops: list[SendStop] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    # Where it was asked for by one, and the campaign that its journey or broadcast serves now.
    broadcast: Broadcast | None = None
    campaign: Campaign | None = None


def load_message(message: Message) -> Records:
    """All that is kept about why a message is as it is."""
    way = _way_of(message)
    wanted = {message.entry_consent_id, message.send_consent_id}
    if way is not None and way.context is not None:
        wanted.add(way.context.consent_entry_id)
    records = Records(message, way, load_proofs(wanted), campaign=_campaign(message))
    if message.origin_kind == Message.Origin.BROADCAST:
        records.broadcast = Broadcast.objects.filter(pk=message.scope_id).first()
    if way is not None:
        records.touchpoint = _touchpoint(way, message)
        records.watch = CancelWatch.objects.filter(pk=message.pk).first()
    decision = message.decision or {}
    if isinstance(decision.get("event"), dict):
        records.deciding = _deciding(message, decision["event"])
    if isinstance(decision.get("other_message"), str):
        records.other_message = Message.objects.filter(pk=decision["other_message"]).first()
    if message.reason == Reason.SUPPRESSED and message.address_id is not None:
        records.suppressions = _suppressions(message, message.address_id)
    if message.reason == Reason.STOPPED:
        scopes = [message.scope_id, message.connector_id, message.brand_id, *_pks(records.campaign)]
        records.stops = list(SendStop.objects.filter(scope_id__in=scopes, released_at=None).order_by("stopped_at"))
    if message.attempts:
        told = Receipt.objects.filter(message=message, applied_at__isnull=False)
        records.receipts = list(told.order_by("at", "pk")[:MOST_RECEIPTS])
    return records


def load_way(run: Run, *, up_to: int | None = None) -> Way:
    """The run's moves, the newest `MOST_MOVES` of them where there are more; to number `up_to` where given."""
    context = RunContext.objects.filter(pk=run.pk).first()
    made = Transition.objects.filter(run_id=run.pk)
    if up_to is not None:
        made = made.filter(seq__lte=up_to)
    told = sorted(placed(made.order_by("-seq")[:MOST_MOVES]), key=lambda one: one.move.seq)
    moves = [one.move for one in told]
    inputs = RuleInputs.objects.filter(run_id=run.pk).order_by("-seq")[:MOST_MOVES]
    references = {(move.event_id, move.event_received_at) for move in moves}
    if context is not None:
        references.add((context.event_id, context.event_received_at))
    events = load_events(references)
    return Way(
        run=run,
        # A message is explained by the version that asked for it.
        version=told[-1].left if told and up_to is not None else version(run.version_id),
        context=context,
        moves=moves,
        left_out=moves[0].seq - 1 if moves else 0,
        events=events,
        schemas=load_schemas(events.values()),
        traits={row.seq: row.traits for row in inputs},
        facts={row.seq: row.facts for row in inputs if row.facts},
        gave=_gave(run),
        errors=_errors(run, moves),
        left={one.move.seq: one.left for one in told},
        came={one.move.seq: one.came for one in told},
        numbers=_numbers(told),
    )


def _numbers(told: Iterable[Placed]) -> dict[int, int]:
    named = {of.id for one in told if one.move.version_from is not None for of in (one.left, one.came)}
    if not named:
        return {}
    return dict(JourneyVersion.objects.filter(pk__in=named).values_list("pk", "number"))


def _errors(run: Run, moves: Iterable[Transition]) -> dict[int, str]:
    """Of the last call before each move; one that was made anew meanwhile tells no more of how it failed first."""
    failed = [move.seq for move in moves if move.cause in (Cause.CAUGHT, Cause.CALL_FAILED)]
    if not failed:
        return {}
    calls = list(Call.objects.filter(run_id=run.pk).order_by("visit").values_list("visit", "error"))
    return {seq: next((error for visit, error in reversed(calls) if visit < seq), "") for seq in failed}


def _gave(run: Run) -> dict[int, dict[str, Any]]:
    """Read of versions that declare any."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    if version(run.version_id).definition.variables:
        rows = Variable.objects.filter(run_id=run.pk).order_by("-seq", "name")[: MOST_MOVES * 2]
        for row in rows:
            found[row.seq][row.name] = value_of(row.text, row.number, row.boolean, row.moment)
    return dict(found)


def load_events(references: Iterable[tuple[int | None, datetime | None]]) -> dict[int, Event]:
    """Events by id; with the time of receipt only the months concerned are looked at."""
    known = {(id_, at) for id_, at in references if id_ is not None and at is not None}
    if not known:
        return {}
    found = Event.objects.select_related("source").filter(
        pk__in=[id_ for id_, _at in known], received_at__in=[at for _id, at in known]
    )
    return {event.pk: event for event in found}


def load_schemas(events: Iterable[Event]) -> dict[int, SchemaVersion]:
    wanted = {event.schema_version_id for event in events if event.schema_version_id is not None}
    return SchemaVersion.objects.select_related("event_type").in_bulk(wanted) if wanted else {}


def load_proofs(entry_ids: Collection[int | None]) -> Proofs:
    ids = [id_ for id_ in entry_ids if id_ is not None]
    if not ids:
        return Proofs()
    entries = ConsentEntry.objects.select_related("purpose", "notice_version__notice", "source").in_bulk(ids)
    evidence = ConsentEvidence.objects.filter(pk__in=ids)
    return Proofs(entries, {row.entry_id: row.fields for row in evidence})


def customer_profiles(profile_id: UUID) -> list[UUID]:
    """All profiles of the customer this profile belongs to now."""
    home = Profile.objects.filter(pk=profile_id).values("customer_id")
    return list(Profile.objects.filter(customer_id__in=home).values_list("pk", flat=True))


def _way_of(message: Message) -> Way | None:
    if message.origin_kind != Message.Origin.RUN or not message.origin_id.isdigit():
        return None
    run = Run.objects.select_related("journey", "version__published_by").filter(pk=int(message.origin_id)).first()
    # The step is left by the move after the visit.
    return None if run is None else load_way(run, up_to=message.visit + 1)


def _touchpoint(way: Way, message: Message) -> Touchpoint | None:
    step = next((step for step in way.version.steps if step.id == message.step_id), None)
    named = getattr(step, "touchpoint", None)
    touchpoints = Touchpoint.objects.select_related("stage", "channel", "map")
    if named:
        try:
            return touchpoints.filter(pk=named, map__brand_id=message.brand_id).first()
        except ValidationError:
            return None
    placed = PlacedStep.objects.filter(journey_id=way.run.journey_id, step_id=message.step_id)
    return touchpoints.filter(pk__in=placed.values("touchpoint_id")).first()


def _campaign(message: Message) -> Campaign | None:
    return Campaign.objects.filter(members__scope_id=message.scope_id).first()


def _pks(campaign: Campaign | None) -> list[UUID]:
    return [] if campaign is None else [campaign.pk]


def _deciding(message: Message, reference: dict[str, Any]) -> Event | None:
    """The event that made the message needless; it may have been in the inbox still when it did."""
    events = Event.objects.select_related("source")
    if isinstance(reference.get("id"), int):
        return events.filter(pk=reference["id"], brand_id=message.brand_id).first()
    since = datetime.fromisoformat(reference["occurred_at"])
    return events.filter(
        profile_id__in=customer_profiles(message.profile_id),
        occurred_at__gte=since,
        message_id=reference["message_id"],
        name=reference["name"],
    ).first()


def _suppressions(message: Message, address_id: UUID) -> list[Suppression]:
    """Those that stood when the message was settled."""
    at = message.settled_at or message.created_at
    standing = Suppression.objects.filter(
        Q(brand_id=None) | Q(brand_id=message.brand_id), address_id=address_id, created_at__lte=at
    )
    return list(standing.filter(Q(lifted_at=None) | Q(lifted_at__gt=at)).order_by("created_at"))
