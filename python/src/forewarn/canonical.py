"""One writing for one value: JSON as RFC 8785 has it, and SHA-256 of it.

Two programs that mean the same parameters must come to the same digest, whatever language they
are written in. Python's own ``json`` differs from that in three things: it sorts names by code
points and not by UTF-16 units, it writes ``1.0`` where ECMAScript writes ``1``, and it takes
numbers that JSON has no word for.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

EXACT = 2**53 - 1
"""The largest whole number that every reader of JSON reads exactly."""


def canonical_json(value: Any) -> str:
    """The value as RFC 8785 writes it.

    Raises ``ValueError`` for what JSON cannot say: numbers that are not finite, whole numbers
    beyond ±9007199254740991, names that are not text, and objects of other types.
    """
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return _whole(int(value))
    if isinstance(value, float):
        return _decimal(float(value))
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(canonical_json(item) for item in value) + "]"
    if isinstance(value, (set, frozenset)):
        return "[" + ",".join(sorted(canonical_json(item) for item in value)) + "]"
    plain = getattr(value, "item", None)
    if callable(plain) and getattr(value, "shape", None) == ():
        return canonical_json(plain())
    raise ValueError(f"a {type(value).__name__} has no place in JSON; give text, numbers, lists or mappings")


def sha256(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_json(value: Any) -> str:
    """SHA-256 of the value's canonical JSON."""
    return sha256(canonical_json(value).encode("utf-8"))


def _text(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("a text has half of a surrogate pair, which no UTF-8 holds") from error
    return json.dumps(value, ensure_ascii=False)


def _whole(value: int) -> str:
    if not -EXACT <= value <= EXACT:
        raise ValueError(f"{value} is not exact in JSON; write it as text")
    return str(value)


def _object(value: Mapping[Any, Any]) -> str:
    for name in value:
        if not isinstance(name, str):
            raise ValueError(f"the name {name!r} is not text; JSON names are")
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{_text(name)}:{canonical_json(value[name])}" for name in names) + "}"


def _decimal(value: float) -> str:
    """The shortest digits that mean this number, placed as ECMAScript's Number::toString has it."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of JSON")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS times ten to the power of `point`.
    point = int(exponent or 0) + (len(whole) if whole != "0" else len(digits) - len(fraction))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = point - 1
    tail = "." + digits[1:] if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"
