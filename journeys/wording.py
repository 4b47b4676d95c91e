"""What a journey's messages would say, checked before it is published: each template with what was found in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from channels import checks
from channels.dispatch.compose import Texts
from channels.models import TemplateVersion
from consent.models import Purpose
from journeys.definition import InvalidDefinition, parse
from journeys.models import Journey


@dataclass(frozen=True, slots=True)
class Wording:
    """The latest version of a template that steps name, and what is wrong with it; `steps` are their ids."""

    version: TemplateVersion
    steps: Sequence[str]
    findings: Sequence[checks.Finding]


def wordings(journey: Journey, document: object) -> list[Wording]:
    """Of those with a fault or a warning, in the order of the steps; nothing of a document that cannot be read."""
    try:
        definition, steps = parse(document)
    except InvalidDefinition:
        return []
    named: dict[tuple[str, str], list[str]] = {}
    for step in steps:
        if sent := step.sends():
            for _at, key in step.templates():
                named.setdefault((key, sent.purpose or definition.purpose), []).append(step.id)
    versions = _latest(journey, {key for key, _purpose in named})
    kinds = dict(Purpose.objects.filter(brand_id=journey.brand_id).values_list("key", "kind"))
    texts = Texts.load(version.pk for version in versions.values())
    found = []
    checked: dict[tuple[str, str], list[checks.Finding]] = {}
    for (key, purpose), ids in named.items():
        if (version := versions.get(key)) is None:
            continue
        kind = kinds.get(purpose, "")
        if (key, kind) not in checked:
            words = texts.by_version.get(version.pk, [])
            checked[key, kind] = checks.findings(checks.Template(version.template.channel, journey.brand, words, kind))
        told = [one for one in checked[key, kind] if one.level is not checks.Level.NOTE]
        if told:
            found.append(Wording(version, list(dict.fromkeys(ids)), told))
    return found


def _latest(journey: Journey, keys: set[str]) -> dict[str, TemplateVersion]:
    rows = TemplateVersion.objects.filter(template__brand_id=journey.brand_id, template__key__in=keys)
    return {row.template.key: row for row in rows.select_related("template").order_by("number")}
