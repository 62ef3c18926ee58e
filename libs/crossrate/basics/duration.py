"""Times as people and the Gateway API write them: "250ms", "2s", "1h30m"."""

from __future__ import annotations

import re

_DURATION = re.compile(r"^([0-9]{1,5}(h|m|s|ms)){1,4}$")
UNITS_MS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def duration(seconds: float) -> str:
    """A time in seconds as a Gateway API duration, to the millisecond."""
    left, text = round(seconds * 1000), ""
    for unit, size in UNITS_MS.items():
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def duration_s(text: str) -> float:
    """A Gateway API duration ("1h30m", "250ms") in seconds.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(text, str) or not _DURATION.match(text):
        raise ValueError("must be a duration such as 2s or 250ms")
    return sum(int(number) * UNITS_MS[unit] for number, unit in re.findall(r"([0-9]+)(ms|h|m|s)", text)) / 1000
