"""At least one call of every public function of the kernel, on ordinary and on extreme arguments, from one seed."""

from __future__ import annotations

import numpy as np

from crossrate.kernel import (
    arbitrage,
    attribution,
    backtest,
    business_clock,
    correlation,
    heston,
    lines,
    local_volatility,
    margin,
    matching,
    monte_carlo,
    ohlc,
    parametric,
    paths,
    random,
    revalue,
    sabr,
    series,
    sobol,
    swap_points,
    var,
    volatility_filter,
)
from crossrate.kernel.bootstrap import bootstrap, deposit, overnight_index_swap, par_rates
from crossrate.kernel.curve import Curves, Interpolation
from crossrate.kernel.domain import Codes, Rule, Whole
from crossrate.kernel.vanilla_batch import Batch
from tests.unit.exchange.flow import commands
from tests.unit.kernel.test_every_function import FUNCTIONS

ELEMENTS = 150
# What a desk has, by the argument's name: lowest and highest. Others are drawn from what they may be.
ORDINARY = {
    "spot": (0.9, 1.3),
    "forward": (0.9, 1.3),
    "strike": (0.8, 1.5),
    "strike_low": (0.8, 0.95),
    "strike_middle": (1.0, 1.1),
    "strike_high": (1.15, 1.4),
    "barrier": (0.7, 1.6),
    "lower_barrier": (0.6, 0.95),
    "upper_barrier": (1.2, 1.9),
    "rebate": (0.0, 0.1),
    "price": (0.0, 0.4),
    "time": (0.02, 3.0),
    "first_fixing": (0.0, 0.02),
    "fixings": (0.0, 12.0),
    "fixed_average": (0.9, 1.3),
    "volatility": (0.03, 0.5),
    "volatility_low": (0.11, 0.14),
    "volatility_middle": (0.1, 0.11),
    "volatility_high": (0.11, 0.13),
    "atm_volatility": (0.05, 0.3),
    "domestic_rate": (-0.02, 0.08),
    "foreign_rate": (-0.02, 0.08),
    "risk_reversal": (-0.02, 0.02),
    "butterfly": (0.0, 0.006),
    "inner_risk_reversal": (-0.02, 0.02),
    "outer_risk_reversal": (-0.04, 0.04),
    "inner_butterfly": (0.001, 0.004),
    "outer_butterfly": (0.005, 0.015),
    "inner_delta": (0.2, 0.3),
    "outer_delta": (0.05, 0.15),
    "delta": (0.05, 0.45),
    "alpha": (0.05, 0.3),
    "nu": (0.0, 1.5),
    "c0": (-3.0, -1.5),
    **dict.fromkeys(("c1", "c2", "c3", "c4"), (-0.2, 0.2)),
    "skewness": (-0.5, 0.5),
    "kurtosis": (0.0, 2.0),
    "mean": (-1.0, 1.0),
    "deviation": (0.0, 10.0),
    "breaches": (0.0, 12.0),
    "observations": (100.0, 500.0),
    "pip": (0.0001, 0.01),
    "points": (-100.0, 100.0),
    **dict.fromkeys(("base", "counter", "base_spot", "counter_spot"), (0.9, 1.0)),
    **dict.fromkeys(("first", "second"), (0.5, 2.0)),
}


def drawn(name: str, rule: Rule, generator: np.random.Generator) -> np.ndarray:
    """Values of one argument: ordinary ones, and in one element of eight an extreme of what it may be or none."""
    if isinstance(rule, Codes):
        return generator.integers(0, rule.count, ELEMENTS).astype(np.int8)
    low, high = ORDINARY.get(name, (rule.low, rule.high))
    if name == "delta" and rule.low < 0.0:
        low = -high
    values = generator.uniform(low, high, ELEMENTS)
    if isinstance(rule, Whole) or name == "fixings":
        values = np.floor(values)
    extreme = np.array([rule.low, rule.high, 0.0, 1.0, np.nan, np.inf, np.nextafter(rule.high, np.inf)])
    return np.where(generator.random(ELEMENTS) < 0.02, generator.choice(extreme, ELEMENTS), values)


def over_arrays(generator: np.random.Generator) -> None:
    """The functions over arrays, with a status and, on one good element, without."""
    for function in FUNCTIONS:
        given = [drawn(name, rule, generator) for name, rule in function.inputs.items()]
        status = function(*given, with_status=True)[-1]
        good = np.flatnonzero(status == 0)[:1]
        function(*(each[good] for each in given))
    batch = Batch(11)
    for name, (low, high) in {name: ORDINARY[name] for name in batch.inputs if name != "put_or_call"}.items():
        batch.inputs[name][:] = generator.uniform(low, high, 11)
    batch.price(11)
    batch.greeks(9)


