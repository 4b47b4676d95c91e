"""What a version reads of the event that brought somebody in: by its rules, its steps and its templates."""

from collections.abc import Collection, Iterator
from typing import Any

from channels import options
from channels.models import PulledSource, TemplateText
from channels.templates import TemplateError, read_of
from journeys.ends import last_steps
from journeys.version import Version

# As a template calls the entry event's properties.
_ENTRY = ("event", "journey")


def event_properties(rule: Any) -> set[str]:
    """Names of the event's properties that the rule's leaves look at."""
    if isinstance(rule, dict):
        if rule.get("leaf") == "event_property":
            return {str(rule.get("name", "")).partition(".")[0]}
        return {name for part in rule.values() for name in event_properties(part)}
    if isinstance(rule, list):
        return {name for part in rule for name in event_properties(part)}
    return set()


def read_from(of: Version, step: int) -> set[str]:
    """Names of the entry event's properties that a run may need from this step on."""
    ahead = _ahead(of, step)
    # Where variables are declared, templates name those as the journey's own.
    roots = _ENTRY[:1] if of.definition.variables else _ENTRY
    names = {name for exit_ in of.definition.exit_rules for name in event_properties(exit_.rule)}
    for n in ahead:
        names |= {name for _pointer, rule in of.steps[n].rules() for name in event_properties(rule)}
        names |= set(of.steps[n].properties())
    templates = [id_ for n in ahead if n in of.sendings for id_ in of.sendings[n].template_version_ids]
    return names | set(_read_by(templates, roots))


def _ahead(of: Version, step: int) -> set[int]:
    last = [of.index[id_] for id_ in last_steps(of.definition)]
    found, ways = {step, *last}, [step, *last]
    while ways:
        new = {of.index[target] for target in of.steps[ways.pop()].targets()} - found
        found |= new
        ways += new
    return found


def _read_by(template_versions: Collection[int], roots: Collection[str]) -> Iterator[str]:
    if not template_versions:
        return
    texts = TemplateText.objects.filter(version_id__in=template_versions)
    pulled = PulledSource.objects.filter(version_id__in=template_versions).values_list("url", flat=True)
    said = (source for text in texts for source in options.sources([text.subject, text.html, text.text, text.options]))
    for source in (*said, *pulled):
        try:
            yield from (path[1] for path in read_of(source) if len(path) > 1 and path[0] in roots)
        except TemplateError:
            continue
