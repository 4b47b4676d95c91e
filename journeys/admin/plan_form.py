"""The form in which somebody who publishes says what becomes of the people on their way."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import QueryDict

from journeys.changeover import MOST_ROWS, PlanRow, plan_problems, versions_by_number
from journeys.changeover_preview import Place, places
from journeys.compiling import compile_version
from journeys.definition import InvalidDefinition, parse
from journeys.models import Journey
from journeys.publish import bind
from journeys.version import Version

_TO = "to:"


def said(posted: QueryDict) -> list[PlanRow]:
    """The rows of the form, as they were sent; what is no row of it is left out, which means to stay."""
    rows = []
    for n in range(MOST_ROWS):
        number, step = posted.get(f"row-{n}-version", ""), posted.get(f"row-{n}-step", "")
        if not number.isdecimal() or len(number) > 9 or not step:
            break
        rows.append(_row(int(number), step, posted, f"row-{n}-"))
    return rows


def _row(number: int, step: str, posted: Mapping[str, Any], at: str) -> PlanRow:
    then = str(posted.get(f"{at}then", "stay"))
    if then == "exit":
        return PlanRow(version=number, step=step, then="exit")
    if not then.startswith(_TO):
        return PlanRow(version=number, step=step)
    return PlanRow(
        version=number,
        step=step,
        then="move",
        to=then.removeprefix(_TO),
        messages="keep" if posted.get(f"{at}keep") else "cancel",
        wait="anew" if posted.get(f"{at}anew") else "go_on",
    )


def shown(journey: Journey, document: Mapping[str, Any], plan: list[PlanRow], now: datetime) -> dict[str, Any]:
    """For the page: where people stand, what is said of them and what that would do, and what is wrong with it."""
    to = _would_be(journey, document)
    problems = [] if to is None else list(plan_problems(plan, versions_by_number(journey), to.definition, to.steps))
    found: list[Place] = places(journey, to, [] if problems else plan, now)
    return {"places": found, "plan_problems": problems, "is_planned": any(row.then != "stay" for row in plan)}


def _would_be(journey: Journey, document: Mapping[str, Any]) -> Version | None:
    """The version that the document would be; None if it could not be one."""
    try:
        definition, steps = parse(document)
        bindings = bind(journey, definition, steps)
    except InvalidDefinition:
        return None
    return compile_version(document, bindings, id_=0, journey_id=journey.pk, brand_id=journey.brand_id)
