"""A version as the engine asks it: steps by index, and what each event means at each step."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from customers.rules import Facts, Leaf, Rule
from journeys.asks import Asks
from journeys.definition import Definition
from journeys.ends import OF_THE_PERSON
from journeys.entry.names import is_meant
from journeys.models import Cause
from journeys.steps.base import TRAITS, ZONE, EventMatch, Step


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event means to a run at a step: branch `number` of the hold, or exit `number` of the journey; that time
    begins anew, at most `number` times; or, kept until time is up, that branch `number` may be taken then."""

    kind: Literal["branch", "exit", "reset", "kept"]
    number: int
    # Property that must equal the run's entry key; None where any will do.
    key: str | None
    rule: Rule | None
    # Of an exit, how long after the entry an event may have occurred.
    within: timedelta | None = None
    # Whether it gives variables a value.
    gives: bool = False

    @property
    def looks_inside(self) -> bool:
        return self.key is not None or self.rule is not None or self.gives

    def applies(self, entry_key: str, facts: Facts) -> bool:
        if self.key is not None and key_of(facts.properties, self.key) != entry_key:
            return False
        return self.rule is None or self.rule.holds(facts)


@dataclass(frozen=True, slots=True)
class Sending:
    """What a message step stands for: the keys of the definition as ids."""

    channel: str
    connector_id: UUID
    # One, or that of each variant.
    template_version_ids: tuple[int, ...]
    purpose_id: UUID
    not_later_than: timedelta
    # What its copies have in common, whichever version and run they are of; a run adds its key.
    copy_key: str
    own_cancels: bool


@dataclass(frozen=True, slots=True)
class EndState:
    """An end wherever a run rests; `number` is that of the exit among those by event, or those by rule."""

    state: int
    cause: Cause = Cause.EXIT
    number: int | None = None
    # Of the step that is walked from then, if the run does not end at once.
    last_step: int | None = None


@dataclass(slots=True, eq=False)
class Version:
    """Everything the engine asks of a version, decided once; one object a version, so identity is equality."""

    id: int
    journey_id: UUID
    brand_id: UUID
    definition: Definition
    steps: list[Step]
    index: dict[str, int]
    state_of: list[int]
    legal: frozenset[tuple[int, int]]
    enter_rules: list[dict[int, Rule]]
    # By step, the traits that its rules look at on arrival; and those of the exit rules.
    traits_asked: list[tuple[str, ...]]
    exit_traits: tuple[str, ...]
    # What they ask beside those, all of it and by step; and the conditions of the exit rules.
    asks: Asks
    told_at: list[tuple[Leaf, ...]]
    told_at_exit: tuple[Leaf, ...]
    # By step, the inputs of all rules that may be asked from there to the next wait.
    asked: list[frozenset[str]]
    entry_rule: Rule | None
    entry_guard: frozenset[tuple[str, UUID]]
    exits: list[tuple[Meaning, EndState]]
    exit_rules: list[tuple[Rule, EndState]]
    expiry: EndState | None
    meanings: list[dict[str, tuple[Meaning, ...]]]
    # After events of these names the exit rules are asked, wherever a run stands.
    looks: frozenset[str]
    # Of all steps together: an event of another name means nothing to a run, wherever it stands.
    names: frozenset[str]
    # By step, the names awaited there, joined by the unit separator as the looking-back statement takes them.
    names_joined: list[str]
    sendings: dict[int, Sending]
    # By step that asks another system, through which connector.
    connectors: dict[int, UUID]
    needs_person: bool
    needs_variables: bool
    # The segment whose people are not let in.
    excluded: UUID | None
    # Whether it counts where a brand limits in how many journeys a person may be at once.
    is_marketing: bool
    # Whether a run may say something of its customer, which its next rules are to see.
    tells: bool
    # The message steps whose words name typed variables, and whether anything reads them.
    says: frozenset[int]
    reads_variables: bool
    entry_event: str

    def lets_in_by(self, event: str, properties: Mapping[str, Any]) -> bool:
        """Whether such an event may bring somebody in at all."""
        return is_meant(self.definition.entry, self.journey_id, event, properties)

    def meaning(self, step: int, event: str) -> tuple[Meaning, ...]:
        """Exits first, then the branches of the hold in their order."""
        return self.meanings[step].get(event, ())

    def has_way(self, state: int, end: EndState) -> bool:
        """Whether its machine leads from this state to that end."""
        to = end.state if end.last_step is None else self.state_of[end.last_step]
        return to == state or (state, to) in self.legal

    def awaits_at(self, step: int) -> bool:
        """Whether any event could do something to a run that waits there."""
        return bool(self.meanings[step] or self.looks)

    def may_mean(self, brand_id: UUID, event: str) -> bool:
        """Whether such an event can mean anything to a run, at any of the steps."""
        return event in self.names and (brand_id == self.brand_id or self.looks_after(brand_id, event))

    def looks_after(self, brand_id: UUID, event: str) -> bool:
        """Whether it has the exit rules asked: what is of the person changes for every brand, whichever is told."""
        return event in self.looks and (brand_id == self.brand_id or event in OF_THE_PERSON)

    def looks_back_to_step(self, step: int) -> bool:
        return self.steps[step].looks_back_to_itself()

    def cancels(self, step: int) -> list[EventMatch]:
        """The events that make a message needless which waits because of `step`."""
        at = self.steps[step]
        return at.cancels() if at.sends_message else at.awaits()


def key_of(properties: Any, name: str) -> str | None:
    """The entry key an event carries, as text; None where it carries none that could be one."""
    value = properties.get(name) if isinstance(properties, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if 0 < len(text) <= 200 else None


def of_person(inputs: frozenset[str]) -> frozenset[str]:
    """Those of the inputs that are read of the customer."""
    return inputs & {TRAITS, ZONE}
