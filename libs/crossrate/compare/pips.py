"""Pips of instruments by the market's conventions."""

from __future__ import annotations

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import parse_pair


def pip_of(instrument: str) -> float | None:
    """The pip of a pair by its name: 0.0001 for "EUR/USD"; None if it is no pair that is known."""
    try:
        convention = CONVENTIONS.get(parse_pair(instrument))
    except ValueError:
        return None
    return None if convention is None else float(convention.pip)
