"""JSON in one form alone, so that equal documents are equal bytes and can be signed (RFC 8785)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

INTEGER_MAX = 2**53 - 1
"""Whole numbers beyond are not the same in every reader (RFC 8785, appendix D)."""


def canonical_json(document: Any) -> str:
    """The one form of a document of objects, lists, texts, numbers, true, false and null.

    Raises:
        ValueError: a number is not finite or too large, or a text is no Unicode.
        TypeError: a value is none of these, or a name is no text.
    """
    text = _written(document)
    text.encode()
    return text


def _written(value: Any) -> str:
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise TypeError("names in JSON are texts")
        # By UTF-16 code units (section 3.2.3).
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{_written(name)}:{_written(value[name])}" for name in names) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ",".join(map(_written, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _number(value: float) -> str:
    """As ECMAScript writes it (section 3.2.2.3)."""
    if isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise ValueError(f"{value} is too large for a number in JSON")
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number in JSON")
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"
