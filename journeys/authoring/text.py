"""A document as text, JSON or YAML, and back: strictly, so that what is pasted means what it says."""

import json
import re
from collections.abc import Hashable
from typing import Any, Final

import yaml
from django.utils.translation import gettext as _

FORMATS: Final = ("yaml", "json")
# YAML is read slowly; five hundred steps take a quarter of this.
MOST_CHARACTERS: Final = 400_000


class Unreadable(Exception):
    """Text that is no document; the words say where and why."""


def write(document: Any, format_: str) -> str:
    if format_ == "json":
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return str(yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110))


def read(text: str) -> dict[str, Any]:
    """A document written as JSON or YAML; raises Unreadable."""
    if len(text) > MOST_CHARACTERS:
        raise Unreadable(_("The text is too long."))
    value = _json(text) if text.lstrip()[:1] in ("{", "[") else _yaml(text)
    if not isinstance(value, dict):
        raise Unreadable(_("A journey's document is an object."))
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        values = {"line": error.lineno, "column": error.colno, "reason": error.msg}
        raise Unreadable(_("Line %(line)s, column %(column)s: %(reason)s.") % values) from None
    except RecursionError:
        raise Unreadable(_("This is nested too deeply.")) from None
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for n, name in enumerate(names) if name in names[:n])
        raise Unreadable(_("“%(name)s” stands twice in one object.") % {"name": twice})
    return values


def _refuse(name: str) -> float:
    raise Unreadable(_("“%(name)s” is no number that can be kept.") % {"name": name})


def _finite(digits: str) -> float:
    number = float(digits)
    return number if abs(number) != float("inf") else _refuse(digits)


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - it is the safe loader, with less
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        values = {
            "line": mark.line + 1 if mark else 1,
            "column": mark.column + 1 if mark else 1,
            "reason": error.problem or error.context or "",
        }
        raise Unreadable(_("Line %(line)s, column %(column)s: %(reason)s.") % values) from None
    except yaml.YAMLError as error:
        raise Unreadable(str(error).splitlines()[0]) from None
    except RecursionError:
        raise Unreadable(_("This is nested too deeply.")) from None
    except ValueError as error:
        raise Unreadable(str(error)) from None


class _Dumper(yaml.SafeDumper):
    """Writes every part where it stands: no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


class _Loader(yaml.SafeLoader):
    """JSON's kinds only: no anchors, which can make much of little, no dates, no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's own
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem=_("anchors and tags are not taken"), problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        values: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(problem=_("a name must be a text"), problem_mark=key_node.start_mark)
            if key in values:
                text = _("“%(name)s” stands twice") % {"name": key}
                raise yaml.MarkedYAMLError(problem=text, problem_mark=key_node.start_mark)
            values[key] = self.construct_object(value_node, deep=True)
        return values

    def construct_yaml_float(self, node: Any) -> float:
        return _finite(node.value)


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


# Text, but for what JSON also knows: so `on`, `1:30` and dates stay text as they were written.
_KINDS: Final = (
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", list("-0123456789")),
)
_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in _KINDS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), _first)
    # What is written knows our kinds beside those of YAML 1.1 and quotes a text that either would take for another:
    # `0E0` is a number here and was none in 1.1.
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), _first)
