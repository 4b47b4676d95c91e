"""Why an entry event started no run."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from analytics.why.consent import proof
from analytics.why.explanation import Explanation, Fact, Part, facts
from analytics.why.journey import event_part
from analytics.why.limits import limit_parts
from analytics.why.records import customer_profiles, load_events, load_proofs, load_schemas
from analytics.why.rules import in_words
from analytics.why.words import REFUSALS
from customers.models import EventPayload
from journeys.compiling import version
from journeys.models import EntryRefusal, JourneyVersion, Run

_Reason = EntryRefusal.Reason
_BY_CONSENT = (_Reason.NO_CONSENT, _Reason.PAUSED, _Reason.NO_ADDRESS)


def explain_refusal(refusal: EntryRefusal) -> Explanation:
    """Read what was kept about the refusal, and put it in order."""
    words = REFUSALS[refusal.reason]
    return Explanation(
        outcome="refused",
        reason=refusal.reason,
        verdict=" ".join((_("No run was started."), str(words.why))),
        would_have_allowed=words.allowed_if,
        parts=tuple(_parts(refusal)),
    )


def _parts(refusal: EntryRefusal) -> Iterator[Part]:
    yield _event(refusal)
    yield _journey(refusal)
    if refusal.reason in _BY_CONSENT:
        yield proof(
            "consent",
            _("Consent"),
            refusal.consent_entry_id,
            load_proofs([refusal.consent_entry_id]),
            none=_("No ledger entry decided: there was none for this purpose, or no address to hold one."),
        )
    if refusal.reason in (_Reason.ALREADY_LIVE, _Reason.NOT_AGAIN):
        yield _other_run(refusal)
    if refusal.reason == _Reason.EXIT_ALREADY_TRUE:
        yield _exit_rule(refusal)
    yield from limit_parts(refusal)


def _event(refusal: EntryRefusal) -> Part:
    events = load_events([(refusal.event_id, refusal.event_received_at)])
    event = events.get(refusal.event_id) if refusal.event_id is not None else None
    schemas = load_schemas(events.values())
    schema = schemas.get(event.schema_version_id) if event and event.schema_version_id else None
    said = None
    if event is not None:
        payload = EventPayload.objects.filter(pk=event.pk, received_at=event.received_at).first()
        content = payload.payload if payload else {}
        said = content.get("properties") or content.get("traits")
    return event_part(event, schema, version(refusal.version_id).entry_event, said)


def _journey(refusal: EntryRefusal) -> Part:
    of = JourneyVersion.objects.select_related("journey").get(pk=refusal.version_id)
    return Part(
        "journey",
        _("The journey"),
        _("“%(journey)s”, version %(number)s, looked at it.") % {"journey": of.journey.name, "number": of.number},
        at=refusal.at,
        facts=facts(
            Fact("journey", _("journey"), of.journey.name, ("journeys_journey", of.journey_id)),
            Fact("version", _("version"), of.number, ("journeys_journeyversion", of.pk)),
            Fact("entry_key", _("entry key"), refusal.entry_key),
            Fact("profile", _("profile"), str(refusal.profile_id), ("customers_profile", refusal.profile_id)),
        ),
    )


def _other_run(refusal: EntryRefusal) -> Part:
    title = _("The run in its way")
    run = _run_in_the_way(refusal)
    if run is None:
        return Part("run", title, "", not_kept=(_("Which run that was is not kept, or it is no longer there."),))
    return Part(
        "run",
        title,
        _("Run %(run)s of the same person and key.") % {"run": run.pk},
        at=run.entered_at,
        facts=facts(
            Fact("run", _("run"), run.pk, ("journeys_run", run.pk)),
            Fact("entered_at", _("entered at"), run.entered_at),
            Fact("ended_at", _("ended at"), run.ended_at),
        ),
    )


def _run_in_the_way(refusal: EntryRefusal) -> Run | None:
    if refusal.live_run_id is not None:
        return Run.objects.filter(pk=refusal.live_run_id).first()
    if refusal.reason != _Reason.NOT_AGAIN:
        return None
    # Entry memory has no run's id; the last one before is what it remembers.
    entered = Run.objects.filter(
        profile_id__in=customer_profiles(refusal.profile_id),
        journey_id=refusal.journey_id,
        entry_key=refusal.entry_key,
        entered_at__lte=refusal.at,
    )
    return entered.order_by("-entered_at", "-pk").first()


def _exit_rule(refusal: EntryRefusal) -> Part:
    rules = version(refusal.version_id).definition.exit_rules
    number = refusal.exit_rule
    kept = number is not None and number < len(rules)
    missing = [_("What the rule saw of the person's traits was not kept.")]
    if not kept:
        missing.insert(0, _("Which of the exit rules it was is not kept."))
    text = in_words(rules[number].rule) if kept and number is not None else ""
    return Part("exit_rule", _("The exit rule"), text, not_kept=tuple(missing))
