"""The first page of the staff pages: today, as far as it is this person's business."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from analytics import home
from analytics.home.attention import Kind
from channels.models import Message, WebhookEndpoint
from customers.admin.show import Tone
from customers.models import AuditEntry, Brand, QuarantinedEvent, Source
from customers.sight import sight_of
from journeys.models import Journey

# More brands or journeys than a person reads at a glance have their lists.
_BRANDS: Final = 12
_JOURNEYS: Final = 12
_CHANGES: Final = 8


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that wants a hand: what it is, and where it is put right."""

    text: str
    link: str
    tone: Tone


def context(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What the template shows; a part without permission is absent."""
    user = request.user
    brands = list(Brand.objects.visible_to(user)[:_BRANDS])
    found: dict[str, Any] = {"now": now, "may_search": user.has_perm("customers.view_customer")}
    if user.has_perm("customers.view_event") or user.has_perm("channels.view_message"):
        found["brands"] = [(row, _cells(request, row)) for row in home.brands_today(brands, now)]
    if user.has_perm("channels.view_message"):
        found["not_sent"] = _with_shares(home.not_sent_today(brands, now))
    if user.has_perm("journeys.view_journey"):
        found |= _journeys(request, now)
    if user.has_perm("customers.view_inboxitem"):
        found["trays"] = [(tray, _list(tray.model)) for tray in home.pipeline(now)]
    if user.has_perm("customers.view_auditentry"):
        found["changes"] = AuditEntry.objects.visible_to(user).select_related("actor", "brand")[:_CHANGES]
    found["alerts"] = _alerts(request, now)
    return found


def _journeys(request: HttpRequest, now: datetime) -> dict[str, Any]:
    squads = sight_of(request.user).squads
    live = Journey.objects.visible_to(request.user).filter(status=Journey.Status.LIVE).select_related("brand", "squad")
    own = list(live.filter(squad_id__in=squads)[:_JOURNEYS]) if squads else []
    others = list(live.exclude(squad_id__in=squads)[: _JOURNEYS - len(own)])
    counted = home.journeys_today([*own, *others], now)
    return {"own_journeys": counted[: len(own)], "journeys": counted[len(own) :], "has_squad": bool(squads)}


def _cells(request: HttpRequest, row: home.BrandToday) -> list[tuple[home.Count, str]]:
    """Each number of a brand, with the list that shows its rows, if this person may see that."""
    # A day of the brand begins at most a day ago; the list knows no nearer period.
    asked = {"brand__id__exact": str(row.brand.pk), "period": "24h"}
    lists: tuple[tuple[home.Count, str, dict[str, str]], ...] = (
        (row.accepted, "customers.event", {}),
        (row.quarantined, "customers.quarantinedevent", {}),
        (row.asked, "channels.message", asked),
        (row.sent, "channels.message", asked | {"outcome": "sent"}),
        (row.not_sent, "channels.message", asked | {"outcome": "not_sent"}),
    )
    return [
        (count, _list(model, **filters) if request.user.has_perm(model.replace(".", ".view_")) else "")
        for count, model, filters in lists
    ]


def _with_shares(found: home.NotSent) -> list[dict[str, Any]]:
    most = max((part.count for part in found.parts), default=0)
    return [
        {
            "label": part.label,
            "count": part.count,
            "share": round(100 * part.count / most),
            "link": _list("channels.message", reason__exact=part.key),
        }
        for part in found.parts
    ]


_NEEDED: Final = {
    Kind.UNKNOWN: "channels.view_message",
    Kind.DEAD_LETTERS: "customers.view_deadletter",
    Kind.QUARANTINE: "customers.view_quarantinedevent",
    Kind.SHARED: "customers.view_identifier",
    Kind.CONNECTOR_OFF: "channels.view_connector",
    Kind.CONNECTOR_STOPPED: "channels.view_connector",
    Kind.CONNECTOR_TROUBLE: "channels.view_connector",
    Kind.CONNECTOR_STANDS: "channels.view_connector",
    Kind.SOURCE_SILENT: "customers.view_source",
    Kind.SOURCE_REJECTS: "customers.view_source",
    Kind.WEBHOOK_FAILS: "channels.view_webhookendpoint",
    Kind.WEBHOOK_OFF: "channels.view_webhookendpoint",
    Kind.KEY_ENDS: "customers.view_writekey",
    Kind.PARTITIONS: "customers.view_retentionrule",
    Kind.PRIVACY_OVERDUE: "consent.view_privacyrequest",
    Kind.PRIVACY_DUE: "consent.view_privacyrequest",
    Kind.ANCHOR_LATE: "consent.view_ledgeranchor",
    Kind.ANCHOR_DEVIATES: "consent.view_ledgeranchor",
}
_CONNECTOR_TEXTS: Final[dict[Kind, str | Promise]] = {
    Kind.CONNECTOR_OFF: _("The connector %(name)s is switched off."),
    Kind.CONNECTOR_STOPPED: _("Sending by the connector %(name)s is stopped."),
    Kind.CONNECTOR_TROUBLE: _("The provider of the connector %(name)s is in trouble."),
    Kind.CONNECTOR_STANDS: _("Messages wait at the connector %(name)s and none goes out."),
}


def _alerts(request: HttpRequest, now: datetime) -> list[Alert]:
    found = home.attention(request.user, now)
    return [_alert(one) for one in found if request.user.has_perm(_NEEDED[one.kind])]


def _alert(found: home.Attention) -> Alert:
    if found.connector is not None:
        text = str(_CONNECTOR_TEXTS[found.kind]) % {"name": found.connector.name}
        link = reverse("admin:channels_connector_change", args=[found.connector.pk])
        return Alert(text, link, "bad" if found.kind is Kind.CONNECTOR_TROUBLE else "warn")
    if found.source is not None:
        return _of_source(found.source, found)
    if found.webhook is not None:
        return _of_webhook(found.webhook, found)
    if found.key is not None and found.since is not None:
        text = gettext("A key of %(name)s that is in use ends %(when)s.")
        shown = {"name": found.key.source.name, "when": formats.date_format(found.since, "SHORT_DATE_FORMAT")}
        return Alert(text % shown, reverse("admin:customers_writekey_change", args=[found.key.pk]), "warn")
    if found.kind is Kind.PARTITIONS:
        text = gettext("No partition is ready for the events of next month.")
        return Alert(text, reverse("admin:customers_retentionrule_overview"), "bad")
    if found.kind in {Kind.ANCHOR_LATE, Kind.ANCHOR_DEVIATES}:
        return _of_ledgers(found)
    return _of_many(found)


def _of_ledgers(found: home.Attention) -> Alert:
    if found.kind is Kind.ANCHOR_DEVIATES:
        text = ngettext(
            "%(count)s chain of the ledgers is not what was anchored: have the ledgers verified.",
            "%(count)s chains of the ledgers are not what was anchored: have the ledgers verified.",
            found.count.value,
        )
        return Alert(text % {"count": str(found.count)}, _list("consent.ledgeranchor"), "bad")
    if found.since is None:
        text = gettext("The ledgers were never anchored outside the database.")
    else:
        when = formats.date_format(timezone.localtime(found.since), "DATETIME_FORMAT")
        text = gettext("The ledgers were last anchored outside the database on %(when)s.") % {"when": when}
    return Alert(text, _list("consent.ledgeranchor"), "bad")


def _of_source(source: Source, found: home.Attention) -> Alert:
    link = reverse("admin:customers_source_health", args=[source.pk])
    if found.kind is Kind.SOURCE_SILENT:
        return Alert(gettext("The source %(name)s is silent.") % {"name": source.name}, link, "bad")
    shown = {"name": source.name, "percent": formats.number_format(found.percent or 0, decimal_pos=1)}
    text = gettext("Of what %(name)s sent in the last day, %(percent)s %% was refused.")
    return Alert(text % shown, link, "warn")


def _of_webhook(webhook: WebhookEndpoint, found: home.Attention) -> Alert:
    link = reverse("admin:channels_webhookendpoint_change", args=[webhook.pk])
    shown = {"name": webhook.name, "owner": webhook.owner}
    if found.kind is Kind.WEBHOOK_FAILS:
        return Alert(gettext("The webhook %(name)s fails; %(owner)s answers for it.") % shown, link, "bad")
    if webhook.off_reason == WebhookEndpoint.Off.GONE:
        return Alert(gettext("The webhook %(name)s said that it is gone, and is off.") % shown, link, "warn")
    if webhook.off_reason in (WebhookEndpoint.Off.TOKEN, WebhookEndpoint.Off.SECRETS):
        shown |= {"reason": webhook.get_off_reason_display()}
        text = gettext("The webhook %(name)s is off: %(reason)s. %(owner)s answers for it.")
        return Alert(text % shown, link, "warn")
    text = gettext("The webhook %(name)s did nothing but fail for days, and is off; %(owner)s answers for it.")
    return Alert(text % shown, link, "bad")


def _of_many(found: home.Attention) -> Alert:
    count, shown = found.count.value, {"count": str(found.count)}
    if found.kind is Kind.UNKNOWN:
        text = ngettext(
            "%(count)s message may or may not have been sent.",
            "%(count)s messages may or may not have been sent.",
            count,
        )
        return Alert(text % shown, _list("channels.message", state__exact=Message.State.UNKNOWN.value), "bad")
    if found.kind is Kind.DEAD_LETTERS:
        text = ngettext("%(count)s unit of work was given up.", "%(count)s units of work were given up.", count)
        return Alert(text % shown, _list("customers.deadletter", replayed_at__isempty=1), "bad")
    if found.kind is Kind.SHARED:
        text = ngettext(
            "%(count)s identifier is shared by too many people and joins nobody.",
            "%(count)s identifiers are shared by too many people and join nobody.",
            count,
        )
        return Alert(text % shown, _list("customers.identifier", shared="shared"), "warn")
    if found.kind is Kind.PRIVACY_OVERDUE:
        text = ngettext("%(count)s privacy request is overdue.", "%(count)s privacy requests are overdue.", count)
        return Alert(text % shown, _list("consent.privacyrequest", due="overdue"), "bad")
    if found.kind is Kind.PRIVACY_DUE:
        text = ngettext(
            "%(count)s privacy request is due within five days.",
            "%(count)s privacy requests are due within five days.",
            count,
        )
        return Alert(text % shown, _list("consent.privacyrequest", due="soon"), "warn")
    text = ngettext("%(count)s event lies in quarantine.", "%(count)s events lie in quarantine.", count)
    open_ = QuarantinedEvent.Status.OPEN.value
    return Alert(text % shown, _list("customers.quarantinedevent", status__exact=open_), "warn")


def _list(model: str, **filters: object) -> str:
    address = reverse(f"admin:{model.lower().replace('.', '_')}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
