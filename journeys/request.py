"""What a run asks another system: a request made of values, traits, what it entered with and its variables.

Pure, and made in the run's own move: what was known then is what is asked, however late the call is made.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, unquote, urlencode

from django.utils.translation import gettext_lazy as _
from msgspec import UNSET, Struct, UnsetType

from customers.hints import form
from customers.rules import Facts
from customers.rules.errors import Problem
from customers.rules.values import at_path
from journeys.variables import VARIABLES

# A stop waits for calls in hand, and holds within ten seconds.
LONGEST_CALL: Final = timedelta(seconds=10)
_LONGEST: Final = 1_000
_LONGEST_PATH: Final = 500
_LONGEST_HEADER: Final = 2_000
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,63}(\.[A-Za-z_$][A-Za-z0-9_$-]{0,63}){0,4}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_PATH: Final = re.compile(r"/|(/([A-Za-z0-9._~!$&'()*+,;=:@-]|\{[A-Za-z_][A-Za-z0-9_-]{0,63}\})+)+/?")
_HOLE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]{0,63})\}")
# Ours to say, or those of the connection.
_NOT_THEIRS: Final = frozenset(
    {"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "te", "trailer",
     "upgrade", "expect", "authorization", "cookie", "accept-encoding", "idempotency-key", "keep-alive",
     "webhook-id", "webhook-timestamp", "webhook-signature"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """The request as far as the run knows it: `target` is the path with its query, None where none could be made of
    what was known. Where it leads, and by whose leave, is the connector's to say."""

    target: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


class Said(Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing that is told: a value, or what a property of the entry event, a trait or a variable holds. What is not
    known is left out, but without what its path names, or with nothing in it, no request can be made."""

    name: Annotated[str, form(_("name"), _("In the body, a dot leads inside, as in customer.id."))]
    place: Annotated[
        Literal["body", "query", "path", "header"],
        form(
            _("goes into"),
            choices={
                "body": _("the body, as JSON"),
                "query": _("the query"),
                "path": _("the path, where it names it in {braces}"),
                "header": _("a header"),
            },
        ),
    ] = "body"
    value: Annotated[Any | UnsetType, form(_("value"), unset=_("none"), is_usual=True)] = UNSET
    property: Annotated[str | None, form(_("or the entry event’s"), _("A property; a dot leads inside."))] = None
    trait: Annotated[str | None, form(_("or the customer’s"), refers="trait")] = None
    variable: Annotated[str | None, form(_("or the journey’s"), refers="variable")] = None

    def found(self, facts: Facts) -> Any:
        """None where nothing is known."""
        if self.property is not None:
            return at_path(self.property.split("."))(facts.properties)
        if self.trait is not None:
            return facts.traits.get(self.trait)
        if self.variable is not None:
            return facts.extra.get(VARIABLES, {}).get(self.variable)
        return self.value

    def problems(self) -> Iterator[Problem]:
        fits = _HEADER if self.place == "header" else _NAME
        if not fits.fullmatch(self.name) or (self.place != "body" and "." in self.name and self.place != "header"):
            yield Problem("name_invalid", "/name", _("This cannot be a name here."))
        if self.place == "header" and self.name.lower() in _NOT_THEIRS:
            hint = _("What the other side must know of us stands with its connector.")
            yield Problem("header_not_ours", "/name", _("This header is not set by a journey."), hint)
        given = [self.value is not UNSET, *(one is not None for one in (self.property, self.trait, self.variable))]
        if sum(given) != 1:
            hint = _("Give a value, or the name of a property of the entry event, a trait or a variable.")
            yield Problem("value_unclear", "/value", _("It is not clear what is to be said."), hint)
        elif self.value is not UNSET and not _is_sayable(self.value):
            hint = _("Give a text of at most 1,000 characters, a number, true or false.")
            yield Problem("value_not_allowed", "/value", _("This value cannot be said."), hint)
        if self.property is not None and not all(self.property.split(".")):
            yield Problem("name_invalid", "/property", _("This cannot be a property."))


def _is_sayable(value: Any) -> bool:
    return len(value) <= _LONGEST if isinstance(value, str) else isinstance(value, int | float)


def question(method: str, path: str, told: Sequence[Said], facts: Facts) -> Question:
    """The request as it is with these facts."""
    known = [(one, value) for one in told if (value := one.found(facts)) is not None]
    headers = {one.name: _text(value) for one, value in known if one.place == "header"}
    if not all(map(_is_header, headers.values())):
        return Question(None)
    target = _target(path, {one.name: value for one, value in known if one.place == "path"})
    if target is None:
        return Question(None)
    query = urlencode([(one.name, _text(value)) for one, value in known if one.place == "query"])
    body = "" if method == "GET" else _body({one.name: value for one, value in known if one.place == "body"})
    return Question(f"{target}?{query}" if query else target, headers, body)


def _target(path: str, known: Mapping[str, Any]) -> str | None:
    named = {name: _text(known[name]) for name in _HOLE.findall(path) if name in known}
    # An empty one would ask for something else: for all customers, say, instead of one.
    if not all(named.get(name) for name in _HOLE.findall(path)):
        return None
    made = _HOLE.sub(lambda hole: quote(named[hole[1]], safe=""), path)
    # A step upwards would leave the base that the connector fixes.
    segments = [unquote(one) for one in made.split("/")]
    return None if any(one in (".", "..") for one in segments) or len(made) > 4 * _LONGEST_PATH else made


def _body(known: Mapping[str, Any]) -> str:
    made: dict[str, Any] = {}
    for name, value in known.items():
        *outer, last = name.split(".")
        inside = made
        for one in outer:
            inside = inside.setdefault(one, {})
        inside[last] = value
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_header(value: str) -> bool:
    return len(value) <= _LONGEST_HEADER and value.isascii() and value.isprintable()


def problems_of(method: str, path: str, told: Sequence[Said]) -> Iterator[Problem]:
    """Pointers begin at the step that has them as `path` and `data`."""
    if not _PATH.fullmatch(path) or len(path) > _LONGEST_PATH or any(one in (".", "..") for one in path.split("/")):
        hint = _("As in /customers/{id}/score: it begins with a slash, and goes behind the connector’s base.")
        yield Problem("path_invalid", "/path", _("This cannot be a path."), hint)
    in_path = {one.name for one in told if one.place == "path"}
    for name in sorted(set(_HOLE.findall(path)) ^ in_path):
        message = _("“%(name)s” stands in the path or among what goes into it, but not in both.") % {"name": name}
        yield Problem("path_unclear", "/path", message, _("Name it in {braces}, and say what it holds."))
    for n, one in enumerate(told):
        at = f"/data/{n}"
        for problem in one.problems():
            yield Problem(problem.code, f"{at}{problem.pointer}", problem.message, problem.hint)
        if one.place == "body" and method == "GET":
            hint = _("Put it into the query, or use another method.")
            yield Problem("body_not_allowed", f"{at}/place", _("GET has no body."), hint)
        if any(_collide(one, other) for other in told[:n]):
            message = _("“%(name)s” is already used.") % {"name": one.name}
            yield Problem("duplicate_name", f"{at}/name", message, _("Give it another name."))


def _collide(one: Said, other: Said) -> bool:
    if one.place != other.place:
        return False
    if one.place == "header":
        return one.name.lower() == other.name.lower()
    return f"{one.name}.".startswith(f"{other.name}.") or f"{other.name}.".startswith(f"{one.name}.")
