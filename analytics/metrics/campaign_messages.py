"""Messages of a campaign by their state now."""

from django.utils.translation import gettext_lazy as _

from analytics.metrics.campaign_basis import WITH_MESSAGES, CampaignBasis
from analytics.metrics.equation import Equation, Part
from analytics.metrics.query import rows
from channels.models import Message

LABEL = _("Messages")
DEFINITION = _(
    "Messages that the campaign’s journeys and broadcasts asked for, of its days by when they were sent or "
    "settled, else asked for; by their state now. Of more than 100,000 the newest count. Test sends count "
    "nowhere."
)
_SQL = f"""{WITH_MESSAGES}
    SELECT state, count(*), (SELECT count(*) FROM message) FROM message GROUP BY state
"""


def campaign_messages(basis: CampaignBasis) -> Equation:
    """How many there are, and the parts by state in the order of a message's life; states without any are left out."""
    found = rows(_SQL, basis.parameters())
    counts = {state: count for state, count, _total in found}
    total = found[0][2] if found else 0
    parts = tuple(
        Part(state.value, state.label, counts[state.value]) for state in Message.State if state.value in counts
    )
    return Equation("campaign_messages", LABEL, DEFINITION, total, parts)
