"""Roll back: an earlier version made live again, as a new version that says which one it returns to."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from customers import audit
from journeys.changeover import PlanRow, as_json
from journeys.definition import InvalidDefinition
from journeys.drafts import NotPossible, validate
from journeys.models import Journey, JourneyVersion
from journeys.publish import publish


def earlier(journey: Journey, number: int) -> JourneyVersion | None:
    """The version of this number, if it is one to return to: not the live one."""
    found = journey.versions.filter(number=number).first()
    return None if found is None or found.pk == journey.live_version_id else found


def roll_back(
    journey: Journey,
    *,
    to: int,
    live: int,
    by: AbstractBaseUser | None,
    now: datetime,
    plan: Sequence[PlanRow] = (),
) -> JourneyVersion:
    """Publish the document of version `to` once more. `live` is the number of the version that was live when somebody
    asked for it. Raises NotPossible, or InvalidDefinition where it would no longer pass as it stands.

    What its keys stand for is looked up anew: the words of a template are those of today.
    """
    journey.refresh_from_db()
    former = earlier(journey, to)
    if journey.status == Journey.Status.ARCHIVED:
        raise NotPossible(_("The journey is archived: bring it back before publishing."))
    if journey.live_version is None or journey.live_version.number != live:
        raise NotPossible(_("Nothing was published: another version went live meanwhile."))
    if former is None:
        raise NotPossible(_("There is no earlier version %(number)s to return to.") % {"number": to})
    problems = validate(former.definition, journey)
    if problems:
        raise InvalidDefinition(problems)
    made = publish(journey, former.definition, by=by, now=now, returns_to=former, plan=plan)
    after = {"version": made.number, "returns_to": former.number} | ({"plan": said} if (said := as_json(plan)) else {})
    audit.record(by, "roll_back", journey, {"version": live}, after, brand=journey.brand, now=now)
    return made
