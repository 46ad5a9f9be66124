"""One column as bytes: the type that its values have, and their canonical writing.

The type comes from the values and not from what held them, because libraries hold the same values
differently: pandas has whole numbers with a gap as floats, and text as objects. A column in which
every value is missing therefore has the type ``null``.

============  ==========================================================================
type          writing of a value (the missing ones: nothing, but their byte of validity)
============  ==========================================================================
number        8 bytes, IEEE 754, little-endian; -0.0 as 0.0
integer       decimal digits, as text: a column of whole numbers, some beyond ±2⁵³
boolean       1 byte
text          its length in UTF-8 bytes as 8 bytes, then these
bytes         the same
decimal       as text: the shortest decimal digits, without an exponent
instant       8 bytes: microseconds since 1970 UTC; the time had a zone
local         8 bytes: microseconds since 1970 on a clock whose zone is not known
date          8 bytes: days since 1970
duration      8 bytes: microseconds
time          8 bytes: microseconds since midnight
json          as text: canonical JSON of lists and mappings
============  ==========================================================================

Where a time is finer than microseconds, all of the column is in nanoseconds and its type is
``instant/ns`` and so on. The digest of a column is SHA-256 of a byte of validity for each row (1
or 0), followed by the values.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import math
import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .canonical import canonical_json

EPOCH = dt.datetime(1970, 1, 1)
EXACT_FLOAT = 2**53
INT64 = 2**63


@dataclass(frozen=True)
class Column:
    """What is known of a column after it was read."""

    name: str
    type: str
    digest: str


@dataclass(frozen=True)
class Ticks:
    """Times as whole numbers, as libraries hold them: `None` where one is missing."""

    kind: str
    """instant, local, duration or time."""
    per_second: int
    values: Sequence[Any]


@dataclass(frozen=True)
class Floats:
    """64-bit floats in an array of numpy: NaN where one is missing."""

    values: Any


def encode(name: str, column: Any, rows: int) -> Column:
    """The column's type and digest; ``ValueError`` for values that have no type here."""
    if isinstance(column, Floats):
        return _floats(name, column)
    if isinstance(column, Ticks):
        return _ticks(name, column)
    if len(column) != rows:
        raise ValueError(f"it has {len(column)} values where the table has {rows} rows")
    valid = bytes(0 if missing(value) else 1 for value in column)
    present = [value for value, there in zip(column, valid) if there]
    kind = _kind(present)
    if kind in _TICKS:
        return _ticks(name, _as_ticks(kind, column, valid))
    if kind == "number" and not _all_exact(present):
        kind = "integer"
    return _digested(name, kind, valid, _BODIES[kind](present))


