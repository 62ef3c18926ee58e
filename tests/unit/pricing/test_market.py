"""Curves, surfaces and what a snapshot makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from services.pricing.domain.curve import ZeroCurve
from services.pricing.domain.refusal import Missing, Refused
from services.pricing.domain.surface import Smile, Surface
from tests.unit.pricing.worlds import EURUSD, GBPUSD, USDJPY, eurusd_surface, snapshot


def test_a_curve_gives_its_pillars_and_is_flat_outside() -> None:
    """At a pillar the zero rate is the one that was put; before the first and after the last it stays."""
    curve = ZeroCurve.of([0.5, 2.0], [0.01, 0.03], "curve")
    assert curve.growth([0.5, 2.0]) == pytest.approx([0.005, 0.06])
    assert curve.growth([0.1, 10.0]) == pytest.approx([0.001, 0.3])
    assert curve.discount(0.0) == 1.0


def test_between_pillars_the_forward_rate_is_constant() -> None:
    """The logarithm of the discount factor is linear: (0.06 − 0.005) / 1.5 a year."""
    curve = ZeroCurve.of([0.5, 2.0], [0.01, 0.03], "curve")
    grown = curve.growth(np.linspace(0.5, 2.0, 7))
    assert np.diff(grown) / 0.25 == pytest.approx([0.055 / 1.5] * 6)


@pytest.mark.parametrize(
    ("times", "rates", "field"),
    [
        ([], [], "c.rate"),
        ([1.0, 2.0], [0.01], "c.rate"),
        ([1.0, 1.0], [0.01, 0.01], "c.time[1]"),
        ([1.0, 2.0, 1.5], [0.01] * 3, "c.time[2]"),
        ([0.0], [0.01], "c.time[0]"),
        ([1.0, np.nan], [0.01, 0.01], "c.time[1]"),
        ([1.0, 2.0], [0.01, np.nan], "c.rate[1]"),
    ],
)
def test_a_curve_that_is_none_is_refused(times: list[float], rates: list[float], field: str) -> None:
    """The first offending element is named by its path."""
    with pytest.raises(Refused) as caught:
        ZeroCurve.of(times, rates, "c")
    assert caught.value.field == field


def test_a_surface_gives_its_quotes_back() -> None:
    """At an expiry and a strike that were put, the volatility is the one that was put there."""
    standing = snapshot().of(EURUSD)
    for smile in eurusd_surface().smiles:
        times = np.full(len(smile.strikes), smile.time)
        assert standing.volatility(times, smile.strikes) == pytest.approx(smile.volatilities, rel=1e-14)


def test_beyond_its_quotes_a_surface_stays() -> None:
    """Flat beyond the outermost strikes; before the first and after the last expiry, the same at the forward."""
    standing = snapshot().of(EURUSD)
    wide = standing.volatility(np.array([1.0, 1.0]), np.array([0.5, 3.0]))
    assert wide == pytest.approx([0.092, 0.088])
    times = np.array([0.01, 1 / 12, 1.0, 3.0])
    early, first, last, late = standing.volatility(times, standing.forwards(times))
    assert early == pytest.approx(first)
    assert late == pytest.approx(last)


def test_total_variance_is_linear_in_time_at_the_forward() -> None:
    """Between two expiries, at the money forward."""
    standing = snapshot().of(EURUSD)
    times = np.linspace(1 / 12, 1.0, 9)
    variance = standing.volatility(times, standing.forwards(times)) ** 2 * times
    assert np.diff(variance) == pytest.approx([np.diff(variance)[0]] * 8)


def test_smiles_that_do_not_ascend_are_refused() -> None:
    """Times and strikes ascend, volatilities are positive; the path says where they do not."""
    one = Smile.of(1.0, [1.0], [0.1], "s")
    with pytest.raises(Refused) as caught:
        Surface.of([one, one], "surfaces[0].smiles")
    assert caught.value.field == "surfaces[0].smiles[1].time"
    with pytest.raises(Refused, match=r"s.strike\[1\]"):
        Smile.of(1.0, [1.1, 1.0], [0.1, 0.1], "s")
    with pytest.raises(Refused, match=r"s.volatility\[1\]"):
        Smile.of(1.0, [1.0, 1.1], [0.1, 0.0], "s")


def test_the_forward_of_the_spot_date_is_the_spot_rate() -> None:
    """The curves' way from today to spot is taken out of the rate for today."""
    for pair in (EURUSD, USDJPY, GBPUSD):
        standing = snapshot().of(pair)
        assert standing.forward(standing.dates.spot) == pytest.approx(standing.spot, rel=1e-15)
    assert snapshot().of(EURUSD).trade_date.isoformat() == "2026-03-04"
    assert snapshot().of(EURUSD).dates.spot.isoformat() == "2026-03-06"


def test_crosses_go_through_the_dollar() -> None:
    """A rate and its way back multiply to one, and two ways to a currency agree where the market has only one."""
    market = snapshot()
    assert market.today("EUR", "EUR") == 1.0
    assert market.today("EUR", "JPY") == pytest.approx(market.today("EUR", "USD") * market.today("USD", "JPY"))
    assert market.today("JPY", "GBP") * market.today("GBP", "JPY") == pytest.approx(1.0)
    assert market.today("USD", "EUR") == pytest.approx(1 / market.of(EURUSD).today)
    with pytest.raises(Missing, match="EUR/SEK"):
        market.today("EUR", "SEK")
