"""QuantLib over strikes, deltas, market strangles and SABR volatilities; prints the worst case of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import Reason, sabr, smile, strike
from crossrate.kernel.strike import DeltaConvention

QUANTLIB = [ql.DeltaVolQuote.Spot, ql.DeltaVolQuote.Fwd, ql.DeltaVolQuote.PaSpot, ql.DeltaVolQuote.PaFwd]


def markets(count: int, seed: int) -> dict[str, np.ndarray]:
    """Spot, time, rates and volatility from overnight to twenty years."""
    draw = np.random.default_rng(seed)
    return {
        "spot": np.exp(draw.uniform(np.log(0.5), np.log(150.0), count)),
        "time": np.exp(draw.uniform(np.log(1 / 365), np.log(20.0), count)),
        "volatility": draw.uniform(0.03, 0.4, count),
        "domestic_rate": draw.uniform(-0.02, 0.1, count),
        "foreign_rate": draw.uniform(-0.02, 0.1, count),
    }


def calculator(call: int, convention: int, row: dict[str, float]) -> ql.BlackDeltaCalculator:
    """QuantLib's calculator of one option."""
    time = row["time"]
    discounts = (float(np.exp(-row[name] * time)) for name in ("domestic_rate", "foreign_rate"))
    kind = ql.Option.Call if call else ql.Option.Put
    return ql.BlackDeltaCalculator(kind, QUANTLIB[convention], row["spot"], *discounts, row["volatility"] * time**0.5)


def rows(market: dict[str, np.ndarray]) -> list[dict[str, float]]:
    """A table's rows as Python floats."""
    names = list(market)
    return [dict(zip(names, each, strict=True)) for each in np.stack(list(market.values()), axis=1).tolist()]


def worst(what: str, ours: Any, theirs: Any, market: list[dict[str, float]]) -> float:
    """The greatest relative difference; prints where it is."""
    off = np.abs(np.asarray(ours) / np.asarray(theirs) - 1.0)
    at = int(np.argmax(off))
    print(f"{what}: {len(off)} cases, worst {off[at]:.1e} at {market[at]}")
    return float(off[at])


@pytest.mark.parametrize("convention", DeltaConvention)
def test_deltas_and_strikes_agree(convention: int) -> None:
    """QuantLib's deltas agree within 1e-11, its strikes within 2e-8: its quantile is good to nine digits."""
    count = 3000
    market = markets(count, 40 + convention)
    call = np.arange(count) % 2
    draw = np.random.default_rng(convention)
    forward = strike.atm(strike.AtmConvention.FORWARD, convention, **market)
    level = forward * np.exp(draw.uniform(-2.0, 2.0, count) * market["volatility"] * np.sqrt(market["time"]))
    wanted = np.where(call, 1, -1) * draw.uniform(0.02, 0.3, count)
    deltas = strike.delta(call, convention, strike=level, **market)
    found, status = strike.from_delta(call, convention, delta=wanted, with_status=True, **market)
    assert (status == Reason.OK).mean() > 0.9
    table = rows(market)
    other = [calculator(int(call[i]), convention, table[i]).deltaFromStrike(float(level[i])) for i in range(count)]
    assert worst(f"delta {convention}", deltas, other, table) < 1e-11
    # QuantLib refuses a spot delta beyond the foreign discount factor, which a premium-adjusted put may have.
    within = np.abs(wanted) < np.exp(-market["foreign_rate"] * market["time"])
    solved = np.flatnonzero((status == Reason.OK) & within)
    other = [calculator(int(call[i]), convention, table[i]).strikeFromDelta(float(wanted[i])) for i in solved]
    assert worst(f"strike {convention}", found[solved], other, [table[i] for i in solved]) < 2e-8


@pytest.mark.parametrize("convention", DeltaConvention)
def test_straddle_strikes_agree(convention: int) -> None:
    """Delta-neutral strikes are QuantLib's."""
    market = markets(1000, 60 + convention)
    table = rows(market)
    ours = strike.atm(strike.AtmConvention.DELTA_NEUTRAL, convention, **market)
    theirs = [calculator(1, convention, row).atmStrike(ql.DeltaVolQuote.AtmDeltaNeutral) for row in table]
    assert worst(f"at the money {convention}", ours, theirs, table) < 1e-13


@pytest.mark.parametrize("convention", DeltaConvention)
def test_market_strangles_are_met_at_quantlibs_strikes_and_prices(convention: int) -> None:
    """By QuantLib's strikes and premiums, five-point smiles meet both market strangles within 1e-8 of the premium."""
    count = 250
    draw = np.random.default_rng(80 + convention)
    market = {name: column for name, column in markets(count, 80 + convention).items() if name != "volatility"}
    market["time"] = np.minimum(market["time"], 5.0)
    level = draw.uniform(0.04, 0.2, count)
    skew, convexity = level * draw.uniform(-0.2, 0.2, count), level * draw.uniform(0.01, 0.05, count)
    quotes = {0.25: (skew, convexity), 0.1: (1.85 * skew, 3.4 * convexity)}
    quoted = [level, *quotes[0.25], *quotes[0.1]]
    found = smile.five_point(1, convention, smile.Strangle.MARKET, *market.values(), *quoted)
    for delta, (_, butterfly) in quotes.items():
        table = rows({**market, "volatility": level + butterfly})
        levels = np.array(
            [
                [calculator(call, convention, row).strikeFromDelta((-delta, delta)[call]) for call in (0, 1)]
                for row in table
            ]
        )
        on_smile = found.volatility_of(levels).tolist()
        sums = np.zeros((2, count))
        for i, row in enumerate(table):
            for call, kind in ((0, ql.Option.Put), (1, ql.Option.Call)):
                for which, volatility in enumerate((row["volatility"], on_smile[i][call])):
                    deviation = volatility * row["time"] ** 0.5
                    sums[which, i] += ql.blackFormula(kind, float(levels[i, call]), float(found.forward[i]), deviation)
        assert worst(f"market strangle {delta} {convention}", sums[1], sums[0], table) < 1e-8


def test_sabr_agrees() -> None:
    """QuantLib's SABR volatilities agree within 1e-11 for every beta and far into the wings."""
    count = 4000
    draw = np.random.default_rng(7)
    forward, beta = draw.uniform(0.5, 150.0, count), draw.choice([0.0, 0.25, 0.5, 0.9, 1.0], count)
    table = {
        "forward": forward,
        "strike": forward * np.exp(draw.uniform(-0.7, 0.7, count)),
        "time": draw.uniform(0.01, 5.0, count),
        "alpha": draw.uniform(0.04, 0.3, count) * forward ** (1.0 - beta),
        "beta": beta,
        "rho": draw.uniform(-0.9, 0.9, count),
        "nu": draw.uniform(0.05, 1.0, count),
    }
    listed = rows(table)
    theirs = [
        ql.sabrVolatility(r["strike"], r["forward"], r["time"], r["alpha"], r["beta"], r["nu"], r["rho"])
        for r in listed
    ]
    assert worst("sabr", sabr.volatility(**table), theirs, listed) < 1e-11
