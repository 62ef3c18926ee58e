"""QuantLib over payouts, averages, boundaries and quotes that the other files leave out; prints the worst of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import Reason, american, asian, revalue, smile, touch
from crossrate.kernel.strike import AtmConvention, DeltaConvention
from tests.agreement import test_smile
from tests.agreement.test_exotics import BARRIERS, TODAY, Oracle, expiry, markets, rest, rows, side, worst

DAYS_BEFORE = 30


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    """The process that all cases share."""
    return Oracle()


def test_no_touches_agree(oracle: Oracle) -> None:
    """No-touches in both currencies agree to 1e-12 of the payout: knock-outs whose strike is the barrier."""
    table = markets(70)
    engine, theirs = ql.AnalyticBinaryBarrierEngine(oracle.process), []
    for row in rows(table):
        way = ql.Option.Put if row["up"] else ql.Option.Call
        base = ql.AssetOrNothingPayoff(way, row["barrier"])
        payoff = base if row["kind"] else ql.CashOrNothingPayoff(way, row["barrier"], 1.0)
        exercise = ql.AmericanExercise(TODAY, expiry(row), True)
        option = ql.BarrierOption(BARRIERS[2 * row["up"]], row["barrier"], 0.0, payoff, exercise)
        theirs.append(oracle.price(option, engine, row))
    ours = touch.price(0, table["up"], table["kind"], table["spot"], table["barrier"], **rest(table))
    assert worst("no-touches", ours, theirs, table, np.where(table["kind"], table["spot"], 1.0)) < 1e-12


def mirrored(row: dict[str, Any]) -> dict[str, Any]:
    """The market seen from the other currency."""
    swapped = {"domestic_rate": row["foreign_rate"], "foreign_rate": row["domestic_rate"], "spot": 1.0 / row["spot"]}
    return {**row, **swapped, "lower": 1.0 / row["upper"], "upper": 1.0 / row["lower"]}


@pytest.mark.parametrize("kind", [0, 1])
def test_double_touches_agree(oracle: Oracle, kind: int) -> None:
    """Double no-touches and one-touches at expiry agree to 1e-7 of the payout in both currencies.

    QuantLib pays cash alone; a payout in the base currency is cash seen from the other side.
    """
    table = markets(71 + kind)
    knock = ql.DoubleBarrier.KnockIn if kind else ql.DoubleBarrier.KnockOut
    engine, theirs = ql.AnalyticDoubleBarrierBinaryEngine(oracle.process), []
    for row in rows(table):
        seen = mirrored(row) if row["kind"] else row
        payoff = ql.CashOrNothingPayoff(ql.Option.Call, 0.0, 1.0)
        exercise = ql.EuropeanExercise(expiry(row))
        option = ql.DoubleBarrierOption(knock, seen["lower"], seen["upper"], 0.0, payoff, exercise)
        theirs.append(oracle.price(option, engine, seen) * (row["spot"] if row["kind"] else 1.0))
    ours = touch.double_price(kind, table["kind"], table["spot"], table["lower"], table["upper"], **rest(table))
    scale = np.where(table["kind"], table["spot"], 1.0)
    assert worst(f"double touches {('no', 'one')[kind]}", ours, theirs, table, scale) < 1e-7


def test_averages_under_way_agree(oracle: Oracle) -> None:
    """Averages with four of nine fixings past agree to 1e-11 of the strike."""
    table = markets(73, 600)
    engine, theirs = ql.TurnbullWakemanAsianEngine(oracle.process), []
    past = table["spot"] * np.random.default_rng(1).uniform(0.95, 1.05, 600)
    for row, average in zip(rows(table), past.tolist(), strict=True):
        dates = [TODAY + row["days"] - back for back in (4, 3, 2, 1, 0)]
        payoff, exercise = ql.PlainVanillaPayoff(side(row), row["strike"]), ql.EuropeanExercise(dates[-1])
        option = ql.DiscreteAveragingAsianOption(ql.Average.Arithmetic, 4.0 * average, 4, dates, payoff, exercise)
        theirs.append(oracle.price(option, engine, row))
    last = rest(table)
    time = last.pop("time")
    fixings = ((table["days"] - 4) / 365, time, 5, 4.0 / 9.0, past)
    ours = asian.price(table["call"], table["spot"], table["strike"], *fixings, *last.values())
    assert worst("averages under way", ours, theirs, table, table["strike"]) < 1e-11


def test_continuous_averages_agree(oracle: Oracle) -> None:
    """Continuous averages, begun 30 days ago, agree to 1e-9 of the strike: QuantLib's moments lose digits."""
    table = markets(74, 600)
    table["domestic_rate"] = table["foreign_rate"] + 0.03
    theirs = []
    past = table["spot"] * np.random.default_rng(2).uniform(0.95, 1.05, 600)
    for row, average in zip(rows(table), past.tolist(), strict=True):
        quote = ql.QuoteHandle(ql.SimpleQuote(average))
        engine = ql.ContinuousArithmeticAsianLevyEngine(oracle.process, quote, TODAY - DAYS_BEFORE)
        payoff, exercise = ql.PlainVanillaPayoff(side(row), row["strike"]), ql.EuropeanExercise(expiry(row))
        option = ql.ContinuousAveragingAsianOption(ql.Average.Arithmetic, payoff, exercise)
        theirs.append(oracle.price(option, engine, row))
    last = rest(table)
    time = last.pop("time")
    fixings = (0.0, time, 0, DAYS_BEFORE / (DAYS_BEFORE + table["days"]), past)
    ours = asian.price(table["call"], table["spot"], table["strike"], *fixings, *last.values())
    assert worst("continuous averages", ours, theirs, table, table["strike"]) < 1e-9