def curves(generator: np.random.Generator) -> None:
    """Curves of every interpolation, bootstrapped and read; swap points."""
    times = np.array([0.01, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0])
    rates = 0.03 + 0.01 * generator.standard_normal((3, 7))
    every = Curves(
        np.tile(times, 3), np.exp(-rates * times).reshape(-1), [0, 7, 14, 21], interpolation=np.arange(3, dtype=np.int8)
    )
    at, which = generator.uniform(0.0, 20.0, 300), generator.integers(0, 3, 300)
    for read in (every.discount, every.zero_rate, every.instantaneous_forward):
        read(at, which)
    every.forward_rate(at, at + 0.25, which)
    every.simple_rate(at, at + 0.5, 0.51, which)
    strip = [deposit(0.0, 1 / 365, 1 / 360), deposit(2 / 365, 0.5, 0.51)]
    strip += [overnight_index_swap(2 / 365, 2 / 365 + np.arange(1.0, n + 1), np.full(n, 1.0139)) for n in (2, 5, 10)]
    for interpolation in Interpolation:
        quotes = 0.04 + 0.003 * generator.standard_normal((4, 5))
        par_rates(bootstrap(strip, quotes, interpolation), strip)
    legs = [2, 1, 0, 0]
    swap_points.outrights(legs, [0.5, 0.6, 20.0, 41.0], [0.7, 0.9, 21.0, 44.0], 1.1, 1.1002, 0.0001)
    dates = np.array([1 / 365, 2 / 365, 0.1, 0.5, 1.0])
    quoted = 1.1 + np.array([-0.0001, 0.0, 0.002, 0.009, 0.02])
    one = Curves(times, np.exp(-rates[0] * times))
    for known_is_base in (0, 1):
        swap_points.implied_curves(one, known_is_base, dates, quoted)
    for method in swap_points.BrokenDate:
        swap_points.broken_date(np.linspace(0.003, 1.0, 40), dates, quoted, 2 / 365, method)


def smiles(generator: np.random.Generator) -> None:
    """Rows of points: calibration, arbitrage, business time."""
    strike = 1.1 * np.exp(np.linspace(-0.3, 0.3, 7)) * np.ones((20, 1))
    forward, time = generator.uniform(1.05, 1.15, 20), generator.uniform(0.1, 3.0, 20)
    model = (generator.uniform(0.08, 0.2, 20), np.resize([0.0, 0.5, 1.0], 20), generator.uniform(-0.6, 0.6, 20), 0.6)
    wide = [np.broadcast_to(np.reshape(each, (-1, 1)), (20, 7)).copy() for each in (forward, time, *model)]
    volatility = sabr.volatility(wide[0], strike, *wide[1:])
    sabr.calibrate(forward, time, model[1], strike, volatility)
    arbitrage.butterfly(forward, time, strike, volatility)
    arbitrage.calendar(np.array([0.1, 0.5, 1.0]), np.sort(generator.uniform(0.001, 0.1, (3, 9)), axis=0))
    weights = business_clock.day_weights("2026-11-20", 40, weekend=0.1)
    clock = business_clock.business_time(weights, generator.uniform(0.0, 40.0, 50), year=252.0)
    business_clock.total_variance(np.array([0.02, 0.1]), np.array([0.001, 0.004]), clock)


def simulation(generator: np.random.Generator) -> None:
    """Random numbers, paths of every model, and prices from them."""
    random.words(generator.integers(0, 2**32, (50, 4), np.uint32), np.array([7, 9], np.uint32))
    place = {"seed": 11, "stream": 3}
    random.uniforms(300, 3, **place)
    random.normals(300, 3, **place, first_path=250)
    sobol.points(200, 5, scramble="matrix", seed=2)
    sobol.bridge(sobol.normals(200, 6), np.arange(1, 7) / 6)
    mixed = generator.standard_normal((5, 9))
    covariance = mixed @ mixed.T
    scale = np.sqrt(np.diag(covariance))
    rough = covariance / np.outer(scale, scale)
    np.fill_diagonal(rough, 1.0)
    correlation.factor(rough)
    torn = np.where(np.eye(5) > 0, 1.0, np.sign(rough) * 0.9)
    correlation.nearest((torn + torn.T) / 2)
    times = np.arange(1, 9) / 8
    paths.gbm([1.1, 150.0, 0.8], 0.01, [0.1, 0.12, 0.2], times, 300, seed=5, correlation=rough[:3, :3].copy())
    for reversion, vol in ((0.5, 1.0), (1.5, 0.2)):
        heston.paths(1.1, 0.02, 0.04, reversion, 0.04, vol, -0.5, times, 300, seed=5, antithetic=True)
    points = np.linspace(-1.0, 1.0, 17)
    skew = np.outer([1.0, 1.3], 0.15 - 0.05 * points + 0.1 * points**2)
    local_volatility.paths(1.1, 0.02, [0.25, 1.0], points, skew, times, 300, seed=8)
    for product in monte_carlo.Product:
        for side in (0, 1):
            monte_carlo.price(product, side, 1.1, 1.12, 0.15, 0.03, 0.01, times, 5000, seed=17)


