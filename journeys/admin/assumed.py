"""Fields of the simulator's page: what other systems are taken to have replied."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.utils import formats
from django.utils.text import format_lazy
from django.utils.translation import gettext as _

from customers.accept import strict_json
from customers.accept.refusal import Refusal, Refused
from customers.hints import Text
from journeys.drafts import NotPossible
from journeys.models import Journey
from journeys.retry import ERRORS
from journeys.simulation.supposed import MOST, Supposed
from journeys.steps.base import step_types

_VERSIONS: Final = 20
_STATUSES: Final = ("status_404", "status_429", "status_500", "status_503")


def asking_steps(journey: Journey) -> list[str]:
    """Ids of the steps that ask another system, in the draft and the latest versions."""
    latest = journey.versions.order_by("-number").values_list("definition", flat=True)[:_VERSIONS]
    tags = {tag for tag, type_ in step_types().items() if type_.calls}
    found = [
        str(step.get("id"))
        for document in (journey.draft or {}, *latest)
        for step in document.get("steps", ())
        if isinstance(step, dict) and step.get("type") in tags
    ]
    return list(dict.fromkeys(found))[:MOST]


def errors() -> list[tuple[str, Text]]:
    told: list[tuple[str, Text]] = [
        (name, format_lazy("{name}: {what}", name=name, what=what)) for name, what in ERRORS.items()
    ]
    return [*told, *((name, name) for name in _STATUSES)]


def read_assumed(given: Mapping[str, Any]) -> list[Supposed]:
    """What was filled in; raises NotPossible of what cannot be read."""
    found = []
    for n in range(MOST):
        step = str(given.get(f"assumed-{n}-step", ""))
        error, reply = (str(given.get(f"assumed-{n}-{name}", "")).strip() for name in ("error", "json"))
        if not step or not (error or reply):
            continue
        said: dict[str, Any] = {"step": step}
        if error:
            said |= {"error": error, "percent": _percent(str(given.get(f"assumed-{n}-percent", "")), step)}
        if reply:
            said["json"] = _json(reply, step)
        found.append(Supposed(**said))
    return found


def _percent(text: str, step: str) -> float:
    try:
        return float(text.strip().replace(",", ".") or 100)
    except ValueError:
        raise NotPossible(_("The share that fails at “%(step)s” is no number.") % {"step": step[:60]}) from None


def _json(text: str, step: str) -> Any:
    """Read as strictly as what comes by the API."""
    try:
        document = strict_json.parse(f'{{"json": {text}\n}}'.encode())
        is_one = type(document.value) is dict and list(document.value) == ["json"]
        if is_one and (strict_json.is_sound(document, [document.value]) or not _fault(document)):
            return document.value["json"]
    except Refused:
        pass
    raise NotPossible(_("The reply at “%(step)s” is no JSON.") % {"step": step[:60]})


def _fault(document: strict_json.Document) -> Refusal | None:
    return strict_json.first_fault(strict_json.lossless(document))


def in_words(assumed: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was supposed, a line each."""
    told = []
    for one in assumed:
        if "error" in one:
            said = {
                "step": one["step"],
                "error": one["error"],
                "percent": formats.localize(Decimal(f"{one.get('percent', 100):g}")),
            }
            told.append(_("%(step)s: %(error)s for %(percent)s percent of runs") % said)
        if "json" in one:
            reply = json.dumps(one["json"], ensure_ascii=False)
            told.append(_("%(step)s: the reply %(reply)s") % {"step": one["step"], "reply": reply})
    return told