def missing(value: Any) -> bool:
    """`None`, NaN, NaT and pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    return type(value).__name__ in ("NAType", "NaTType")


def _digested(name: str, kind: str, valid: bytes, body: bytes) -> Column:
    digest = hashlib.sha256(valid)
    digest.update(body)
    return Column(name, kind if any(valid) else "null", digest.hexdigest())


def _kind(present: Sequence[Any]) -> str:
    kinds = {_kind_of_type(of) for of in set(map(type, present))}
    if "datetime" in kinds:
        kinds.discard("datetime")
        kinds |= {"local" if value.tzinfo is None else "instant" for value in present if hasattr(value, "tzinfo")}
    if len(kinds) > 1:
        raise ValueError(f"its values are of several types ({', '.join(sorted(kinds))}); make them one")
    return kinds.pop() if kinds else "null"


def _kind_of_type(of: type) -> str:
    for kind, types in _KINDS:
        if issubclass(of, types):
            return kind
    raise ValueError(f"values of the type {of.__module__}.{of.__qualname__} have no canonical writing")


_KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("boolean", (bool,)),
    ("number", (int, float)),
    ("text", (str,)),
    ("bytes", (bytes, bytearray, memoryview)),
    ("decimal", (decimal.Decimal,)),
    ("datetime", (dt.datetime,)),
    ("date", (dt.date,)),
    ("duration", (dt.timedelta,)),
    ("time", (dt.time,)),
    ("json", (list, tuple, Mapping)),
)


def _all_exact(present: Sequence[Any]) -> bool:
    """Whether floats hold these numbers; whole numbers beyond them may not stand among floats."""
    beyond = any(isinstance(value, int) and not -EXACT_FLOAT <= value <= EXACT_FLOAT for value in present)
    if beyond and any(isinstance(value, float) for value in present):
        raise ValueError("whole numbers beyond ±2⁵³ stand among decimals; make them one type")
    return not beyond


def _numbers(present: Sequence[Any]) -> bytes:
    # Adding 0.0 makes 0.0 of -0.0.
    return _little_endian(array("d", (float(value) + 0.0 for value in present)))


def _little_endian(values: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _texts(texts: Iterable[str]) -> bytes:
    return _chunks(text.encode("utf-8") for text in texts)


def _chunks(chunks: Iterable[bytes]) -> bytes:
    return b"".join(part for chunk in chunks for part in (struct.pack("<Q", len(chunk)), chunk))


def _decimal_text(value: decimal.Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"the decimal {value} is not finite")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _json_text(value: Any) -> str:
    return canonical_json(_json_value(value))


def _json_value(value: Any) -> Any:
    if missing(value):
        return None
    if isinstance(value, Mapping):
        return {str(name): _json_value(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return _decimal_text(value)
    if isinstance(value, int) and not -EXACT_FLOAT < value < EXACT_FLOAT:
        return str(value)
    listed = getattr(value, "tolist", None)
    return _json_value(listed()) if callable(listed) else value


def _dates(present: Sequence[dt.date]) -> bytes:
    return _little_endian(array("q", ((day - EPOCH.date()).days for day in present)))


_BODIES: dict[str, Callable[[Sequence[Any]], bytes]] = {
    "null": lambda present: b"",
    "number": _numbers,
    "integer": lambda present: _texts(str(int(value)) for value in present),
    "boolean": lambda present: bytes(map(int, present)),
    "text": _texts,
    "bytes": lambda present: _chunks(map(bytes, present)),
    "decimal": lambda present: _texts(map(_decimal_text, present)),
    "date": _dates,
    "json": lambda present: _texts(map(_json_text, present)),
}


def _as_ticks(kind: str, column: Sequence[Any], valid: bytes) -> Ticks:
    ticks = _TICKS[kind]
    values = [ticks(value) if there else None for value, there in zip(column, valid)]
    if any(_finer(value) for value in column if hasattr(value, "nanosecond") or hasattr(value, "nanoseconds")):
        raise ValueError("its times are finer than microseconds; give them as a column of times, not of objects")
    return Ticks(kind, 1_000_000, values)


def _finer(value: Any) -> bool:
    return bool(getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0))


def _microseconds(span: dt.timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


_TICKS: dict[str, Callable[[Any], int]] = {
    "local": lambda value: _microseconds(value - EPOCH),
    "instant": lambda value: _microseconds(value - EPOCH.replace(tzinfo=dt.timezone.utc)),
    "duration": _microseconds,
    "time": lambda value: ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond,
}


def _ticks(name: str, column: Ticks) -> Column:
    """Microseconds where these hold every value, nanoseconds where not."""
    valid = bytes(0 if value is None else 1 for value in column.values)
    present = [value for value in column.values if value is not None]
    kind, unit = column.kind, 1_000_000
    if column.per_second > unit and any(value * unit % column.per_second for value in present):
        kind, unit = f"{kind}/ns", 1_000_000_000
    scaled = [value * unit // column.per_second for value in present]
    if any(not -INT64 <= value < INT64 for value in scaled):
        raise ValueError("a time is too far away for 64 bits of microseconds")
    return _digested(name, kind, valid, _little_endian(array("q", scaled)))


def _floats(name: str, column: Floats) -> Column:
    values = column.values
    there = values == values
    return _digested(name, "number", there.astype("u1").tobytes(), (values[there] + 0.0).astype("<f8").tobytes())
