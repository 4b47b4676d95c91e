"""Personal data: marked once, at the field; masking, audit and whatever else must know derive from the mark."""

import re
from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any, Final, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model

_F = TypeVar("_F", bound="Field[Any, Any]")

_tellers: list[Callable[[], frozenset[str]]] = []

# A value by which a person is known or reached, free text about a person, and JSON with both. Traits are a document,
# of which some names may be declared as not personal; a trait is the value of the one that the row itself names.
IDENTIFIER, TEXT, DOCUMENT, TRAITS, TRAIT = "identifier", "text", "document", "traits", "trait"

MASK: Final = "•••"
_NAME = re.compile(r"[A-Za-z_$][\w.$ -]{0,63}")


def personal(field: _F, kind: str) -> _F:
    """Mark a model's field as holding personal data."""
    field.personal = kind  # type: ignore[attr-defined]  # the mark itself
    return field


def declare_open(names: Callable[[], frozenset[str]]) -> None:
    """Let `names` tell which traits are not personal; until somebody does, all are."""
    _tellers[:] = [names]


def _open_names() -> frozenset[str]:
    return _tellers[0]() if _tellers else frozenset()


def is_open(trait: str) -> bool:
    """Whether anybody may read this trait who may see the customer."""
    return trait in _open_names()


@cache
def fields(model: type[Model]) -> dict[str, str]:
    """The personal fields of a model and their kinds, by name."""
    return {
        field.name: field.personal  # type: ignore[union-attr]  # ours
        for field in model._meta.get_fields()
        if getattr(field, "personal", None)
    }


def names(model: type[Model]) -> frozenset[str]:
    return frozenset(fields(model))


def leads_to(model: type[Model], path: str) -> bool:
    """Whether a path of field names ends in a personal field, or in one of its parts."""
    here: Any = model
    for name in path.split("__"):
        if name in names(here):
            return True
        try:
            here = here._meta.get_field(name).related_model
        except FieldDoesNotExist:
            return False
        if not isinstance(here, type):
            return False
    return False


def mask(value: Any, kind: str) -> Any:
    """The value as those see it who may not read it: its shape, and no more than its first letters."""
    if value is None or value == "":
        return value
    if kind == TRAITS and isinstance(value, dict):
        open_names = _open_names()
        hidden = _mask_document({name: held for name, held in value.items() if name not in open_names})
        return {**hidden, **{name: held for name, held in value.items() if name in open_names}}
    if kind in (DOCUMENT, TRAITS, TRAIT):
        return _mask_document(value)
    return _mask_identifier(str(value)) if kind == IDENTIFIER else MASK


def _mask_identifier(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if at and local and domain:
        return f"{local[0]}{MASK}@{domain[0]}{MASK}"
    return f"{MASK}{value[-2:]}" if len(value) >= 8 else MASK


def _mask_document(value: Any) -> Any:
    if isinstance(value, dict):
        # Somebody may have used data as a key.
        return {
            key if isinstance(key, str) and _NAME.fullmatch(key) else MASK: _mask_document(held)
            for key, held in value.items()
        }
    if isinstance(value, list):
        return [_mask_document(held) for held in value]
    return value if value is None or isinstance(value, bool) else MASK


def veil(row: Model) -> None:
    """Mask the personal fields of a row and of the rows it has loaded with it; it can no longer be saved."""
    if is_veiled(row):
        return
    row._state.veiled = True  # type: ignore[attr-defined]  # our own note on the object
    for name, kind in fields(type(row)).items():
        if kind == TRAIT and row.__dict__.get("name") in _open_names():
            continue
        if name in row.__dict__:
            row.__dict__[name] = mask(row.__dict__[name], kind)
    veil_related(row)


def veil_related(row: Model) -> None:
    """Mask what a masked row has loaded with it."""
    prefetched: dict[str, Any] = getattr(row, "_prefetched_objects_cache", {})
    for related in chain(row._state.fields_cache.values(), *prefetched.values()):
        if isinstance(related, Model):
            veil(related)


def is_veiled(row: Model) -> bool:
    """Whether the row was loaded for somebody who may not read its personal fields, if it has any."""
    return bool(getattr(row._state, "veiled", False))


def is_masked(row: Model) -> bool:
    """Whether fields of the row are not what they were."""
    return is_veiled(row) and bool(fields(type(row)))