def risk(generator: np.random.Generator) -> None:
    """Revaluation, value at risk and what explains it, margin, filters and tests of series."""
    market = generator.integers(0, 2, 60)
    level = np.where(market == 0, 1.1, 150.0)
    book = revalue.Positions(
        *(generator.integers(0, 3, 60), market, level * generator.uniform(0.85, 1.15, 60)),
        *(generator.uniform(low, high, 60) for low, high in ((0.0, 3.0), (0.04, 0.3), (-0.01, 0.06), (-0.01, 0.06))),
        generator.normal(0.0, 1e6, 60),
    )
    shifts = [generator.normal(0.0, scale, (2, 300)) for scale in (0.03, 0.05, 0.005, 0.005, 0.02)]
    pairs = revalue.Markets(spot=np.array([1.1, 150.0]), conversion=np.array([1.0, 1 / 150.0]))
    _, parts = revalue.profit(book, pairs, revalue.Scenarios(*shifts), contributions=True)
    revalue.profit(book, pairs, revalue.Scenarios(shifts[0]))
    for convention in var.Convention:
        var.measure(parts[:5], np.array([0.95, 0.99]), convention=convention)
    var.measure(parts[:5], 0.99, weight=var.age_weight(300, 0.99))
    var.worst(parts[:5], 20)
    attribution.historical(parts[:9], 0.975, window=3)
    mixed = generator.standard_normal((4, 7))
    covariance = mixed @ mixed.T * 1e-4
    delta, gamma = generator.normal(0.0, 1e6, (6, 4)), generator.normal(0.0, 1e5, (6, 4, 4))
    attribution.normal(delta, covariance)
    parametric.moments(delta, covariance, gamma + np.swapaxes(gamma, 1, 2))
    parametric.moments(delta, covariance)
    spreads = [margin.Spread(0, 1, 2.0, 1.0, 0.6), margin.Spread(1, 2, 1.0, 1.0, 0.4)]
    units, losses = generator.integers(-9, 9, (7, 4)).astype(float), generator.normal(0.0, 100.0, (4, 16))
    rates = generator.uniform(0.5, 1.5, 4)
    margin.portfolio(units, losses, [0, 1, 2, 1], rates, spreads=spreads, short_minimum=3.0, option_value=rates)
    margin.tiered(generator.normal(0.0, 5e6, 30), np.array([0.0, 1e6, 5e6]), np.array([0.01, 0.02, 0.05]))
    moves = generator.standard_t(6, (2, 250)) * 0.006
    model = volatility_filter.Garch(2e-6, 0.08, 0.9)
    variance = volatility_filter.variance(moves, model, 4e-5)
    volatility_filter.scale(moves, variance)
    volatility_filter.simulate(moves, variance, model, generator.integers(0, 250, (60, 5)))
    rows, bounds = moves.reshape(-1), [0, 250, 500]
    series.ewma(rows, 0.94, 4e-5, bounds)
    series.garch(rows, 2e-6, 0.08, 0.9, 4e-5, bounds)
    for targeting in (False, True):
        series.fit_garch(rows, bounds, targeting=targeting)
    series.forecast_garch(2e-6, 0.08, 0.9, [5e-5, 2e-5], 20)
    backtest.sequence((generator.random(500) < 0.02).astype(np.int8), 0.01, bounds)


def bars(generator: np.random.Generator) -> None:
    """Where bars begin, and their prices, also of sides that are not there."""
    time = np.sort(generator.integers(-(10**12), 10**12, 500))
    for step in (1, 10**9, 3 * 10**11):
        found = ohlc.starts(time, -5, step)
        price = generator.uniform(0.9, 1.3, len(time))
        ohlc.prices(found.start, price)
        ohlc.prices(found.start, np.where(generator.random(len(time)) < 0.1, np.nan, price))


def texts(generator: np.random.Generator) -> None:
    """Lines that are alike, some of which fit no more: integers, quotients and changes."""
    stamps = np.datetime64("2024-05-06T00:00", "ms") + np.cumsum(generator.integers(0, 40_000, 200))
    bids = generator.integers(100_000, 999_999, 200)
    text = b"".join(f"{time},{bid / 1e5:.5f}\r\n".encode() for time, bid in zip(stamps, bids, strict=True))
    expected = np.frombuffer(text[: text.index(b"\n") + 1], np.uint8)
    digit = ((expected >= 48) & (expected <= 57)).astype(np.uint8)
    given = (expected, digit, np.array([17, 8, 24]), np.array([23, 10, 31]), np.array([1e5]))
    lines.read(np.frombuffer(text, np.uint8), *given, (0, 16))
    lines.read(np.frombuffer(text, np.uint8), *given)
    for place in generator.integers(0, len(text), 3):
        changed = np.frombuffer(text, np.uint8).copy()
        changed[place] ^= 0x40
        lines.read(changed, *given, (0, 16))


def orders(generator: np.random.Generator) -> None:
    """Commands of every kind to a small book, what is read of it, and how it moves."""
    rows = commands(int(generator.integers(1000)), 600)
    book = matching.Matcher(40)
    for begin in range(0, len(rows), 100):
        book.run(rows[begin : begin + 100])
    for side in (1, 2):
        book.depth(side, 40)
    matching.Matcher(40).load(book.facts(), book.orders())


def every_function() -> None:
    """Calls all; the same arguments each time."""
    generator = np.random.default_rng(2027)
    for group in (over_arrays, curves, smiles, simulation, risk, bars, texts, orders):
        group(generator)
