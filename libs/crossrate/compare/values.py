"""Single values and arrays of numbers: equal within their tolerance, or how far apart.

NaN equals NaN, an infinity itself, 0 equals −0. Decimals are compared as decimals: "1.10" is "1.1".
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

import numpy as np

from crossrate.compare.rules import Bound, FieldRule, Kind

_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?\Z")

Gap = tuple[float, float | None]
"""Size in tolerances, and relative size."""

HIDDEN = "REDACTED"
"""What is shown of a value that nobody may see."""
EQUAL: Gap = (0.0, 0.0)
ALTOGETHER: Gap = (math.inf, None)


def numbers_apart(a: float, b: float, bound: Bound, pip: float | None) -> Gap | None:
    """How far two numbers are apart; None if within the bound."""
    if a == b or (a != a and b != b):
        return None
    if not (math.isfinite(a) and math.isfinite(b)):
        return ALTOGETHER
    gap, reach = abs(a - b), bound.reach(a, b, pip)
    if gap <= reach:
        return None
    return (gap / reach if reach else math.inf), gap / max(abs(a), abs(b))


def texts_apart(a: str, b: str, bound: Bound, pip: float | None) -> Gap | None:
    """How far two texts are apart: as decimals if both are, else altogether; None if equal.

    A text is a decimal if it is written as one; whole numbers without a point may be ids, and count as decimals beside
    one with a point only, or where the contract gives a tolerance.
    """
    if not (_DECIMAL.match(a) and _DECIMAL.match(b)):
        return ALTOGETHER
    x, y = Decimal(a), Decimal(b)
    if x == y:
        return None
    gap, largest = abs(x - y), max(abs(x), abs(y))
    reach = Decimal(repr(bound.reach(float(x), float(y), pip)))
    if gap <= reach:
        return None
    return (float(gap / reach) if reach else math.inf), float(gap / largest)


def are_decimals(a: str, b: str, tolerant: bool) -> bool:
    """Whether two unequal texts are compared as decimals."""
    return tolerant or "." in a or "." in b


def apart(rule: FieldRule, a, b, pip: float | None) -> Gap | None:
    """How far two unequal values of a scalar field are apart; None if within its tolerance."""
    if rule.kind is Kind.FLOAT or (rule.kind is Kind.INTEGER and rule.tolerant):
        return numbers_apart(a, b, rule.bound, pip)
    if rule.kind is Kind.INTEGER:
        return None if a == b else (math.inf, abs(a - b) / max(abs(a), abs(b)))
    if rule.kind is Kind.TEXT and a != b and are_decimals(a, b, rule.tolerant):
        return texts_apart(a, b, rule.bound, pip)
    return None if a == b else ALTOGETHER


def arrays_apart(a: np.ndarray, b: np.ndarray, bound: Bound, pip: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Where two arrays of one length differ by more than the bound.

    Returns:
        Places, ascending, and sizes in tolerances there.
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        places = np.flatnonzero(~((a == b) | ((a != a) & (b != b))))
        if not places.size:
            return places, np.zeros(0)
        x, y = a[places].astype(np.float64), b[places].astype(np.float64)
        gap = np.abs(x - y)
        reach = np.array([bound.reach(1.0, 1.0, pip)])
        if bound.reach(2.0, 2.0, pip) != reach[0]:
            reach = bound.value * np.maximum(np.abs(x), np.abs(y))
        finite = np.isfinite(x) & np.isfinite(y)
        beyond = ~finite | (gap > reach)
        # Neighbours beyond 2^53 are one double; as integers they differ.
        sizes = np.where(finite & (reach > 0), gap / reach, math.inf)
        return places[beyond | ((gap == 0) & (reach == 0))], sizes[beyond | ((gap == 0) & (reach == 0))]


def text_of(rule: FieldRule, value) -> str:
    """A scalar in words."""
    if rule.secret:
        return HIDDEN
    if rule.enum is not None:
        return rule.enum.get(value, str(value))
    if isinstance(value, bytes):
        return f"0x{value[:32].hex()}{'…' if len(value) > 32 else ''}"
    return repr(value) if isinstance(value, (float, str)) else str(value)
