"""What journeys keep of people: their runs and what rules looked at; an erasure ends the runs that are going on."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from channels.models import Message, Reason
from channels.outbox import cancel_unsent
from customers import jobs
from customers.pg import raw_cursor
from customers.privacy.patterns import mentions
from customers.privacy.phrases import named_in, namespace_of
from customers.privacy.stores import KEEP, Basis, Rank, Spoken, Store, Table
from customers.privacy.subject import Subject
from journeys.engine.ending import end_all
from journeys.engine.runs import lock_live
from journeys.models import (
    Call,
    CallContent,
    CallListRow,
    CancelWatch,
    Cause,
    EntryMemory,
    EntryRefusal,
    RecheckItem,
    RuleInputs,
    Run,
    RunContext,
    SimulatedEvents,
    Transition,
    Variable,
)

_OWN: Final = "t.profile_id = ANY(%(profiles)s)"
_OF_RUNS: Final = "t.run_id IN (SELECT r.id FROM journeys_run r WHERE r.profile_id = ANY(%(profiles)s))"
_OF_CALLS: Final = "t.call_id IN (SELECT c.id FROM journeys_call c WHERE c.profile_id = ANY(%(profiles)s))"
_WHOSE_CALL: Final = "(SELECT c.profile_id FROM journeys_call c WHERE c.id = t.call_id)"
_WHOSE: Final = "(SELECT r.profile_id FROM journeys_run r WHERE r.id = t.run_id)"
_JOURNEY: Final = "(SELECT j.name FROM journeys_journey j WHERE j.id = t.journey_id)"
# A file is nobody's source: whatever namespace a name is of, it may be meant.
_SIMULATED: Final = mentions("t.data", "u.space")
_JOB_OF: Final = "(SELECT s.job_id FROM journeys_simulation s WHERE s.id = t.simulation_id)"
_LOCK: Final = "SELECT id FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE"


def end_runs(subject: Subject, now: datetime) -> int:
    """End what goes on with them: nothing more follows from it. How many runs it were."""
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(_LOCK, [list(subject.customers)])
        runs = (run for run, _began in lock_live(cursor, "profile_id", subject.profiles))
        ended = [str(run.id) for run in end_all(cursor, runs, Cause.ERASED, now)]
        cancel_unsent(cursor, Message.Origin.RUN.value, ended, Reason.ERASED.value, now)
    return len(ended)


_LIST_NAMESPACE: Final = """
    (SELECT s.namespace FROM journeys_calllist l JOIN journeys_journey j ON j.id = l.journey_id
     JOIN customers_source s ON s.brand_id = j.brand_id WHERE l.id = t.parent_id ORDER BY s.namespace LIMIT 1)
