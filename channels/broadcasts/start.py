"""Starting a broadcast, and taking that back before it has begun."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from channels.broadcasts import timing
from channels.broadcasts.check import latest_version, problems
from channels.broadcasts.states import By, NotPossible, NotThere, State, move
from channels.models import Broadcast, BroadcastProgress
from customers import bells


def start(broadcast: Broadcast, by: By, now: datetime) -> None:
    """Have it begin at its moment, with the words that the template has now. Raises NotPossible."""
    with transaction.atomic():
        locked = Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast.pk)
        in_the_way = [problem for problem in problems(locked, now) if problem.stops]
        if in_the_way:
            raise NotPossible(" ".join(str(problem.text) for problem in in_the_way))
        Broadcast.objects.filter(pk=locked.pk).update(
            template_version=latest_version(locked),
            begins_at=timing.begins_at(locked, now),
            zones=timing.all_zones() if locked.when == Broadcast.When.LOCAL else [],
        )
        BroadcastProgress.objects.get_or_create(broadcast=locked)
        try:
            move(locked.pk, State.SCHEDULED, now, by=by, begins=(State.DRAFT,))
        except NotThere:
            raise NotPossible(_("It was started already.")) from None
    bells.ring("broadcasts")


def take_back(broadcast: Broadcast, by: By, now: datetime) -> None:
    """Make a draft of it again that has not begun. Raises NotPossible."""
    with transaction.atomic():
        try:
            move(broadcast.pk, State.DRAFT, now, by=by, begins=(State.SCHEDULED,))
        except NotThere:
            raise NotPossible(_("It has begun already: pause or stop it.")) from None
        Broadcast.objects.filter(pk=broadcast.pk).update(template_version=None, begins_at=None, zones=[])
