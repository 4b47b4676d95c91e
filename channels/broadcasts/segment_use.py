"""Which broadcasts still look at a segment: it cannot be archived under them."""

from django.db.models import Q

from channels.models import Broadcast
from customers.models import Segment

State = Broadcast.State
# Before everybody is in, and to the end where each is asked whether they are still in it.
_BEFORE = (State.SCHEDULED, State.ENROLLING)
_AT_WORK = (State.PILOT, State.WAITING, State.SENDING, State.PAUSED)


def broadcasts_at(segment: Segment) -> list[str]:
    """Their names."""
    looks = Q(state__in=_BEFORE) | Q(state__in=_AT_WORK) & (Q(only_members=True) | Q(is_enrolled=False))
    return list(Broadcast.objects.filter(looks, segment=segment).order_by("name").values_list("name", flat=True))