"""
_ON_LIST: Final = f"({_OWN} OR {named_in('t.value', 't.data::text', namespace=_LIST_NAMESPACE)})"


def stop_calls(subject: Subject, now: datetime) -> int:
    """Take calls that somebody had in hand for calls that nobody has any more."""
    held = Call.objects.filter(profile_id__in=subject.profiles, state=Call.State.CALLING)
    return held.update(state=Call.State.LEFT, settled_at=now, lease_token=None)


def stop_simulations(subject: Subject, now: datetime) -> int:
    """Stop what is at work with events handed in that name them, which takes these away."""
    with raw_cursor() as cursor:
        cursor.execute(f"SELECT {_JOB_OF} FROM journeys_simulatedevents t WHERE {_SIMULATED}", subject.values())
        found = [row[0] for row in cursor.fetchall()]
    return sum(jobs.cancel(one, now) for one in found)


STORES: Final = (
    Store(
        "call_lists",
        _("lists of people to call"),
        _("Whom somebody of the staff named to be called into a journey."),
        Basis.INTEREST,
        Rank.QUEUES,
        (
            Table(
                CallListRow,
                _ON_LIST,
                {
                    "journey": "(SELECT j.name FROM journeys_calllist l JOIN journeys_journey j ON j.id = l.journey_id"
                    " WHERE l.id = t.parent_id)",
                    "row": "t.line",
                    "named": "t.value",
                    "content": "t.data",
                },
            ),
        ),
        kept="call_lists",
    ),
    Store(
        "runs",
        _("journeys"),
        _("Where somebody stands in a journey, why, and where they have been."),
        Basis.INTEREST,
        Rank.RUNS,
        (
            Table(RecheckItem, _OF_RUNS),
            Table(CancelWatch, _OF_RUNS),
            Table(
                RuleInputs,
                _OF_RUNS,
                {"run": "t.run_id", "move": "t.seq", "traits": "t.traits", "facts": "t.facts"},
            ),
            Table(
                Variable,
                _OF_RUNS,
                {
                    "run": "t.run_id",
                    "move": "t.seq",
                    "variable": "t.name",
                    "value": "coalesce(t.text, t.number::text, t.boolean::text, t.moment::text)",
                },
            ),
            Table(
                RunContext,
                _OF_RUNS,
                {"run": "t.run_id", "occurred_at": "t.occurred_at", "variables": "t.variables"},
                {"variables": "'{}'::jsonb", "message_id": "''"},
            ),
            Table(
                Transition,
                _OF_RUNS,
                {"run": "t.run_id", "move": "t.seq", "at": "t.at"},
                KEEP,
            ),
            Table(
                Run,
                _OWN,
                {
                    "run": "t.id",
                    "journey": _JOURNEY,
                    "entry_key": "t.entry_key",
                    "entered_at": "t.entered_at",
                    "ended_at": "t.ended_at",
                },
                {"entry_key": "''"},
            ),
            Table(
                EntryMemory,
                _OWN,
                {
                    "journey": _JOURNEY,
                    "entry_key": "t.entry_key",
                    "last_entered_at": "t.last_entered_at",
                    "last_ended_at": "t.last_ended_at",
                },
            ),
            Table(
                EntryRefusal,
                _OWN,
                {"journey": _JOURNEY, "entry_key": "t.entry_key", "reason": "t.reason", "at": "t.at"},
                {"entry_key": "''"},
            ),
        ),
        kept_words=_("without an end: numbers of journeys follow from it"),
        note=_(
            "Live runs end as erased. That somebody went this way stays, without a name and without what they said."
        ),
        act=end_runs,
        spoken=(
            Spoken(RuleInputs, ("traits",), namespace_of(_WHOSE)),
            Spoken(Variable, ("text",), namespace_of(_WHOSE)),
            Spoken(RunContext, ("variables",), namespace_of(_WHOSE)),
        ),
    ),
    Store(
        "simulated_events",
        _("events handed in for simulations"),
        _("To play a journey over what happened elsewhere."),
        Basis.INTEREST,
        Rank.DOORS,
        (
            Table(
                SimulatedEvents,
                _SIMULATED,
                {"handed_in_at": "(SELECT s.created_at FROM journeys_simulation s WHERE s.id = t.simulation_id)"},
            ),
        ),
        kept_words=_("as long as the simulation is at work"),
        note=_("A simulation over events that name the subject is stopped, which takes the events away."),
        act=stop_simulations,
    ),
    Store(
        "calls",
        _("calls of other systems"),
        _("What journeys told other systems of somebody, and what those replied."),
        Basis.INTEREST,
        Rank.RUNS,
        (
            Table(
                CallContent,
                _OF_CALLS,
                {
                    "call": "t.call_id",
                    "path": "t.target",
                    "headers": "t.headers",
                    "body": "t.body",
                    "reply": "t.reply",
                    "variables": "t.gave",
                },
            ),
            Table(
                Call,
                _OWN,
                {"call": "t.id", "run": "t.run_id", "journey": _JOURNEY, "state": "t.state", "at": "t.created_at"},
                KEEP,
                blocked="t.state = 'calling'",
            ),
        ),
        kept="call_contents",
        stop=stop_calls,
        note=_("That a call was made, when and how it went stays; what was said goes."),
        spoken=(Spoken(CallContent, ("target", "headers", "body", "reply", "gave"), namespace_of(_WHOSE_CALL)),),
    ),
)
