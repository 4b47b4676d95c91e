"""Which templates of a journey name its typed variables, as they stand at publication."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from channels import options
from channels.models import PulledSource, TemplateText
from channels.templates import TemplateError, names_under
from customers.rules.errors import Problem
from journeys.definition import Definition
from journeys.steps.message import Message

_ROOT = "journey"


def names_in_templates(
    definition: Definition, messages: Iterable[tuple[int, Message]], latest: Mapping[str, int], problems: list[Problem]
) -> list[str]:
    """Keys of the templates that name any; a name that is not declared is a problem of the step. A journey without
    variables is not asked: there, what entry told goes by this name too."""
    declared = {one.name for one in definition.variables}
    if not declared:
        return []
    naming = [(f"/steps/{n}{at}", key) for n, step in messages for at, key in step.templates() if key in latest]
    named = _named({latest[key] for _at, key in naming})
    for at, key in naming:
        for name in sorted(named[latest[key]] - declared):
            message = _("The template names journey.%(name)s, which the journey does not declare.") % {"name": name}
            hint = _("Declare the variable, or take the name out of the template.")
            problems.append(Problem("unknown_variable", at, message, hint))
    return sorted({key for _at, key in naming if named[latest[key]] & declared})


def _named(version_ids: set[int]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    texts = TemplateText.objects.filter(version_id__in=version_ids)
    for version_id, *sources in texts.values_list("version_id", "subject", "html", "text", "options"):
        for source in options.sources(sources):
            found[version_id] |= _names(source)
    for version_id, url in PulledSource.objects.filter(version_id__in=version_ids).values_list("version_id", "url"):
        found[version_id] |= _names(url)
    return found


def _names(source: str) -> set[str]:
    try:
        return names_under(source, _ROOT)
    except TemplateError:
        # It makes no words, and so no message: told of where messages are.
        return set()
