"""How people responded to a campaign: delivered, opened, clicked, unsubscribed; and what machines did, apart."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.metrics.campaign_basis import WITH_MESSAGES, CampaignBasis
from analytics.metrics.equation import Part
from analytics.metrics.query import rows

LABEL = _("Responses")
DEFINITION = _(
    "Messages, each counted once. Delivered: told by the provider, or opened or clicked. Opened and clicked: by a "
    "person, as far as that can be told; who clicked has opened. By machines alone: what a scanner, a preview or "
    "a mail program that fetches ahead opened or followed, and nobody since. Unsubscribed: somebody withdrew by "
    "the message. What is not tracked is not seen."
)
_LABELS: dict[str, str | Promise] = {
    "sent": pgettext_lazy("count", "sent"),
    "delivered": pgettext_lazy("count", "delivered"),
    "opened": pgettext_lazy("count", "opened"),
    "clicked": pgettext_lazy("count", "clicked"),
    "opened_by_machines": _("opened by machines alone"),
    "clicked_by_machines": _("clicked by machines alone"),
    "unsubscribed": pgettext_lazy("count", "unsubscribed"),
}
_BY_MACHINE = """
    EXISTS (SELECT FROM channels_receipt r WHERE r.message_id = t.id AND r.happened = '{happened}' AND r.is_machine)
"""
_SQL = f"""{WITH_MESSAGES}
    SELECT count(*),
           count(*) FILTER (WHERE state IN ('delivered', 'opened', 'clicked')),
           count(*) FILTER (WHERE state IN ('opened', 'clicked')),
           count(*) FILTER (WHERE state = 'clicked'),
           count(*) FILTER (WHERE state IN ('sent', 'delivered') AND {_BY_MACHINE.format(happened="opened")}),
           count(*) FILTER (WHERE state <> 'clicked' AND {_BY_MACHINE.format(happened="clicked")}),
           count(*) FILTER (WHERE EXISTS (
               SELECT FROM consent_consententry c
               WHERE c.address_id = t.address_id AND c.message_id = t.id::text AND c.state = 'withdrawn'
           ))
    FROM taken t
"""


@dataclass(frozen=True, slots=True)
class Responses:
    label: str | Promise
    definition: str | Promise
    parts: tuple[Part, ...]

    @property
    def sent(self) -> int:
        return self.parts[0].count


def campaign_responses(basis: CampaignBasis) -> Responses:
    [counts] = rows(_SQL, basis.parameters())
    parts = tuple(Part(key, label, count) for (key, label), count in zip(_LABELS.items(), counts, strict=True))
    return Responses(LABEL, DEFINITION, parts)
