"""Liquid within bounds: what a message says, rendered from plain data in the reader's language."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from liquid import Environment
from liquid.exceptions import LiquidError, ResourceLimitError, UndefinedError

from channels import options
from channels.liquid import ADDRESS, HTML, MAX_SOURCE, PLAIN, Budget, LimitError, Reader, SourceError, Words, compiled
from channels.liquid.amounts import with_currencies
from channels.liquid.needs import needed
from channels.liquid.reader import of as region_of
from channels.liquid.saying import SayingError
from channels.liquid.tags import OwnSyntaxError
from channels.liquid.words import in_line, in_our_words
from customers import locales

MAX_SUBJECT = 500
_LINE_BREAKS = re.compile(r"[\r\n\x00-\x1f\x7f\u0085\u2028\u2029]+")

_PATH = re.compile(r"[\w-]+(?:\.[\w?-]+|\[[^\[\]]*\])*")


class TemplateError(Exception):
    """A text that cannot be rendered; the message names places and fields, never values."""


class MissingFieldError(TemplateError):
    """A field without a value and without a `default`: better no message than "Hi ,"."""


class TemplateLimitError(TemplateError):
    """It would take more time or memory than a message may (channels.liquid.bounds)."""


@dataclass(frozen=True, slots=True)
class Text:
    """The words of one locale, as authored."""

    locale: str
    subject: str
    html: str
    text: str
    # Of its channel (channels.options), each text in them Liquid.
    options: Mapping[str, Any] = field(default_factory=dict)
    # Of which it is, where it was saved.
    version_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str
    text: str
    locale: str
    options: Mapping[str, Any] = field(default_factory=dict)


def render(
    texts: Sequence[Text], locale: str, fallback_locale: str, context: Mapping[str, Any], reader: Reader
) -> Rendered:
    """The text of the closest locale, filled in; a context holds plain data only. Raises Abort where it says so."""
    text = choose_text(texts, locale, fallback_locale)
    reader = replace(reader, locale=region_of(text.locale, locale))
    # Told apart from whatever the person's data call so, and by no other clock than ours.
    now = reader.local_now
    told = {name: with_currencies(value) for name, value in context.items()}
    filling = _Filling({**told, "now": now, "today": now.date()}, reader, Budget())
    return Rendered(
        subject=_one_line(filling.fill(PLAIN, text.subject)),
        html=filling.fill(HTML, text.html),
        text=filling.fill(PLAIN, text.text),
        locale=text.locale,
        options={name: _option(name, value, filling) for name, value in text.options.items()},
    )


def _option(name: str, value: Any, filling: "_Filling") -> Any:
    if isinstance(value, list):
        return [_option(name, one, filling) for one in value]
    if not isinstance(value, str):
        return value
    filled = filling.fill(PLAIN, value).strip()
    if fault := options.fault_of(name, filled):
        raise TemplateError(f"{name}: {fault}")
    return filled


def choose_text(texts: Sequence[Text], locale: str, fallback_locale: str) -> Text:
    """pt-BR → pt → the brand's locale → its language → any, by name."""
    if not texts:
        raise TemplateError("the template has no text")
    by_locale = {text.locale: text for text in texts}
    return by_locale[locales.closest(by_locale, locale, fallback_locale) or ""]


def check(source: str, *, is_html: bool = False) -> None:
    """Refuse a source that would never render, as early as it is saved."""
    _compiled(HTML if is_html else PLAIN, source)


def check_address(source: str) -> None:
    """As `check`, of an address that something is pulled from."""
    _compiled(ADDRESS, source)


def address(source: str, context: Mapping[str, Any], reader: Reader) -> str:
    """An address filled in, each value encoded."""
    now = reader.local_now
    return _Filling({**context, "now": now, "today": now.date()}, reader, Budget()).fill(ADDRESS, source)


def read_of(source: str) -> set[tuple[str, ...]]:
    """Paths into the context that a source names, as (`event`, `total`); raises TemplateError."""
    found = _compiled(PLAIN, source).analyze(include_partials=False).globals
    return {tuple(map(str, one.segments)) for named in found.values() for one in named}


def needed_by(source: str, *, is_html: bool = False) -> set[tuple[str, ...]]:
    """Paths that the source cannot do without: without a value there is no message. Nothing of what is no source."""
    if "{" not in source:
        return set()
    try:
        # What the text itself assigns or loops over is nothing that it needs of anybody.
        read = read_of(source)
        wanted = needed(_compiled(HTML if is_html else PLAIN, source))
        return {name for name in wanted if name and any(path[: len(name)] == name for path in read)}
    except TemplateError:
        return set()


def names_under(source: str, root: str) -> set[str]:
    """Which names the source reads of `root`: of `journey`, `plan` where it says {{ journey.plan }}."""
    if "{" not in source:
        return set()
    return {path[1] for path in read_of(source) if path[0] == root and len(path) > 1}


@dataclass(frozen=True, slots=True)
class _Filling:
    """All texts of one message draw on one budget."""

    context: Mapping[str, Any]
    reader: Reader
    budget: Budget

    def fill(self, way: Environment, source: str) -> str:
        if "{" not in source and len(source) <= MAX_SOURCE:
            return source
        begun = time.thread_time()
        words = _compiled(way, source)
        self.budget.lengthen(time.thread_time() - begun)
        try:
            return words.fill(self.context, self.reader, self.budget)
        except UndefinedError as error:
            raise MissingFieldError(f"{_named_by(error)} is undefined") from error
        except (ResourceLimitError, MemoryError, RecursionError) as error:
            raise TemplateLimitError(_describe(error)) from error
        except LiquidError as error:
            raise TemplateError(_describe(error)) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(type(error).__name__) from error


def _compiled(way: Environment, source: str) -> Words:
    try:
        return compiled(way, source)
    except SourceError as error:
        raise TemplateError(str(error)) from error
    except ResourceLimitError as error:
        raise TemplateLimitError(_describe(error)) from error
    except LiquidError as error:
        # What is wrong with a source can be told in full: it holds no value.
        said = str(error.message) if isinstance(error, OwnSyntaxError) else in_our_words(str(error.message), way.tags)
        raise TemplateError(_placed(said, error)) from error


def _describe(error: BaseException) -> str:
    """The kind and the line; a filter's own words may quote a personal value, those of limits and of ours never do."""
    said = (
        str(error.message)
        if isinstance(error, LimitError | SayingError)
        else type(error).__name__.removesuffix("Error")
    )
    return _placed(said, error)


def _named_by(error: UndefinedError) -> str:
    """The field as its author wrote it: what is looked up by a value would tell the value."""
    if error.token is None:
        return "a field"
    named = _PATH.match(error.token.source, error.token.start_index)
    return named[0] if named else error.token.value


def _placed(said: str, error: BaseException) -> str:
    if not isinstance(error, LiquidError) or error.token is None or error.token.start_index < 0:
        return said
    return in_line(said, error.token.source.count(chr(10), 0, error.token.start_index) + 1)


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
