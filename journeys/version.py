"""A published version made ready for the engine: steps by index, and what each event means at each step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.fields.json import KeyTextTransform

from consent.models import Purpose
from customers.rules import WALK, Facts, Leaf, Rule
from customers.rules import parse as parse_rule
from journeys.asks import Asks, asks_of, telling
from journeys.definition import Definition, parse
from journeys.ends import OF_THE_PERSON, End, Expiry, changes_of, last_steps
from journeys.entry.names import event_of, is_meant
from journeys.models import Cause, JourneyVersion
from journeys.steps.base import ANY_KEY, EVENT, TRAITS, ZONE, EventMatch, Step
from journeys.steps.reaching import Sends
from journeys.variables import VARIABLES

_MARKETING = Purpose.Kind.MARKETING


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
    step_id: str
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


def awaited_names(definition: Definition, steps: Iterable[Step]) -> set[str]:
    """Every event name a version may want to hear of, entry included."""
    names = {event_of(definition.entry), *(exit_.event for exit_ in definition.exit_events)}
    for step in steps:
        names |= {match.event for match in (*step.awaits(), *filter(None, [step.resets()]))}
    return names | changes_of(parse_rule(exit_.rule, WALK) for exit_ in definition.exit_rules)


def compile_version(
    document: object,
    bindings: dict[str, Any],
    *,
    id_: int,
    journey_id: UUID,
    brand_id: UUID,
    is_marketing: bool = True,
) -> Version:
    """Make a version ready; the document must have passed `journeys.validate`."""
    definition, steps = parse(document)
    index = {step.id: n for n, step in enumerate(steps)}
    states = {state.name: n for n, state in enumerate(definition.states)}
    exits = [
        (_meaning("exit", n, exit_, exit_.within), _end(exit_, n, states, index))
        for n, exit_ in enumerate(definition.exit_events)
    ]
    sendings = {n: _sending(step, sent, definition, bindings) for n, step in enumerate(steps) if (sent := step.sends())}
    enter_rules = [{n: parse_rule(rule, WALK) for n, (_at, rule) in enumerate(step.rules())} for step in steps]
    entry_rule = parse_rule(definition.entry.rule) if definition.entry.rule else None
    exit_rules = [
        (parse_rule(exit_.rule, WALK), _end(exit_, n, states, index)) for n, exit_ in enumerate(definition.exit_rules)
    ]
    meanings = [_meanings(step, [meaning for meaning, _end in exits], definition) for step in steps]
    looks = changes_of(rule for rule, _end in exit_rules)
    asked_on_the_way = [rule for of_step in enter_rules for rule in of_step.values()]
    asked_on_the_way += [rule for rule, _end in exit_rules]
    reads = [step.reads() for step in steps]
    asks = asks_of(asked_on_the_way, bindings)
    says = _says(steps, bindings)
    rules = list(asked_on_the_way)
    rules += [meaning.rule for of_step in meanings for group in of_step.values() for meaning in group if meaning.rule]
    return Version(
        id=id_,
        journey_id=journey_id,
        brand_id=brand_id,
        definition=definition,
        steps=steps,
        index=index,
        state_of=[states[step.state] for step in steps],
        legal=frozenset((states[one], states[other]) for one, other in definition.transitions),
        enter_rules=enter_rules,
        traits_asked=[
            _traits(of_step.values(), step.traits()) for step, of_step in zip(steps, enter_rules, strict=True)
        ],
        exit_traits=_traits(rule for rule, _end in exit_rules),
        asks=asks,
        told_at=[telling(of_step.values()) for of_step in enter_rules],
        told_at_exit=telling(rule for rule, _end in exit_rules),
        asked=_asked(steps, index, enter_rules, [rule for rule, _end in exit_rules], last_steps(definition), says),
        entry_rule=entry_rule,
        entry_guard=_guard(definition, sendings.values()),
        exits=exits,
        exit_rules=exit_rules,
        expiry=_end(definition.timeout, None, states, index) if definition.timeout else None,
        meanings=meanings,
        looks=looks,
        names=looks.union(*meanings),
        names_joined=["\x1f".join(dict.fromkeys([*at_step, *sorted(looks)])) for at_step in meanings],
        sendings=sendings,
        connectors={
            n: UUID(bindings["connectors"][step.connectors()[0].key]) for n, step in enumerate(steps) if step.calls
        },
        needs_person=bool(of_person(frozenset[str]().union(*(rule.inputs for rule in rules), *reads))),
        tells=any(step.tells for step in steps),
        says=says,
        reads_variables=asks.variables or bool(says) or VARIABLES in frozenset[str]().union(*reads),
        needs_variables=EVENT in frozenset[str]().union(*(rule.inputs for rule in asked_on_the_way), *reads),
        excluded=_segment(definition.entry.exclude, bindings),
        is_marketing=is_marketing,
        entry_event=event_of(definition.entry),
    )


def of_person(inputs: frozenset[str]) -> frozenset[str]:
    """Those of the inputs that are read of the customer."""
    return inputs & {TRAITS, ZONE}


def _traits(rules: Iterable[Rule], more: Iterable[str] = ()) -> tuple[str, ...]:
    return tuple(sorted({name for rule in rules for name in rule.traits} | set(more)))


def _asked(
    steps: Sequence[Step],
    index: Mapping[str, int],
    enter_rules: Sequence[dict[int, Rule]],
    exit_rules: Iterable[Rule],
    last: Iterable[str],
    says: frozenset[int],
) -> list[frozenset[str]]:
    exits = frozenset[str]().union(*(rule.inputs for rule in exit_rules))
    own = [
        step.reads().union(
            *(rule.inputs for rule in rules.values()),
            exits if step.sends_message else (),
            {VARIABLES} if n in says else (),
        )
        for n, (step, rules) in enumerate(zip(steps, enter_rules, strict=True))
    ]
    # A run may be ended wherever it rests, and walk on from the last step of its end.
    after_the_end = set[int]().union(*(_walked_from(index[id_], steps, index) for id_ in last))
    return [
        frozenset[str]().union(*(own[n] for n in _walked_from(start, steps, index) | after_the_end))
        for start in range(len(steps))
    ]


def _says(steps: Sequence[Step], bindings: Mapping[str, Any]) -> frozenset[int]:
    """The message steps whose template, as it was at publication, names typed variables."""
    naming = bindings.get("names_variables", ())
    return frozenset(n for n, step in enumerate(steps) if any(key in naming for _at, key in step.templates()))


def _walked_from(start: int, steps: Sequence[Step], index: Mapping[str, int]) -> set[int]:
    """The steps a run may come to before it rests, with the one it starts from and the one it rests at."""
    found, ahead = {start}, [start]
    while ahead:
        step = ahead.pop()
        ways = steps[step].targets() if step == start else steps[step].at_once()
        if ways:
            new = {index[target] for target in ways} - found
            found |= new
            ahead += new
    return found


def _end(end: End, number: int | None, states: Mapping[str, int], index: Mapping[str, int]) -> EndState:
    cause = Cause.EXPIRED
    if not isinstance(end, Expiry):
        cause = Cause.GOAL if end.goal else Cause.EXIT
    return EndState(states[end.state], cause, number, index[end.last_step] if end.last_step else None)


def _meaning(
    kind: Literal["branch", "exit", "reset", "kept"], number: int, match: EventMatch, within: timedelta | None = None
) -> Meaning:
    key = None if match.key in (None, ANY_KEY) else match.key
    return Meaning(kind, number, key, parse_rule(match.rule) if match.rule else None, within)


def _meanings(step: Step, exits: list[Meaning], definition: Definition) -> dict[str, tuple[Meaning, ...]]:
    found: dict[str, list[Meaning]] = {}
    for exit_, meaning in zip(definition.exit_events, exits, strict=True):
        found.setdefault(exit_.event, []).append(meaning)
    for n, branch in enumerate(step.awaits()):
        kind: Literal["branch", "kept"] = "kept" if step.takes_the_best() else "branch"
        found.setdefault(branch.event, []).append(replace(_meaning(kind, n, branch), gives=bool(step.gives(n))))
    reset = step.resets()
    if reset:
        found.setdefault(reset.event, []).append(_meaning("reset", reset.most, reset))
    return {name: tuple(group) for name, group in found.items()}


def _sending(step: Step, sent: Sends, definition: Definition, bindings: dict[str, Any]) -> Sending:
    return Sending(
        channel=sent.channel,
        connector_id=UUID(bindings["connectors"][sent.connector]),
        template_version_ids=tuple(bindings["templates"][key] for _at, key in step.templates()),
        purpose_id=UUID(bindings["purposes"][sent.purpose or definition.purpose]),
        not_later_than=sent.not_later_than,
        step_id=step.id,
        own_cancels=sent.own_cancels,
    )


def _guard(definition: Definition, sendings: Iterable[Sending]) -> frozenset[tuple[str, UUID]]:
    if definition.entry.guard == "none":
        return frozenset()
    return frozenset((sending.channel, sending.purpose_id) for sending in sendings)


def _segment(key: str | None, bindings: dict[str, Any]) -> UUID | None:
    return UUID(bindings["segments"][key]) if key else None


@lru_cache(maxsize=512)
def version(id_: int) -> Version:
    """The version of this id; kept, because versions never change, nor does the kind of a purpose."""
    marketing = Purpose.objects.filter(
        brand=OuterRef("journey__brand"), key=KeyTextTransform("purpose", OuterRef("definition")), kind=_MARKETING
    )
    row = JourneyVersion.objects.select_related("journey").annotate(is_marketing=Exists(marketing)).get(pk=id_)
    return compile_version(
        row.definition,
        row.bindings,
        id_=row.id,
        journey_id=row.journey_id,
        brand_id=row.journey.brand_id,
        is_marketing=row.is_marketing,
    )
