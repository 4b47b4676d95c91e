"""May this definition be published? Every problem found, each with its place and what to do."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from consent.telling import CHANGED
from customers.rules import MOMENT, WALK, RuleError
from customers.rules import parse as parse_rule
from customers.rules.errors import Problem
from journeys import asks
from journeys.definition import Definition, Entry, InvalidDefinition, parse
from journeys.ends import ends_of, last_steps
from journeys.entry.check import entry_problems
from journeys.last_steps import last_step_problems
from journeys.spans import span_problems
from journeys.steps.base import NAME, EventMatch, Step
from journeys.steps.exit import Exit
from journeys.variable_problems import problems_of_variables

MAX_STEPS = 500
_MAX_EVENT_NAME = 120
_ENDS = ("success", "failure")


def check(document: object) -> tuple[Definition, list[Step]]:
    """Parse and check; raises InvalidDefinition with all problems."""
    definition, steps = parse(document)
    problems = list(problems_of(definition, steps))
    if problems:
        raise InvalidDefinition(problems)
    return definition, steps


def problems_of(definition: Definition, steps: list[Step]) -> Iterator[Problem]:
    if not 1 <= len(steps) <= MAX_STEPS:
        yield Problem("step_count", "/steps", _("A journey has between 1 and %(most)s steps.") % {"most": MAX_STEPS})
        return
    yield from _names(definition, steps)
    yield from _spelling(definition, steps)
    known = list(_unknown(definition, steps))
    yield from known
    yield from _rules(definition, steps)
    yield from problems_of_variables(definition, steps)
    yield from _keys(definition, steps)
    yield from _details(definition, steps)
    if not known:
        yield from _reach(steps, last_steps(definition))
        yield from _loops(steps)
        yield from last_step_problems(definition, steps)
        yield from _moves(definition, steps)


def _names(definition: Definition, steps: list[Step]) -> Iterator[Problem]:
    yield from _twice("duplicate_step", "/steps", "id", [step.id for step in steps])
    yield from _twice("duplicate_state", "/states", "name", [state.name for state in definition.states])
    if [state.kind for state in definition.states].count("initial") != 1:
        yield Problem("initial_state", "/states", _("Exactly one state is initial."))


def _spelling(definition: Definition, steps: list[Step]) -> Iterator[Problem]:
    names = [(f"/steps/{n}/id", step.id) for n, step in enumerate(steps)]
    names += [(f"/states/{n}/name", state.name) for n, state in enumerate(definition.states)]
    for pointer, name in names:
        if not NAME.fullmatch(name):
            yield Problem(
                "bad_name", pointer, _("Up to 60 letters, digits, dots, hyphens and underscores, a letter first.")
            )
    events = [("/entry/event", definition.entry.event)] if definition.entry.event else []
    events += [(f"{at}/event", match.event) for at, match in _matches(definition, steps)]
    for pointer, event in events:
        if not 1 <= len(event) <= _MAX_EVENT_NAME or not event.isprintable():
            yield Problem(
                "bad_event_name",
                pointer,
                _("A name has 1 to %(most)s printable characters.") % {"most": _MAX_EVENT_NAME},
            )
        if event == CHANGED:
            yield Problem(
                "own_event",
                pointer,
                _("“%(event)s” is told to exits by condition only.") % {"event": event},
                _("Name an exit by condition on consent, or the event that carries it."),
            )


def _twice(code: str, pointer: str, field: str, names: list[str]) -> Iterator[Problem]:
    for n, name in enumerate(names):
        if name in names[:n]:
            yield Problem(
                code,
                f"{pointer}/{n}/{field}",
                _("“%(name)s” is already used.") % {"name": name},
                _("Give it another name."),
            )


def _unknown(definition: Definition, steps: list[Step]) -> Iterator[Problem]:
    states = {state.name for state in definition.states}
    ids = {step.id for step in steps}
    for n, step in enumerate(steps):
        if step.state not in states:
            yield Problem("unknown_state", f"/steps/{n}/state", _no_state(step.state))
        for target in step.targets():
            if target not in ids:
                yield Problem(
                    "unknown_step",
                    f"/steps/{n}",
                    *_no_step(target),
                )
    for n, pair in enumerate(definition.transitions):
        for name in pair:
            if name not in states:
                yield Problem("unknown_state", f"/transitions/{n}", _no_state(name))
    ends = {state.name for state in definition.states if state.kind in _ENDS}
    for pointer, end in ends_of(definition):
        if end.state not in states:
            yield Problem("unknown_state", f"{pointer}/state", _no_state(end.state))
        elif end.state not in ends:
            yield Problem("end_state", f"{pointer}/state", _("An exit leads to a success or failure state."))
        if end.last_step is not None and end.last_step not in ids:
            yield Problem("unknown_step", f"{pointer}/last_step", *_no_step(end.last_step))


def _no_state(name: str) -> str:
    return _("There is no state “%(name)s”.") % {"name": name}


def _no_step(name: str) -> tuple[str, str]:
    return _("There is no step “%(name)s”.") % {"name": name}, _("Name an existing step.")


def _rules(definition: Definition, steps: list[Step]) -> Iterator[Problem]:
    found: list[tuple[str, object, str]] = [("/entry/rule", definition.entry.rule, MOMENT)]
    found += [(f"{at}/rule", match.rule, MOMENT) for at, match in _matches(definition, steps)]
    found += [(at, rule, WALK) for at, rule in asks.rules_on_the_way(definition, steps)]
    for pointer, rule, place in found:
        if rule is None:
            continue
        try:
            parse_rule(rule, place)
        except RuleError as error:
            for problem in error.problems:
                yield Problem(problem.code, pointer + problem.pointer, problem.message, problem.hint)
    yield from asks.misfits(definition, steps)


def _matches(definition: Definition, steps: list[Step]) -> Iterator[tuple[str, EventMatch]]:
    for n, exit_ in enumerate(definition.exit_events):
        yield f"/exit_events/{n}", exit_
    for n, step in enumerate(steps):
        for b, branch in enumerate(step.awaits()):
            yield f"/steps/{n}/branches/{b}", branch
        reset = step.resets()
        if reset:
            yield f"/steps/{n}/reset", reset
        for c, match in enumerate(step.cancels()):
            yield f"/steps/{n}/cancel_on/{c}", match


def _keys(definition: Definition, steps: list[Step]) -> Iterator[Problem]:
    for pointer, match in _matches(definition, steps):
        if definition.entry.key and not match.key:
            yield Problem(
                "key_missing",
                f"{pointer}/key",
                _("This journey has a run for each “%(key)s”, but “%(event)s” does not say whose.")
                % {"key": definition.entry.key, "event": match.event},
                _("Name the event's key property, or “any”."),
            )
        if match.key and not definition.entry.key:
            yield Problem(
                "key_unused",
                f"{pointer}/key",
                _("The entry names no key."),
                _("Give the entry a key, or remove it."),
            )


def _details(definition: Definition, steps: list[Step]) -> Iterator[Problem]:
    if definition.entry.guard == "none" and not definition.entry.guard_reason:
        yield Problem("guard_reason", "/entry/guard_reason", _("Entering without consent needs a reason."))
    yield from _reentry(definition.entry)
    yield from entry_problems(definition.entry)
    yield from _windows(definition)
    kinds = {state.name: state.kind for state in definition.states}
    initial = [name for name, kind in kinds.items() if kind == "initial"]
    if initial and steps[0].state != initial[0]:
        yield Problem("initial_state", "/steps/0/state", _("The first step is in the initial state."))
    for n, step in enumerate(steps):
        if isinstance(step, Exit) and kinds.get(step.state) not in _ENDS:
            yield Problem("end_state", f"/steps/{n}/state", _("A way ends in a success or failure state."))
        for problem in step.problems():
            yield replace(problem, pointer=f"/steps/{n}{problem.pointer}")


def _reentry(entry: Entry) -> Iterator[Problem]:
    if entry.reentry == "after":
        if entry.reentry_after is None:
            message = _("It is not said after how long people may come in again.")
            yield Problem("reentry_after", "/entry/reentry_after", message)
        else:
            yield from span_problems(entry.reentry_after, "/entry/reentry_after")
    elif entry.reentry_after is not None:
        hint = _("Leave it out, or let people come in again some time after.")
        yield Problem("reentry_after", "/entry/reentry_after", _("A time too many."), hint)


def _windows(definition: Definition) -> Iterator[Problem]:
    for n, exit_ in enumerate(definition.exit_events):
        if exit_.within is not None:
            yield from span_problems(exit_.within, f"/exit_events/{n}/within")
    if definition.timeout:
        yield from span_problems(definition.timeout.after, "/timeout/after")


def _reach(steps: list[Step], last: Iterable[str]) -> Iterator[Problem]:
    by_id = {step.id: step for step in steps}
    reached, ahead = set[str](), [steps[0].id, *last]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += by_id[here].targets()
    for n, step in enumerate(steps):
        if step.id not in reached:
            yield Problem(
                "unreachable",
                f"/steps/{n}",
                _("No way leads to “%(name)s”.") % {"name": step.id},
                _("Lead one there, or remove it."),
            )


def _loops(steps: list[Step]) -> Iterator[Problem]:
    """A way from a step back to itself on which a run never rests."""
    restless = {step.id: ways for step in steps if (ways := step.at_once())}
    settled: set[str] = set()
    for n, step in enumerate(steps):
        if step.id in restless and _comes_back(step.id, restless, settled):
            yield Problem("loop", f"/steps/{n}", _("This loop has no wait in it."), _("Put a hold or a delay into it."))
            return


def _comes_back(start: str, ways: dict[str, list[str]], settled: set[str]) -> bool:
    """Depth-first without recursion; `settled` are steps known to lead into no loop."""
    path, ahead = [start], [iter(ways[start])]
    while ahead:
        step = next(ahead[-1], None)
        if step is None:
            settled.add(path.pop())
            ahead.pop()
        elif step in path:
            return True
        elif step in ways and step not in settled:
            path.append(step)
            ahead.append(iter(ways[step]))
    return False


def needed_moves(definition: Definition, steps: list[Step]) -> Iterator[tuple[str, str, str]]:
    """(pointer, state before, state after) of every move the steps and exits can make; all targets must exist."""
    by_id = {step.id: step for step in steps}
    for n, step in enumerate(steps):
        for target in dict.fromkeys(step.targets()):
            yield f"/steps/{n}", step.state, by_id[target].state
    # All end a run where it waits; rules are also asked where a message is about to be made.
    resting = dict.fromkeys(step.state for step in steps if step.waits)
    asked = dict.fromkeys(step.state for step in steps if step.waits or step.sends_message)
    for pointer, end in ends_of(definition):
        after = by_id[end.last_step].state if end.last_step else end.state
        for before in asked if pointer.startswith("/exit_rules") else resting:
            yield pointer, before, after


def _moves(definition: Definition, steps: list[Step]) -> Iterator[Problem]:
    legal = set(definition.transitions)
    for pointer, before, after in needed_moves(definition, steps):
        if before != after and (before, after) not in legal:
            yield Problem(
                "illegal_transition",
                pointer,
                _("There is no transition from “%(before)s” to “%(after)s”.") % {"before": before, "after": after},
                _("Add it to the transitions, or change the step's state."),
            )
