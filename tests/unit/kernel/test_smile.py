"""Smiles from at the money, risk reversals and butterflies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import ArgumentError, Reason, ShapeError, path, smile, strike, vanilla
from crossrate.kernel.strike import DeltaConvention

EURUSD: dict[str, Any] = {
    "atm_convention": 1,
    "delta_convention": 0,
    "strangle": smile.Strangle.MARKET,
    "spot": 1.3088,
    "time": 31 / 365,
    "domestic_rate": 0.003525,
    "foreign_rate": 0.020113,
    "atm_volatility": 0.216215,
    "risk_reversal": -0.005,
    "butterfly": 0.007375,
}
RATES = ("spot", "time", "domestic_rate", "foreign_rate")


def five_quotes(count: int, seed: int = 1) -> dict[str, Any]:
    """Rows as they occur in every convention: a week to five years, skews to a fifth of the level."""
    draw = np.random.default_rng(seed)
    level = draw.uniform(0.04, 0.2, count)
    skew = level * draw.uniform(-0.2, 0.2, count)
    convexity = level * draw.uniform(0.01, 0.05, count)
    return {
        "atm_convention": draw.integers(0, 2, count),
        "delta_convention": draw.integers(0, 4, count),
        "spot": draw.uniform(0.5, 150.0, count),
        "time": np.exp(draw.uniform(np.log(0.02), np.log(5.0), count)),
        "domestic_rate": draw.uniform(-0.01, 0.05, count),
        "foreign_rate": draw.uniform(-0.01, 0.05, count),
        "atm_volatility": level,
        "inner_risk_reversal": skew,
        "inner_butterfly": convexity,
        "outer_risk_reversal": 1.85 * skew,
        "outer_butterfly": 3.4 * convexity,
    }


def market_strangle(rows: dict[str, Any], delta: float, quote: str) -> tuple[np.ndarray, np.ndarray]:
    """Strikes (rows, 2) of put and call, and the premium of both at one volatility."""
    volatility = rows["atm_volatility"] + rows[quote]
    market = [np.asarray(rows[name]) + 0.0 * volatility for name in RATES]
    levels, premium = [], 0.0
    for call in (0, 1):
        wanted = np.full(np.shape(volatility), delta if call else -delta)
        level = strike.from_delta(call, rows["delta_convention"], market[0], wanted, market[1], volatility, *market[2:])
        premium = premium + vanilla.price(call, market[0], level, market[1], volatility, *market[2:])
        levels.append(level)
    return np.stack(levels, axis=-1), premium


def test_a_published_example(build: str) -> None:
    """Reiswich and Wystup (2010), FX Volatility Smile Construction, EURUSD one month: four decimals, premium seven.

    The calibrated wings do not depend on how the smile is interpolated in the digits that are printed. Quotes and
    results were entered without the printed page at hand; that they fit each other in all these digits speaks for both.
    """
    found = smile.three_point(**EURUSD)
    assert np.round(found.strike[0], 4).tolist() == [1.2530, 1.3096, 1.3677]
    assert round(float(market_strangle(EURUSD, 0.25, "butterfly")[1]), 7) == 0.0254782


def test_quantlib_prices_the_market_strangle_alike(build: str) -> None:
    """Call and put at the strangle's strikes cost on the smile what they cost at the one volatility, says QuantLib."""
    found = smile.three_point(**EURUSD)
    volatility = EURUSD["atm_volatility"] + EURUSD["butterfly"]
    time, domestic, foreign = EURUSD["time"], EURUSD["domestic_rate"], EURUSD["foreign_rate"]
    discount, forward = float(np.exp(-domestic * time)), float(found.forward[0])
    sums = [0.0, 0.0]
    for kind, sign in ((ql.Option.Call, 1), (ql.Option.Put, -1)):
        calculator = ql.BlackDeltaCalculator(
            kind, ql.DeltaVolQuote.Spot, 1.3088, discount, float(np.exp(-foreign * time)), volatility * time**0.5
        )
        level = calculator.strikeFromDelta(0.25 * sign)
        on_smile = float(found.volatility_of(np.array([[level]]))[0, 0])
        for which, each in enumerate((volatility, on_smile)):
            sums[which] += ql.blackFormula(kind, level, forward, each * time**0.5, discount)
    assert sums[0] == pytest.approx(sums[1], abs=1e-11)  # the quantile of QuantLib is good to nine digits


