"""The clocks of the real datasets are found, with a residual under 0.2 pip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossrate.ticks.columns import Ticks
from crossrate.ticks.offset import OffsetEstimate, estimate_offset
from tests.data.quotes import DAYS, hours, quotient, ticks

RESIDUAL_PIPS_MAX = 0.2


def spans(found: OffsetEstimate) -> list[tuple[str, str]]:
    """The day on which each clock began."""
    return [(str(np.datetime64(each.begin, "ns").astype("M8[D]")), str(each.clock)) for each in found.spans]


def test_four_days_of_fxcm_are_five_hours_behind_those_of_oanda(data: Path) -> None:
    """Every quote of both, averaged by minute: 0.07 pip apart."""
    found = estimate_offset(ticks(data, "fxcm", *DAYS, clock="UTC"), ticks(data, "oanda", *DAYS))
    assert str(found.clock) == "UTC-05:00"
    assert found.residual_pips < RESIDUAL_PIPS_MAX
    assert found.confidence > 0.9


@pytest.fixture(scope="module")
def oanda(data: Path) -> Ticks:
    """OANDA's hours, 2007 to 2018: weeks from 17:00 to 17:00 New York, so in UTC by themselves."""
    return hours(data, "oanda/eurusd_hour.zip", "lean_hour").quotes()


def test_oandas_hours_are_in_utc_by_their_weeks(oanda: Ticks) -> None:
    """Its last bar of a week is that of 16:00 New York in every normal week of summer and of winter."""
    opens = oanda.venue_time[::2]
    last = opens[np.flatnonzero(np.diff(opens) > 40 * 3600 * 10**9)].astype("M8[ns]")
    month = last.astype("M8[M]").astype(int) % 12 + 1
    hour = last.astype("M8[h]").astype(int) % 24
    assert np.mean(hour[(month >= 6) & (month <= 9)] == 20) > 0.95
    assert np.mean(hour[(month == 1) | (month == 2)] == 21) > 0.95


def test_fxcms_hours_are_five_behind_since_september_2009(data: Path, oanda: Ticks) -> None:
    """As documented. Before, New York's local time was taken for UTC once too often: local time less five hours."""
    found = estimate_offset(hours(data, "fxcm/eurusd_hour.zip", "lean_hour").quotes(), oanda)
    assert spans(found) == [("2007-03-31", "America/New_York-05:00"), ("2009-09-19", "UTC-05:00")]
    assert found.residual_pips < RESIDUAL_PIPS_MAX
    assert all(each.agreeing == each.weeks for each in found.spans)
    assert found.spans[1].residual < RESIDUAL_PIPS_MAX * 1e-4


def test_the_brokers_clock_follows_european_summer_time_and_was_moved_once(data: Path, oanda: Ticks) -> None:
    """From its own bars: EUR/USD as EUR/JPY over USD/JPY. Berlin's time until 22 November 2014, then Athens'."""
    euro, dollar = (hours(data, f"broker-clock/{pair}h1.csv.gz", "broker_points") for pair in ("EURJPY", "USDJPY"))
    found = estimate_offset(quotient(euro, dollar), oanda)
    assert spans(found) == [("2012-11-17", "Europe/Berlin"), ("2014-11-22", "Europe/Athens")]
    assert found.residual_pips < RESIDUAL_PIPS_MAX
    assert all(each.residual < RESIDUAL_PIPS_MAX * 1e-4 for each in found.spans)
    assert sum(each.agreeing for each in found.spans) >= sum(each.weeks for each in found.spans) - 2
    with pytest.raises(ValueError, match="changed its clock"):
        _ = found.clock


def test_the_other_pairs_of_the_broker_follow_the_same_clock(data: Path) -> None:
    """All three against each other: GBP/USD has no reference here, so its hours of silence are compared."""
    weeks = []
    for pair in ("GBPUSD", "USDJPY", "EURJPY"):
        begin = hours(data, f"broker-clock/{pair}h1.csv.gz", "broker_points").begin
        opens = begin[1:][np.diff(begin) > 40 * 3600 * 10**9]
        weeks.append({int(each) for each in opens})
    shared = weeks[0] & weeks[1] & weeks[2]
    assert len(shared) > 0.9 * max(map(len, weeks))
