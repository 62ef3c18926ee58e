"""Bars of real quotes against the venues' own."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from crossrate.ticks.bars import Bars, bars_of, merged
from crossrate.ticks.columns import Flag, Ticks
from crossrate.ticks.periods import UTC, Period

DAYS = [date(2014, 5, day) for day in (5, 6, 7, 8)]
VENUES = {"fxcm": timedelta(hours=-5), "oanda": timedelta(0)}
"""The clock of each venue's files."""
MILLISECOND = 1_000_000
HOUR = 3600 * 10**9


def rows(path: Path) -> np.ndarray:
    """A zipped CSV file of numbers."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)


def midnight(venue: str, day: date) -> int:
    """When a day of the venue's clock begins, ns since 1970 UTC."""
    return (day - date(1970, 1, 1)) // timedelta(days=1) * 24 * HOUR - VENUES[venue] // timedelta(hours=1) * HOUR


def ticks_of(data: Path, venue: str, day: date) -> Ticks:
    """The quotes of a venue's day in UTC."""
    table = rows(data / venue / "tick" / "eurusd" / f"{day:%Y%m%d}_quote.zip")
    bid, ask = table[:, 1].copy(), table[:, 2].copy()
    flags = np.where(bid > ask, Flag.CROSSED, 0) | np.where(bid == ask, Flag.LOCKED, 0)
    times = np.rint(table[:, 0]).astype(np.int64) * MILLISECOND + midnight(venue, day)
    return Ticks.of(times, bid, ask, flags=flags)


def cells(bars: Bars) -> np.ndarray:
    """Open times and prices, in the order of the venues' files."""
    columns = bars.columns()
    names = [f"{side}_{name}" for side in ("bid", "ask") for name in ("open", "high", "low", "close")]
    return np.column_stack([columns["open_time"].astype(float), *(columns[name] for name in names)])


def theirs(data: Path, venue: str, folder: str, day: date) -> np.ndarray:
    """The venue's own bars of a day: open times in UTC, and prices."""
    table = rows(data / venue / folder / "eurusd" / f"{day:%Y%m%d}_quote.zip")
    table[:, 0] = table[:, 0] * MILLISECOND + midnight(venue, day)
    return np.delete(table, [5, 10], axis=1)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_quotes_make_the_venues_own_bars(data: Path, venue: str, day: date) -> None:
    """Seconds and minutes of bid and ask are the venue's own without one differing cell; so are minutes of seconds."""
    ticks = ticks_of(data, venue, day)
    for folder, period in (("second", Period.SECOND_1), ("minute", Period.MINUTE_1)):
        built = bars_of(ticks, period, UTC)
        assert np.array_equal(cells(built.bars), theirs(data, venue, folder, day))
        assert built.late_count == 0
        assert built.bars.count.sum() == len(ticks)
    seconds = bars_of(ticks, Period.SECOND_1, UTC).bars
    assert np.array_equal(cells(merged(seconds, Period.MINUTE_1, UTC)), theirs(data, venue, "minute", day))


def hours_of_minutes(data: Path, venue: str) -> np.ndarray:
    """Hours that a venue's own minutes make, by what open, high, low and close mean."""
    minutes = np.concatenate([theirs(data, venue, "minute", day) for day in DAYS])
    opens = minutes[:, 0] // HOUR * HOUR
    starts = np.flatnonzero(np.append(True, opens[1:] != opens[:-1]))
    ends = np.append(starts[1:], len(minutes)) - 1
    columns = [opens[starts]]
    for open_, high, low, close in ((1, 2, 3, 4), (5, 6, 7, 8)):
        columns += [minutes[starts, open_], np.maximum.reduceat(minutes[:, high], starts)]
        columns += [np.minimum.reduceat(minutes[:, low], starts), minutes[ends, close]]
    return np.column_stack(columns)


def hour_file(data: Path, venue: str) -> np.ndarray:
    """The four days of a venue's file of hours."""
    with zipfile.ZipFile(data / venue / "eurusd_hour.zip") as archive:
        lines = archive.read(archive.namelist()[0]).decode().splitlines()
    days = {f"{day:%Y%m%d}": midnight(venue, day) for day in DAYS}
    found = [line for line in lines if line[:8] in days]
    numbers = np.array([[float(x) for x in line.split(",")[1:]] for line in found])
    opens = [days[line[:8]] + int(line[9:11]) * HOUR for line in found]
    return np.column_stack([np.array(opens, float), np.delete(numbers, [4, 9], axis=1)])


@pytest.mark.parametrize("venue", VENUES)
def test_quotes_make_the_venues_own_hours(data: Path, venue: str) -> None:
    """Hours are those of the venue's minutes without one differing cell; FXCM's file of hours is the same.

    OANDA's file of hours is not made of these quotes: its own minutes give other opens than it has, and so do we.
    Closes agree in every hour.
    """
    hours = cells(bars_of(Ticks.concatenated([ticks_of(data, venue, day) for day in DAYS]), Period.HOUR_1, UTC).bars)
    own, file = hours_of_minutes(data, venue), hour_file(data, venue)
    assert np.array_equal(hours, own)
    if venue == "fxcm":
        assert np.array_equal(hours, file)
    else:
        assert np.array_equal(hours[:, [0, 4, 8]], file[:, [0, 4, 8]])
        assert np.array_equal(hours != file, own != file)
        assert (own != file).any(), "the file of hours is of these quotes after all: compare all of it"


def test_crossed_and_locked_quotes_are_counted_and_can_be_left_out(data: Path) -> None:
    """FXCM's last day has 18,285 crossed and 19,051 locked quotes of 167,466, and bars without them are others."""
    ticks = ticks_of(data, "fxcm", DAYS[-1])
    assert len(ticks) == 167_466
    assert int((ticks.flags == Flag.CROSSED).sum()) == 18_285
    assert int((ticks.flags == Flag.LOCKED).sum()) == 19_051
    built = bars_of(ticks, Period.MINUTE_1, UTC, exclude=Flag.CROSSED | Flag.LOCKED)
    assert built.excluded_count == 37_336
    assert not built.bars.flags.any()
    assert not np.array_equal(cells(built.bars), cells(bars_of(ticks, Period.MINUTE_1, UTC).bars))
