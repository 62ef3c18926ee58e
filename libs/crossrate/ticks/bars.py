"""Bars from quotes: the same code for quotes that come live and for those from history.

`BarBuilder` takes quotes in the order in which they came, in batches of any size, and gives bars when they are over;
`bars_of` is the builder with one batch. `merged` makes longer bars of shorter ones. No bar is without a quote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import ohlc as kernel
from crossrate.ticks.columns import Flag, Ticks
from crossrate.ticks.ohlc import Columns, Ohlc, ascending, by_time
from crossrate.ticks.periods import NEW_YORK_17, Grid, Groups, Period, Session, grid

NOTHING = Flag(0)
SIDES = ("bid", "ask", "mid")
NO_GROUPS = Groups(*(np.empty(0, np.int64) for _ in range(3)))
NEVER = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True, eq=False)
class Bars(Columns):
    """Bars of one instrument in the order of time, one element a bar.

    Attributes:
        open_time: when it begins, ns since 1970 UTC.
        close_time: when it ends, exclusive.
        bid: prices at which clients sell the base currency; None if not asked for.
        ask: prices at which they buy it; None if not asked for.
        mid: halves of their sums, quote by quote; None if not asked for.
        count: quotes in it, at least 1.
        bid_quantity: sum of the quantities of its bids that are known, in base currency; NaN if none is. Exact, and the
            same however the quotes were cut into batches, while it is a whole number below 2⁵³.
        ask_quantity: the same of its asks.
        first_sequence: number of its first quote.
        last_sequence: number of its last one.
        first_tick_time: venue time of its first quote.
        last_tick_time: venue time of its last one.
        flags: all flags of its quotes; AFTER_GAP also where the gap was before a quote that was left out.
        complete: whether all of its time is known: quotes were taken from its beginning, and the clock or a quote has
            passed its end.
    """

    open_time: NDArray[np.int64]
    close_time: NDArray[np.int64]
    bid: Ohlc | None
    ask: Ohlc | None
    mid: Ohlc | None
    count: NDArray[np.int64]
    bid_quantity: NDArray[np.float64]
    ask_quantity: NDArray[np.float64]
    first_sequence: NDArray[np.uint64]
    last_sequence: NDArray[np.uint64]
    first_tick_time: NDArray[np.int64]
    last_tick_time: NDArray[np.int64]
    flags: NDArray[np.uint8]
    complete: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.open_time)

    @classmethod
    def none(cls, sides: Iterable[str]) -> Bars:
        """No bars."""
        return _of_ticks(Ticks.concatenated([]), tuple(sides), True, NO_GROUPS)

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides that they have prices of."""
        return tuple(side for side in SIDES if getattr(self, side) is not None)

    def columns(self) -> dict[str, NDArray]:
        """All columns flat: prices as `bid_open`, `bid_high` and so on."""
        flat = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Ohlc):
                flat |= {f"{each.name}_{part.name}": getattr(value, part.name) for part in fields(value)}
            elif value is not None:
                flat[each.name] = value
        return flat