def test_both_market_strangles_are_met(build: str) -> None:
    """Of every row that is solved, both strangles cost what they cost at their quotes, within 1e-12 of vega."""
    rows = five_quotes(300)
    found = smile.five_point(strangle=0, with_status=True, **rows)
    fine = found.status == 0
    assert fine.mean() > 0.98
    solved = {name: column[fine] for name, column in rows.items()}
    found = smile.five_point(strangle=0, **solved)
    for delta, quote in ((0.25, "inner_butterfly"), (0.1, "outer_butterfly")):
        levels, premium = market_strangle(solved, delta, quote)
        on_smile = found.volatility_of(levels)
        market = [solved[name] for name in RATES]
        both = sum(
            vanilla.price(call, market[0], levels[:, call].copy(), market[1], on_smile[:, call].copy(), *market[2:])
            for call in (0, 1)
        )
        vega = market[0] * np.sqrt(market[1]) * 0.4 * delta
        assert np.max(np.abs(both - premium) / vega) < 1e-12


def test_the_points_have_their_deltas_and_the_risk_reversal_is_call_minus_put(build: str) -> None:
    """Each wing's strike has its delta at its volatility; the smile goes through all points; quotes are found again."""
    rows = five_quotes(100, 3)
    found = smile.five_point(strangle=smile.Strangle.SMILE, **rows)
    assert np.max(np.abs(found.volatility_of(found.strike) / found.volatility - 1.0)) < 1e-12
    assert (np.diff(found.strike, axis=1) > 0.0).all()
    deltas = ((0, 0, -0.1), (1, 0, -0.25), (3, 1, 0.25), (4, 1, 0.1))
    market = [rows[name] for name in RATES]
    for point, call, wanted in deltas:
        at = (found.strike[:, point].copy(), market[1], found.volatility[:, point].copy(), *market[2:])
        assert strike.delta(call, rows["delta_convention"], market[0], *at) == pytest.approx(wanted, rel=1e-12)
    quoted = found.volatility[:, 3] - found.volatility[:, 1]
    assert quoted == pytest.approx(rows["inner_risk_reversal"], abs=1e-15)
    mean = 0.5 * (found.volatility[:, 4] + found.volatility[:, 0])
    assert mean - found.volatility[:, 2] == pytest.approx(rows["outer_butterfly"], abs=1e-15)


def test_the_two_strangles_differ_where_there_is_skew(build: str) -> None:
    """Without a risk reversal both meanings of a butterfly nearly agree; with one the smile strangle is the wider."""
    wide = {}
    for skew in (0.0, -0.03):
        found = smile.three_point(**{**EURUSD, "risk_reversal": skew})
        wide[skew] = found.volatility[0, ::2].mean() - EURUSD["atm_volatility"] - EURUSD["butterfly"]
    assert abs(wide[0.0]) < 2e-5
    assert wide[-0.03] > 2e-4


@pytest.mark.parametrize("convention", DeltaConvention)
def test_a_delta_is_found_on_the_smile(build: str, convention: int) -> None:
    """The strike of a delta on the smile has that delta at the smile's volatility; quoted deltas give the points."""
    found = smile.three_point(**{**EURUSD, "delta_convention": convention})
    wanted = np.array([[0.25, 0.1, 0.35, 0.02]])
    for call, point in ((0, 0), (1, 2)):
        signed = wanted if call else -wanted
        level, volatility = found.at_delta(call, signed)
        assert level[0, 0] == pytest.approx(found.strike[0, point], rel=1e-12)
        assert found.volatility_of(level) == pytest.approx(volatility, rel=1e-12)
        market = [EURUSD[name] for name in RATES]
        back = strike.delta(call, convention, market[0], level, market[1], volatility, *market[2:])
        assert back == pytest.approx(signed, rel=1e-11)


