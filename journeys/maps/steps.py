"""Which message steps realise which touchpoints: as their version says, else as they were placed by hand."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from customers.models.address import Channel
from journeys.models import Journey, JourneyVersion, PlacedStep, Touchpoint
from journeys.steps.base import step_types

# (journey, step): what a message says of where it comes from.
StepKey = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class SendingStep:
    """A message step of a version; `touchpoint_id` is what the version itself says."""

    id: str
    channel: str
    touchpoint_id: UUID | None


@dataclass(frozen=True, slots=True)
class LiveStep:
    """A message step of a live version, with the touchpoint it realises, if any."""

    journey: Journey
    step: SendingStep
    touchpoint_id: UUID | None

    @property
    def channel_label(self) -> str:
        return str(Channel(self.step.channel).label)


# Versions never change, so what they send is read once a process.
_sending: dict[int, tuple[SendingStep, ...]] = {}
_KEPT = 5_000


def live_steps(journeys: Iterable[Journey]) -> list[LiveStep]:
    """The message steps of those of the journeys that are live, in their order."""
    live = [one for one in journeys if one.status == Journey.Status.LIVE and one.live_version_id is not None]
    sending = _sending_steps([one.live_version_id for one in live if one.live_version_id is not None])
    placed = _placed([journey.pk for journey in live])
    return [
        LiveStep(journey, step, step.touchpoint_id or placed.get((journey.pk, step.id)))
        for journey in live
        for step in sending[journey.live_version_id or 0]
    ]


def steps_by_touchpoint(brand_id: UUID) -> dict[StepKey, UUID]:
    """The touchpoint of every step that any version of the brand's journeys ever had, by what the newest says."""
    versions = JourneyVersion.objects.filter(journey__brand_id=brand_id).order_by("journey_id", "number")
    known = list(versions.values_list("id", "journey_id"))
    sending = _sending_steps([id_ for id_, _journey in known])
    said: dict[StepKey, UUID | None] = {
        (journey, step.id): step.touchpoint_id for id_, journey in known for step in sending[id_]
    }
    placed = _placed({journey for _id, journey in known})
    found = {key: touchpoint or placed.get(key) for key, touchpoint in said.items()}
    return {key: touchpoint for key, touchpoint in found.items() if touchpoint is not None}


def place(touchpoint: Touchpoint, journey: Journey, step_id: str) -> PlacedStep:
    """Say by hand that a step realises the touchpoint; a step has one place, the last it was given."""
    with transaction.atomic():
        placed, _created = PlacedStep.objects.update_or_create(
            journey=journey, step_id=step_id, defaults={"touchpoint": touchpoint}
        )
    return placed


def _placed(journeys: Collection[UUID]) -> Mapping[StepKey, UUID]:
    rows = PlacedStep.objects.filter(journey_id__in=journeys).values_list("journey_id", "step_id", "touchpoint_id")
    return {(journey, step): touchpoint for journey, step, touchpoint in rows}


def _sending_steps(version_ids: Collection[int]) -> Mapping[int, tuple[SendingStep, ...]]:
    missing = [id_ for id_ in version_ids if id_ not in _sending]
    if len(_sending) + len(missing) > _KEPT:
        _sending.clear()
        missing = list(version_ids)
    if missing:
        types = {tag for tag, type_ in step_types().items() if type_.sends_message}
        rows = JourneyVersion.objects.filter(pk__in=missing).values_list("id", "definition__steps")
        _sending.update(
            (id_, tuple(_sending_step(step) for step in steps if step["type"] in types)) for id_, steps in rows
        )
    return {id_: _sending[id_] for id_ in version_ids}


def _sending_step(step: Mapping[str, str]) -> SendingStep:
    named = step.get("touchpoint")
    return SendingStep(step["id"], step["channel"], UUID(named) if named else None)
