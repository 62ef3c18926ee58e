"""Every quote of the real days is read, and is what is known of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossrate.basics.pair import Pair
from crossrate.files.candles import Candles
from crossrate.ticks.clock import HOUR
from crossrate.ticks.columns import Flag, Ticks
from crossrate.ticks.hours import Hours
from crossrate.ticks.quality import Inspector
from crossrate.ticks.thresholds import Decision, Thresholds
from tests.data.quotes import DAYS, day, hours, ticks


@pytest.mark.parametrize(
    ("venue", "rows", "crossed", "locked"), [("fxcm", 167_466, 18_285, 19_051), ("oanda", 87_833, 0, 0)]
)
def test_a_day_has_the_quotes_that_are_known_of_it(
    data: Path, venue: str, rows: int, crossed: int, locked: int
) -> None:
    """8 May 2014: no line is rejected, and crossed and locked quotes are counted as they were found by others."""
    chunks = day(data, venue, "20140508")
    assert not any(chunk.rejected for chunk in chunks)
    inspector = Inspector(Hours(Pair("EUR", "USD")))
    parts = [part for chunk in chunks for part in inspector.add(chunk.ticks)] + inspector.finish()
    report = inspector.report()
    assert (report.rows, report.crossed, report.locked) == (rows, crossed, locked)
    flags = np.concatenate([part.flags for part in parts])
    assert np.count_nonzero(flags & np.uint8(Flag.CROSSED)) == crossed
    assert (report.out_of_order, report.closed, report.one_sided, report.leaps) == (0, 0, 0, 0)
    assert Thresholds().judge(report).decision is Decision.LOAD


def closed(quotes: Ticks, late_ns: int) -> float:
    """The share of quotes in closed hours if the clock is taken to be behind by so much."""
    inspector = Inspector(Hours(Pair("EUR", "USD")))
    inspector.add(Ticks.of(quotes.venue_time + late_ns, quotes.bid, quotes.ask))
    inspector.finish()
    return inspector.report().share("closed")


def test_the_wrong_clock_is_seen_in_the_report(data: Path) -> None:
    """Eleven years of hours: by the right clock hardly a quote is in closed hours, five hours off one of thirty is."""
    quotes = hours(data, "oanda/eurusd_hour.zip", "lean_hour").quotes()
    limit = Thresholds().closed_share_max
    assert limit is not None
    assert closed(quotes, 0) < limit / 2
    assert closed(quotes, 5 * HOUR) > 3 * limit
    assert closed(quotes, -5 * HOUR) > 3 * limit


@pytest.mark.parametrize("venue", ["fxcm", "oanda"])
@pytest.mark.parametrize("kind", ["second", "minute"])
def test_the_venues_own_bars_are_read_whole(data: Path, venue: str, kind: str) -> None:
    """Each bar opens with the first and closes with the last quote of its time, cell by cell."""
    for name in DAYS:
        chunks = day(data, venue, name, kind=kind)
        assert not any(chunk.rejected for chunk in chunks)
        bars = Candles.concatenated([chunk.candles for chunk in chunks if chunk.candles is not None])
        quotes = ticks(data, venue, name)
        first = np.searchsorted(quotes.venue_time, bars.begin)
        last = np.searchsorted(quotes.venue_time, bars.end) - 1
        for side in ("bid", "ask"):
            prices = getattr(quotes, side)
            assert (getattr(bars, f"{side}_open") == prices[first]).all()
            assert (getattr(bars, f"{side}_close") == prices[last]).all()
            assert (getattr(bars, f"{side}_high") == np.maximum.reduceat(prices, first)).all()
            assert (getattr(bars, f"{side}_low") == np.minimum.reduceat(prices, first)).all()
