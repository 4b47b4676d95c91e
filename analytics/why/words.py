"""Reasons in sentences: why not, and what would have allowed it."""

from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from analytics.why.explanation import Text
from channels.models import Message, Reason
from journeys.models import EntryRefusal


class Words(NamedTuple):
    why: Text
    allowed_if: Text


State = Message.State

# What happened, where nothing more is to be said than the state.
STATES: Final[dict[str, Text]] = {
    State.QUEUED: _("It is waiting for its time."),
    State.HELD: _("It is held back for now."),
    State.LEASED: _("A worker has it in hand."),
    State.DISPATCHING: _("It is being handed to the provider."),
    State.SENT: _("It was sent: the provider took it."),
    State.DELIVERED: _("It was sent and delivered."),
    State.OPENED: _("It was sent, delivered and opened."),
    State.CLICKED: _("It was sent, delivered and clicked."),
    State.SUPPRESSED: _("It was not sent, because it was not permitted."),
    State.FAILED: _("It was not sent, because it could not be."),
    State.UNKNOWN: _("Nobody knows whether it was sent."),
    State.EXPIRED: _("It was not sent, because it was too late."),
    State.CANCELLED: _("It was not sent, because it was no longer needed."),
}

REASONS: Final[dict[str, Words]] = {
    Reason.NO_ADDRESS: Words(
        _("No address of the person was known for this channel."),
        _("An address for this channel, known before the run came to this step."),
    ),
    Reason.NOT_SERVED: Words(
        _("The connector does not speak to this address, or no longer: it is of another app, browser or key."),
        _("A connector that reaches it, or a browser that subscribes anew."),
    ),
    Reason.NO_CONSENT: Words(
        _("The person had given no consent for this purpose."),
        _("A consent for this purpose, given before the message was asked for and in force when it was to go."),
    ),
    Reason.WITHDRAWN: Words(
        _("The person had withdrawn their consent."),
        _(
            "No withdrawal; or a later consent of the person, which outweighs it where it is proven by log-in or "
            "double opt-in."
        ),
    ),
    Reason.CONSENT_EXPIRED: Words(
        _("The consent had expired."),
        _("A consent that was renewed before it expired."),
    ),
    Reason.TOO_YOUNG: Words(
        _("By the birth date that is known, the person was too young to agree for themselves when they did."),
        _(
            "A parent’s consent, recorded with such a basis (lgpd:14:1, gdpr:8:1 or app:parent); or one given at the "
            "age that the law of their country asks for."
        ),
    ),
    Reason.BASIS_ELSEWHERE: Words(
        _("The legal basis recorded with the consent is none under the law that the person is under."),
        _("A consent; or a basis recorded for the law of the person’s country, else for that of the purpose."),
    ),
    Reason.NOT_INFORMED: Words(
        _("It is not known which notice the person was shown, and the law that they are under asks for it."),
        _("A consent that names the version of the notice that was shown."),
    ),
    Reason.CONSENT_UNSETTLED: Words(
        _(
            "A consent of the person could not be applied and waits for somebody to look at it; until then nothing is "
            "sent that needs consent."
        ),
        _("The dead letter of that consent replayed or settled beforehand."),
    ),
    Reason.PAUSED: Words(
        _("The person had asked to be left in peace for a while."),
        _("A pause that had ended, or had been ended by the person; or a purpose that is owed by law."),
    ),
    Reason.TOO_OFTEN: Words(
        _("The person wants marketing less often: another had gone to the address within their time."),
        _("No other marketing of the brand in that time; or a later not-later-than time, to be held till then."),
    ),
    Reason.CAPPED: Words(
        _("The person had as many messages lately as a cap allows."),
        _("Fewer messages in the span of the cap; or a later not-later-than time, to be held till then."),
    ),
    Reason.QUIET_HOURS: Words(
        _("It was at an hour of the person’s own day at which nothing of this kind is sent."),
        _("A moment outside quiet hours, within the hours for sending and before the not-later-than time."),
    ),
    Reason.SUPPRESSED: Words(
        _("The address is on the suppression list; nothing goes there, whatever was granted."),
        _("No suppression of this address, or one lifted beforehand."),
    ),
    Reason.RESTRICTED: Words(
        _("The person asked that what is known of them be kept and not used."),
        _("The restriction lifted beforehand."),
    ),
    Reason.ADDRESS_DUPLICATE: Words(
        _("The address, or the person as another recipient, had this same message or was just to have it."),
        _("Another address; or no message of this step to the same address in the hours before."),
    ),
    Reason.WINDOW_CLOSED: Words(
        _("WhatsApp takes free words for 24 hours after the person wrote, and this one has no approved template."),
        _("An approved template in the text, or a message of the person within the 24 hours before."),
    ),
    Reason.ACTED: Words(
        _("The person did what the message was to bring about before it went out."),
        _("The event that decided not having arrived before the message went out."),
    ),
    Reason.ENDED: Words(
        _("The run had been ended by an exit, or by its age, before the message went out."),
        _("The run still going on, or completed, when the message was to go."),
    ),
    Reason.MERGED: Words(
        _("The run was merged into an elder one of the same person; that one goes on in its place."),
        _("Two profiles not found to be one person, or no elder run of this key."),
    ),
    Reason.MOVED: Words(
        _("A new version was published, and who stood here was moved to it without the messages still to go."),
        _("The publication keeping the messages of this step, or leaving its people on their version."),
    ),
    Reason.STOPPED: Words(
        _("Sending was stopped by hand for the journey, the connector or the brand."),
        _("The stop released; it is looked at again each minute until its not-later-than time."),
    ),
    Reason.ERASED: Words(
        _("The person was erased before it went out."),
        _("Nothing: what is erased is written to no more."),
    ),
    Reason.LEFT_SEGMENT: Words(
        _("The broadcast is for who is still in its segment, and the person had left it as the message was to go."),
        _("Being in the segment at that moment; or a broadcast for everybody who was in it at the start."),
    ),
    Reason.LATE: Words(
        _("Its not-later-than time had passed before it could be sent."),
        _("A later not-later-than time in the step, or whatever held it back having ended sooner."),
    ),
    Reason.UNRESOLVED: Words(
        _("A message that may say who this person is was just being resolved."),
        _("Nothing is needed: it is asked again a second later."),
    ),
    Reason.BUSY: Words(
        _("Another message to the person, or a change of their consent, was just in hand."),
        _("Nothing is needed: it is looked at again a second or two later."),
    ),
    Reason.TEMPLATE_ERROR: Words(
        _("No words could be made: the template has an error."),
        _("A template version that renders for this person."),
    ),
    Reason.TEMPLATE_LIMIT: Words(
        _("No words could be made: the template takes more time or memory than one message may."),
        _("A template version with smaller loops, shorter texts or fewer steps."),
    ),
    Reason.ABORTED: Words(
        _("The template says, by its tag “abort”, that this person is not to have it; its reason is below."),
        _("Data of the person or event by which the template does not come to that tag."),
    ),
    Reason.NOT_APPROVED: Words(
        _(
            "The provider approves templates before they are sent, and does not let this one out so; its state is"
            " below."
        ),
        _("A template that the provider has approved, in this language and with as many places as are filled."),
    ),
    Reason.PULL_FAILED: Words(
        _("The template takes content from another system, and there was no answer, or none that could be used."),
        _("An answer of that system in time, or something in the template that stands in for it."),
    ),
    Reason.MISSING_FIELD: Words(
        _("No words could be made: a field that the template needs was missing."),
        _("A value for the field, or a default for it in the template."),
    ),
    Reason.CONNECTOR_OFF: Words(
        _("The connector is switched off or its settings cannot be used."),
        _("The connector switched on; it is looked at again each minute until its not-later-than time."),
    ),
    Reason.CONNECTOR_RESTS: Words(
        _("The connector rests: its provider was in trouble, asked to wait, or refused the log-in."),
        _("The provider answering the one message that tries it after the rest, or somebody ending the rest."),
    ),
    Reason.QUOTA: Words(
        _("The connector’s quota of the day, or the money for it, is used up."),
        _("A larger quota, or the brand’s next day before its not-later-than time."),
    ),
    Reason.REFUSED: Words(
        _("The provider refused it for good."),
        _("Whatever the provider objects to, in its own words below."),
    ),
    Reason.BOUNCED: Words(
        _("The provider took it, and told later that it had bounced for good."),
        _("An address that exists; nobody writes to this one any more until the suppression is lifted."),
    ),
    Reason.TROUBLE: Words(
        _("The provider was in trouble; it is tried again with growing pauses, up to eight times."),
        _("The provider accepting one of the tries."),
    ),
    Reason.INTERRUPTED: Words(
        _(
            "The call was interrupted where the provider may have taken it. It is not repeated by itself, lest the "
            "person get it twice."
        ),
        _("An answer of the provider within ten seconds, or a provider that recognises a repeated call."),
    ),
    Reason.CRASHED: Words(
        _("Its worker died before the call, each of five times."),
        _("A worker that lives through the call; the logs of the workers say what killed them."),
    ),
}

