"""What is wrong with a dataset of quotes: a flag a row and a report, from one pass over parts of any size.

Rows are judged in pages of fixed length, each with a few rows of the next, so that the result does not depend on how
the dataset was cut into parts.

    crossed, locked   bid above, equal to ask
    duplicate         time, prices and quantities as in the row before
    out of order      time before that of any row before
    gap               open hours without a quote, longer than `gap_s_min` and than `gap_factor` times the 99th
                      percentile of the page's intervals
    outlier           the mid leaves that of the row before by more than `outlier_deviations` robust deviations of the
                      page's moves (1.4826 times the median size of moves that are not 0) and by `outlier_spreads`
                      median spreads, and has come back by half within `outlier_rows` rows
    closed            outside of the trading session
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.ticks.clock import DAY, MINUTE, SECOND
from crossrate.ticks.columns import COLUMNS, Flag, Ticks
from crossrate.ticks.hours import Hours

PAGE = 16_384
SPREAD_POINTS_MAX = 4_096
GAPS_KEPT_MAX = 1_000
LEAP = 30 * MINUTE
"""A row that is earlier than the latest by this much speaks of another clock, not of a network."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Where ordinary ends; see the module for each."""

    gap_s_min: float = 60.0
    gap_factor: float = 3.0
    outlier_deviations: float = 25.0
    outlier_spreads: float = 3.0
    outlier_rows: int = 10


