"""The hours of the market."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from services.marketdata.domain.seasonality import FLAT, Moment, Region, Seasonality, region

NEW_YORK = ZoneInfo("America/New_York")


def at(*when: int, weekends: bool = True) -> Moment:
    """The moment at a local time in New York."""
    return Seasonality(weekends=weekends).at(int(dt.datetime(*when, tzinfo=NEW_YORK).timestamp()) * 10**9)


@pytest.mark.parametrize("day", [dt.date(2026, 1, 14), dt.date(2026, 7, 15)])
def test_a_day_has_a_mean_of_one(day: dt.date) -> None:
    """Hours move variance and activity about within the day: all its minutes together are as without hours."""
    season = Seasonality(weekends=True)
    begin = int(dt.datetime.combine(day, dt.time(), NEW_YORK).timestamp())
    moments = [season.at((begin + 60 * minute) * 10**9) for minute in range(1_440)]
    assert np.mean([m.variance for m in moments], axis=0) == pytest.approx(np.ones(3), rel=1e-9)
    assert np.mean([m.activity for m in moments], axis=0) == pytest.approx(np.ones(3), rel=1e-9)
    assert all((m.variance > 0.2).all() and m.spread >= 1.0 for m in moments)


def test_hours_are_new_york_s_in_summer_and_winter() -> None:
    """The same local time is the same moment, though it is another time of the world."""
    winter, summer = at(2026, 1, 14, 9), at(2026, 7, 15, 9)
    assert (winter.variance == summer.variance).all()
    assert (winter.activity == summer.activity).all()


def test_the_market_is_busiest_while_london_and_new_york_are_both_there() -> None:
    """From 08:00 to 11:00 in New York everything moves most; Asia's morning is Asia's second peak, and not Europe's."""
    hourly = np.array([at(2026, 3, 3, hour, 30).variance for hour in range(24)])
    assert (hourly.argmax(axis=0) >= 8).all()
    assert (hourly.argmax(axis=0) <= 10).all()
    assert hourly[20, Region.ASIA] > 1.2 > 0.6 > hourly[20, Region.EUROPE]
    assert (hourly[[16, 23]] < 0.8).all()


def test_spreads_widen_at_the_roll() -> None:
    """Twice as wide at 17:00 as at noon, back within four hours."""
    spreads = [at(2026, 3, 3, hour).spread for hour in (12, 17, 18, 19, 21)]
    assert spreads == [1.0, pytest.approx(2.08), pytest.approx(1.69), pytest.approx(1.15), 1.0]


def test_the_edges_of_a_weekend_are_wider_still() -> None:
    """Before Friday's close and after Sunday's opening; between them the market is closed and does not move."""
    assert at(2026, 3, 6, 16, 59).spread > 5.0
    assert at(2026, 3, 8, 17, 0).spread > 5.0
    assert at(2026, 3, 8, 18, 0).spread == pytest.approx(2.46)
    for closed in (at(2026, 3, 6, 17), at(2026, 3, 7, 12), at(2026, 3, 8, 16, 59)):
        assert (closed.variance == 0.0).all()


def test_a_market_without_weekends_has_none() -> None:
    """Saturday is a day like Tuesday."""
    saturday, tuesday = at(2026, 3, 7, 12, weekends=False), at(2026, 3, 3, 12, weekends=False)
    assert (saturday.variance == tuesday.variance).all()
    assert saturday.spread == tuesday.spread


def test_a_pair_is_as_active_as_its_currencies() -> None:
    """The mean of both; currencies that no region claims are Europe's."""
    night = at(2026, 3, 3, 20, 30)
    assert night.activity_of("USD", "JPY") == pytest.approx(night.activity[[Region.AMERICA, Region.ASIA]].mean())
    assert night.activity_of("AUD", "JPY") > night.activity_of("EUR", "PLN")
    assert region("XYZ") is Region.EUROPE
    assert FLAT.activity_of("EUR", "USD") == 1.0
