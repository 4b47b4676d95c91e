"""What pacing found as a message was to go: by which version of which policy, what was counted, by whose clock."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from analytics.why.explanation import Fact, Part, facts
from channels.models import PacingPolicy
from channels.pacing.words import says

_POLICY = "channels_pacingpolicy"


def pacing(found: dict[str, Any]) -> Part:
    """A part of the explanation, of what dispatch kept with the message."""
    until = found.get("until")
    blocked_by = found.get("policy")
    counted, asked = found.get("counted"), found.get("policies", ())
    words = _words([*asked, *([blocked_by] if blocked_by else ())])
    return Part(
        "pacing",
        _("Caps and hours"),
        _say(found),
        facts=facts(
            Fact("policy", _("policy"), blocked_by, (_POLICY, blocked_by), said=words.get(blocked_by or "")),
            Fact(
                "policies", _("policies asked"), ", ".join(asked), said="; ".join(words.get(one, one) for one in asked)
            ),
            Fact("most", _("at most"), found.get("most")),
            Fact("span", _("within"), _span(found.get("seconds"))),
            Fact("counted", _("counted"), counted, said=_by_policy(counted, words)),
            Fact("in_hand", _("of these in hand just then"), found.get("in_hand") or None),
            Fact("zone", _("time zone"), found.get("zone")),
            Fact("local", _("it was there"), found.get("local")),
            Fact("until", _("may go from"), datetime.fromisoformat(until) if until else None),
        ),
        not_kept=(_("The person’s own zone was not known, so it was the brand’s."),) if _is_brands(found) else (),
    )


def _words(ids: Iterable[str]) -> Mapping[str, str]:
    """What each version of a policy lets go, by its id; versions stay as they were."""
    wanted = set(ids)
    return (
        {str(one.pk): f"{one.name}: {says(one)}" for one in PacingPolicy.objects.filter(pk__in=wanted)}
        if wanted
        else {}
    )


def _by_policy(counted: Any, words: Mapping[str, str]) -> dict[str, int] | None:
    if not isinstance(counted, dict):
        return None
    return {words.get(one, one): count for one, count in counted.items()}


def _say(found: dict[str, Any]) -> str:
    if "policy" not in found:
        return _("It was within every cap, and at an hour at which it may go.")
    if "most" in found:
        return _("A cap left no room for it.")
    return _("It was outside the hours for sending.")


def _is_brands(found: dict[str, Any]) -> bool:
    return found.get("zone_of") == "brand"


def _span(seconds: int | None) -> str | None:
    return None if seconds is None else str(timedelta(seconds=seconds))
