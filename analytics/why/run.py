"""A run's way in words: each move with its cause, and what its rules saw."""

from collections.abc import Iterable
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.why.explanation import Move
from analytics.why.records import Way, load_way
from analytics.why.rules import in_words
from customers.authoring.describe import struct_fields
from customers.authoring.words import row_words
from customers.models import Event
from customers.rules import WALK
from customers.rules import parse as parse_rule
from journeys.asks import asks_more
from journeys.models import EXITS, Cause, Run, Transition
from journeys.moves import WAIT_ANEW
from journeys.needs import event_properties
from journeys.outcomes import of_exit
from journeys.steps.base import EventMatch, Step
from journeys.steps.message import Message
from journeys.steps.random_split import RandomSplit
from journeys.steps.update import TraitChange, Update

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
    "variant": gettext_lazy("At “%(step)s” the lot fell on the variant “%(arm)s”."),
    "timed_out": gettext_lazy("Nothing that “%(step)s” awaited came in time."),
    "branch": gettext_lazy("At “%(step)s” branch %(branch)s was taken, as %(rule)s."),
    "otherwise": gettext_lazy("At “%(step)s” no rule held: %(rule)s."),
    "exit_by_event": gettext_lazy("“%(event)s” came, which ends the journey."),
    "exit_by_rule": gettext_lazy("An exit rule held: %(rule)s."),
    "goal_by_event": gettext_lazy("“%(event)s” came, a goal of the journey: it was reached."),
    "expired": gettext_lazy("The run had been in the journey for as long as it lets anybody, and was ended."),
    "handed_over": gettext_lazy("At “%(step)s” the journey “%(journey)s” was asked to take them, and did."),
    "turned_away": gettext_lazy(
        "At “%(step)s” the journey “%(journey)s” was asked to take them, and did not: it is not live, they were sent "
        "on too often, or its refused entries say why."
    ),
    "granted": gettext_lazy("At “%(step)s” they were granted “%(entitlement)s”."),
    "already_held": gettext_lazy("At “%(step)s” they were not granted “%(entitlement)s”, as they had it already."),
    "limit_reached": gettext_lazy(
        "At “%(step)s” they were not granted “%(entitlement)s”, as it had been granted as often as it may be."
    ),
    "revoked": gettext_lazy("At “%(step)s” what was left of “%(entitlement)s” was taken back."),
    "nothing_held": gettext_lazy("At “%(step)s” nothing was left of “%(entitlement)s” that could be taken back."),
    "replied": gettext_lazy("At “%(step)s” the other system “%(connector)s” was asked, and replied."),
    "caught": gettext_lazy(
        "At “%(step)s” the other system “%(connector)s” was asked, which ended in “%(error)s”: branch %(branch)s of "
        "what is done about errors was taken."
    ),
    "call_failed": gettext_lazy(
        "At “%(step)s” the other system “%(connector)s” was asked, which ended in “%(error)s”; nothing caught that, "
        "and the run ended. Its dead letter can be replayed."
    ),
    "caught_unpermitted": gettext_lazy(
        "At “%(step)s” the other system “%(connector)s” was to be asked, but the person no longer permits what the "
        "journey is for: branch %(branch)s of what is done about errors was taken."
    ),
    "call_failed_unpermitted": gettext_lazy(
        "At “%(step)s” the other system “%(connector)s” was to be asked, but the person no longer permits what the "
        "journey is for; nothing caught that, and the run ended. Its dead letter can be replayed."
    ),
    "updated": gettext_lazy("At “%(step)s” something was said of the person: %(said)s."),
    "goal_by_rule": gettext_lazy("A goal of the journey was reached: %(rule)s."),
    "ended": gettext_lazy("The way ended at “%(step)s”."),
    "merged": gettext_lazy("The person turned out to be one with whom an elder run was live; that one goes on."),
    "unmerged": gettext_lazy("The merge was undone, and the run went on from where it had stood."),
    "superseded": gettext_lazy("The merge was undone; another run of the same key had begun, so this one stays ended."),
    "erased": gettext_lazy("The person was erased, and the run with what it held of them."),
    "restricted": gettext_lazy("The person asked that what is known of them be kept and not used."),
    "stopped": gettext_lazy("The journey was stopped, and with it everybody who was in it."),
    "moved": gettext_lazy(
        "Version %(version)s was published, and who stood at “%(step)s” of version %(former)s went on in it."
    ),
    "moved_anew": gettext_lazy(
        "Version %(version)s was published, and who stood at “%(step)s” of version %(former)s waits anew in it."
    ),
    "version_exit": gettext_lazy("A new version was published, and who stood at “%(step)s” was taken out."),
    "failed": gettext_lazy("The run was given up at “%(step)s” after five attempts; its dead letter says why."),
}


