"""Whether what is filled in is known of those who would get it: who lacks a field without a default gets nothing."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels import options, templates
from channels.checks.base import Finding, Level, Template, check
from channels.dispatch import extras
from channels.templates import Text

Path = tuple[str, ...]
# So many of the brand's people are asked: a part of whole brands as good as all of them, in a moment.
_ASKED: Final = 1_000
_LACKING: Final = """
    WITH people AS MATERIALIZED (
        SELECT c.traits FROM (
            SELECT DISTINCT p.customer_id FROM (
                SELECT profile_id FROM customers_profilebrand WHERE brand_id = %s ORDER BY profile_id DESC LIMIT %s
            ) seen JOIN customers_profile p ON p.id = seen.profile_id
        ) asked JOIN customers_customer c ON c.id = asked.customer_id
    )
    SELECT w.path, count(people.traits),
           count(*) FILTER (WHERE people.traits IS NOT NULL
               AND coalesce(jsonb_typeof(people.traits #> string_to_array(w.path, chr(31))), 'null') = 'null')
    FROM unnest(%s::text[]) AS w(path) LEFT JOIN people ON true GROUP BY w.path
"""
_BETWEEN: Final = "\x1f"


@check(place=0)
def are_known(template: Template) -> Iterator[Finding]:
    needed: dict[Path, list[str]] = {}
    for text in template.texts:
        for name in _needed(text):
            needed.setdefault(name, []).append(text.locale)
    counts = _counts([name[1:] for name in needed if name[0] == "customer" and len(name) > 1], template.brand.pk)
    for name in sorted(needed):
        locale = "" if len(needed[name]) == len(template.texts) else needed[name][0]
        yield from _missing(name, locale, counts)


def _missing(name: Path, locale: str, counts: Mapping[Path, tuple[int, int]]) -> Iterator[Finding]:
    if name[0] == "customer" and len(name) > 1:
        people, lacking = counts[name[1:]]
        said = {"name": ".".join(name), "lacking": lacking, "people": people}
        if people and lacking == people:
            words = _("Nobody has %(name)s, of %(people)s people asked, and without a default nobody gets a message.")
            yield Finding(Level.FAULT, words % said, locale)
        elif lacking:
            words = ngettext(
                "%(lacking)s of %(people)s people asked lacks %(name)s and would get no message: give it a default.",
                "%(lacking)s of %(people)s people asked lack %(name)s and would get no message: give it a default.",
                lacking,
            )
            yield Finding(Level.WARNING, words % said, locale)
    elif name[0] in ("event", "journey") and len(name) > 1:
        words = _("It needs %(name)s of whatever sends it: where that says nothing, there is no message.")
        yield Finding(Level.NOTE, words % {"name": ".".join(name)}, locale)


@check(place=1)
def are_there_at_all(template: Template) -> Iterator[Finding]:
    """A name that no message knows is most often misspelled, as in {{ costumer.name }}."""
    for text in template.texts:
        for name in sorted(_needed(text)):
            if name[0] not in extras.roots():
                words = _("No message knows %(name)s: it would never be sent.")
                yield Finding(Level.FAULT, words % {"name": ".".join(name)}, text.locale)


def _needed(text: Text) -> set[Path]:
    found: set[Path] = set()
    for source in (text.subject, text.text, *options.sources(dict(text.options))):
        found |= templates.needed_by(source)
    return found | templates.needed_by(text.html, is_html=True)


def _counts(paths: Collection[Path], brand_id: UUID) -> dict[Path, tuple[int, int]]:
    """By path, of how many people it was asked and how many of them lack it."""
    if not paths:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LACKING, [brand_id, _ASKED, [_BETWEEN.join(path) for path in paths]])
        return {tuple(path.split(_BETWEEN)): (people, lacking) for path, people, lacking in cursor.fetchall()}
