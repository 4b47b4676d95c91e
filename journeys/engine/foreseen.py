"""What a merge, or taking apart, would do to runs: which would end for the sake of an elder, and which come back."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from channels.models import Message, Reason
from customers.merging import Effect, Regrouped
from journeys.models import Run

if TYPE_CHECKING:
    from django.db.models import QuerySet

Key = tuple[UUID, UUID, str]


def tell(regrouped: Regrouped) -> list[Effect]:
    """As `engine.merges` does it: of the live runs of one key the eldest lives."""
    runs = Run.objects.filter(profile_id__in=regrouped.profiles).select_related("journey").order_by("entered_at", "pk")
    live = list(runs.filter(status=Run.Status.ACTIVE))
    rivals: dict[Key, list[Run]] = defaultdict(list)
    for run in live:
        rivals[_key(run, regrouped)].append(run)
    ending = [run for _eldest, *losers in rivals.values() for run in losers]
    effects = [_would_end(run) for run in ending]
    merged = runs.filter(status=Run.Status.MERGED, merged_into_id__isnull=False)
    effects += _would_come_back(merged, rivals, regrouped)
    moved = {profile for profile, to in regrouped.after.items() if regrouped.before[profile] != to}
    concerned = {regrouped.after[profile] for profile in moved}
    staying = [run for run in live if run not in ending and regrouped.after[run.profile_id] in concerned]
    if staying:
        text = ngettext(
            "%(count)s live run goes on, and looks back over the events of the whole person.",
            "%(count)s live runs go on, and look back over the events of the whole person.",
            len(staying),
        )
        effects.append(Effect(_("looked at again"), text % {"count": len(staying)}))
    return effects


def _key(run: Run, regrouped: Regrouped) -> Key:
    return regrouped.after[run.profile_id], run.journey_id, run.entry_key


def _would_end(run: Run) -> Effect:
    unsent = _messages(run).filter(state__in=("queued", "held", "leased")).count()
    text = gettext("Its run in %(journey)s ends for the sake of the elder one.") % {"journey": run.journey.name}
    cancelled = ngettext(
        "%(count)s message not sent yet is cancelled.", "%(count)s messages not sent yet are cancelled.", unsent
    )
    return Effect(_("run ends"), f"{text} {cancelled % {'count': unsent}}" if unsent else text, is_loss=True)


def _would_come_back(merged: Iterable[Run], live: dict[Key, list[Run]], regrouped: Regrouped) -> list[Effect]:
    runs = list(merged)
    elders = dict(Run.objects.filter(pk__in=[run.merged_into_id for run in runs]).values_list("pk", "profile_id"))
    effects, taken = [], set(live)
    for run in runs:
        elder = elders.get(run.merged_into_id or 0)
        if elder is None or regrouped.after.get(elder) == regrouped.after[run.profile_id]:
            continue
        key, named = _key(run, regrouped), {"journey": run.journey.name}
        if key in taken:
            text = gettext("Its merged run in %(journey)s stays ended: another of the same key goes on.") % named
            effects.append(Effect(_("run stays ended"), text, is_loss=True))
            continue
        taken.add(key)
        queued = _messages(run).filter(state="cancelled", reason=Reason.MERGED, expires_at__gt=regrouped.now).count()
        text = gettext("Its merged run in %(journey)s goes on from where it stood.") % named
        back = ngettext("%(count)s message is queued again.", "%(count)s messages are queued again.", queued)
        effects.append(Effect(_("run comes back"), f"{text} {back % {'count': queued}}" if queued else text))
    return effects


def _messages(run: Run) -> "QuerySet[Message]":
    return Message.objects.filter(origin_kind=Message.Origin.RUN, origin_id=str(run.pk))
