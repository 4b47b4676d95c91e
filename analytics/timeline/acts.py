"""Messages, sent or not, consents and entitlements on the timeline."""

from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _

from analytics.timeline.entry import Entry, Place, Scope, beyond
from channels.models import EntitlementEntry, Message
from consent.models import ConsentEntry, State

_State = Message.State
_TONES: Final = {
    _State.SENT: "good",
    _State.DELIVERED: "good",
    _State.OPENED: "good",
    _State.CLICKED: "good",
    _State.SUPPRESSED: "warn",
    _State.CANCELLED: "warn",
    _State.EXPIRED: "warn",
    _State.HELD: "warn",
    _State.FAILED: "bad",
    _State.UNKNOWN: "bad",
}


def messages(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    rows = scope.see(Message).filter(scope.of_brands(), profile_id__in=scope.profiles)
    if scope.channel:
        rows = rows.filter(channel=scope.channel)
    rows = rows.select_related("template_version__template", "address")
    return [_message(row) for row in beyond(rows, after, "message", "created_at", limit)]


def _message(message: Message) -> Entry:
    state = message.get_state_display()
    return Entry(
        place=Place(message.created_at, "message", str(message.pk)),
        kind="message",
        title=message.template_version.template.name,
        text=f"{state}: {message.get_reason_display()}" if message.reason else state,
        link=("channels_message", message.pk),
        channel=message.channel,
        brand_id=message.brand_id,
        tone=_TONES.get(_State(message.state), ""),
        detail={_("to"): message.address.value} if message.address else {},
    )


def consents(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    # What was said of an address for whoever uses it holds for this person, too.
    whose = Q(profile_id__in=scope.profiles) | Q(profile_id=None, address_id__in=scope.addresses)
    rows = scope.see(ConsentEntry).filter(whose, scope.of_brands())
    if scope.channel:
        rows = rows.filter(address__channel=scope.channel)
    rows = rows.select_related("purpose", "address", "notice_version__notice", "source")
    return [_consent(row) for row in beyond(rows, after, "consent", "effective_at", limit)]


def _consent(entry: ConsentEntry) -> Entry:
    proof = {
        _("method"): entry.get_method_display(),
        _("notice"): str(entry.notice_version) if entry.notice_version else "",
        _("source"): entry.source.name if entry.source else "",
        _("collected by"): entry.collector,
        _("address"): "" if entry.address.channel == "person" else entry.address.value,
    }
    permits = entry.state in State.permitting()
    return Entry(
        place=Place(entry.effective_at, "consent", str(entry.pk)),
        kind="consent",
        title=entry.purpose.name,
        text=entry.get_state_display(),
        link=("consent_consententry", entry.pk),
        channel="" if entry.address.channel == "person" else entry.address.channel,
        brand_id=entry.brand_id,
        tone="good" if permits else "warn",
        detail={label: value for label, value in proof.items() if value},
    )


def entitlements(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    rows = scope.see(EntitlementEntry).filter(scope.of_brands(), entitlement__profile_id__in=scope.profiles)
    rows = rows.select_related("entitlement")
    return [_entitlement(row) for row in beyond(rows, after, "entitlement", "at", limit)]


def _entitlement(entry: EntitlementEntry) -> Entry:
    said = {_("quantity"): entry.quantity, _("left"): entry.remaining, _("by"): entry.get_origin_display()}
    return Entry(
        place=Place(entry.at, "entitlement", str(entry.pk)),
        kind="entitlement",
        title=entry.entitlement.key,
        text=entry.get_kind_display(),
        link=("channels_entitlement", entry.entitlement_id),
        brand_id=entry.brand_id,
        tone="warn" if entry.kind in (EntitlementEntry.Kind.REVOKE, EntitlementEntry.Kind.EXPIRE) else "good",
        detail={label: value for label, value in said.items() if value is not None},
    )
