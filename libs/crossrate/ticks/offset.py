"""Which clock a dataset was written by, found by laying its prices over those of a reference in UTC.

Both are averaged over cells of equal width. Week by week, every offset is tried and the residual taken: the median
absolute difference of the two means after the median difference of that week, which spreads and mark-ups leave, was
taken off. The offsets of the weeks are then explained by as few clocks as possible, one after the other: a fixed
offset, a zone with its daylight saving, or a zone with a shift. Weeks are cut on Saturday noon, when the market is
closed on every clock and no zone that is tried changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossrate.ticks.clock import DAY, HOUR, MINUTE, SECOND, WEEK, Clock
from crossrate.ticks.columns import Ticks

CELLS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
"""Widths of a cell that are tried, finest first."""
FILLED = 0.6
"""A width is fine enough for a dataset that has quotes in this share of the cells of the hours in which it has any."""
STEP = 15 * MINUTE
"""Offsets are tried in steps of this, or of a cell if that is wider."""
WIDEST = 14 * HOUR
LONG_WEEKS = 8
"""Datasets of more weeks are compared in cells of 15 minutes or more."""
CELLS_MIN = 20
"""Cells that a week must share with the reference to say anything."""
CHANGE_COST = 3.0
"""A further clock must explain this many weeks that the ones before it do not."""
_TOO_LITTLE = "dataset and reference share fewer than {} cells of {} s in every week"
_ANCHOR = 2 * DAY + 12 * HOUR
"""The Saturday noon after 1970 began."""

ZONES = ("America/New_York", "Europe/London", "Europe/Berlin", "Europe/Athens", "Australia/Sydney")
"""Zones whose daylight saving a dataset may follow; the first two also with shifts."""


@dataclass(frozen=True, slots=True)
class Week:
    """What one week says.

    Attributes:
        begin: its Saturday noon on the dataset's clock, nanoseconds since that clock's 1970.
        offset_s: the offset with the least residual, seconds, east positive.
        residual: that residual, in price.
        runner_up: the least residual of any other offset, in price.
        cells: cells in which both have prices.
    """

    begin: int
    offset_s: int
    residual: float
    runner_up: float
    cells: int


@dataclass(frozen=True, slots=True)
class Span:
    """Weeks that one clock explains.

    Attributes:
        begin: begin of its first week on the dataset's clock, nanoseconds.
        end: end of its last week.
        clock: the best clock, the simplest of the equals.
        equals: other clocks that explain these weeks as well.
        weeks: how many weeks say anything.
        agreeing: in how many of them the clock's offset is the best one.
        residual: the median over all cells under this clock, in price.
    """

    begin: int
    end: int
    clock: Clock
    equals: tuple[Clock, ...]
    weeks: int
    agreeing: int
    residual: float


@dataclass(frozen=True, slots=True)
class OffsetEstimate:
    """The clock of a dataset.

    Attributes:
        spans: one after the other; a dataset that kept its clock has one.
        weeks: what each week says.
        residual: the median over all cells under the clocks of the spans, in price.
        residual_pips: the same in pips.
        confidence: 0 to 1: the median over the weeks of 1 - residual / runner-up.
        cell_ns: width of the cells.
    """

    spans: tuple[Span, ...]
    weeks: tuple[Week, ...]
    residual: float
    residual_pips: float
    confidence: float
    cell_ns: int

    @property
    def clock(self) -> Clock:
        """The one clock of the dataset.

        Raises:
            ValueError: it changed its clock; `spans` says when.
        """
        if len(self.spans) > 1:
            raise ValueError("the dataset changed its clock: " + ", then ".join(str(each.clock) for each in self.spans))
        return self.spans[0].clock


def estimate_offset(ticks: Ticks, reference: Ticks, *, pip: float = 1e-4, cell_ns: int | None = None) -> OffsetEstimate:
    """The clock of `ticks`, whose `venue_time` is what that clock showed, against `reference` in UTC.

    Args:
        ticks: the dataset. Bars are given as a tick at each open and one before each end.
        reference: the same instrument in UTC, or a cross that amounts to it.
        pip: size of a pip.
        cell_ns: width of a cell; a divisor or multiple of 15 minutes. Chosen by how dense both are if not given.

    Raises:
        ValueError: they share too little to say anything.
    """
    cell = cell_ns or _width(ticks, reference)
    step = max(STEP, cell)
    numbers, means = _means(ticks, cell)
    others, levels = _means(reference, cell)
    if not len(numbers) or not len(others):
        raise ValueError("there are no quotes to compare")
    first, count = _shared_weeks(numbers, others, cell)
    per_week = WEEK // cell
    begin = (first * WEEK + _ANCHOR) // cell
    ours = _dense(numbers, means, begin, count * per_week)
    tried = np.arange(-(WIDEST // step), WIDEST // step + 1) * step
    residuals = np.empty((count, len(tried)))
    shared = np.empty((count, len(tried)), np.int64)
    for place, offset in enumerate(tried):
        theirs = _dense(others, levels, begin - offset // cell, count * per_week)
        distances = _distances((ours - theirs).reshape(count, per_week))
        residuals[:, place], shared[:, place] = _medians(distances)
    residuals[shared < CELLS_MIN] = np.nan
    # A week counts if the offset that fits best could be told from others.
    usable = np.flatnonzero(np.isfinite(residuals).sum(axis=1) > 1)
    if not len(usable):
        raise ValueError(_TOO_LITTLE.format(CELLS_MIN, cell // SECOND))
    begins = (first + usable) * WEEK + _ANCHOR
    weeks = tuple(_week(*each, tried) for each in zip(begins, residuals[usable], shared[usable], strict=True))
    spans, offsets = _explain(weeks, residuals[usable], tried)
    deltas = np.stack([
        ours[week * per_week : (week + 1) * per_week]
        - _dense(others, levels, begin + week * per_week - offset // cell, per_week)
        for week, offset in zip(usable, offsets, strict=True)
    ])  # fmt: skip
    distances = _distances(deltas)
    residual = _median(distances)
    return OffsetEstimate(
        spans=tuple(
            Span(int(begins[low]), int(begins[high - 1]) + WEEK, clock, equals, high - low, agreeing,
                 _median(distances[low:high]))
            for low, high, clock, equals, agreeing in spans
        ),
        weeks=weeks,
        residual=residual,
        residual_pips=residual / pip,
        confidence=float(np.median([_clarity(week) for week in weeks])),
        cell_ns=cell,
    )  # fmt: skip


def _shared_weeks(numbers: NDArray, others: NDArray, cell: int) -> tuple[int, int]:
    """The first week that both have, and how many until the last; rows that strayed far away count for nothing.

    Raises:
        ValueError: there is none.
    """

    def busy(cells: NDArray) -> NDArray:
        weeks, counts = np.unique((cells * cell - _ANCHOR) // WEEK, return_counts=True)
        return weeks[counts >= CELLS_MIN]

    theirs = busy(others)
    ours = busy(numbers)
    shared = ours[np.isin(ours, np.concatenate([theirs - 1, theirs, theirs + 1]))]
    if not len(shared):
        raise ValueError(_TOO_LITTLE.format(CELLS_MIN, cell // SECOND))
    return int(shared[0]), int(shared[-1] - shared[0]) + 1


def _width(*both: Ticks) -> int:
    """The finest cell in which both are dense."""
    chosen = CELLS[-1]
    for width in reversed(CELLS[:-1]):
        for ticks in both:
            filled = len(np.unique(ticks.venue_time // width))
            hours = len(np.unique(ticks.venue_time // HOUR))
            if filled < FILLED * hours * (HOUR // width):
                return chosen
        chosen = width
    long = max(np.ptp(ticks.venue_time) if len(ticks) else 0 for ticks in both) > LONG_WEEKS * WEEK
    return max(chosen, STEP) if long else chosen


def _means(ticks: Ticks, cell: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The cells that have quotes, and the mean of their mids; of datasets of one side, the mean of that."""
    mid = ticks.mid
    kept = np.isfinite(mid)
    if not kept.any():
        # Bars of one side: what the other would add is a spread, which is taken off anyway.
        mid = np.where(np.isfinite(ticks.bid), ticks.bid, ticks.ask)
        kept = np.isfinite(mid)
    numbers, mid = ticks.venue_time[kept] // cell, mid[kept]
    if np.any(np.diff(numbers) < 0):
        order = np.argsort(numbers, kind="stable")
        numbers, mid = numbers[order], mid[order]
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
    sums = np.add.reduceat(mid, starts) if len(starts) else mid
    return numbers[starts], sums / np.diff(starts, append=len(numbers))


