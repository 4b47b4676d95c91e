"""How a connector fares, as its page tells it."""

from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from channels.care.health import Health, health
from channels.care.tally import MOST_UNSIGNED
from channels.models import Connector, ConnectorState
from customers.admin.base import table
from customers.admin.show import badge


def at_a_glance(connector: Connector, now: datetime) -> SafeString:
    state: ConnectorState | None = getattr(connector, "fares", None)
    if state is None or (not state.failures and not state.rests):
        return badge(_("well"), "good")
    if state.rests_until is not None and state.rests_until > now:
        return badge(_("rests: %(why)s") % {"why": state.get_rest_display()}, "bad")
    return badge(_("in trouble"), "warn")


def _of(connector: Connector, at: datetime) -> Health:
    """Asked once for a page, whatever number of its fields tell of it."""
    known: Health | None = connector.__dict__.get("_health")
    if known is None:
        known = connector.__dict__["_health"] = health(connector, at)
    return known


def now(connector: Connector, at: datetime) -> SafeString | str:
    found = _of(connector, at)
    rows = [*_waiting(found), *_day(connector, found), *_rest(found, at), *_unsigned(found)]
    return table((_("what"), _("now")), rows)


def _waiting(found: Health) -> list[tuple[object, ...]]:
    count = str(found.waiting) if found.is_counted_whole else _("%(count)s and more") % {"count": found.waiting}
    return [(_("messages due"), count), (_("the oldest due since"), found.waiting_since or "–")]


def _day(connector: Connector, found: Health) -> list[tuple[object, ...]]:
    if found.most_a_day is None:
        return []
    rows: list[tuple[object, ...]] = [(_("calls of the day"), f"{found.begun} / {found.most_a_day}")]
    if connector.price_per_thousand:
        # As it was given: how many of the smallest unit make a whole one is not the same in all currencies.
        rows.append((_("spent today, in the smallest unit"), f"{found.spent} {connector.brand.currency}"))
    return rows


def _rest(found: Health, at: datetime) -> list[tuple[object, ...]]:
    state = found.state
    if state is None or state.rests_until is None or state.rests_until <= at:
        return []
    return [
        (_("rests until"), state.rests_until),
        (_("because"), state.get_rest_display()),
        (_("its provider said"), state.detail),
    ]


def _unsigned(found: Health) -> list[tuple[object, ...]]:
    """Somebody tries to be the provider, or it signs by another secret than ours."""
    if not found.unsigned:
        return []
    said = str(found.unsigned) if found.unsigned < MOST_UNSIGNED else _("%(count)s and more") % {"count": MOST_UNSIGNED}
    return [(_("called back without a valid signature, in 24 h"), said)]


def last_day(connector: Connector, at: datetime) -> SafeString | str:
    found = _of(connector, at)
    if found.success is None:
        return _("No calls.")
    return table(
        (
            pgettext("calls", "taken"),
            _("refused"),
            _("in trouble"),
            _("unknown"),
            _("went well"),
            _("half within"),
            _("95 % within"),
        ),
        [
            (
                found.taken,
                found.refused,
                found.troubled,
                found.unknown,
                f"{found.success:.1%}",
                _within(found.half),
                _within(found.most),
            )
        ],
    )


def _within(limit: int | None) -> str:
    return _("longer") if limit is None else _("%(n)s ms") % {"n": limit}


def turns(connector: Connector, at: datetime) -> SafeString | str:
    found = _of(connector, at).turns
    if not found:
        return _("It never had to rest.")
    return table(
        (_("at"), _("turn"), _("until"), _("because"), _("its provider said")),
        [(one.at, one.get_turn_display(), one.until or "–", one.get_rest_display(), one.detail) for one in found],
    )
