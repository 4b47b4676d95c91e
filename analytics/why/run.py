"""A run's way in words: each move with its cause, and what its rules saw."""

from collections.abc import Iterable
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.why.explanation import Move
from analytics.why.records import Way, load_way
from analytics.why.rules import in_words
from customers.models import Event
from customers.rules import WALK
from customers.rules import parse as parse_rule
from journeys.asks import asks_more
from journeys.models import Cause, Run, Transition
from journeys.steps.base import EventMatch, Step
from journeys.steps.random_split import RandomSplit

# By an event that a hold awaits.
_AWAITED: Final = (Cause.EVENT, Cause.BEST)
_TEXTS: Final = {
    "entered": gettext_lazy("“%(event)s” brought them in."),
    "entered_by_rule": gettext_lazy("“%(event)s” brought them in, as %(rule)s."),
    "continued": gettext_lazy("The message of “%(step)s” was asked for, and the run went on."),
    "event": gettext_lazy("“%(event)s” came, which “%(step)s” awaited."),
    "timer": gettext_lazy("The time of “%(step)s” was over."),
    "past": gettext_lazy("The date that “%(step)s” waits for was past, missing or none that can be read."),
    "reset": gettext_lazy("“%(event)s” came, and “%(step)s” waits anew."),
    "best": gettext_lazy("The time of “%(step)s” was over, and “%(event)s” was the best of what had come."),
    "arm": gettext_lazy("At “%(step)s” the lot fell on “%(arm)s”."),
    "timed_out": gettext_lazy("Nothing that “%(step)s” awaited came in time."),
    "branch": gettext_lazy("At “%(step)s” branch %(branch)s was taken, as %(rule)s."),
    "otherwise": gettext_lazy("At “%(step)s” no rule held: %(rule)s."),
    "exit_by_event": gettext_lazy("“%(event)s” came, which ends the journey."),
    "exit_by_rule": gettext_lazy("An exit rule held: %(rule)s."),
    "ended": gettext_lazy("The way ended at “%(step)s”."),
    "merged": gettext_lazy("The person turned out to be one with whom an elder run was live; that one goes on."),
    "unmerged": gettext_lazy("The merge was undone, and the run went on from where it had stood."),
    "superseded": gettext_lazy("The merge was undone; another run of the same key had begun, so this one stays ended."),
    "erased": gettext_lazy("The person was erased, and the run with what it held of them."),
    "restricted": gettext_lazy("The person asked that what is known of them be kept and not used."),
    "stopped": gettext_lazy("The journey was stopped, and with it everybody who was in it."),
    "failed": gettext_lazy("The run was given up at “%(step)s” after five attempts; its dead letter says why."),
}


def explain_run(run: Run) -> tuple[Way, list[Move]]:
    """The whole way of a run, and the same in words."""
    way = load_way(run)
    return way, moves_in_words(way)


def moves_in_words(way: Way) -> list[Move]:
    return [_move(way, made) for made in way.moves]


def _move(way: Way, made: Transition) -> Move:
    steps, states = way.version.steps, way.version.definition.states
    event = way.events.get(made.event_id) if made.event_id is not None else None
    before = None if made.step_from is None else steps[made.step_from]
    rule = _rule(way, made, before, event)
    saw, not_kept = _inputs(way, made, rule, before)
    return Move(
        seq=made.seq,
        at=made.at,
        cause=Cause(made.cause).name.lower(),
        text=_text(way, made, before, event, rule),
        step_from=before.id if before else "",
        step_to="" if made.step_to is None else steps[made.step_to].id,
        state=states[made.state_to].name,
        event=event,
        event_id=made.event_id,
        saw=saw,
        not_kept=not_kept,
        gave=way.gave.get(made.seq, {}),
    )


def _text(way: Way, made: Transition, before: Step | None, event: Event | None, rule: Any) -> str:
    values = {
        "event": event.name if event else _named_by_definition(way, made, before),
        "step": before.id if before else "",
        "rule": in_words(rule) if rule else "",
        "branch": (made.branch or 0) + 1,
        "arm": _arm(before, made),
    }
    return _TEXTS[_wording(made, rule)] % values