def _dense(numbers: NDArray, means: NDArray, begin: int, count: int) -> NDArray[np.float64]:
    """Means of `count` cells from `begin` on, NaN for those that have none."""
    found = np.full(count, np.nan)
    low, high = np.searchsorted(numbers, [begin, begin + count])
    found[numbers[low:high] - begin] = means[low:high]
    return found


def _medians(rows: NDArray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The median of each row without its NaN, and how many others it has."""
    ordered = np.sort(rows, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    rows_at = np.arange(len(rows))
    upper = np.minimum(count // 2, rows.shape[1] - 1)
    lower = np.maximum((count - 1) // 2, 0)
    return (ordered[rows_at, lower] + ordered[rows_at, upper]) / 2, count


def _distances(deltas: NDArray) -> NDArray[np.float64]:
    """How far each difference is from the median of its row."""
    return np.abs(deltas - _medians(deltas)[0][:, np.newaxis])


def _median(values: NDArray) -> float:
    """The median of all that is finite."""
    return float(np.median(values[np.isfinite(values)]))


def _week(begin: int, residuals: NDArray, shared: NDArray, tried: NDArray) -> Week:
    """What one week's residuals say."""
    best = int(np.nanargmin(residuals))
    others = np.delete(residuals, best)
    return Week(
        int(begin), int(tried[best]) // SECOND, float(residuals[best]), float(np.nanmin(others)), int(shared[best])
    )


def _clarity(week: Week) -> float:
    """How clearly the best offset of a week stands out, 0 to 1."""
    return 1 - week.residual / week.runner_up if week.runner_up else 0.0


def _candidates(weeks: tuple[Week, ...]) -> list[Clock]:
    """Clocks that may explain the weeks, simplest first."""
    hours = range(-(WIDEST // HOUR), WIDEST // HOUR + 1)
    fixed = sorted({week.offset_s for week in weeks}, key=lambda each: (abs(each), each))
    shifted = [Clock(zone, hour * 3600) for hour in sorted(hours, key=abs) if hour for zone in ZONES[:2]]
    # London + 1 h and + 2 h are Berlin and Athens.
    known = {Clock("Europe/London", 3600), Clock("Europe/London", 7200)}
    return [Clock("UTC", each) for each in fixed] + [Clock(z) for z in ZONES] + [c for c in shifted if c not in known]


def _explain(
    weeks: tuple[Week, ...], residuals: NDArray, tried: NDArray
) -> tuple[list[tuple[int, int, Clock, tuple[Clock, ...], int]], NDArray[np.int64]]:
    """The cheapest sequence of clocks: a week costs 1 - best / its residual, a change of the clock CHANGE_COST.

    Returns each clock's weeks (first, end), itself, its equals and how many weeks agree; and the offset of each week.
    """
    clocks = _candidates(weeks)
    middle = np.array([week.begin for week in weeks], np.int64) + WEEK // 2
    offsets = np.stack([clock.offset_at(middle - clock.offset_at(middle)) for clock in clocks])
    place = np.searchsorted(tried, offsets)
    inside = np.isin(offsets, tried)
    found = residuals[np.arange(len(weeks)), np.where(inside, place, 0)]
    best = np.array([week.residual for week in weeks])
    fits = np.where(found > 0, best / np.where(found > 0, found, 1), 1.0)
    cost = np.where(inside & np.isfinite(found), 1 - fits, 1.0) + np.arange(len(clocks))[:, np.newaxis] * 1e-9
    total, came = cost[:, 0].copy(), np.zeros((len(clocks), len(weeks)), np.int64)
    for week in range(1, len(weeks)):
        cheapest = int(np.argmin(total))
        stays = total <= total[cheapest] + CHANGE_COST
        came[:, week] = np.where(stays, np.arange(len(clocks)), cheapest)
        total = np.where(stays, total, total[cheapest] + CHANGE_COST) + cost[:, week]
    path = np.empty(len(weeks), np.int64)
    path[-1] = np.argmin(total)
    for week in range(len(weeks) - 1, 0, -1):
        path[week - 1] = came[path[week], week]
    cuts = [0, *(np.flatnonzero(np.diff(path)) + 1), len(weeks)]
    spans = []
    observed = np.array([week.offset_s for week in weeks]) * SECOND
    for low, high in pairwise(cuts):
        chosen = int(path[low])
        sums = cost[:, low:high].sum(axis=1)
        equals = tuple(c for i, c in enumerate(clocks) if i != chosen and sums[i] <= sums[chosen] + 1e-6 * (high - low))
        agreeing = int((offsets[chosen, low:high] == observed[low:high]).sum())
        spans.append((int(low), int(high), clocks[chosen], equals, agreeing))
    return spans, offsets[path, np.arange(len(weeks))]
