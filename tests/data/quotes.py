"""The real datasets, read by the project's own readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crossrate.files.candles import Candles
from crossrate.files.chunk import Chunk
from crossrate.files.reader import read
from crossrate.files.shapes import shape_of
from crossrate.ticks.columns import Ticks

DAYS = ("20140505", "20140506", "20140507", "20140508")
CLOCKS = {"fxcm": "UTC-05:00", "oanda": "UTC"}
"""By Lean's documentation."""


def day(data: Path, venue: str, name: str, *, clock: str | None = None, kind: str = "tick") -> list[Chunk]:
    """One day of a venue; its clock is that of the documentation if none is given."""
    path = data / venue / kind / "eurusd" / f"{name}_quote.zip"
    return list(read(path, shape_of(f"lean_{kind}", clock=clock or CLOCKS[venue])))


def ticks(data: Path, venue: str, *names: str, clock: str | None = None) -> Ticks:
    """Quotes of some days."""
    return Ticks.concatenated([chunk.ticks for name in names for chunk in day(data, venue, name, clock=clock)])


def hours(data: Path, path: str, shape: str) -> Candles:
    """Hourly bars whose times are left as the file has them, as if its clock were UTC."""
    chunks = list(read(data / path, shape_of(shape, clock="UTC")))
    assert not any(chunk.rejected for chunk in chunks)
    return Candles.concatenated([chunk.candles for chunk in chunks if chunk.candles is not None])


def quotient(numerator: Candles, denominator: Candles) -> Ticks:
    """The cross of two pairs with the same counter, from bars of the same clock: opens and closes of their bids."""
    _, first, second = np.intersect1d(numerator.begin, denominator.begin, return_indices=True)
    over, under = numerator.quotes(), denominator.quotes()
    places = [np.stack([2 * each, 2 * each + 1], axis=1).ravel() for each in (first, second)]
    price = over.bid[places[0]] / under.bid[places[1]]
    return Ticks.of(over.venue_time[places[0]], price, price)
