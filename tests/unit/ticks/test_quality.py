"""Quality of datasets of quotes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.basics.pair import Pair
from crossrate.basics.session import standing_at
from crossrate.ticks import quality
from crossrate.ticks.clock import DAY, HOUR, MINUTE, SECOND
from crossrate.ticks.columns import COLUMNS, Flag, Ticks
from crossrate.ticks.hours import Hours
from crossrate.ticks.quality import Inspector, Report, Rules
from crossrate.ticks.thresholds import Decision, Thresholds

EURUSD = Pair("EUR", "USD")
MONDAY = int(datetime(2014, 5, 5, tzinfo=UTC).timestamp()) * SECOND


def some(count: int = 2000, step: int = SECOND, begin: int = MONDAY) -> Ticks:
    """Ordinary quotes: a spread of a pip, moves of a few points."""
    rng = np.random.default_rng(5)
    bid = 1.39 + np.cumsum(rng.integers(-3, 4, count)) * 1e-5
    return Ticks.of(begin + np.arange(count) * step, bid, bid + 1e-4)


def with_values(ticks: Ticks, **places: dict[int, float]) -> Ticks:
    """The same with some elements of some columns replaced."""
    columns = {name: getattr(ticks, name).copy() for name in COLUMNS}
    for name, values in places.items():
        for place, value in values.items():
            columns[name][place] = value
    return Ticks(**columns)


def judged(ticks: Ticks, hours: Hours | None = None, rules: Rules | None = None) -> tuple[np.ndarray, Report]:
    """Flags and report of a dataset that comes in one piece."""
    inspector = Inspector(hours, rules=rules)
    parts = inspector.add(ticks) + inspector.finish()
    return np.concatenate([each.flags for each in parts] or [np.empty(0, np.uint8)]), inspector.report()


def rows_with(flags: np.ndarray, flag: Flag) -> list[int]:
    """Which rows have a flag."""
    return np.flatnonzero(flags & np.uint8(flag)).tolist()


def test_ordinary_quotes_have_no_flag() -> None:
    """The report counts them, by day, with their spread."""
    flags, report = judged(some(), Hours(EURUSD))
    assert not flags.any()
    assert (report.rows, report.first_time, report.last_time) == (2000, MONDAY, MONDAY + 1999 * SECOND)
    assert report.by_day == {MONDAY // DAY: 2000}
    assert report.spread(0.5) == pytest.approx(1e-4)
    assert Thresholds().judge(report).decision is Decision.LOAD


def test_crossed_and_locked_quotes_are_flagged() -> None:
    """Bid above ask, and bid equal to ask."""
    ticks = some()
    flags, report = judged(with_values(ticks, ask={3: ticks.bid[3], 7: ticks.bid[7] - 1e-5}))
    assert rows_with(flags, Flag.LOCKED) == [3]
    assert rows_with(flags, Flag.CROSSED) == [7]
    assert (report.locked, report.crossed) == (1, 1)
    assert report.spread_points[-1] == report.spread_points[0] == 1


def test_only_exact_repetitions_are_duplicates() -> None:
    """The same time with another price or quantity is a quote of its own."""
    ticks = some()
    again = np.sort(np.concatenate([np.arange(2000), [10, 10, 20, 30]]))
    ticks = ticks[again]
    ticks = with_values(ticks, bid={23: 1.3}, bid_quantity={34: 5e6})
    flags, report = judged(ticks)
    assert rows_with(flags, Flag.DUPLICATE) == [11, 12]
    assert report.duplicates == 2


def test_rows_out_of_order_are_flagged_and_leaps_are_counted() -> None:
    """A row is late if any row before it has a later time; half an hour or more speaks of another clock."""
    ticks = with_values(some(), venue_time={5: MONDAY + 2 * SECOND, 100: MONDAY - HOUR, 101: MONDAY - HOUR + SECOND})
    flags, report = judged(ticks)
    assert rows_with(flags, Flag.OUT_OF_ORDER) == [5, 100, 101]
    assert (report.leaps, report.first_leap) == (2, 100)
    assert "leaps_max" in [each.rule for each in Thresholds().judge(report).broken]


def test_open_time_without_quotes_is_a_gap_and_a_weekend_is_none() -> None:
    """From Friday 17:00 to Sunday 17:00 New York the market is closed; an hour on Monday is a gap."""
    friday = int(datetime(2014, 5, 9, 20, 30, tzinfo=UTC).timestamp()) * SECOND
    before = some(1800, begin=friday)
    sunday = int(datetime(2014, 5, 11, 21, 0, tzinfo=UTC).timestamp()) * SECOND
    after = some(1800, begin=sunday)
    later = some(1800, begin=sunday + 2 * HOUR)
    ticks = Ticks.concatenated([before, after, later])
    flags, report = judged(ticks, Hours(EURUSD))
    assert rows_with(flags, Flag.AFTER_GAP) == [3600]
    assert report.gaps == 1
    assert report.longest_gaps[0].open_ns == 2 * HOUR - 1799 * SECOND
    assert judged(ticks)[1].gaps == 2


def test_how_long_a_gap_is_follows_the_data() -> None:
    """Where quotes come every ten minutes, ten minutes are no gap and an hour is one."""
    ticks = some(500, step=10 * MINUTE)
    assert judged(ticks)[1].gaps == 0
    assert judged(with_values(ticks[np.delete(np.arange(500), range(200, 206))]))[1].gaps == 1


def test_quotes_in_closed_hours_are_flagged() -> None:
    """As they are where a file was read by the wrong clock."""
    saturday = int(datetime(2014, 5, 10, 12, tzinfo=UTC).timestamp()) * SECOND
    flags, report = judged(some(100, begin=saturday), Hours(EURUSD))
    assert report.closed == 100
    assert (flags & np.uint8(Flag.CLOSED)).all()
    assert "closed_share_max" in [each.rule for each in Thresholds().judge(report).broken]


def test_prices_that_leave_and_come_back_are_outliers() -> None:
    """One or a few rows far away and back; a market that moves and stays is none."""
    ticks = some()
    away = {row: ticks.bid[row] + 0.02 for row in (500, 501, 502)}
    flags, report = judged(with_values(ticks, bid=away, ask={row: price + 1e-4 for row, price in away.items()}))
    assert rows_with(flags, Flag.OUTLIER) == [500, 501, 502]
    assert report.outliers == 3
    moved = {row: ticks.bid[row] + 0.02 for row in range(500, 2000)}
    assert judged(with_values(ticks, bid=moved, ask={r: p + 1e-4 for r, p in moved.items()}))[1].outliers == 0


def test_missing_sides_and_impossible_prices_are_counted() -> None:
    """A quote of one side is no outlier and has no spread."""
    ticks = with_values(some(), bid={4: np.nan, 6: 0.0}, ask={9: np.nan, 11: -1.0})
    _, report = judged(ticks)
    assert (report.one_sided, report.not_positive) == (2, 2)
    assert sum(report.spread_points.values()) == 1998
    assert "not_positive_max" in [each.rule for each in Thresholds().judge(report).broken]


def test_nothing_is_an_empty_report() -> None:
    """Without rows there is no time, no spread and no share, and too few rows."""
    flags, report = judged(some(0))
    assert not len(flags)
    assert (report.rows, report.first_time, report.share("crossed")) == (0, None, 0.0)
    assert np.isnan(report.spread(0.5))
    assert [str(each) for each in Thresholds().judge(report).broken] == ["rows_min: 0, limit 1"]


def test_each_rule_tells_its_figure_and_its_limit() -> None:
    """A rule without a limit is not looked at; a figure at the limit holds."""
    ticks = some(100)
    _, report = judged(with_values(ticks, ask={row: ticks.bid[row] - 1e-5 for row in range(10)}))
    assert Thresholds(crossed_share_max=0.1).judge(report).decision is Decision.LOAD
    broken = Thresholds(crossed_share_max=0.05).judge(report).broken
    assert [str(each) for each in broken] == ["crossed_share_max: 0.1, limit 0.05"]
    assert not [e for e in Thresholds(crossed_share_max=None).judge(report).findings if e.rule == "crossed_share_max"]
    assert Thresholds().judge(report, rejected=100).broken[0].rule == "rejected_share_max"
    off = replace(report, clock_offset_s=3600, clock_residual_pips=0.1)
    assert [each.rule for each in Thresholds().judge(off).broken] == ["clock_offset_s_max"]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_parts_are_judged_as_the_whole(data: st.DataObject) -> None:
    """However a dataset is cut, every flag and every figure is the same."""
    count = data.draw(st.integers(1, 400))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    bid = 1.39 + np.cumsum(rng.integers(-3, 4, count)) * 1e-5 + (rng.random(count) < 0.05) * rng.normal(0, 0.01, count)
    bid[rng.random(count) < 0.03] = np.nan
    steps = rng.choice([0, 1, 1, 5, -3, 300, 7200, 90_000], count, p=[0.2, 0.3, 0.2, 0.2, 0.04, 0.03, 0.02, 0.01])
    ticks = Ticks.of(MONDAY + np.cumsum(steps) * SECOND, bid, bid + rng.integers(-1, 12, count) * 1e-5)
    ticks = ticks[np.sort(np.concatenate([np.arange(count), rng.integers(0, count, 5)]))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(ticks)), max_size=8)))
    page, quality.PAGE = quality.PAGE, data.draw(st.sampled_from([16, 50, 64]))
    try:
        whole, report = judged(ticks, Hours(EURUSD))
        inspector = Inspector(Hours(EURUSD))
        parts = []
        for begin, end in zip([0, *cuts], [*cuts, len(ticks)], strict=True):
            parts += inspector.add(ticks[begin:end])
        parts += inspector.finish()
    finally:
        quality.PAGE = page
    found = Ticks.concatenated(parts)
    assert found.flags.tolist() == whole.tolist()
    assert found.venue_time.tolist() == ticks.venue_time.tolist()
    assert inspector.report() == report


@settings(deadline=None)
@given(
    pair=st.sampled_from([EURUSD, Pair("NZD", "USD")]),
    moments=st.lists(st.integers(1_000_000_000, 1_900_000_000), min_size=2, max_size=20),
)
def test_hours_are_those_of_the_trading_session(pair: Pair, moments: list[int]) -> None:
    """Columns are open and closed as single moments are, and open time adds up."""
    hours = Hours(pair)
    utc = np.array(sorted(moments), np.int64) * SECOND
    expected = [standing_at(pair, datetime.fromtimestamp(each // SECOND, UTC)).open for each in utc.tolist()]
    assert hours.is_open(utc).tolist() == expected
    parts = hours.open_between(utc[:-1], utc[1:])
    assert parts.sum() == hours.open_between(utc[:1], utc[-1:])[0]
    assert (parts >= 0).all()
    assert (parts <= np.diff(utc)).all()
    week = hours.open_between(utc[:1], utc[:1] + 52 * 7 * DAY)[0]
    assert abs(week / (52 * 5 * DAY) - 1) < 0.03