def _arm(before: Step | None, made: Transition) -> str:
    return before.arms[made.branch].name if isinstance(before, RandomSplit) and made.branch is not None else ""


def _wording(made: Transition, rule: Any) -> str:
    cause = Cause(made.cause)
    if cause == Cause.ENTERED:
        return "entered_by_rule" if rule else "entered"
    if cause == Cause.EXIT:
        return "exit_by_event" if made.event_id is not None else "exit_by_rule"
    return cause.name.lower()


def _named_by_definition(way: Way, made: Transition, before: Step | None) -> str:
    """The event's name as the definition has it, where the event itself is gone."""
    if made.cause == Cause.ENTERED:
        return way.version.definition.entry.event
    awaited = before.awaits() if before is not None and made.cause in _AWAITED else []
    if made.branch is not None and made.branch < len(awaited):
        return awaited[made.branch].event
    return _("an event")


def _rule(way: Way, made: Transition, before: Step | None, event: Event | None) -> dict[str, Any] | None:
    """The rule that decided this move, as authored; several that did not hold are shown as one."""
    definition = way.version.definition
    if made.cause == Cause.ENTERED:
        return definition.entry.rule
    if made.cause == Cause.EXIT:
        return _exit_rule(way, made, event)
    if before is None:
        return None
    if made.cause == Cause.RESET:
        reset = before.resets()
        return reset.rule if reset else None
    if made.cause in _AWAITED and made.branch is not None:
        return before.awaits()[made.branch].rule
    if made.cause in (Cause.BRANCH, Cause.OTHERWISE):
        asked = [rule for _pointer, rule in before.rules()]
        if made.cause == Cause.BRANCH and made.branch is not None:
            return asked[made.branch]
        return {"any": asked}
    return None


def _exit_rule(way: Way, made: Transition, event: Event | None) -> dict[str, Any] | None:
    """Which exit it was is told by the state it leads to, where only one leads there."""
    definition = way.version.definition
    state = definition.states[made.state_to].name
    if made.event_id is not None:
        exits: list[EventMatch] = [one for one in definition.exit_events if one.state == state]
        named = [one for one in exits if event is None or one.event == event.name]
        return named[0].rule if len(named) == 1 else None
    rules = [one.rule for one in definition.exit_rules if one.state == state]
    return rules[0] if len(rules) == 1 else {"any": rules}


def _inputs(way: Way, made: Transition, rule: dict[str, Any] | None, before: Step | None) -> tuple[dict[str, Any], str]:
    traits, properties = _looked_at(made, rule, before)
    saw: dict[str, Any] = {}
    not_kept = ""
    if traits:
        kept = way.traits.get(made.seq)
        if kept is None:
            not_kept = _("What the rule saw of the person's traits was not kept, or was erased.")
        else:
            saw |= {f"traits.{name}": kept.get(name) for name in traits}
    if asks_more(rule):
        kept = way.facts.get(made.seq)
        if kept is None:
            not_kept = _("What the rule saw of the person was not kept, or was erased.")
        saw |= kept or {}
    # Rules on the way look at the entry event, whose properties the run keeps.
    variables = way.context.variables if way.context else {}
    saw |= {f"event.{name}": value for name, value in variables.items() if name in properties}
    return saw, not_kept


def _looked_at(made: Transition, rule: dict[str, Any] | None, before: Step | None) -> tuple[Iterable[str], set[str]]:
    """Names of the traits, and of the entry event's properties, that decided the move."""
    if rule is not None:
        on_the_way = made.cause in (Cause.ENTERED, Cause.BRANCH, Cause.OTHERWISE, Cause.EXIT)
        return parse_rule(rule, WALK).traits, _properties(rule) if on_the_way else set()
    if before is not None and made.cause == Cause.PAST:
        return before.traits(), set(before.properties())
    return (), set()


def _properties(rule: Any) -> set[str]:
    """Names of the event's properties that the rule's leaves look at."""
    if isinstance(rule, dict):
        if rule.get("leaf") == "event_property":
            return {str(rule.get("name", "")).partition(".")[0]}
        return {name for part in rule.values() for name in _properties(part)}
    if isinstance(rule, list):
        return {name for part in rule for name in _properties(part)}
    return set()
