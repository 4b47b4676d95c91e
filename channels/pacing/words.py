"""Policies in sentences, for pages."""

from django.utils.translation import gettext, ngettext

from channels.models import PacingPolicy


def says(policy: PacingPolicy) -> str:
    """What the policy lets go: “2 messages at most within 24 hours”."""
    if policy.kind == PacingPolicy.Kind.CAP:
        most = policy.most or 0
        text = ngettext("%(most)s message at most within %(span)s", "%(most)s messages at most within %(span)s", most)
        return text % {"most": most, "span": span(policy)}
    if policy.kind == PacingPolicy.Kind.QUIET:
        text = gettext("none from %(starts)s until %(ends)s")
    else:
        text = gettext("only from %(starts)s until %(ends)s")
    said = text % {"starts": f"{policy.starts:%H:%M}", "ends": f"{policy.ends:%H:%M}"}
    return f"{said}, {policy.days}" if policy.days else said


def span(policy: PacingPolicy) -> str:
    """How far back a cap counts; days are told as such only from two on, since one is no calendar day."""
    count = policy.span or 0
    if policy.unit == PacingPolicy.Unit.MINUTE:
        return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}
    if policy.unit == PacingPolicy.Unit.DAY and count > 1:
        return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}
    hours = count * 24 if policy.unit == PacingPolicy.Unit.DAY else count
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}


def about(policy: PacingPolicy) -> str:
    """Which messages the policy is about: “marketing · e-mail”."""
    purpose = policy.purpose.name if policy.purpose is not None else policy.get_purpose_kind_display()
    channel = policy.get_channel_display() if policy.channel else gettext("every channel")
    return f"{purpose} · {channel}"