def _sums(values: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sum of what is known in each group; NaN where nothing is."""
    unknown = np.isnan(values)
    if unknown.all():
        return np.full(len(starts), np.nan)
    sums = np.add.reduceat(np.where(unknown, 0.0, values), starts)
    sums[np.logical_and.reduceat(unknown, starts)] = np.nan
    return sums


def _side(price: NDArray, times: NDArray, starts: NDArray, from_time: NDArray, to_time: NDArray) -> Ohlc:
    """One side of quotes in the order of time."""
    if not len(starts):
        return Ohlc(price, price, price, price, times, times)
    prices = kernel.prices(starts, price)
    if np.isnan(prices.high).any():
        return Ohlc(price, price, price, price, times, times).grouped(starts)
    return Ohlc(*prices, from_time, to_time)


def _of_ticks(ticks: Ticks, sides: Sequence[str], quantities: bool, groups: Groups) -> Bars:
    """Bars of quotes in the order of time; none is `complete` yet."""
    times, starts = ticks.venue_time, groups.starts
    last = np.append(starts[1:], len(ticks)) - 1 if len(starts) else starts
    from_time, to_time = times[starts], times[last]
    unknown = None if quantities else np.full(len(starts), np.nan)
    ohlc = {side: _side(getattr(ticks, side), times, starts, from_time, to_time) for side in sides}
    return Bars(
        groups.open_time,
        groups.close_time,
        *(ohlc.get(side) for side in SIDES),
        np.asarray(last - starts + 1, np.int64),
        *(
            (_sums(each, starts) for each in (ticks.bid_quantity, ticks.ask_quantity))
            if quantities
            else (unknown, unknown)
        ),
        ticks.sequence[starts],
        ticks.sequence[last],
        from_time,
        to_time,
        np.bitwise_or.reduceat(ticks.flags, starts) if ticks.flags.any() else np.zeros(len(starts), np.uint8),
        np.zeros(len(starts), np.bool_),
    )


def _regrouped(bars: Bars, starts: NDArray[np.intp], open_time: NDArray, close_time: NDArray) -> Bars:
    """Bars from each start to the next as one."""
    first, last = starts, np.append(starts[1:], len(bars)) - 1
    if not ascending(bars.first_tick_time):
        first = by_time(bars.first_tick_time, starts)[starts]
    if not ascending(bars.last_tick_time):
        last = by_time(bars.last_tick_time, starts)[last]
    return Bars(
        open_time,
        close_time,
        *(None if (side := getattr(bars, name)) is None else side.grouped(starts) for name in SIDES),
        np.add.reduceat(bars.count, starts),
        _sums(bars.bid_quantity, starts),
        _sums(bars.ask_quantity, starts),
        bars.first_sequence[first],
        bars.last_sequence[last],
        bars.first_tick_time[first],
        bars.last_tick_time[last],
        np.bitwise_or.reduceat(bars.flags, starts),
        np.logical_and.reduceat(bars.complete, starts),
    )


class BarBuilder:
    """Builds bars from quotes as they come.

    A quote whose bar is over, because the clock or a quote before it has passed the bar's end, is late: it is counted
    in `late_count` and changes no bar. Within a bar quotes count in the order of their venue time. What is late depends
    on the order of the quotes alone, not on how they are cut into batches.

    Attributes:
        late_count: quotes that came too late for their bar.
        excluded_count: quotes that were left out for their flags.
        known_until: all quotes before this time are known, ns since 1970 UTC.
    """

    def __init__(
        self,
        period: Period,
        session: Session = NEW_YORK_17,
        sides: Iterable[str] = ("bid", "ask"),
        *,
        exclude: Flag = NOTHING,
        quantities: bool = True,
        since: int | None = None,
    ) -> None:
        """Begins.

        Args:
            period: length of the bars.
            session: from when they are counted.
            sides: of `bid`, `ask` and `mid`.
            exclude: quotes with any of these flags are left out of prices, counts and sums. By default none is, as in
                venues' own bars.
            quantities: whether to sum them; NaN otherwise.
            since: from when on quotes are taken, ns since 1970 UTC: a bar that began before is never complete. By
                default from the beginning of the first bar.

        Raises:
            ValueError: a side is none.
        """
        wanted = set(sides)
        if not wanted or wanted - set(SIDES):
            raise ValueError(f"sides {sorted(wanted)} are not some of {', '.join(SIDES)}")
        self.sides = tuple(side for side in SIDES if side in wanted)
        self.period, self.session, self.exclude, self.quantities = Period(period), session, exclude, quantities
        self.since = NEVER if since is None else since
        self.late_count = self.excluded_count = 0
        self.known_until = NEVER
        self._grid: Grid | None = None
        self._open: Bars | None = None
        self._gap = False
        """Whether quotes were missing before one that was left out, and none has been taken since."""

    def _edges(self, first: int, last: int) -> Grid:
        """The edges for a range of times."""
        if self._grid is None or not self._grid.covers(first, last):
            self._grid = grid(self.period, self.session, first, last)
        return self._grid

    def _timely(self, ticks: Ticks, edges: Grid) -> Ticks:
        """The quotes that are not late."""
        times = ticks.venue_time
        known = np.maximum.accumulate(np.append(self.known_until, times))[:-1]
        late = edges.spans(times)[1] <= known
        self.late_count += int(late.sum())
        return ticks[~late]

    def _wanted(self, ticks: Ticks) -> Ticks:
        """The quotes that are not to be left out. A gap before one of those is a gap before the next that stays."""
        out = (ticks.flags & int(self.exclude)) != 0
        if not (self.exclude and (out.any() or self._gap)):
            return ticks
        self.excluded_count += int(out.sum())
        gaps = np.cumsum(out & ((ticks.flags & int(Flag.AFTER_GAP)) != 0))
        ahead = np.concatenate([[-1 if self._gap else 0], gaps[~out]])
        lost = int(gaps[-1]) if len(gaps) else 0
        ticks, passed_on = ticks[~out], ahead[1:] > ahead[:-1]
        self._gap = lost > ahead[-1]
        return replace(ticks, flags=ticks.flags | np.where(passed_on, np.uint8(Flag.AFTER_GAP), np.uint8(0)))

    def _built(self, ticks: Ticks) -> Bars:
        """The bars of quotes and of those that were taken before for a bar that was not over."""
        times = ticks.venue_time
        groups = None
        if times[0] <= times[-1]:
            edges = self._edges(int(times[0]), int(times[-1]))
            groups = edges.groups(times)
        last, has_late = (
            int(times.max() if groups is None else times[-1]),
            groups is None or times[0] < self.known_until,
        )
        if has_late or self.exclude:
            edges = self._edges(int(times.min()), last)
            kept = self._wanted(self._timely(ticks, edges) if has_late else ticks)
            if groups is None:
                # Quotes of one time stay as they came.
                kept = kept[np.argsort(kept.venue_time, kind="stable")]
            if kept is not ticks:
                ticks, groups = kept, edges.groups(kept.venue_time)
        assert groups is not None, "they are in the order of time now"
        self.known_until = max(self.known_until, last)
        made = _of_ticks(ticks, self.sides, self.quantities, groups)
        if self._open is not None:
            made = Bars.joined([self._open, made]) if len(made) else self._open
            again = len(made) > 1 and made.open_time[0] == made.open_time[1]
            if again:
                both = _regrouped(made[:2], np.zeros(1, np.intp), made.open_time[:1], made.close_time[:1])
                made = Bars.joined([both, made[2:]]) if len(made) > 2 else both
        return made

    def add(self, ticks: Ticks) -> Bars:
        """Takes quotes in the order in which they came.

        Returns:
            the bars that are over now.

        Raises:
            ValueError: a venue time is no time in ns since 1970 UTC.
        """
        return self._over(self._built(ticks)) if len(ticks) else Bars.none(self.sides)

    def _over(self, made: Bars) -> Bars:
        """Keeps the bar that is not over, gives the others."""
        count = int(np.searchsorted(made.close_time, self.known_until, "right"))
        # Not a view: it would keep all the quotes' memory.
        self._open = made[count:][np.arange(len(made) - count)] if count < len(made) else None
        done = made[:count]
        return replace(done, complete=done.open_time >= self.since)

    def advance(self, until: int) -> Bars:
        """Says that all quotes before a time are known, because the clock has passed it.

        Returns:
            the bars that are over now.
        """
        self.known_until = max(self.known_until, until)
        return Bars.none(self.sides) if self._open is None else self._over(self._open)

    def whole(self, ticks: Ticks, until: int | None) -> Bars:
        """Takes the last quotes: the bars that are over, up to a time if said, and the one that is not."""
        made = self._built(ticks) if len(ticks) else self.current()
        self.known_until = max(self.known_until, NEVER if until is None else until)
        return replace(made, complete=(made.open_time >= self.since) & (made.close_time <= self.known_until))

    def current(self) -> Bars:
        """The bar that is not over as it stands, not complete; no bar if it has no quote yet."""
        return Bars.none(self.sides) if self._open is None else self._open


class Built(NamedTuple):
    """Bars, and what did not become part of them."""

    bars: Bars
    late_count: int
    """Quotes that came after their bar was over; 0 for quotes in the order of time."""
    excluded_count: int
    """Quotes that were left out for their flags."""


def bars_of(
    ticks: Ticks,
    period: Period,
    session: Session = NEW_YORK_17,
    sides: Iterable[str] = ("bid", "ask"),
    *,
    exclude: Flag = NOTHING,
    quantities: bool = True,
    since: int | None = None,
    until: int | None = None,
) -> Built:
    """All bars of some quotes: those of a `BarBuilder` that takes them at once, and the one that is not over.

    Args:
        ticks: quotes in the order in which they came.
        period: length of the bars.
        session: from when they are counted.
        sides: of `bid`, `ask` and `mid`.
        exclude: quotes with any of these flags are left out.
        quantities: whether to sum them.
        since: from when on there are all quotes; a bar that began before is not complete.
        until: up to when there are all quotes; a bar that ends later than this and than the last quote is not complete.

    Raises:
        ValueError: a side is none, or a venue time is no time in ns since 1970 UTC.
    """
    builder = BarBuilder(period, session, sides, exclude=exclude, quantities=quantities, since=since)
    bars = builder.whole(ticks, until)
    return Built(bars, builder.late_count, builder.excluded_count)


def merged(bars: Bars, period: Period, session: Session = NEW_YORK_17) -> Bars:
    """Longer bars of shorter ones: the same as of the quotes themselves, which the shorter ones have all of.

    A longer bar is complete if the shorter ones in it are, and a quote or the end of a complete one reached its end.

    Raises:
        ValueError: a bar lies in two of the longer ones.
    """
    if not len(bars):
        return bars
    edges = grid(period, session, int(bars.open_time[0]), int(bars.close_time[-1]))
    groups = edges.groups(bars.open_time)
    assert groups is not None, "bars are in the order of time"
    if (edges.spans(bars.open_time)[1] < bars.close_time).any():
        raise ValueError(
            f"{period} bars from {session.zone} do not end where the shorter ones do: build them of quotes"
        )
    known = max(int(bars.last_tick_time[-1]), int(bars.close_time[bars.complete].max(initial=NEVER)))
    made = _regrouped(bars, *groups)
    return replace(made, complete=made.complete & (made.close_time <= known))
