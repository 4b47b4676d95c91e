"""What a new map begins with: the stages nearly everybody has, and the channels of the brand."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from channels.models import Connector
from journeys.maps.edit import add
from journeys.models import JourneyMap, MapChannel, MapStage

# (name, the customer's question, feeling, a good experience, next step)
STAGES = (
    (
        _("Awareness"),
        _("What is this, and is it for me?"),
        _("curious, a little wary"),
        _("Understands in a minute what is offered and why it matters."),
        _("takes a closer look"),
    ),
    (
        _("Consideration"),
        _("Is it better for me than what I have?"),
        _("weighing up"),
        _("Finds honest answers without having to ask."),
        _("signs up or fills a basket"),
    ),
    (
        _("Purchase"),
        _("Can I trust this, and is it quick?"),
        _("eager, afraid of a mistake"),
        _("Pays in few steps and knows at once that it worked."),
        _("completes the order"),
    ),
    (
        _("Onboarding"),
        _("How do I get going?"),
        _("hopeful, impatient"),
        _("Has a first success within a day."),
        _("uses it for the first time"),
    ),
    (
        _("Use"),
        _("Does it keep its promise?"),
        _("at ease, or let down"),
        _("Gets help before having to look for it."),
        _("makes it a habit"),
    ),
    (
        _("Retention"),
        _("Why should I stay?"),
        _("loyal, or tempted away"),
        _("Is known, thanked and surprised now and then."),
        _("comes back and tells others"),
    ),
)
_ALWAYS = (MapChannel.Kind.EMAIL, MapChannel.Kind.WEB)


def furnish(map_: JourneyMap, *, by: int | None, now: datetime) -> None:
    """Put the usual stages on a new map, and a row for each channel its brand has a connector for."""
    connected = set(Connector.objects.filter(brand_id=map_.brand_id, is_active=True).values_list("channel", flat=True))
    kinds = [kind for kind in MapChannel.Kind if kind in _ALWAYS or kind.value in connected]
    with transaction.atomic():
        for texts in STAGES:
            name, question, feeling, good_experience, next_step = map(gettext, texts)
            stage = MapStage(
                map=map_,
                name=name,
                question=question,
                feeling=feeling,
                good_experience=good_experience,
                next_step=next_step,
            )
            add(stage, by=by, now=now)
        for kind in kinds:
            add(MapChannel(map=map_, kind=kind), by=by, now=now)