@pytest.mark.parametrize("negative", [False, True])
def test_american_options_agree_over_rates_of_both_signs(oracle: Oracle, negative: bool) -> None:
    """With one boundary or none American options agree to 1e-6 of the greater level.

    Where the rate that exercise gives up is negative some boundaries are not found; trees agree to 3e-6.
    """
    table = markets(75, 150)
    draw = np.random.default_rng(3)
    earns = draw.uniform(-0.02, 0.08, 150)
    costs = draw.uniform(-0.02, 0.0, 150) if negative else draw.uniform(0.0, 0.08, 150)
    table["domestic_rate"] = np.where(table["call"], costs, earns)
    table["foreign_rate"] = np.where(table["call"], earns, costs)
    table = {name: each[(earns > 0.0) | (costs >= earns)] for name, each in table.items()}
    scheme = ql.QdFpAmericanEngine.highPrecisionScheme()
    engine, theirs = ql.QdFpAmericanEngine(oracle.process, scheme), []
    for row in rows(table):
        payoff, exercise = ql.PlainVanillaPayoff(side(row), row["strike"]), ql.AmericanExercise(TODAY, expiry(row))
        theirs.append(oracle.price(ql.VanillaOption(payoff, exercise), engine, row))
    ours = american.price(table["call"], table["spot"], table["strike"], **rest(table))
    what = f"American, given up {('earns', 'costs')[negative]}"
    assert worst(what, ours, theirs, table, np.maximum(table["spot"], table["strike"])) < (3e-6 if negative else 1e-6)


def test_american_options_with_two_boundaries_agree(oracle: Oracle) -> None:
    """Where both rates are negative and exercise is worth while, finite differences, extrapolated, agree to 6e-6."""
    table = markets(76, 24)
    draw = np.random.default_rng(4)
    earns = draw.uniform(-0.02, -0.005, 24)
    costs = earns - draw.uniform(0.005, 0.04, 24)
    table["domestic_rate"] = np.where(table["call"], costs, earns)
    table["foreign_rate"] = np.where(table["call"], earns, costs)
    table["strike"] = table["spot"] * np.exp(draw.uniform(-0.1, 0.1, 24))
    engines, theirs = [ql.FdBlackScholesVanillaEngine(oracle.process, n, 4 * n, 0) for n in (250, 500)], []
    for row in rows(table):
        payoff, exercise = ql.PlainVanillaPayoff(side(row), row["strike"]), ql.AmericanExercise(TODAY, expiry(row))
        coarse, fine = (oracle.price(ql.VanillaOption(payoff, exercise), engine, row) for engine in engines)
        theirs.append(2.0 * fine - coarse)
    ours = american.price(table["call"], table["spot"], table["strike"], **rest(table))
    assert worst("American, two boundaries", ours, theirs, table, np.maximum(table["spot"], table["strike"])) < 6e-6


