"""QuantLib over digitals, barriers, touches, American and Asian options; prints the worst case of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import american, asian, barrier, digital, touch

TODAY, YEAR = ql.Date(2, 1, 2025), ql.Actual365Fixed()
COUNT = 1000
BARRIERS = [ql.Barrier.DownOut, ql.Barrier.DownIn, ql.Barrier.UpOut, ql.Barrier.UpIn]


class Oracle:
    """One QuantLib process whose market is moved from case to case."""

    def __init__(self) -> None:
        ql.Settings.instance().evaluationDate = TODAY
        self.quotes = [ql.SimpleQuote(1.0) for _ in range(4)]
        spot, volatility, domestic, foreign = (ql.QuoteHandle(each) for each in self.quotes)
        curves = [ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, YEAR)) for rate in (foreign, domestic)]
        flat = ql.BlackConstantVol(TODAY, ql.NullCalendar(), volatility, YEAR)
        self.process = ql.BlackScholesMertonProcess(spot, *curves, ql.BlackVolTermStructureHandle(flat))

    def price(self, option: Any, engine: Any, row: dict[str, float]) -> float:
        """The option's price in one market."""
        names = ("spot", "volatility", "domestic_rate", "foreign_rate")
        for quote, name in zip(self.quotes, names, strict=True):
            quote.setValue(row[name])
        option.setPricingEngine(engine)
        return float(option.NPV())


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    """The process that all cases share."""
    return Oracle()


def markets(seed: int, count: int = COUNT) -> dict[str, np.ndarray]:
    """Markets with strike and barriers around the spot, from a week to five years, no rate negative."""
    draw = np.random.default_rng(seed)
    spot, days = np.exp(draw.uniform(np.log(0.5), np.log(150.0), count)), draw.integers(7, 1825, count)
    volatility = draw.uniform(0.04, 0.5, count)
    deviation = volatility * np.sqrt(days / 365)
    strike = spot * np.exp(deviation * draw.normal(0.0, 0.7, count))
    lower, upper = (spot * np.exp(side * deviation * draw.uniform(0.3, 2.0, count)) for side in (-1, 1))
    domestic, foreign = draw.uniform(0.0, 0.1, (2, count))
    up = draw.integers(0, 2, count)
    return {
        "call": draw.integers(0, 2, count),
        "up": up,
        "kind": draw.integers(0, 2, count),
        "spot": spot,
        "strike": strike,
        "barrier": np.where(up, upper, lower),
        "lower": lower,
        "upper": upper,
        "days": days,
        "time": days / 365,
        "volatility": volatility,
        "domestic_rate": domestic,
        "foreign_rate": foreign,
    }


