"""Liquid within bounds: what a message says, rendered from plain data in the reader's language."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError, UndefinedError
from liquid.undefined import FalsyStrictUndefined

from channels import options
from customers import locales

MAX_SOURCE = 256 * 1024
MAX_SUBJECT = 500
_LINE_BREAKS = re.compile(r"[\r\n\x00-\x1f\x7f\u0085\u2028\u2029]+")


class TemplateError(Exception):
    """A text that cannot be rendered; the message names places and fields, never values."""


class MissingFieldError(TemplateError):
    """A field without a value and without a `default`: better no message than "Hi ,"."""


class _Missing(FalsyStrictUndefined):
    """May be asked about (`if`, `default`), but not printed."""

    force_liquid_default = True


class BoundedEnvironment(Environment):
    block_nesting_limit = 20
    context_depth_limit = 20
    loop_iteration_limit = 10_000
    local_namespace_limit = 1_000_000
    output_stream_limit = 1_000_000

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=False)
        # Nothing is loaded from elsewhere, and what a person typed stays escaped.
        for tag in ("include", "render"):
            del self.tags[tag]
        del self.filters["safe"]


_PLAIN = BoundedEnvironment(undefined=_Missing)
_HTML = BoundedEnvironment(undefined=_Missing, autoescape=True)


@dataclass(frozen=True, slots=True)
class Text:
    """The words of one locale, as authored."""

    locale: str
    subject: str
    html: str
    text: str
    # Of its channel (channels.options), each text in them Liquid.
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str
    text: str
    locale: str
    options: Mapping[str, Any] = field(default_factory=dict)


def render(texts: Sequence[Text], locale: str, fallback_locale: str, context: Mapping[str, Any]) -> Rendered:
    """The text of the closest locale, filled in; a context holds plain data only."""
    text = choose_text(texts, locale, fallback_locale)
    return Rendered(
        subject=_one_line(_fill(_PLAIN, text.subject, context)),
        html=_fill(_HTML, text.html, context),
        text=_fill(_PLAIN, text.text, context),
        locale=text.locale,
        options={name: _option(name, value, context) for name, value in text.options.items()},
    )


def _option(name: str, value: Any, context: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_option(name, one, context) for one in value]
    if not isinstance(value, str):
        return value
    filled = _fill(_PLAIN, value, context).strip()
    if fault := options.fault_of(name, filled):
        raise TemplateError(f"{name}: {fault}")
    return filled


def choose_text(texts: Sequence[Text], locale: str, fallback_locale: str) -> Text:
    """pt-BR → pt → the brand's locale → its language → any, by name."""
    if not texts:
        raise TemplateError("the template has no text")
    by_locale = {text.locale: text for text in texts}
    return by_locale[locales.closest(by_locale, locale, fallback_locale) or ""]


def check(source: str) -> None:
    """Refuse a source that would never render, as early as it is saved."""
    _compile(_PLAIN, source)


def read_of(source: str) -> set[tuple[str, ...]]:
    """Paths into the context that a source names, as (`event`, `total`); raises TemplateError."""
    found = _compile(_PLAIN, source).analyze(include_partials=False).globals
    return {tuple(map(str, one.segments)) for named in found.values() for one in named}


def names_under(source: str, root: str) -> set[str]:
    """Which names the source reads of `root`: of `journey`, `plan` where it says {{ journey.plan }}."""
    if "{" not in source:
        return set()
    return {path[1] for path in read_of(source) if path[0] == root and len(path) > 1}


@lru_cache(maxsize=1024)
def _compile(environment: BoundedEnvironment, source: str) -> BoundTemplate:
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"the template is longer than {MAX_SOURCE} characters")
    try:
        return environment.from_string(source)
    except LiquidError as error:
        raise TemplateError(_describe(error)) from error


def _fill(environment: BoundedEnvironment, source: str, context: Mapping[str, Any]) -> str:
    if "{" not in source and len(source) <= MAX_SOURCE:
        return source
    template = _compile(environment, source)
    try:
        return str(template.render(**context))
    except UndefinedError as error:
        raise MissingFieldError(str(error.message)) from error
    except LiquidError as error:
        raise TemplateError(_describe(error)) from error
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise TemplateError(type(error).__name__) from error


def _describe(error: LiquidError) -> str:
    """The kind and the line; a filter's own words may quote a personal value."""
    name = type(error).__name__.removesuffix("Error")
    if error.token is None:
        return name
    return f"{name} in line {error.token.source.count(chr(10), 0, error.token.start_index) + 1}"


def _one_line(subject: str) -> str:
    """No line break or control character ever reaches a header."""
    return _LINE_BREAKS.sub(" ", subject).strip()[:MAX_SUBJECT]


def plain(value: Any) -> Any:
    """`value` without its nulls: a trait that was unset counts as missing, not as an empty string."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