@pytest.mark.parametrize("atm", AtmConvention)
@pytest.mark.parametrize("convention", DeltaConvention)
def test_smile_strangles_stand_at_quantlibs_strikes(atm: int, convention: int) -> None:
    """With butterflies as smile strangles, both wings have their delta at their volatility, in every convention."""
    count = 200
    draw = np.random.default_rng(90 + convention)
    market = {name: each for name, each in test_smile.markets(count, 90).items() if name != "volatility"}
    market["time"] = np.minimum(market["time"], 5.0)
    level = draw.uniform(0.04, 0.2, count)
    quotes = level, level * draw.uniform(-0.2, 0.2, count), level * draw.uniform(0.01, 0.05, count)
    given = (atm, convention, smile.Strangle.SMILE)
    found = smile.three_point(*given, *market.values(), *quotes, delta=0.25, with_status=True)
    fine = np.flatnonzero(found.status == Reason.OK)
    assert len(fine) > 0.75 * count  # with long times the spot may lie outside of both wings
    table = test_smile.rows({**market, "volatility": level})
    for place, call in ((0, 0), (2, 1)):
        listed = [{**table[i], "volatility": float(found.volatility[i, place])} for i in fine]
        wanted = 0.25 if call else -0.25
        theirs = [test_smile.calculator(call, convention, row).strikeFromDelta(wanted) for row in listed]
        what = f"smile strangle {atm} {convention} {('put', 'call')[call]}"
        assert test_smile.worst(what, found.strike[fine, place], theirs, listed) < 2e-8


def test_revaluation_agrees() -> None:
    """Each position's profit in each scenario agrees to 1e-13 of the notional at the greater level."""
    draw, n, m = np.random.default_rng(77), 60, 40
    spot = 1.1
    columns = (spot * draw.uniform(0.8, 1.25, n), draw.uniform(0.02, 5.0, n), draw.uniform(0.04, 0.3, n))
    domestic, foreign = draw.uniform(-0.01, 0.06, (2, n))
    book = revalue.Positions(np.arange(n) % 3, np.zeros(n, np.int64), *columns, domestic, foreign, np.ones(n))
    returns, volatility = draw.normal(0.0, 0.04, (1, m)), draw.normal(0.0, 0.02, (1, m))
    pairs = revalue.Markets(np.array([spot]), np.array([1.0]))
    _, parts = revalue.profit(book, pairs, revalue.Scenarios(returns, volatility), contributions=True)
    kinds = (ql.Option.Put, ql.Option.Call)

    def worth(i: int, level: float, more: float) -> float:
        strike, time = float(columns[0][i]), float(columns[1][i])
        base, discount = np.exp(-foreign[i] * time), float(np.exp(-domestic[i] * time))
        if i % 3 == revalue.FORWARD:
            return level * float(base) - strike * discount
        deviation = max(float(columns[2][i]) + more, 0.0) * time**0.5
        return float(ql.blackFormula(kinds[i % 3], strike, level * float(base) / discount, deviation, discount))

    levels, moves = (spot * np.exp(returns[0])).tolist(), volatility[0].tolist()
    theirs = np.array(
        [[worth(i, s, v) - worth(i, spot, 0.0) for s, v in zip(levels, moves, strict=True)] for i in range(n)]
    )
    off = np.abs(parts - theirs)
    at = np.unravel_index(int(np.argmax(off)), off.shape)
    print(f"revaluation: {off.size} cases, worst {off[at]:.1e} of position {at[0]} in scenario {at[1]}")
    assert off[at] < 1e-13
