"""The run's page: its way as a timeline, and the messages it asked for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from analytics.admin.shown import Links, Value, see_as, shown_moves, shown_parts, value_of
from analytics.why import explain_run
from analytics.why.consent import proof
from analytics.why.explanation import Explanation
from analytics.why.journey import entered_by
from analytics.why.late import late_events
from analytics.why.records import Way, load_proofs
from channels.models import Message
from customers.admin.presented import drawn, present
from customers.models import UnitAttempt
from customers.visibility import sees_pii
from journeys.models import EntryMemory, Run

_MOST_MESSAGES = 100
_TONES = {Run.Status.ACTIVE: "info", Run.Status.COMPLETED: "good", Run.Status.FAILED: "bad"}


def page(admin: Any, request: HttpRequest, run: Run) -> HttpResponse:
    loaded = Run.objects.select_related("journey__brand", "version__published_by").get(pk=run.pk)
    way, moves = explain_run(loaded)
    links, masked = Links(request), not sees_pii(request.user, loaded.journey.brand_id)
    messages = see_as(request)(Message).filter(origin_kind=Message.Origin.RUN, origin_id=str(run.pk))
    return drawn(
        admin, request, run, "admin/analytics/run.html",
        _("Run %(run)s of %(journey)s") % {"run": run.pk, "journey": loaded.journey.name},
        run=loaded,
        status=Run.Status(loaded.status).label,
        tone=_TONES.get(Run.Status(loaded.status), "warn"),
        standing=_standing(way, links),
        moves=shown_moves(moves, links, masked),
        left_out=way.left_out,
        late=[(one, links.to(("customers_event", one.event.pk))) for one in late_events(way)],
        parts=shown_parts(_beginning(way), loaded.journey.brand_id, request),
        asked_for=[
            (one, links.to(("channels_message", one.pk)))
            for one in messages.select_related("template_version__template").order_by("visit", "pk")[:_MOST_MESSAGES]
        ],
    )  # fmt: skip


def _standing(way: Way, links: Links) -> list[Value]:
    run, version = way.run, way.version
    memory = EntryMemory.objects.filter(
        journey_id=run.journey_id, profile_id=run.profile_id, entry_key=run.entry_key
    ).first()
    found = [
        value_of(_("journey"), run.journey.name, links.to(("journeys_journey", run.journey_id))),
        value_of(_("version"), run.version.number, links.to(("journeys_journeyversion", run.version_id))),
        value_of(_("customer"), str(run.customer_id), links.to(("customers_customer", run.customer_id))),
        value_of(_("entry key"), run.entry_key),
        value_of(_("step"), version.steps[run.step].id),
        value_of(_("state"), version.definition.states[run.state].name),
        value_of(_("entered at"), run.entered_at),
        value_of(_("at this step since"), run.stepped_at),
        value_of(_("due at"), run.due_at),
        value_of(_("ends at the latest"), None if run.ended_at else run.ends_at),
        value_of(_("ended at"), run.ended_at),
        value_of(_("last entered by this key"), memory.last_entered_at if memory else None),
    ]
    return [one for one in found + _trouble(run) if one.value not in ("", _("nothing"))]


def _trouble(run: Run) -> list[Value]:
    """A run that failed waits here to be tried alone; five times, then it is given up."""
    tries = UnitAttempt.objects.filter(queue="advance", unit_id=run.pk).first()
    if tries is None:
        return []
    return [value_of(_("failed attempts"), tries.attempts), value_of(_("next attempt at"), tries.next_at)]


def _beginning(way: Way) -> Explanation:
    """What let the run in: its event and the consent."""
    consent_id = way.context.consent_entry_id if way.context else None
    consent = proof(
        "consent_at_entry",
        _("Consent at entry"),
        consent_id,
        load_proofs([consent_id]),
        none=_("No ledger entry was asked for, or none decided."),
    )
    return Explanation("", "", "", "", (entered_by(way), consent))


present(Run, page)