@dataclass(frozen=True, slots=True)
class Gap:
    """Open hours without a quote: the quotes around it (nanoseconds UTC), and how much of it the market was open."""

    begin: int
    end: int
    open_ns: int


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a dataset; rows are counted from 0.

    Attributes:
        rows: all of them.
        first_time: the earliest venue time, nanoseconds UTC; None without rows.
        last_time: the latest.
        by_day: rows by day (UTC), days since 1970.
        crossed, locked, duplicates, out_of_order, outliers, closed: rows with that flag.
        leaps: rows that are half an hour or more earlier than one before: as from a file with two clocks.
        first_leap: the first such row.
        not_positive: rows with a price of 0 or less.
        one_sided: rows without a bid or without an ask.
        gaps: how many.
        gap_open_ns: open time in them.
        longest_gaps: the longest, by length, at most GAPS_KEPT_MAX.
        spread_points: rows by spread in points, from -SPREAD_POINTS_MAX to SPREAD_POINTS_MAX, the ends open.
        point: size of a point.
        clock_offset_s: found against a reference; None where it was not looked for.
        clock_residual_pips: residual of that.
    """

    rows: int
    first_time: int | None
    last_time: int | None
    by_day: dict[int, int]
    crossed: int
    locked: int
    duplicates: int
    out_of_order: int
    outliers: int
    closed: int
    leaps: int
    first_leap: int | None
    not_positive: int
    one_sided: int
    gaps: int
    gap_open_ns: int
    longest_gaps: tuple[Gap, ...]
    spread_points: dict[int, int]
    point: float
    clock_offset_s: int | None = None
    clock_residual_pips: float | None = None

    def spread(self, quantile: float) -> float:
        """The spread that this share of the two-sided rows does not exceed, in price; NaN without rows."""
        ordered = sorted(self.spread_points.items())
        total = sum(count for _, count in ordered)
        seen = 0
        for points, count in ordered:
            seen += count
            if seen >= quantile * total:
                return points * self.point
        return float("nan")

    def share(self, name: str) -> float:
        """What share of the rows one of the counts is; 0 without rows."""
        return getattr(self, name) / self.rows if self.rows else 0.0


@dataclass(slots=True)
class _Counts:
    """What has been counted so far."""

    rows: int = 0
    first_time: int | None = None
    last_time: int | None = None
    by_day: Counter[int] = field(default_factory=Counter)
    by_flag: Counter[Flag] = field(default_factory=Counter)
    leaps: int = 0
    first_leap: int | None = None
    not_positive: int = 0
    one_sided: int = 0
    gaps: int = 0
    gap_open_ns: int = 0
    longest: list[Gap] = field(default_factory=list)
    spreads: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2 * SPREAD_POINTS_MAX + 1, np.int64))


COUNTED = (
    "rows",
    "first_time",
    "last_time",
    "leaps",
    "first_leap",
    "not_positive",
    "one_sided",
    "gaps",
    "gap_open_ns",
)
"""Counts that are one number each."""


class Inspector:
    """Flags the rows of one dataset, part by part, and reports on the whole."""

    def __init__(self, hours: Hours | None = None, *, rules: Rules | None = None, point: float = 1e-5) -> None:
        """For one dataset of one instrument.

        Args:
            hours: when it trades; always if not given.
            rules: where ordinary ends.
            point: the unit in which spreads are counted, in price.
        """
        self.hours = hours or Hours()
        self.rules = rules or Rules()
        self.point = point
        self._counts = _Counts()
        self._pending = Ticks.concatenated([])
        self._last: Ticks | None = None
        self._latest = np.iinfo(np.int64).min
        self._base: float | None = None
        self._away = 0

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """All that the rows so far have left, as JSON takes it and as arrays; `restore` takes it."""
        counts = self._counts
        said = {each.name: getattr(counts, each.name) for each in fields(counts) if each.name in COUNTED}
        said |= {
            "by_day": sorted(counts.by_day.items()),
            "by_flag": [(int(flag), count) for flag, count in counts.by_flag.items()],
            "longest": [(gap.begin, gap.end, gap.open_ns) for gap in counts.longest],
            "latest": int(self._latest),
            "base": self._base,
            "away": self._away,
        }
        arrays = {"spreads": counts.spreads}
        for what, ticks in (("pending", self._pending), ("last", self._last)):
            if ticks is not None:
                arrays |= {f"{what}.{name}": getattr(ticks, name) for name in COLUMNS}
        return said, arrays

    def restore(self, said: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        """Goes on where another inspector with the same rules, hours and point was."""
        counts = _Counts(**{name: said[name] for name in COUNTED})
        counts.by_day.update({int(day): int(count) for day, count in said["by_day"]})
        counts.by_flag.update({Flag(flag): int(count) for flag, count in said["by_flag"]})
        counts.longest = [Gap(*each) for each in said["longest"]]
        counts.spreads = arrays["spreads"].copy()
        self._counts = counts

        def ticks(what: str) -> Ticks:
            return Ticks(**{name: arrays[f"{what}.{name}"] for name in COLUMNS})

        self._pending = ticks("pending")
        self._last = ticks("last") if "last.bid" in arrays else None
        self._latest, self._base, self._away = said["latest"], said["base"], said["away"]

    def add(self, ticks: Ticks) -> list[Ticks]:
        """Takes the next rows; gives those that are judged, flagged, in order. The last few wait for what follows."""
        ahead = self.rules.outlier_rows
        waiting = len(self._pending)
        head = -(-waiting // PAGE) * PAGE
        if waiting + len(ticks) < max(head, PAGE) + ahead:
            self._pending = Ticks.concatenated([self._pending, ticks])
            return []
        judged = []
        if waiting:
            first = Ticks.concatenated([self._pending, ticks[: head - waiting + ahead]])
            judged.append(self._judge(first, head))
            ticks = ticks[head - waiting :]
        whole = max(0, (len(ticks) - ahead) // PAGE) * PAGE
        if whole:
            judged.append(self._judge(ticks, whole))
        # A copy, so that a small rest does not keep a large part in memory.
        self._pending = Ticks.concatenated([ticks[whole:]])
        return judged

    def finish(self) -> list[Ticks]:
        """Judges the rows that were waiting; the dataset is complete."""
        rest, self._pending = self._pending, Ticks.concatenated([])
        return [self._judge(rest, len(rest))] if len(rest) else []

    def report(self, *, clock_offset_s: int | None = None, clock_residual_pips: float | None = None) -> Report:
        """The figures of all rows that were judged."""
        counts = self._counts
        places = np.flatnonzero(counts.spreads)
        return Report(
            rows=counts.rows,
            first_time=counts.first_time,
            last_time=counts.last_time,
            by_day=dict(sorted(counts.by_day.items())),
            crossed=counts.by_flag[Flag.CROSSED],
            locked=counts.by_flag[Flag.LOCKED],
            duplicates=counts.by_flag[Flag.DUPLICATE],
            out_of_order=counts.by_flag[Flag.OUT_OF_ORDER],
            outliers=counts.by_flag[Flag.OUTLIER],
            closed=counts.by_flag[Flag.CLOSED],
            leaps=counts.leaps,
            first_leap=counts.first_leap,
            not_positive=counts.not_positive,
            one_sided=counts.one_sided,
            gaps=counts.gaps,
            gap_open_ns=counts.gap_open_ns,
            longest_gaps=tuple(counts.longest),
            spread_points={int(place) - SPREAD_POINTS_MAX: int(counts.spreads[place]) for place in places},
            point=self.point,
            clock_offset_s=clock_offset_s,
            clock_residual_pips=clock_residual_pips,
        )

    def _judge(self, ticks: Ticks, rows: int) -> Ticks:
        """The first rows with their flags; what comes after them is looked at and judged later."""
        flags = ticks.flags[:rows].copy()
        for begin in range(0, rows, PAGE):
            end = min(begin + PAGE, rows)
            page = ticks[begin:end]
            mids = (
                ticks.bid[begin : end + self.rules.outlier_rows] + ticks.ask[begin : end + self.rules.outlier_rows]
            ) / 2
            self._page(page, mids, flags[begin:end])
        return Ticks(*(flags if name == "flags" else getattr(ticks, name)[:rows] for name in COLUMNS))

    def _page(self, page: Ticks, mids: NDArray[np.float64], flags: NDArray[np.uint8]) -> None:
        """Judges one page: sets its flags in place and counts."""
        counts = self._counts
        spread = page.ask - page.bid
        two_sided = np.isfinite(spread)
        counts.one_sided += len(page) - int(np.count_nonzero(two_sided))
        with np.errstate(invalid="ignore"):
            counts.not_positive += int(np.count_nonzero((page.bid <= 0) | (page.ask <= 0)))
            self._set(flags, Flag.CROSSED, page.bid > page.ask)
            self._set(flags, Flag.LOCKED, page.bid == page.ask)
        points = np.rint((spread if two_sided.all() else spread[two_sided]) / self.point)
        points = np.clip(points, -SPREAD_POINTS_MAX, SPREAD_POINTS_MAX).astype(np.int64) + SPREAD_POINTS_MAX
        found = np.bincount(points, minlength=0)
        counts.spreads[: len(found)] += found
        self._duplicates(page, flags)
        self._times(page.venue_time, flags)
        middle = int(np.searchsorted(np.cumsum(found), len(points) / 2)) - SPREAD_POINTS_MAX if len(points) else 0
        self._outliers(mids, max(middle, 0) * self.point, flags)
        counts.rows += len(page)
        self._last = Ticks.concatenated([page[-1:]])

    def _set(self, flags: NDArray[np.uint8], flag: Flag, which: NDArray[np.bool_]) -> None:
        """Sets a flag and counts it."""
        count = int(np.count_nonzero(which))
        if count:
            flags[which] |= np.uint8(flag)
            self._counts.by_flag[flag] += count

    def _duplicates(self, page: Ticks, flags: NDArray[np.uint8]) -> None:
        """Flags rows that are equal to the row before."""
        last = self._last
        same = np.empty(len(page), np.bool_)
        same[1:] = page.venue_time[1:] == page.venue_time[:-1]
        same[0] = last is not None and last.venue_time[0] == page.venue_time[0]
        rows = np.flatnonzero(same)
        for name in ("bid", "ask", "bid_quantity", "ask_quantity") if len(rows) else ():
            column = getattr(page, name)
            before = column[np.maximum(rows - 1, 0)]
            if rows[0] == 0 and last is not None:
                before[0] = getattr(last, name)[0]
            here = column[rows]
            rows = rows[(here == before) | (np.isnan(here) & np.isnan(before))]
            if not len(rows):
                return
        if len(rows):
            flags[rows] |= np.uint8(Flag.DUPLICATE)
            self._counts.by_flag[Flag.DUPLICATE] += len(rows)

    def _times(self, time: NDArray[np.int64], flags: NDArray[np.uint8]) -> None:
        """Flags what is out of order, after a gap, or in closed hours."""
        counts = self._counts
        first, last = int(time.min()), int(time.max())
        begun = counts.rows > 0
        before = np.empty_like(time)
        before[0] = self._latest if begun else time[0]
        before[1:] = time[:-1]
        waits = time - before
        if waits.min() < 0:
            np.maximum.accumulate(before, out=before)
            waits = time - before
            self._set(flags, Flag.OUT_OF_ORDER, waits < 0)
            leaps = np.flatnonzero(waits <= -LEAP)
            if len(leaps):
                counts.leaps += len(leaps)
                counts.first_leap = counts.rows + int(leaps[0]) if counts.first_leap is None else counts.first_leap
        self._gaps(before, waits, flags)
        self._set(flags, Flag.CLOSED, ~self.hours.is_open(time))
        counts.first_time = first if counts.first_time is None else min(first, counts.first_time)
        counts.last_time = last if counts.last_time is None else max(last, counts.last_time)
        self._latest = max(self._latest, last)
        if first // DAY == last // DAY:
            counts.by_day[first // DAY] += len(time)
        else:
            for day, count in zip(*np.unique(time // DAY, return_counts=True), strict=True):
                counts.by_day[int(day)] += int(count)

    def _gaps(self, before: NDArray[np.int64], waits: NDArray[np.int64], flags: NDArray[np.uint8]) -> None:
        """Flags and keeps waits that are too long."""
        floor = int(self.rules.gap_s_min * SECOND)
        rows = np.flatnonzero(waits > floor)
        if not len(rows):
            return
        rank = (len(waits) - 1) * 99 // 100
        usual = int(np.partition(waits, rank)[rank])
        length = self.hours.open_between(before[rows], before[rows] + waits[rows])
        too_long = length > max(floor, self.rules.gap_factor * usual)
        rows, length = rows[too_long], length[too_long]
        flags[rows] |= np.uint8(Flag.AFTER_GAP)
        counts = self._counts
        counts.gaps += len(rows)
        counts.gap_open_ns += int(length.sum())
        found = [Gap(int(before[r]), int(before[r] + waits[r]), int(n)) for r, n in zip(rows, length, strict=True)]
        counts.longest = sorted(counts.longest + found, key=lambda gap: (-gap.open_ns, gap.begin))[:GAPS_KEPT_MAX]

    def _outliers(self, mids: NDArray[np.float64], spread: float, flags: NDArray[np.uint8]) -> None:
        """Flags prices that leave and come back. `mids` are the page's and those of the rows after it."""
        rows, rules = len(flags), self.rules
        finite = np.isfinite(mids)
        places = None
        if not finite.all():
            places = np.flatnonzero(finite)
            mids = mids[places]
            rows = int(np.searchsorted(places, rows))
        if not rows:
            return
        base = mids[0] if self._base is None else self._base
        moves = np.abs(np.diff(mids[:rows], prepend=base))
        limit = rules.outlier_spreads * spread
        if moves.max() > limit:
            # A median of what moved at all.
            moved = moves[moves > 0]
            middle = len(moved) // 2
            limit = max(rules.outlier_deviations * 1.4826 * np.partition(moved, middle)[middle], limit)
        out = set(range(self._away))
        for row in np.flatnonzero(moves > limit):
            row = int(row)
            if row in out or (row - 1) in out or (row == 0 and self._away < 0):
                continue
            level = mids[row - 1] if row else base
            back = np.abs(mids[row : row + rules.outlier_rows + 1] - level) <= moves[row] / 2
            if back.any():
                out.update(range(row, row + int(np.argmax(back))))
        self._base = float(mids[rows - 1])
        # How many of the next page's rows still belong to an excursion; -1 if its first row ends one.
        beyond = len([each for each in out if each >= rows])
        self._away = beyond if beyond else (-1 if rows - 1 in out else 0)
        found = np.array(sorted(each for each in out if each < rows), np.int64)
        if len(found):
            flags[found if places is None else places[found]] |= np.uint8(Flag.OUTLIER)
            self._counts.by_flag[Flag.OUTLIER] += len(found)
