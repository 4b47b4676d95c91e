"""Values in PostgreSQL's binary form, a whole column or array at a time: several times what psycopg does one by one."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from struct import Struct
from types import NoneType
from typing import Any

from psycopg import DataError
from psycopg.abc import Buffer
from psycopg.types.array import ListBinaryDumper

# One value with its length in front, as arrays and COPY alike want it.
Pack = Callable[[Any], bytes]

NULL = b"\xff\xff\xff\xff"
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_INT2, _INT4, _INT8 = Struct(">ih").pack, Struct(">ii").pack, Struct(">iq").pack
_LENGTH, _FIELDS = Struct(">i").pack, Struct(">h").pack
_HEAD = Struct(">iiIii").pack
_UUID_LENGTH = _LENGTH(16)


def _int2(value: Any) -> bytes:
    return _INT2(2, value)


def _int4(value: Any) -> bytes:
    return _INT4(4, value)


def _int8(value: Any) -> bytes:
    return _INT8(8, value)


def _timestamptz(value: Any) -> bytes:
    return _INT8(8, (value - _EPOCH) // _TICK)


def _uuid(value: Any) -> bytes:
    packed: bytes = _UUID_LENGTH + value.int.to_bytes(16, "big")
    return packed


def _text(value: Any) -> bytes:
    if "\0" in value:
        raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    data: bytes = value.encode()
    return _LENGTH(len(data)) + data


def _bool(value: Any) -> bytes:
    return b"\0\0\0\1\1" if value else b"\0\0\0\1\0"


def _bytea(value: Any) -> bytes:
    return _LENGTH(len(value)) + bytes(value)


def _jsonb(value: Any) -> bytes:
    """`value` is a psycopg Jsonb. The first byte is the format's version."""
    data = (value.dumps or json.dumps)(value.obj)
    if isinstance(data, str):
        data = data.encode()
    return _LENGTH(len(data) + 1) + b"\1" + data


class _Known(dict[Any, bytes]):
    """What has been packed before: for columns that say the same again and again."""

    def __init__(self, pack: Pack) -> None:
        super().__init__({None: NULL})
        self.pack = pack

    def __missing__(self, value: Any) -> bytes:
        packed = self[value] = self.pack(value)
        return packed


def _each(pack: Pack) -> Callable[[Iterable[Any]], Iterable[bytes]]:
    return lambda values: [NULL if value is None else pack(value) for value in values]


def _once(pack: Pack) -> Callable[[Iterable[Any]], Iterable[bytes]]:
    return lambda values: map(_Known(pack).__getitem__, values)


# Hashing a UUID costs more than packing it, and documents cannot be hashed.
_COLUMNS: dict[str, Callable[[Iterable[Any]], Iterable[bytes]]] = {
    "int2": _once(_int2),
    "int4": _once(_int4),
    "int8": _each(_int8),
    "timestamptz": _once(_timestamptz),
    "uuid": _each(_uuid),
    "varchar": _once(_text),
    "text": _once(_text),
    "bool": _once(_bool),
    "bytea": _each(_bytea),
    "jsonb": _each(_jsonb),
}


def pack_columns(types: Sequence[str], columns: Iterable[Iterable[Any]]) -> bytes:
    """Rows, given by their columns, as the contents of a binary COPY."""
    first, *others = (_COLUMNS[type_](values) for type_, values in zip(types, columns, strict=True))
    head = _FIELDS(len(types))
    rows = zip([head + value for value in first], *others, strict=True)
    return b"".join((_COPY_HEAD, *chain.from_iterable(rows), _COPY_END))


# By the element's oid: int8, uuid, timestamptz, text.
_ELEMENTS: dict[int, Callable[[Iterable[Any]], Iterable[bytes]]] = {
    20: _each(_int8),
    2950: _each(_uuid),
    1184: _once(_timestamptz),
    25: _once(_text),
}


class PackedListDumper(ListBinaryDumper):
    """Arrays of one dimension whose elements are of the types the hot paths know; others as psycopg has them."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        oid = self.sub_dumper.oid if self.sub_dumper is not None else 0
        pack = _ELEMENTS.get(oid)
        types = set(map(type, obj))
        if pack is None or not obj or any(issubclass(type_, list) for type_ in types):
            return super().dump(obj)
        return b"".join((_HEAD(1, NoneType in types, oid, len(obj), 1), *pack(obj)))