def test_a_delta_that_no_strike_has_is_refused(build: str) -> None:
    """A delta beyond what the smile reaches is refused, as is one of the wrong sign."""
    found = smile.three_point(**{**EURUSD, "delta_convention": 3})
    for call, wanted in ((1, 0.99), (0, 0.25), (1, -0.25)):
        with pytest.raises(ArgumentError, match="no number solves this") as caught:
            found.at_delta(call, np.array([[wanted]]))
        assert caught.value.argument == "delta"


def test_a_row_without_a_smile_has_a_reason_and_spoils_no_other(build: str) -> None:
    """Rows that contradict themselves get a status and NaN; the others are what they are alone."""
    quotes = {**EURUSD, "risk_reversal": np.array([-0.005, 0.6, -0.005, np.nan])}
    quotes["butterfly"] = np.array([0.007375, 0.007375, -0.3, 0.007375])
    found = smile.three_point(**quotes, with_status=True)
    assert found.status.tolist() == [Reason.OK, Reason.INCONSISTENT, Reason.INCONSISTENT, Reason.NOT_FINITE]
    assert np.isnan(found.strike[1:]).all()
    assert (found.strike[0] == smile.three_point(**EURUSD).strike[0]).all()
    with pytest.raises(ArgumentError, match=r"^butterfly\[1\] is 0.007375: it contradicts") as caught:
        smile.three_point(**{**quotes, "risk_reversal": np.array([-0.005, 0.6, -0.005, -0.005])})
    assert caught.value.reason == Reason.INCONSISTENT
    with pytest.raises(ArgumentError, match=r"^status\[1\] is 9: this row has no smile"):
        found.volatility_of(np.full((4, 1), 1.3))


def test_an_outer_delta_above_the_inner_is_refused(build: str) -> None:
    """Five points need two deltas in order."""
    rows = {name: column[:3] for name, column in five_quotes(3).items()}
    with pytest.raises(ArgumentError, match=r"^outer_butterfly\[0\] .* contradicts"):
        smile.five_point(strangle=0, outer_delta=0.25, **rows)


@pytest.mark.parametrize(
    ("name", "value"),
    [("strangle", 2), ("atm_convention", 3), ("time", 0.0), ("atm_volatility", 0.0), ("delta", 0.51), ("spot", -1.0)],
)
def test_bad_quotes_are_named(build: str, name: str, value: float) -> None:
    """The argument that cannot be meant is named, with what it may be."""
    with pytest.raises(ArgumentError, match=f"^{name} is .*it must be"):
        smile.three_point(**{**EURUSD, name: value})


def test_shapes_are_checked(build: str) -> None:
    """Strikes need a row for each smile, and coefficients are five."""
    found = smile.three_point(**EURUSD)
    with pytest.raises(ShapeError, match=r"strike has shape \(2, 1\)"):
        found.volatility_of(np.ones((2, 1)))
    with pytest.raises(ShapeError, match="coefficients has shape"):
        smile.volatility(1.1, 1.0, 0.1, np.zeros(4), 1.1)


def test_builds_agree() -> None:
    """All builds solve the same rows, to the last digits."""
    rows = five_quotes(200, 8)
    found = {}
    for name in path.paths():
        with path.using(name):
            found[name] = smile.five_point(strangle=0, with_status=True, **rows)
    base = found["baseline"]
    for other in found.values():
        assert (other.status == base.status).all()
        assert np.nanmax(np.abs(other.strike / base.strike - 1.0)) < 1e-12
        assert np.nanmax(np.abs(other.volatility - base.volatility)) < 1e-13
