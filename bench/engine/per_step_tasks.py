"""The obvious design: a Celery task per step and customer, which locks its run, moves it once and calls the next.

Waits are over at once, so that only the work is timed. Rules are evaluated; of consent, exits and re-checks it
does nothing, so it does less than our engine, not more.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from bench.journey import SIGN_UP, T0
from bench.worker import app
from channels.models import Message, MessageContent
from customers.models import AddressProfile, Customer
from customers.rules import Facts
from journeys.compiling import version
from journeys.models import CancelWatch, Cause, EntryMemory, RuleInputs, Run, RunContext, Transition
from journeys.steps.base import End, Go, Here, Outcome, Wait
from journeys.version import Version


@app.task(name="bench.enter")
def enter(version_id: int, n: int) -> None:
    """Person number `n` enters."""
    of = version(version_id)
    profile = UUID(f"00000000-0000-7000-8000-{n:012x}")
    with transaction.atomic():
        run = Run.objects.create(
            journey_id=of.journey_id, version_id=of.id, customer_id=profile, profile_id=profile, step=0,
            state=of.state_of[0], seq=1, entered_at=T0, stepped_at=T0, due_at=T0,
        )  # fmt: skip
        RunContext.objects.create(
            run_id=run.pk, event_id=n, event_received_at=T0, occurred_at=T0, message_id=f"{SIGN_UP}{n}",
            consent_entry_id=n, variables=_variables(n),
        )  # fmt: skip
        EntryMemory.objects.create(journey_id=of.journey_id, profile_id=profile, last_entered_at=T0)
        Transition.objects.create(
            run_id=run.pk, seq=1, at=T0, step_to=0, state_to=run.state, cause=Cause.ENTERED, event_id=n,
            event_received_at=T0,
        )  # fmt: skip
    take_step.delay(run.pk, n % 2 == 0)


def _variables(n: int) -> dict[str, Any]:
    return {"plan": "pro", "referred": n % 2 == 0, "campaign": "spring", "page": "/sign-up", "ref": n}


@app.task(name="bench.take_step")
def take_step(run_id: int, logs_in: bool) -> None:
    """Move the run by one step; whoever `logs_in` does so while the hold waits."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        of = version(run.version_id)
        outcome = _outcome(run, of, logs_in)
        if isinstance(outcome, Go):
            _go(run, of, outcome)
        if isinstance(_arrival(run, of), End):
            _finish(run)
        run.save()
    if run.status == Run.Status.ACTIVE:
        take_step.delay(run_id, logs_in)


def _outcome(run: Run, of: Version, logs_in: bool) -> Outcome:
    step = of.steps[run.step]
    if step.awaits() and logs_in:
        return step.resume(0)
    here = Here(_facts(run, of), T0, of.enter_rules[run.step], run)
    return step.due(here) if step.waits else step.enter(here)


def _facts(run: Run, of: Version) -> Facts:
    if not of.enter_rules[run.step]:
        return Facts(traits={}, properties={})
    traits = Customer.objects.values_list("traits", flat=True).get(pk=run.customer_id)
    RuleInputs.objects.create(run_id=run.pk, seq=run.seq + 1, traits={n: traits[n] for n in of.traits_asked[run.step]})
    return Facts(traits=traits, properties=RunContext.objects.get(pk=run.pk).variables)


def _go(run: Run, of: Version, go: Go) -> None:
    if go.sends:
        _send(run, of)
    if go.cause is Cause.TIMED_OUT:
        run.timed_out_step = run.step
    to = of.index[go.to]
    run.seq += 1
    resumed = {"event_id": run.pk, "event_received_at": T0} if go.cause is Cause.EVENT else {}
    Transition.objects.create(
        run_id=run.pk, seq=run.seq, at=T0, step_from=run.step, step_to=to, state_to=of.state_of[to], cause=go.cause,
        branch=go.branch, **resumed,
    )  # fmt: skip
    run.step, run.state, run.stepped_at = to, of.state_of[to], T0


def _arrival(run: Run, of: Version) -> Outcome:
    """What awaits the run at the step it has come to; a wait's end is noted."""
    step = of.steps[run.step]
    if step.sends_message:
        return Wait(T0)
    here = Here(Facts(traits={}, properties={}), T0, of.enter_rules[run.step], run)
    outcome = step.enter(here)
    if isinstance(outcome, Wait):
        run.due_at = outcome.until
    return outcome


def _finish(run: Run) -> None:
    run.status, run.due_at, run.ended_at = Run.Status.COMPLETED, None, T0
    EntryMemory.objects.filter(journey_id=run.journey_id, profile_id=run.profile_id).update(last_ended_at=T0)


def _send(run: Run, of: Version) -> None:
    sending = of.sendings[run.step]
    known = AddressProfile.objects.filter(profile__customer_id=run.customer_id).get()
    message = Message.objects.create(
        brand_id=of.brand_id, origin_kind=Message.Origin.RUN, origin_id=str(run.pk), visit=run.seq,
        copy_key=sending.copy_key, scope_id=of.journey_id, channel=sending.channel,
        connector_id=sending.connector_id, template_version_id=sending.template_version_ids[0],
        purpose_id=sending.purpose_id, profile_id=known.profile_id, address_id=known.address_id, created_at=T0,
        due_at=T0, expires_at=T0 + timedelta(hours=24), entry_consent_id=run.pk, state=Message.State.QUEUED,
    )  # fmt: skip
    MessageContent.objects.create(message_id=message.pk, context=_variables(run.pk))
    if run.timed_out_step is not None:
        CancelWatch.objects.create(message_id=message.pk, run_id=run.pk, version_id=of.id, step=run.timed_out_step)
