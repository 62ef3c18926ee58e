"""Common days, and moves of currencies as moves of pairs."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from services.risk.domain.rates import common, pair_moves
from services.risk.domain.refusal import Refused
from tests.unit.risk.books import EURUSD, GBPUSD, USDJPY, series


def test_days_are_those_that_all_have() -> None:
    """A day on which one currency has no rate is left out for all; the move over it is one."""
    given = {
        "JPY": series("2024-01-01", "2024-03-01", 150.0, without=("2024-02-27", "2024-02-28")),
        "USD": series("2024-01-01", "2024-03-01"),
    }
    rates = common(given, 3, None, "days")
    assert rates.currencies == ("JPY", "USD")
    assert [str(day) for day in rates.dates] == ["2024-02-25", "2024-02-26", "2024-02-29", "2024-03-01"]
    assert np.allclose(rates.returns(), np.log(1.001) * np.array([1, 3, 1]), rtol=1e-9)
    assert rates.newest("USD", "JPY") == pytest.approx(150 / 1.1, rel=1e-12)
    assert rates.newest("EUR", "USD") == pytest.approx(1.1 * 1.001**60, rel=1e-12)


def test_a_window_ends_on_the_day_that_is_asked_for() -> None:
    """Later days do not count."""
    rates = common({"USD": series("2024-01-01", "2024-03-01")}, 2, date(2024, 2, 1), "days")
    assert (rates.start, rates.end) == (date(2024, 1, 30), date(2024, 2, 1))


def test_a_currency_without_new_rates_is_refused() -> None:
    """It is named with its last day, and is not left where it stood."""
    given = {"RUB": series("2024-01-01", "2024-02-01"), "USD": series("2024-01-01", "2024-03-01")}
    with pytest.raises(Refused, match=r"RUB has no reference rate since 2024-02-01"):
        common(given, 0, None, "days")
    assert common(given, 0, date(2024, 2, 5), "days").end == date(2024, 2, 1)


def test_a_window_before_the_first_rate_names_its_end() -> None:
    """A day before all rates is the request's mistake, not the currency's."""
    with pytest.raises(Refused, match="USD has no reference rate before 2024-01-01; end later") as caught:
        common({"USD": series("2024-01-01", "2024-03-01")}, 5, date(2023, 12, 31), "historical.days")
    assert caught.value.field == "historical.end_date"


def test_no_move_is_over_a_gap() -> None:
    """Days before a long gap are not used: those after it must be enough."""
    given = {"ISK": series("2024-01-01", "2024-03-01", without=("2024-01-20", "2024-02-10"))}
    assert common(given, 19, None, "days").start == date(2024, 2, 11)
    with pytest.raises(Refused, match="days: asks for 20 moves; there are 19 in a row from 2024-02-11 to 2024-03-01"):
        common(given, 20, None, "days")


def test_crosses_fit() -> None:
    """What EUR/USD and USD/JPY do together is what a euro does in yen; conversions move along."""
    rng = np.random.default_rng(1)
    fallen = rng.normal(0.0, 0.01, (3, 50))
    spot, conversion = pair_moves((EURUSD, USDJPY, GBPUSD), "JPY", ("GBP", "JPY", "USD"), fallen)
    assert np.allclose(spot[0] + spot[1], fallen[1], rtol=0, atol=1e-15)
    assert np.array_equal(spot[2], fallen[2] - fallen[0])
    assert np.allclose(conversion[0], spot[1], rtol=0, atol=1e-15)
    assert np.array_equal(conversion[1], np.zeros(50))
