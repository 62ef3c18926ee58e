"""Bars from quotes, live and from history."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.ticks.bars import BarBuilder, Bars, bars_of, merged
from crossrate.ticks.columns import Flag, Ticks
from crossrate.ticks.ohlc import Ohlc
from crossrate.ticks.periods import NEW_YORK_17, SECOND, UTC, Period, Session, grid

MONDAY = int(np.datetime64("2024-03-04T00:00", "ns").astype(np.int64))
ALL = ("bid", "ask", "mid")


def same(one: Bars | Ohlc, other: Bars | Ohlc) -> None:
    """Fails unless two have the same cells."""
    for each in fields(one):
        left, right = getattr(one, each.name), getattr(other, each.name)
        if isinstance(left, Ohlc):
            same(left, right)
        elif left is not None:
            np.testing.assert_array_equal(left, right, each.name)


def quotes(seconds: list[float], bids: list[float], **others: object) -> Ticks:
    """Quotes at seconds of a Monday, of a spread of 0.5."""
    bid = np.array(bids, float)
    times = (np.array(seconds) * SECOND).astype(np.int64) + MONDAY
    return Ticks.of(times, bid, bid + 0.5, **{name: np.array(value) for name, value in others.items()})


@st.composite
def streams(draw: st.DrawFn) -> Ticks:
    """Quotes with everything that happens: gaps, ties, wrong order, one-sided, flagged, without quantities."""
    count = draw(st.integers(1, 60))
    step = draw(st.sampled_from([1, 200, 7_000, 400_000]))
    moves = draw(st.lists(st.integers(-2, 12), min_size=count, max_size=count))
    times = MONDAY + np.cumsum(np.array(moves, np.int64) * step * 10**7)
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bid = numbers.integers(100, 110, count) / 8
    ask = bid + numbers.integers(-1, 3, count) / 8
    for side in (bid, ask):
        side[numbers.random(count) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    quantity = numbers.integers(1, 9, (2, count)) * 1e6
    quantity[numbers.random((2, count)) < draw(st.sampled_from([0.0, 0.4, 1.0]))] = np.nan
    flags = np.where(numbers.random(count) < 0.3, numbers.integers(0, 256, count), 0)
    sequence = np.arange(count)
    return Ticks.of(times, bid, ask, bid_quantity=quantity[0], ask_quantity=quantity[1], flags=flags, sequence=sequence)


periods = st.sampled_from(list(Period))
sessions = st.sampled_from([NEW_YORK_17, UTC, Session("Asia/Kolkata", 555), Session("Australia/Lord_Howe", -30)])
excluded = st.sampled_from([Flag(0), Flag.CROSSED | Flag.OUTLIER, Flag.AFTER_GAP, Flag(255)])


def plainly(ticks: Ticks, period: Period, session: Session, exclude: Flag, until: int) -> tuple[list[dict], int]:
    """The bars and the number of late quotes by one loop over the quotes, as the rules say it."""
    edges = grid(period, session, int(ticks.venue_time.min()), int(ticks.venue_time.max()))
    opens, closes = edges.spans(ticks.venue_time)
    inside: dict[int, list[int]] = {}
    known, late, gap, flags = -(2**63), 0, False, ticks.flags.copy()
    for i in range(len(ticks)):
        is_late = closes[i] <= known
        known = max(known, int(ticks.venue_time[i]))
        late += is_late
        if is_late:
            continue
        if flags[i] & int(exclude):
            gap = gap or bool(flags[i] & Flag.AFTER_GAP)
            continue
        flags[i] |= Flag.AFTER_GAP if gap else 0
        gap = False
        inside.setdefault(int(opens[i]), []).append(i)
    rows = []
    for open_time, places in sorted(inside.items()):
        places.sort(key=lambda i: ticks.venue_time[i])
        row = {"open_time": open_time, "close_time": closes[places[0]], "count": len(places)}
        row["complete"] = closes[places[0]] <= max(known, until)
        row["flags"] = np.bitwise_or.reduce(flags[places])
        row["first_sequence"], row["last_sequence"] = ticks.sequence[places[0]], ticks.sequence[places[-1]]
        for side in ALL:
            found = [p for p in getattr(ticks, side)[places] if not np.isnan(p)] or [np.nan]
            prices = {"open": found[0], "high": max(found), "low": min(found), "close": found[-1]}
            row |= {f"{side}_{name}": value for name, value in prices.items()}
        for side in ("bid_quantity", "ask_quantity"):
            found = [q for q in getattr(ticks, side)[places] if not np.isnan(q)]
            row[side] = sum(found) if found else np.nan
        rows.append(row)
    return rows, late


@settings(max_examples=300, deadline=None)
@given(streams(), periods, sessions, excluded, st.integers(0, 10))
def test_bars_are_what_a_plain_loop_finds(ticks: Ticks, period: Period, session: Session, exclude: Flag, later: int):
    """Every cell, the number of late quotes, and what is complete are those of the rules written as one loop."""
    until = int(ticks.venue_time.max()) + later * 3600 * SECOND
    expected, late = plainly(ticks, period, session, exclude, until)
    built = bars_of(ticks, period, session, ALL, exclude=exclude, until=until)
    columns = built.bars.columns()
    assert built.late_count == late
    assert len(built.bars) == len(expected)
    for name in expected[0] if expected else ():
        np.testing.assert_array_equal(columns[name], [row[name] for row in expected], name)


@settings(max_examples=300, deadline=None)
@given(streams(), periods, sessions, excluded, st.lists(st.integers(0, 60), max_size=8))
def test_live_and_history_agree(ticks: Ticks, period: Period, session: Session, exclude: Flag, cuts: list[int]):
    """However quotes are cut into batches, the builder gives the bars, and reports the late quotes, of all at once."""
    whole = bars_of(ticks, period, session, ALL, exclude=exclude)
    builder = BarBuilder(period, session, ALL, exclude=exclude)
    places = sorted({0, *(min(cut, len(ticks)) for cut in cuts), len(ticks)})
    parts = [builder.add(ticks[a:b]) for a, b in pairwise(places)]
    assert all(part.complete.all() for part in parts)
    same(Bars.joined([*parts, builder.current()]), whole.bars)
    assert (builder.late_count, builder.excluded_count) == (whole.late_count, whole.excluded_count)


@settings(max_examples=200, deadline=None)
@given(streams(), sessions, st.sampled_from([("1s", "1m"), ("1m", "1h"), ("5m", "1d"), ("1h", "1d"), ("1d", "1M")]))
def test_longer_bars_of_shorter_ones_are_those_of_the_quotes(ticks: Ticks, session: Session, pair: tuple[str, str]):
    """Minutes make the hours that the quotes make, cell by cell, and hours the days."""
    ticks = ticks[np.argsort(ticks.venue_time, kind="stable")]
    short, long = map(Period, pair)
    same(merged(bars_of(ticks, short, session, ALL).bars, long, session), bars_of(ticks, long, session, ALL).bars)


def test_bars_that_do_not_fit_are_not_merged() -> None:
    """A week of New York is not made of days of UTC: on Sunday it begins within one."""
    days = bars_of(quotes([-86400, 0], [1, 2]), Period.DAY_1, UTC).bars
    with pytest.raises(ValueError, match="1w bars from America/New_York do not end where the shorter ones do"):
        merged(days, Period.WEEK_1, NEW_YORK_17)
    assert len(merged(Bars.none(ALL), Period.HOUR_1)) == 0


def test_an_empty_minute_has_no_bar() -> None:
    """Quotes in the first and in the third minute make two bars."""
    bars = bars_of(quotes([1, 2, 125], [5, 7, 6]), Period.MINUTE_1, UTC).bars
    assert (bars.open_time - MONDAY).tolist() == [0, 120 * SECOND]
    assert bars.count.tolist() == [2, 1]
    assert bars.bid is not None
    assert bars.bid.high.tolist() == [7, 6]
    assert bars.ask is not None
    assert bars.ask.close.tolist() == [7.5, 6.5]
    assert bars.mid is None
    assert bars.sides == ("bid", "ask")
    assert bars.complete.tolist() == [True, False]


def test_the_clock_completes_a_bar_without_a_quote() -> None:
    """A bar is given once, when the clock passes its end; until then it can be looked at, incomplete."""
    builder = BarBuilder(Period.MINUTE_1, UTC)
    assert len(builder.add(quotes([1], [5]))) == 0
    assert builder.current().complete.tolist() == [False]
    assert len(builder.advance(MONDAY + 60 * SECOND - 1)) == 0
    assert builder.advance(MONDAY + 60 * SECOND).complete.tolist() == [True]
    assert len(builder.current()) == len(builder.advance(MONDAY + 99 * SECOND)) == 0


def test_a_late_quote_is_counted_and_changes_nothing() -> None:
    """A quote of a bar that has been given is late; one of the bar that is not over is not."""
    builder = BarBuilder(Period.MINUTE_1, UTC)
    given_bars = builder.add(quotes([1, 61], [5, 6]))
    assert given_bars.count.tolist() == [1]
    assert len(builder.add(quotes([59], [99]))) == 0
    assert builder.late_count == 1
    builder.add(quotes([60], [4]))
    now = builder.current()
    assert now.bid is not None
    assert (now.bid.open[0], now.bid.close[0], now.bid.high[0]) == (4, 6, 6)
    assert builder.late_count == 1


def test_a_bar_that_began_before_the_quotes_is_not_complete() -> None:
    """A builder that joined in the middle of a minute marks that minute, also when it is over."""
    built = bars_of(quotes([30, 61, 121], [5, 6, 7]), Period.MINUTE_1, UTC, since=MONDAY + 20 * SECOND)
    assert built.bars.complete.tolist() == [False, True, False]


def test_what_is_left_out_is_counted_and_its_gap_is_kept() -> None:
    """A crossed quote after a gap is left out; the next one tells of the gap."""
    flags = [0, int(Flag.CROSSED | Flag.AFTER_GAP), 0, int(Flag.STALE)]
    ticks = quotes([1, 2, 3, 61], [5, 9, 6, 7], flags=flags)
    built = bars_of(ticks, Period.MINUTE_1, UTC, exclude=Flag.CROSSED)
    assert built.excluded_count == 1
    assert built.bars.count.tolist() == [2, 1]
    assert built.bars.flags.tolist() == [Flag.AFTER_GAP, Flag.STALE]
    whole = bars_of(ticks, Period.MINUTE_1, UTC).bars
    assert whole.count.tolist() == [3, 1]
    assert whole.flags.tolist() == [Flag.CROSSED | Flag.AFTER_GAP, Flag.STALE]
    assert len(bars_of(ticks[1:2], Period.MINUTE_1, UTC, exclude=Flag.CROSSED).bars) == 0


def test_quantities_can_be_left_alone() -> None:
    """Sums that nobody asked for are not known."""
    ticks = quotes([1, 2], [5, 6], bid_quantity=[1e6, 2e6])
    assert bars_of(ticks, Period.MINUTE_1).bars.bid_quantity.tolist() == [3e6]
    assert np.isnan(bars_of(ticks, Period.MINUTE_1).bars.ask_quantity).all()
    assert np.isnan(bars_of(ticks, Period.MINUTE_1, quantities=False).bars.bid_quantity).all()


def test_what_cannot_be_is_refused() -> None:
    """A side that is none, and a time in another unit, are refused with what was expected."""
    with pytest.raises(ValueError, match=r"sides \['last'\] are not some of bid, ask, mid"):
        BarBuilder(Period.MINUTE_1, sides=["last"])
    with pytest.raises(ValueError, match="sides"):
        BarBuilder(Period.MINUTE_1, sides=[])
    far = np.array([9_000_000_000 * SECOND])
    with pytest.raises(ValueError, match="ns since 1970"):
        bars_of(Ticks.of(far, np.ones(1), np.ones(1)), Period.MINUTE_1)
