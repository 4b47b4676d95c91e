"""A first mapping for a document that nobody has described: what the names of its fields make likely."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from customers.mapping.paths import escape

MAX_FIELDS: Final = 40
_MAX_LEVELS: Final = 4
# By the end of a field's name, the kind of identifier that it most likely holds.
_KINDS: Final = (
    ("email", ("email", "e_mail", "mail")),
    ("phone", ("phone", "mobile", "phone_number", "telefone", "celular")),
    ("cpf", ("cpf",)),
    ("cnpj", ("cnpj",)),
    ("user_id", ("user_id", "userid", "customer_id", "customerid", "client_id", "cliente_id")),
)
_TIMES: Final = ("occurred_at", "created_at", "timestamp", "created", "updated_at", "date", "time")
_NAMES: Final = ("event", "event_type", "type", "topic", "action", "subscriptiontype")


def suggest(document: Any, kinds: Collection[str]) -> dict[str, Any]:
    """A mapping to begin with; `kinds` are the identifiers that there are."""
    each = _list_of(document)
    sample = document if each is None else _item_of(document, each)
    paths = list(_leaves(sample, "" if each is None else ".", 1))
    rule: dict[str, Any] = {"key": "first", **({} if each is None else {"each": each}), "type": "track"}
    named = _ending(paths, _NAMES)
    rule["name"] = {"path": named[0], "required": True} if named else {"constant": "Event Name"}
    if told := _ending(paths, _TIMES):
        rule["occurred_at"] = {"path": told[0], "steps": [_time_step(told[1])]}
    identifiers = {
        kind: found[0] if isinstance(found[1], str) else {"path": found[0], "steps": ["text"]}
        for kind, ends in _KINDS
        if kind in kinds and (found := _ending(paths, ends))
    }
    rule["identifiers"] = identifiers or {"user_id": {"path": paths[0][0] if paths else "/id", "steps": ["text"]}}
    used = {_path_of(value) for value in identifiers.values()} | {found[0] for found in (named, told) if found}
    rule["properties"] = {}
    for path, _value in paths:
        name = _name_of(path)
        if path not in used and name and name not in rule["properties"] and len(rule["properties"]) < MAX_FIELDS:
            rule["properties"][name] = path
    return {"events": [rule]}


def leaves(document: Any) -> Iterator[tuple[str, Any]]:
    """Every single value of the document with its path, as far as suggestions go."""
    yield from _leaves(document, "", 1)


def _list_of(document: Any) -> str | None:
    """Where the list of things stands, if the document is one or holds nothing else."""
    if isinstance(document, list):
        return ""
    if isinstance(document, dict):
        lists = [
            name for name, held in document.items() if isinstance(held, list) and held and isinstance(held[0], dict)
        ]
        if len(lists) == 1 and not any(isinstance(held, dict) for held in document.values()) and len(document) <= 3:
            return f"/{escape(lists[0])}"
    return None


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _item_of(document: Any, each: str) -> Any:
    items = document if each == "" else next(held for held in document.values() if isinstance(held, list) and held)
    return items[0] if items else {}


def _leaves(value: Any, path: str, level: int) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or level > _MAX_LEVELS:
        return
    for name, held in value.items():
        here = f"{path}/{escape(name)}"
        if isinstance(held, dict):
            yield from _leaves(held, here, level + 1)
        elif not isinstance(held, list):
            yield here, held


def _ending(paths: list[tuple[str, Any]], ends: tuple[str, ...]) -> tuple[str, Any] | None:
    for end in ends:
        for path, value in paths:
            if _last(path) == end and isinstance(value, str | int) and not isinstance(value, bool):
                return path, value
    return None


def _last(path: str) -> str:
    return path.rpartition("/")[2].lower().replace("-", "_")


def _name_of(path: str) -> str:
    """The path's last two names as a property's: of address/city address_city."""
    parts = [part for part in path.removeprefix(".").split("/") if part][-2:]
    name = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_.") else "_" for sign in "_".join(parts))
    return name[:64] if name[:1].isalpha() else ""


def _path_of(value: Any) -> str:
    return value if isinstance(value, str) else str(value["path"])


def _time_step(value: Any) -> dict[str, str]:
    if isinstance(value, str) and not value.isdecimal():
        return {"do": "time", "format": "iso", "zone": "UTC"}
    return {"do": "time", "format": "epoch_milliseconds" if int(value) > 10**11 else "epoch_seconds"}
