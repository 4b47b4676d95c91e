"""Strict JSON: what parsers wave through (duplicate keys, 1e999, NUL, depth) is refused by name."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jiter

from customers.accept.json_errors import explain
from customers.accept.refusal import Refusal, pointer

MAX_DEPTH = 32
MAX_ELEMENTS = 1000
NUMBER_LIMIT = 10**15
MAX_DIGITS = 17

_BOM = b"\xef\xbb\xbf"
_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_MORE_DIGITS = b"0" * (MAX_DIGITS + 1)
_NUMBER = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?(?:[eE][+-]?([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed body. The two flags come from a glance at the bytes: only when one is set can a string hold
    NUL, or a number have too many digits, and only then is there a need to look closer."""

    value: Any
    text: bytes
    may_hold_nul: bool
    may_hold_long_number: bool


def parse(body: bytes) -> Document:
    """Parse `body`, or raise Refused for what no JSON reader should accept."""
    text = body.removeprefix(_BOM)
    try:
        value = jiter.from_json(text, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys")
    except ValueError as error:
        raise explain(text, str(error)) from None
    return Document(
        value=value,
        text=text,
        may_hold_nul=b"\\u0000" in text,
        # A decimal point only interrupts a number: with points left out its digits stand in one row.
        may_hold_long_number=_MORE_DIGITS in text.translate(_AS_ZEROS, b"."),
    )


def is_sound(document: Document, items: Iterable[Any]) -> bool:
    """Whether nothing in `items` breaks a limit: the quick question, asked of a whole batch at once."""
    if document.may_hold_nul or document.may_hold_long_number:
        return False
    level: list[Any] = list(items)
    for _depth in range(MAX_DEPTH):
        deeper: list[Any] = []
        for holder in level:
            if len(holder) > MAX_ELEMENTS:
                return False
            for value in holder.values() if type(holder) is dict else holder:
                kind = type(value)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    deeper.append(value)
                elif (kind is int or kind is float) and not -NUMBER_LIMIT < value < NUMBER_LIMIT:
                    return False
        if not deeper:
            return True
        level = deeper
    return False


def first_fault(item: Any) -> Refusal | None:
    """The first breach of a limit inside `item`, by name and place: the slow question, asked when in doubt.

    `item` comes from `lossless`, where a fraction still has the digits it was written with.
    """
    level: list[tuple[Any, tuple[str | int, ...]]] = [(item, ())]
    for _depth in range(MAX_DEPTH):
        deeper: list[tuple[Any, tuple[str | int, ...]]] = []
        for holder, path in level:
            if len(holder) > MAX_ELEMENTS:
                return _too_many(path)
            for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
                here = (*path, key)
                fault = _fault_of(key, value, here)
                if fault is not None:
                    return fault
                if isinstance(value, dict | list):
                    deeper.append((value, here))
        if not deeper:
            return None
        level = deeper
    return Refusal(
        "json_too_deep",
        f"Nested deeper than {MAX_DEPTH} levels.",
        "Flatten the object.",
        pointer(*level[0][1]),
    )


def lossless(document: Document) -> Any:
    """The document again, with every fraction kept as it was written."""
    return jiter.from_json(document.text, allow_inf_nan=False, float_mode="lossless-float")


def _too_many(path: Sequence[str | int]) -> Refusal:
    return Refusal(
        "too_many_elements",
        f"More than {MAX_ELEMENTS} keys or items in one object or array.",
        "Send several smaller messages.",
        pointer(*path),
    )


def _fault_of(key: str | int, value: Any, path: Sequence[str | int]) -> Refusal | None:
    if (isinstance(key, str) and "\0" in key) or (isinstance(value, str) and "\0" in value):
        where = pointer(*path).replace("\0", "\\u0000")
        return Refusal("nul_character", "Text holds the NUL character.", "Leave \\u0000 out.", where)
    if isinstance(value, jiter.LosslessFloat):
        return _number_fault(str(value), path)
    if isinstance(value, int) and not -NUMBER_LIMIT < value < NUMBER_LIMIT:
        return _out_of_range(path)
    return None


def _number_fault(literal: str, path: Sequence[str | int]) -> Refusal | None:
    match = _NUMBER.fullmatch(literal)
    whole, fraction, exponent = match.groups(default="") if match else ("", "", "")
    # A double's exponent has at most three digits: a longer one overflows even what PostgreSQL calls numeric.
    if len(exponent) > 3 or len((whole + fraction).strip("0")) > MAX_DIGITS:
        return _out_of_range(path)
    value = float(literal)
    if value in (float("inf"), float("-inf")):
        return Refusal("number_not_finite", "A number too large to be finite.", "Send it as a string.", pointer(*path))
    return None if -NUMBER_LIMIT < value < NUMBER_LIMIT else _out_of_range(path)


def _out_of_range(path: Sequence[str | int]) -> Refusal:
    return Refusal(
        "number_out_of_range",
        f"Numbers are below 10^15 and have at most {MAX_DIGITS} digits.",
        "Send ids and long numbers as strings.",
        pointer(*path),
    )
