"""A published version made ready for the engine: what each event means at each step, decided once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.fields.json import KeyTextTransform

from consent.models import Purpose
from customers.rules import WALK, Rule
from customers.rules import parse as parse_rule
from journeys.asks import asks_of, telling
from journeys.definition import Definition, parse
from journeys.ends import End, Expiry, changes_of, last_steps
from journeys.entry.names import event_of
from journeys.models import Cause, JourneyVersion
from journeys.steps.base import ANY_KEY, EVENT, EventMatch, Step
from journeys.steps.reaching import Sends
from journeys.variables import VARIABLES
from journeys.version import EndState, Meaning, Sending, Version, of_person

_MARKETING = Purpose.Kind.MARKETING


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
    sendings = {
        n: _sending(step, sent, definition, bindings, journey_id)
        for n, step in enumerate(steps)
        if (sent := step.sends())
    }
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


def _sending(step: Step, sent: Sends, definition: Definition, bindings: Mapping[str, Any], journey_id: UUID) -> Sending:
    return Sending(
        channel=sent.channel,
        connector_id=UUID(bindings["connectors"][sent.connector]),
        template_version_ids=tuple(bindings["templates"][key] for _at, key in step.templates()),
        purpose_id=UUID(bindings["purposes"][sent.purpose or definition.purpose]),
        not_later_than=sent.not_later_than,
        copy_key=f"{journey_id}:{step.id}:",
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