def rows(table: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """A table's rows as Python numbers."""
    columns = [each.tolist() for each in table.values()]
    return [dict(zip(table, each, strict=True)) for each in zip(*columns, strict=True)]


def rest(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What every function takes at its end."""
    return {name: table[name] for name in ("time", "volatility", "domestic_rate", "foreign_rate")}


def worst(what: str, ours: Any, theirs: list[float], table: dict[str, np.ndarray], scale: Any) -> float:
    """The largest difference over the scale; prints where it is."""
    off = np.abs(np.asarray(ours) - theirs) / scale
    at = int(np.argmax(off))
    print(f"{what}: {len(off)} cases, worst {off[at]:.1e} at {rows(table)[at]}")
    return float(off[at])


def side(row: dict[str, Any]) -> Any:
    """QuantLib's put or call."""
    return ql.Option.Call if row["call"] else ql.Option.Put


def expiry(row: dict[str, Any]) -> Any:
    """The last day."""
    return TODAY + row["days"]


def test_barriers_agree(oracle: Oracle) -> None:
    """Single barriers with a rebate agree to 1e-12 of the larger of spot and strike."""
    table = markets(50)
    rebate = 0.03 * table["spot"]
    engine, theirs = ql.AnalyticBarrierEngine(oracle.process), []
    for row in rows(table):
        payoff, exercise = ql.PlainVanillaPayoff(side(row), row["strike"]), ql.EuropeanExercise(expiry(row))
        kind = BARRIERS[2 * row["up"] + row["kind"]]
        option = ql.BarrierOption(kind, row["barrier"], 0.03 * row["spot"], payoff, exercise)
        theirs.append(oracle.price(option, engine, row))
    kinds = 2 * table["up"] + table["kind"]
    ours = barrier.price(table["call"], kinds, table["spot"], table["strike"], table["barrier"], rebate, **rest(table))
    assert worst("barriers", ours, theirs, table, np.maximum(table["spot"], table["strike"])) < 1e-12


def test_double_barriers_agree(oracle: Oracle) -> None:
    """Double barriers without rebate agree to 2e-9 of the larger of spot and strike.

    The strikes lie between the barriers: QuantLib's formula holds for those alone, and its powers lose some digits.
    """
    table = markets(51)
    table["strike"] = np.clip(table["strike"], table["lower"], table["upper"])
    engine, theirs = ql.AnalyticDoubleBarrierEngine(oracle.process, 10), []
    for row in rows(table):
        payoff, exercise = ql.PlainVanillaPayoff(side(row), row["strike"]), ql.EuropeanExercise(expiry(row))
        kind = ql.DoubleBarrier.KnockIn if row["kind"] else ql.DoubleBarrier.KnockOut
        option = ql.DoubleBarrierOption(kind, row["lower"], row["upper"], 0.0, payoff, exercise)
        theirs.append(oracle.price(option, engine, row))
    levels = (table["spot"], table["strike"], table["lower"], table["upper"])
    ours = barrier.double_price(table["call"], table["kind"], *levels, 0.0, **rest(table))
    assert worst("double barriers", ours, theirs, table, np.maximum(table["spot"], table["strike"])) < 2e-9


def test_digitals_agree(oracle: Oracle) -> None:
    """Digitals in both currencies agree to 1e-13 of the payout."""
    table = markets(52)
    engine, theirs = ql.AnalyticEuropeanEngine(oracle.process), []
    for row in rows(table):
        base = ql.AssetOrNothingPayoff(side(row), row["strike"])
        payoff = base if row["kind"] else ql.CashOrNothingPayoff(side(row), row["strike"], 1.0)
        theirs.append(oracle.price(ql.VanillaOption(payoff, ql.EuropeanExercise(expiry(row))), engine, row))
    ours = digital.price(table["call"], table["kind"], table["spot"], table["strike"], **rest(table))
    assert worst("digitals", ours, theirs, table, np.where(table["kind"], table["spot"], 1.0)) < 1e-13


@pytest.mark.parametrize("at_expiry", [False, True])
def test_touches_agree(oracle: Oracle, at_expiry: bool) -> None:
    """One-touches at hit and at expiry agree to 1e-12 of the payout, in both currencies."""
    table = markets(53 + at_expiry)
    engine, theirs = ql.AnalyticDigitalAmericanEngine(oracle.process), []
    for row in rows(table):
        way = ql.Option.Call if row["up"] else ql.Option.Put
        base = ql.AssetOrNothingPayoff(way, row["barrier"])
        payoff = base if row["kind"] else ql.CashOrNothingPayoff(way, row["barrier"], 1.0)
        option = ql.VanillaOption(payoff, ql.AmericanExercise(TODAY, expiry(row), at_expiry))
        theirs.append(oracle.price(option, engine, row))
    kind = 1 if at_expiry else 2
    ours = touch.price(kind, table["up"], table["kind"], table["spot"], table["barrier"], **rest(table))
    scale = np.where(table["kind"], np.maximum(table["spot"], table["barrier"]), 1.0)
    assert worst(f"touches, at expiry {at_expiry}", ours, theirs, table, scale) < 1e-12


def test_double_no_touches_agree(oracle: Oracle) -> None:
    """Double no-touches agree to 1e-7 of the payout: QuantLib ends its series at that."""
    table = markets(55)
    engine, theirs = ql.AnalyticDoubleBarrierBinaryEngine(oracle.process), []
    for row in rows(table):
        payoff, exercise = ql.CashOrNothingPayoff(ql.Option.Call, 0.0, 1.0), ql.EuropeanExercise(expiry(row))
        corridor = (ql.DoubleBarrier.KnockOut, row["lower"], row["upper"], 0.0)
        theirs.append(oracle.price(ql.DoubleBarrierOption(*corridor, payoff, exercise), engine, row))
    ours = touch.double_price(0, 0, table["spot"], table["lower"], table["upper"], **rest(table))
    assert worst("double no-touches", ours, theirs, table, 1.0) < 1e-7


def test_american_options_agree(oracle: Oracle) -> None:
    """American options agree to 1e-6 of the strike with QuantLib's fixed point in high precision."""
    table = markets(56, 120)
    scheme = ql.QdFpAmericanEngine.highPrecisionScheme()
    engine, theirs = ql.QdFpAmericanEngine(oracle.process, scheme), []
    for row in rows(table):
        payoff, exercise = ql.PlainVanillaPayoff(side(row), row["strike"]), ql.AmericanExercise(TODAY, expiry(row))
        theirs.append(oracle.price(ql.VanillaOption(payoff, exercise), engine, row))
    ours = american.price(table["call"], table["spot"], table["strike"], **rest(table))
    assert worst("American", ours, theirs, table, np.maximum(table["spot"], table["strike"])) < 1e-6


def test_asian_options_agree(oracle: Oracle) -> None:
    """Averages of one fixing a day over five days agree to 1e-11 of the strike."""
    table = markets(57, 300)
    engine, theirs = ql.TurnbullWakemanAsianEngine(oracle.process), []
    for row in rows(table):
        dates = [TODAY + row["days"] - back for back in (4, 3, 2, 1, 0)]
        payoff, exercise = ql.PlainVanillaPayoff(side(row), row["strike"]), ql.EuropeanExercise(dates[-1])
        option = ql.DiscreteAveragingAsianOption(ql.Average.Arithmetic, 0.0, 0, dates, payoff, exercise)
        theirs.append(oracle.price(option, engine, row))
    first = (table["days"] - 4) / 365
    last = rest(table)
    time = last.pop("time")
    ours = asian.price(table["call"], table["spot"], table["strike"], first, time, 5, 0.0, 1.0, *last.values())
    assert worst("Asian", ours, theirs, table, table["strike"]) < 1e-11