_Refusal = EntryRefusal.Reason
REFUSALS: Final[dict[str, Words]] = {
    _Refusal.ALREADY_LIVE: Words(
        _("A run of this person, journey and key was live already."),
        _("The live run ended before the event, or another entry key."),
    ),
    _Refusal.NOT_AGAIN: Words(
        _("The person had entered before by this key, and the journey lets nobody in twice."),
        _("A journey with re-entry “always”, or another entry key."),
    ),
    _Refusal.NOT_YET: Words(
        _("The person had entered before by this key, and the time until people may come again was not over."),
        _("The event once that time was over, or another entry key."),
    ),
    _Refusal.NO_CONSENT: Words(
        _("The entry guard found no permission on the channels of the journey's messages."),
        _("A consent for the journey's purpose, in force when the event was looked at."),
    ),
    _Refusal.PAUSED: Words(
        _("The person had asked to be left in peace for a while; they would have been let in otherwise."),
        _("A pause that had ended when the event was looked at. Ending it starts nothing that was refused before."),
    ),
    _Refusal.NO_ADDRESS: Words(
        _("There was no address to write to on any channel of the journey's messages."),
        _("An address for one of the channels, known by then."),
    ),
    _Refusal.EXIT_ALREADY_TRUE: Words(
        _("An exit rule of the journey held already: the run would have ended at once."),
        _("The exit rule not holding when the event was looked at."),
    ),
    _Refusal.KEY_MISSING: Words(
        _("The journey has a run for each key, and the event carried none."),
        _("The key's property in the event: text of up to 200 characters, or a whole number."),
    ),
    _Refusal.RESTRICTED: Words(
        _("The person asked that what is known of them be kept and not used."),
        _("The restriction lifted beforehand. Lifting it starts nothing that was refused before."),
    ),
    _Refusal.EXCLUDED: Words(
        _("The person was in the segment that the journey lets nobody in from."),
        _("The person not in that segment when the event was looked at."),
    ),
    _Refusal.ENTRY_CAP: Words(
        _("The person had come in as often as the journey's cap of entries allows in its span of time."),
        _("The event once the first of those entries was longer ago than that span, or a higher cap."),
    ),
    _Refusal.OUTSIDE_RAMP: Words(
        _("A small group is let in first, and by the lot the person is not in it."),
        _("Everybody let in from the journey's page beforehand. That starts nothing that was refused before."),
    ),
    _Refusal.CONCURRENCY_CAP: Words(
        _("The person was in as many marketing journeys as the brand lets people be in at once."),
        _(
            "One of those journeys ended before, a higher cap of the brand, or, where one event begins several,"
            " a higher priority than the others."
        ),
    ),
    _Refusal.RULE_NOT_MET: Words(
        _("The person was started by API or called in, and the journey's entry rule did not hold."),
        _("The entry rule holding for the person and the properties that came with the call."),
    ),
}
