"""What quotes are kept by, and the rules for its names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import DAY, EPOCH

INSTRUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9/._-]{0,63}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
LIVE = "live"
"""The dataset of quotes that came from feeds."""


class Batch(NamedTuple):
    """Quotes of one instrument from one venue, in the order in which they came."""

    venue: str
    instrument: str
    ticks: Ticks


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What the quotes of one file have in common."""

    venue: str
    instrument: str
    day: date
    """The UTC day of their venue times."""
    dataset: str

    @property
    def folder(self) -> str:
        """Where its files stand; for people and for tools that read the names of folders, the store does not."""
        instrument = self.instrument.replace("/", "-")
        return f"venue={self.venue}/instrument={instrument}/day={self.day}/dataset={self.dataset}"


def checked(field: str, value: str) -> str:
    """A name as it is, if it can be one.

    Raises:
        ValueError: it cannot; the message names the field and the rule.
    """
    rule = INSTRUMENT if field == "instrument" else NAME
    if not isinstance(value, str) or not rule.fullmatch(value):
        raise ValueError(f"{field} {value!r} is no name: it has to match {rule.pattern}")
    return value


def by_day(batch: Batch, dataset: str) -> Iterator[tuple[Key, Ticks]]:
    """The quotes of each UTC day, in the order in which they came.

    Raises:
        ValueError: a name is none, or a venue time is no time in ns since 1970 UTC.
    """
    venue, instrument = checked("venue", batch.venue), checked("instrument", batch.instrument)
    days = batch.ticks.venue_time // DAY
    if len(days) and (days.min() < -25_000 or days.max() > 84_000):
        wrong = batch.ticks.venue_time[(days < -25_000) | (days > 84_000)][0]
        raise ValueError(f"venue_time {wrong} is within no year that has quotes; it is in ns since 1970 UTC")
    if not len(days):
        return
    if days[0] == days[-1] and (days == days[0]).all():
        yield Key(venue, instrument, EPOCH + timedelta(days=int(days[0])), dataset), batch.ticks
        return
    for day in np.unique(days):
        yield Key(venue, instrument, EPOCH + timedelta(days=int(day)), dataset), batch.ticks[days == day]