def explain_run(run: Run) -> tuple[Way, list[Move]]:
    """The whole way of a run, and the same in words."""
    way = load_way(run)
    return way, moves_in_words(way)


def moves_in_words(way: Way) -> list[Move]:
    return [_move(way, made) for made in way.moves]


def _move(way: Way, made: Transition) -> Move:
    steps, came = way.left[made.seq].steps, way.came[made.seq]
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
        step_to="" if made.step_to is None else came.steps[made.step_to].id,
        state=came.definition.states[made.state_to].name,
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
        "former": way.numbers.get(way.left[made.seq].id, ""),
        "version": way.numbers.get(way.came[made.seq].id, ""),
        "journey": "",
        "entitlement": "",
        "connector": "",
        **(before.named() if before else {}),
        "error": way.errors.get(made.seq) or _("an error that is not kept"),
        "said": _said(way, made, before),
    }
    text = str(_TEXTS[_wording(made, rule, way.errors.get(made.seq))] % values)
    by_event = made.event_id is not None
    outcome = of_exit(way.left[made.seq].definition, made.cause, made.branch, is_by_event=by_event)
    if not outcome:
        return text
    named = _("Its outcome is “%(outcome)s”.") % {"outcome": outcome}
    return f"{text} {named}"


def _said(way: Way, made: Transition, before: Step | None) -> str:
    """The changes as authored; the values said are with the event that told them."""
    if not isinstance(before, Update) or made.step_from is None:
        return ""
    changes = way.left[made.seq].definition.steps[made.step_from]["changes"]
    return "; ".join(row_words(struct_fields(TraitChange), change) for change in changes)


def _arm(before: Step | None, made: Transition) -> str:
    """On what the lot fell; the branch of a move by an exit is that of the exit, at whichever step it was."""
    if made.branch is None:
        return ""
    if isinstance(before, Message) and before.variants and made.cause == Cause.CONTINUED:
        return before.variants[made.branch].key
    return before.arms[made.branch].name if isinstance(before, RandomSplit) and made.cause == Cause.ARM else ""


def _wording(made: Transition, rule: Any, error: str | None) -> str:
    cause = Cause(made.cause)
    if error == "not_permitted":
        return f"{cause.name.lower()}_unpermitted"
    if cause == Cause.CONTINUED and made.branch is not None:
        return "variant"
    if cause == Cause.ENTERED:
        return "entered_by_rule" if rule else "entered"
    if cause in (Cause.EXIT, Cause.GOAL):
        return f"{cause.name.lower()}_by_{'event' if made.event_id is not None else 'rule'}"
    if cause == Cause.MOVED and (made.branch or 0) & WAIT_ANEW:
        return "moved_anew"
    return cause.name.lower()


def _named_by_definition(way: Way, made: Transition, before: Step | None) -> str:
    """The event's name as the definition has it, where the event itself is gone."""
    if made.cause == Cause.ENTERED:
        return way.left[made.seq].entry_event
    awaited = before.awaits() if before is not None and made.cause in _AWAITED else []
    if made.branch is not None and made.branch < len(awaited):
        return awaited[made.branch].event
    return _("an event")


def _rule(way: Way, made: Transition, before: Step | None, event: Event | None) -> dict[str, Any] | None:
    """The rule that decided this move, as authored; several that did not hold are shown as one."""
    definition = way.left[made.seq].definition
    if made.cause == Cause.ENTERED:
        return definition.entry.rule
    if made.cause in (Cause.EXIT, Cause.GOAL):
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
    """Of runs that ended before exits were numbered, the state tells which it was, where only one leads there."""
    definition = way.left[made.seq].definition
    if made.branch is not None:
        by_event = made.event_id is not None
        return definition.exit_events[made.branch].rule if by_event else definition.exit_rules[made.branch].rule
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
        on_the_way = made.cause in (Cause.ENTERED, Cause.BRANCH, Cause.OTHERWISE, *EXITS)
        return parse_rule(rule, WALK).traits, event_properties(rule) if on_the_way else set()
    if before is not None and made.cause == Cause.PAST:
        return before.traits(), set(before.properties())
    return (), set()
