"""What the columns of a file are to become: kept with the file once it is sound."""

from datetime import datetime
from typing import Any

from customers import kinds
from customers.imports.limits import FileRefused
from customers.imports.rows import kind_of
from customers.mapping import EventMapping, parse
from customers.mapping.document import EventRule, Value
from customers.mapping.paths import escape
from customers.models import Import


def keep(parent: Import, document: Any, now: datetime) -> EventMapping:
    """Keep the mapping written as `document`, or MappingError or FileRefused with what stands in its way."""
    mapping = parse(document)
    check(parent, mapping, now)
    parent.mapping = document
    parent.save(update_fields=["mapping"])
    return mapping


def check(parent: Import, mapping: EventMapping, now: datetime) -> None:
    """A row is one message, of the kind that the file is said to hold, out of columns that there are."""
    if len(mapping.events) != 1 or mapping.events[0].when or mapping.events[0].each is not None:
        raise FileRefused("one_message_a_row")
    [rule] = mapping.events
    kind = kind_of(parent)
    if rule.type not in kind.types:
        raise FileRefused("other_rows", types=", ".join(kind.types))
    if kind.needs_time and rule.occurred_at is None:
        raise FileRefused("no_time")
    kinds_there_are = kinds.current(now)
    no_kinds = sorted(kind for kind in rule.identifiers if kind not in kinds_there_are)
    if no_kinds:
        raise FileRefused("unknown_kind", kinds=", ".join(no_kinds))
    known = {f"/{escape(name)}" for name in parent.columns}
    unknown = sorted(path for path in paths_of(rule) if path not in known)
    if unknown:
        raise FileRefused("unknown_column", columns=", ".join(unknown[:10]))


def paths_of(rule: EventRule) -> set[str]:
    """The columns that a rule reads, as paths."""
    fields = [held for _name, held in rule.single_fields()] + [held for _part, _name, held in rule.named_fields()]
    return {path for held in fields for path in _paths(held)}


def _paths(held: str | Value) -> list[str]:
    if isinstance(held, str):
        return [held]
    several = [path for paths in (held.first, held.join) if isinstance(paths, list) for path in paths]
    return [held.path, *several] if isinstance(held.path, str) else several
