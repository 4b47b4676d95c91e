"""What brought a run in, by which journey, and how it came to where it is: shared by all explanations."""

from django.utils.translation import gettext as _

from analytics.why.explanation import Fact, Part, facts
from analytics.why.records import Way
from analytics.why.run import moves_in_words
from customers.models import Event, SchemaVersion
from customers.personal import DOCUMENT
from journeys.models import JourneyVersion, Touchpoint


def event_part(event: Event | None, schema: SchemaVersion | None, name: str, said: dict[str, object] | None) -> Part:
    """The event that began it. `said` is what was kept of its properties by whoever decided."""
    title = _("The event")
    if event is None:
        text = _("“%(event)s”, which is no longer there.") % {"event": name}
        return Part("event", title, text, facts=facts(_said(said)), not_kept=(_("The event was removed since."),))
    return Part(
        "event",
        title,
        _("“%(event)s” came from %(source)s.") % {"event": event.name, "source": event.source.name},
        at=event.occurred_at,
        facts=facts(
            Fact("event", _("event"), event.name, ("customers_event", event.pk)),
            Fact("event_id", _("event id"), event.pk),
            Fact("message_id", _("the source's message id"), event.message_id),
            Fact("source", _("source"), event.source.name, ("customers_source", event.source_id)),
            Fact(
                "schema_version",
                _("schema version"),
                str(schema) if schema else _("none: the event was not planned"),
                ("customers_schemaversion", schema.pk) if schema else None,
            ),
            Fact("occurred_at", _("occurred at"), event.occurred_at),
            Fact("received_at", _("received at"), event.received_at),
            _said(said),
        ),
    )


def _said(said: dict[str, object] | None) -> Fact:
    return Fact("properties", _("its properties, as kept"), said, personal=DOCUMENT)


def entered_by(way: Way) -> Part:
    event = way.entry_event
    schema = way.schemas.get(event.schema_version_id) if event and event.schema_version_id else None
    said = way.context.variables if way.context else None
    return event_part(event, schema, way.version.entry_event, said)


def journey_part(way: Way, step_id: str, touchpoint: Touchpoint | None) -> Part:
    """Journey, version, step, and the place on the journey map."""
    version: JourneyVersion = way.run.version
    if way.version.id != version.pk:
        version = JourneyVersion.objects.select_related("published_by").get(pk=way.version.id)
    text = _("Run %(run)s of “%(journey)s”, version %(number)s, at step “%(step)s”.")
    values = {"run": way.run.pk, "journey": way.run.journey.name, "number": version.number, "step": step_id}
    by = version.published_by
    return Part(
        "journey",
        _("The journey"),
        text % values,
        at=way.run.entered_at,
        facts=facts(
            Fact("journey", _("journey"), way.run.journey.name, ("journeys_journey", way.run.journey_id)),
            Fact("version", _("version"), version.number, ("journeys_journeyversion", version.pk)),
            Fact("published_at", _("published at"), version.published_at),
            Fact("published_by", _("published by"), by.get_username() if by else None),
            Fact("run", _("run"), way.run.pk, ("journeys_run", way.run.pk)),
            Fact("entry_key", _("entry key"), way.run.entry_key),
            Fact("step", _("step"), step_id),
            Fact("touchpoint", _("touchpoint"), _place(touchpoint)),
        ),
    )


def _place(touchpoint: Touchpoint | None) -> str | None:
    return f"{touchpoint.name} ({touchpoint.stage} × {touchpoint.channel})" if touchpoint else None


def path(way: Way) -> Part:
    moves = moves_in_words(way)
    left_out = (_("The first %(count)s moves are not shown here.") % {"count": way.left_out},) if way.left_out else ()
    return Part(
        "path",
        _("The way so far"),
        _("How the run came to ask for this message, move by move."),
        moves=tuple(moves),
        not_kept=left_out,
    )
