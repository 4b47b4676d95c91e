"""Why a message is as it is: from the event that brought the person in to the provider's answer."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from analytics.why.consent import proof
from analytics.why.explanation import Explanation, Fact, Part, facts
from analytics.why.journey import entered_by, journey_part, path
from analytics.why.pacing import pacing
from analytics.why.records import Records, load_message
from analytics.why.words import REASONS, STATES
from channels.models import Campaign, Message, Reason, Receipt
from consent.models import Purpose
from customers.personal import IDENTIFIER, TEXT
from journeys.compiling import version
from journeys.steps.message import Message as MessageStep

_State = Message.State
_HANDED_OVER = (_State.SENT, _State.DELIVERED, _State.OPENED, _State.CLICKED)
# Why there are no words; the detail then names what the author wrote, and is of no person.
_OF_TEMPLATE = (
    Reason.NOT_APPROVED,
    Reason.ABORTED,
    Reason.MISSING_FIELD,
    Reason.PULL_FAILED,
    Reason.TEMPLATE_ERROR,
    Reason.TEMPLATE_LIMIT,
)
_NEVER_TO_GO = (_State.SUPPRESSED, _State.CANCELLED, _State.EXPIRED)


def explain_message(message: Message) -> Explanation:
    """Read what was kept about the message, and put it in order."""
    return explain(load_message(message))


def explain(records: Records) -> Explanation:
    """A pure function of the rows that were loaded."""
    message = records.message
    words = REASONS.get(message.reason)
    return Explanation(
        outcome=message.state,
        reason=message.reason,
        verdict=f"{STATES[message.state]} {words.why if words else ''}".strip(),
        would_have_allowed=words.allowed_if if words else "",
        parts=tuple(_parts(records)),
    )


def _parts(records: Records) -> Iterator[Part]:
    message, way = records.message, records.way
    if way is not None:
        yield entered_by(way)
        yield journey_part(way, message.step_id, records.touchpoint)
        if way.context is not None:
            yield proof(
                "consent_at_entry",
                _("Consent at entry"),
                way.context.consent_entry_id,
                records.proofs,
                none=_no_guard(records),
            )
        yield path(way)
        if records.campaign is not None:
            yield _campaign(records.campaign)
    else:
        yield _origin(records)
    yield _address(records)
    yield proof(
        "consent_when_asked_for",
        _("Permission when it was asked for"),
        message.entry_consent_id,
        records.proofs,
        none=_no_entry(message),
    )
    yield _words(records)
    yield from _dispatch(records)
    yield _times(message)


def _no_guard(records: Records) -> str:
    entry = records.way.version.definition.entry if records.way else None
    if entry is not None and entry.guard == "none":
        return _("The journey lets people in without asking for consent: %(reason)s") % {"reason": entry.guard_reason}
    return _no_entry(records.message)


def _no_entry(message: Message) -> str:
    if message.reason == Reason.NO_ADDRESS:
        return _("Nothing was asked: there was no address.")
    kind = message.purpose.kind
    if kind == Purpose.Kind.SERVICE:
        return _("No ledger entry decided: what belongs to a service is allowed until it is withdrawn.")
    if kind == Purpose.Kind.LEGAL:
        return _("No ledger entry decided: what is owed by law needs no consent.")
    return _("No ledger entry decided: there was none for this purpose.")


def _campaign(campaign: Campaign) -> Part:
    return Part(
        "campaign",
        _("The campaign"),
        _("It is counted for the campaign that its journey serves now."),
        facts=(_of_campaign(campaign),),
    )


def _of_campaign(campaign: Campaign) -> Fact:
    return Fact("campaign", _("campaign"), campaign.name, ("channels_campaign", campaign.pk))


def _origin(records: Records) -> Part:
    message, broadcast, campaign = records.message, records.broadcast, records.campaign
    gone = {
        Message.Origin.RUN: _("The run it comes from is no longer there."),
        Message.Origin.BROADCAST: _("The broadcast it comes from is no longer there."),
    }
    return Part(
        "origin",
        _("Where it comes from"),
        _("Asked for by: %(origin)s.") % {"origin": message.get_origin_kind_display()},
        at=message.created_at,
        facts=facts(
            Fact("origin_kind", _("origin"), message.origin_kind),
            Fact("origin_id", _("origin id"), message.origin_id),
            *(
                [Fact("broadcast", _("broadcast"), broadcast.name, ("channels_broadcast", broadcast.pk))]
                if broadcast
                else ()
            ),
            *([_of_campaign(campaign)] if campaign else ()),
        ),
        not_kept=(gone[origin],)
        if broadcast is None and (origin := Message.Origin(message.origin_kind)) in gone
        else (),
    )


def _address(records: Records) -> Part:
    message = records.message
    title = _("The address")
    if message.address_id is None:
        return Part("address", title, _("None was known for this channel."))
    why, at = _chosen(message)
    value = message.address.value if message.address else None
    return Part(
        "address",
        title,
        why,
        at=at,
        facts=facts(
            Fact("address", _("address"), value, ("customers_address", message.address_id), IDENTIFIER),
            Fact("channel", _("channel"), message.get_channel_display()),
            Fact("addresses_known", _("addresses known"), message.addresses_known),
            Fact("profile", _("profile"), str(message.profile_id), ("customers_profile", message.profile_id)),
            *(
                Fact("suppression", _("suppression"), one.get_reason_display(), ("consent_suppression", one.pk))
                for one in records.suppressions
            ),
        ),
        not_kept=() if value is not None else (_("The address itself was erased."),),
    )


def _chosen(message: Message) -> tuple[str, datetime | None]:
    if message.addresses_known is None:
        return _("Which others there were was not kept."), None
    if message.addresses_known == 1:
        return _("The only one known for this channel."), message.address_verified_at or message.address_seen_at
    if message.reason and message.state == _State.SUPPRESSED and message.settled_at == message.created_at:
        return _("None of those known was permitted; this one came first among them."), None
    if message.channel == "push":
        return _("Push goes to every permitted device; this is one of them."), message.address_seen_at
    if message.address_verified_at is not None:
        return _("Of those permitted, the one last verified."), message.address_verified_at
    return _("Of those permitted none was verified; this one was seen last."), message.address_seen_at


def _words(records: Records) -> Part:
    message, variant = records.message, _variant(records)
    version = message.template_version
    if message.locale:
        text = _("Made from version %(number)s of “%(template)s”, in its text for “%(locale)s”.")
    else:
        text = _("To be made from version %(number)s of “%(template)s”.")
    values = {"number": version.number, "template": version.template.name, "locale": message.locale}
    said = text % values
    if variant:
        drawn = _("It is variant “%(variant)s” of “%(step)s”, on which the lot fell.")
        said = f"{said} {drawn % {'variant': variant, 'step': message.step_id}}"
    asked = (_State.SENT, _State.DELIVERED, _State.OPENED, _State.CLICKED, _State.UNKNOWN)
    missing = message.state in asked and not message.locale
    return Part(
        "words",
        _("The words"),
        said,
        facts=facts(
            Fact("template", _("template"), version.template.name, ("channels_template", version.template_id)),
            Fact("template_version", _("version"), version.number, ("channels_templateversion", version.pk)),
            Fact("locale", _("language"), message.locale),
            Fact("variant", _("variant"), variant),
        ),
        not_kept=(_("In which language was not kept."),) if missing else (),
    )


def _variant(records: Records) -> str:
    """Of a step that has variants, the one that was drawn: by the move which left the step at this visit."""
    way = records.way
    left = [one for one in way.moves if one.seq == records.message.visit + 1] if way else []
    if way is None or not left or left[0].branch is None or left[0].step_from is None:
        return ""
    step = way.left[left[0].seq].steps[left[0].step_from]
    return step.variants[left[0].branch].key if isinstance(step, MessageStep) and step.variants else ""


def _dispatch(records: Records) -> Iterator[Part]:
    """What happened when it was to go; nothing, while it waits or where it was refused before."""
    message = records.message
    decision = message.decision or {}
    if isinstance(decision.get("pacing"), dict):
        yield pacing(decision["pacing"])
    if decision.get("guards") is not None or records.deciding is not None:
        yield _guards(records)
    if records.other_message is not None:
        yield _copy(records.other_message)
    if records.stops:
        yield _stops(records)
    if message.send_consent_id is not None or message.state in _HANDED_OVER:
        yield proof(
            "consent_at_send",
            _("Permission when it was to go"),
            message.send_consent_id,
            records.proofs,
            none=_no_entry(message),
        )
    if message.reason in _OF_TEMPLATE:
        yield _no_words(message)
    elif message.attempts or message.provider_id or message.detail:
        yield _provider(message)
    if records.receipts:
        yield _told(records.receipts)


def _no_words(message: Message) -> Part:
    """What its template said: names of fields, places in it, or the reason that its author gave."""
    return Part(
        "no_words",
        _("Why it has no words"),
        _("None were made of it."),
        at=message.settled_at,
        facts=facts(
            Fact("detail", _("what the template says"), message.detail),
        ),
    )


def _told(receipts: Sequence[Receipt]) -> Part:
    """What the provider told afterwards, in the order in which it happened."""
    by_machine = _("%(what)s, by a machine")
    return Part(
        "receipts",
        _("What the provider told later"),
        _("Each moves the message on and never back."),
        at=receipts[-1].at,
        facts=facts(
            *(
                Fact(
                    f"receipt_{n}",
                    by_machine % {"what": one.get_happened_display()} if one.is_machine else one.get_happened_display(),
                    one.at,
                )
                for n, one in enumerate(receipts, 1)
            ),
            Fact("code", _("code"), next((one.code for one in reversed(receipts) if one.code), None)),
        ),
    )


def _guards(records: Records) -> Part:
    decision = records.message.decision or {}
    asked_at = decision.get("asked_at")
    reference = decision.get("event") or {}
    refused = records.message.reason in (Reason.ACTED, Reason.ENDED, Reason.MERGED, Reason.MOVED)
    found = records.deciding
    watched = _watched(records)
    return Part(
        "guards",
        _("The last look before it was to go"),
        _("A guard refused it.") if refused else _("The guards were asked last, and none objected."),
        at=datetime.fromisoformat(asked_at) if asked_at else None,
        facts=facts(
            Fact("guards", _("guards asked"), ", ".join(decision.get("guards") or ())),
            Fact("watched", _("events that would have made it needless"), ", ".join(watched)),
            Fact(
                "event",
                _("event that decided"),
                reference.get("name"),
                ("customers_event", found.pk) if found is not None else None,
            ),
            Fact("event_id", _("its id"), found.pk if found is not None else None),
            Fact("event_occurred_at", _("it occurred at"), found.occurred_at if found is not None else None),
        ),
        not_kept=(_("The event itself is no longer there."),) if reference and found is None else (),
    )


def _watched(records: Records) -> list[str]:
    if records.watch is None or records.way is None:
        return []
    return sorted({match.event for match in version(records.watch.version_id).cancels(records.watch.step)})


def _copy(other: Message) -> Part:
    return Part(
        "copy",
        _("The other copy"),
        _("The address had this message by another way."),
        at=other.settled_at,
        facts=(Fact("other_message", _("message"), str(other.pk), ("channels_message", other.pk)),),
    )


def _stops(records: Records) -> Part:
    stop = records.stops[0]
    return Part(
        "stop",
        _("The stop"),
        stop.reason or _("No reason was given for it."),
        at=stop.stopped_at,
        facts=(Fact("stop", _("stop"), stop.pk, ("channels_sendstop", stop.pk)),),
    )


def _provider(message: Message) -> Part:
    answers = {state: _("It took the message.") for state in _HANDED_OVER} | {
        _State.UNKNOWN: _("No answer: it may or may not have been taken."),
        _State.FAILED: _("It was not taken."),
    }
    return Part(
        "provider",
        _("The provider"),
        answers.get(_State(message.state), _("Not taken so far.")),
        at=message.settled_at,
        facts=facts(
            Fact("connector", _("connector"), message.connector.name, ("channels_connector", message.connector_id)),
            Fact("provider", _("provider"), message.connector.provider),
            Fact("provider_id", _("provider's id"), message.provider_id),
            Fact("attempts", _("attempts"), message.attempts),
            Fact("detail", _("its answer"), message.detail, personal=TEXT),
        ),
    )


def _times(message: Message) -> Part:
    ended = message.state in _NEVER_TO_GO or message.settled_at is not None
    return Part(
        "times",
        _("Times"),
        _("It is settled.") if ended else _("It is not settled yet."),
        facts=facts(
            Fact("created_at", _("asked for at"), message.created_at),
            Fact("due_at", _("due at"), message.due_at),
            Fact("expires_at", _("not later than"), message.expires_at),
            Fact("settled_at", _("sent or settled at"), message.settled_at),
            Fact("crashes", _("crashes"), message.crashes or None),
        ),
    )
