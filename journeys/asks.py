"""What rules ask beside traits and events of those on their way: segments, permissions, entitlements, the run itself.

Which of it a version asks is settled once, so that versions that ask none of it pay for nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from channels.entitlements.leaf import Entitled
from consent.permitted import Permitted
from customers.rules import WALK, InSegment, Leaf, Rule, RuleError
from customers.rules import parse as parse_rule
from customers.rules.errors import Problem
from customers.rules.rule import leaves
from journeys.definition import Definition
from journeys.steps.base import Step
from journeys.this_run import MESSAGES, THIS_RUN, ThisRun
from journeys.variable_leaf import VariableLeaf
from journeys.variables import VARIABLES


@dataclass(frozen=True, slots=True)
class Asks:
    """Keys of segments and of entitlements, purposes by (key, channel) as ids, and whether runs are asked of
    themselves and of their variables, which a run brings along."""

    segments: frozenset[str] = frozenset()
    permissions: Mapping[tuple[str, str], UUID] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    run: bool = False
    messages: bool = False
    variables: bool = False

    def __bool__(self) -> bool:
        return bool(self.segments or self.permissions or self.held or self.run)


def asks_of(rules: Iterable[Rule], bindings: Mapping[str, Any]) -> Asks:
    """What these rules ask together; `bindings` say what the keys of purposes stand for."""
    found = [leaf for rule in rules for _at, leaf in leaves(rule.root)]
    inputs = frozenset[str]().union(*(leaf.inputs for leaf in found))
    return Asks(
        segments=frozenset(leaf.key for leaf in found if isinstance(leaf, InSegment)),
        permissions={
            (leaf.purpose, leaf.channel): UUID(bindings["purposes"][leaf.purpose])
            for leaf in found
            if isinstance(leaf, Permitted)
        },
        held=frozenset(leaf.key for leaf in found if isinstance(leaf, Entitled)),
        run=THIS_RUN in inputs,
        messages=MESSAGES in inputs,
        variables=VARIABLES in inputs,
    )


def telling(rules: Iterable[Rule]) -> tuple[Leaf, ...]:
    """Those of the rules' conditions whose inputs are kept with the decision, beside traits."""
    kinds = (InSegment, Permitted, Entitled, ThisRun, VariableLeaf)
    return tuple(leaf for rule in rules for _at, leaf in leaves(rule.root) if isinstance(leaf, kinds))


def asks_more(rule: Any) -> bool:
    """Whether a rule, as authored, looks at anything whose inputs are kept beside traits."""
    return rule is not None and bool(telling([parse_rule(rule, WALK)]))


def purposes(definition: Definition, steps: Sequence[Step]) -> set[str]:
    """Keys of the purposes that rules ask permission for."""
    return {leaf.purpose for _at, leaf in _leaves(definition, steps) if isinstance(leaf, Permitted)}


def absent(definition: Definition, steps: Sequence[Step], brand_id: UUID) -> Iterator[Problem]:
    """What the rules on the way name that the brand does not have."""
    for at, leaf in _leaves(definition, steps):
        for problem in leaf.absent(brand_id):
            yield replace(problem, pointer=at + problem.pointer)


def misfits(definition: Definition, steps: Sequence[Step]) -> Iterator[Problem]:
    """Questions about the run and its variables to which no run of this journey can have the answer."""
    kinds: dict[str, str] = {one.name: one.kind for one in definition.variables}
    states, ids = [state.name for state in definition.states], [step.id for step in steps]
    for at, leaf in _leaves(definition, steps):
        if isinstance(leaf, ThisRun):
            for problem in leaf.misfits(states, ids):
                yield replace(problem, pointer=at + problem.pointer)
        if isinstance(leaf, VariableLeaf):
            for problem in leaf.misfits(kinds):
                yield replace(problem, pointer=at + problem.pointer)


def rules_on_the_way(definition: Definition, steps: Sequence[Step]) -> list[tuple[str, Any]]:
    """(pointer, rule) of those that are asked of a run as it walks; all others are asked of an event."""
    found: list[tuple[str, Any]] = [
        (f"/exit_rules/{n}/rule", exit_.rule) for n, exit_ in enumerate(definition.exit_rules)
    ]
    return found + [(f"/steps/{n}{at}", rule) for n, step in enumerate(steps) for at, rule in step.rules()]


def _leaves(definition: Definition, steps: Sequence[Step]) -> Iterator[tuple[str, Leaf]]:
    for pointer, rule in rules_on_the_way(definition, steps):
        try:
            root = parse_rule(rule, WALK).root
        except RuleError:
            # Told of where rules are checked.
            continue
        yield from ((pointer + at, leaf) for at, leaf in leaves(root))
