"""Whether a file's clock is the declared one: its quotes, already in UTC, laid over those of a trusted venue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import parse_pair
from crossrate.ticks.clock import DAY, SECOND, Clock
from crossrate.ticks.columns import Ticks
from crossrate.ticks.offset import OffsetEstimate, estimate_offset

THIN_NS = 10 * SECOND
"""One quote of every so many seconds is compared, the first."""
KEPT_MAX = 8_000_000
"""Quotes of a file that are compared at most: two and a half years of them."""
AROUND_NS = DAY
"""How far around a file the reference is read: a clock may be wrong by half a day."""

Reference = Callable[[str, int, int], Ticks]
"""Quotes of an instrument from one venue time to before another, ns since 1970 UTC, in their order."""


def thin(ticks: Ticks, before: int | None = None) -> NDArray[np.int64]:
    """Places of the first two-sided quote of every `THIN_NS`.

    Args:
        ticks: the quotes.
        before: number of the last cell that has a quote already.
    """
    cells = ticks.venue_time // THIN_NS
    usable = (ticks.bid > 0) & (ticks.ask > 0)
    places = np.flatnonzero(usable)
    fresh = np.diff(cells[places], prepend=np.int64(-1) if before is None else np.int64(before)) > 0
    return places[fresh]


@dataclass(frozen=True, slots=True)
class Found:
    """How far the clock is from the declared one, seconds, and the residual of that in pips."""

    offset_s: int
    residual_pips: float


class ClockCheck:
    """The quotes of one instrument, thinned as they come, and what they say at the end."""

    def __init__(self, instrument: str) -> None:
        self._instrument = instrument
        self._parts: list[Ticks] = []
        self._kept = 0
        self._cell: int | None = None

    def add(self, ticks: Ticks) -> None:
        """Takes the next quotes."""
        places = thin(ticks, self._cell)
        if len(places) and self._kept < KEPT_MAX:
            part = ticks[places]
            self._parts.append(Ticks.of(part.venue_time, part.bid, part.ask))
            self._kept += len(places)
            self._cell = int(part.venue_time[-1] // THIN_NS)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """What was taken so far, for `restore`."""
        ours = Ticks.concatenated(self._parts)
        said = {"kept": self._kept, "cell": self._cell}
        return said, {"venue_time": ours.venue_time, "bid": ours.bid, "ask": ours.ask}

    def restore(self, said: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        """Goes on where another was."""
        self._parts = [Ticks.of(arrays["venue_time"], arrays["bid"], arrays["ask"])]
        self._kept, self._cell = said["kept"], said["cell"]

    def compare(self, reference: Reference) -> Found:
        """Lays the quotes over the reference.

        Raises:
            ValueError: they share too little to say anything.
        """
        ours = Ticks.concatenated(self._parts)
        if not len(ours):
            raise ValueError("there are no quotes to compare")
        begin, end = int(ours.venue_time.min()) - AROUND_NS, int(ours.venue_time.max()) + AROUND_NS
        theirs = reference(self._instrument, begin, end)
        estimate = estimate_offset(ours, theirs, pip=_pip(self._instrument))
        return Found(_offset_s(estimate), estimate.residual_pips)


def _offset_s(estimate: OffsetEstimate) -> int:
    """The largest offset of any span that UTC does not explain as well."""
    utc = Clock.parse("UTC")
    largest = 0
    for span in estimate.spans:
        if utc in (span.clock, *span.equals):
            continue
        offsets = [week.offset_s for week in estimate.weeks if span.begin <= week.begin < span.end]
        largest = max(largest, int(np.median(np.abs(offsets))) if offsets else 0)
    return largest


def _pip(instrument: str) -> float:
    try:
        known = CONVENTIONS.get(parse_pair(instrument))
    except ValueError:
        known = None
    return 10.0**-known.pip_places if known is not None else 1e-4
