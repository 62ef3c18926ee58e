"""The Greeks of options whose formulas have none, against derivatives of the same formulas in 40 digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest
from mpmath import mp, mpf

from services.pricing.domain.exotic import Exotic
from services.pricing.domain.market import Standing, flat
from services.pricing.domain.valuation import Valuation
from tests.unit.kernel.barrier_oracle import Exact
from tests.unit.pricing.exotics import barrier, priced, touch
from tests.unit.pricing.worlds import AS_OF, EURUSD

MARKET = {"spot": 1.08, "domestic_rate": 0.043, "foreign_rate": 0.021}

ERROR_MAX = 5e-7
"""Of the size that a Greek has for options of the kind."""

Formula = Callable[[Exact], Any]


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    """Forty digits, for these tests alone."""
    with mp.workdps(40):
        yield


def exact(formula: Formula, leg: Exotic, standing: Standing, volatility: float) -> dict[str, float]:
    """Worth and Greeks of one unit: derivatives by quoted spot, volatility, both zero rates, and passing time."""
    expires, delivered, lag = (
        mpf(t) for t in (standing.time_to(leg.expires), standing.time(leg.value_date), standing.spot_time)
    )

    def worth(spot: Any, sigma: Any, domestic: Any, foreign: Any, passed: Any) -> Any:
        left, carried = expires - passed, delivered - lag - passed
        market = Exact(spot, left, sigma, domestic * carried / left, foreign * carried / left)
        return mp.exp(-domestic * lag) * formula(market)

    at = (mpf(MARKET["spot"]), mpf(volatility), mpf(MARKET["domestic_rate"]), mpf(MARKET["foreign_rate"]), mpf(0))
    orders = {
        "present_value": (0, 0, 0, 0, 0),
        "delta": (1, 0, 0, 0, 0),
        "gamma": (2, 0, 0, 0, 0),
        "vega": (0, 1, 0, 0, 0),
        "theta": (0, 0, 0, 0, 1),
        "rho_domestic": (0, 0, 1, 0, 0),
        "rho_foreign": (0, 0, 0, 1, 0),
        "vanna": (1, 1, 0, 0, 0),
        "volga": (0, 2, 0, 0, 0),
        "charm": (1, 0, 0, 0, 1),
    }
    return {name: float(mp.diff(worth, at, order)) for name, order in orders.items()}


def sizes(unit: float, standing: Standing, leg: Exotic, volatility: float) -> dict[str, float]:
    """How large Greeks are for an option whose worth is of the size of `unit`."""
    time, spot = standing.time_to(leg.expires), standing.spot
    deviation = volatility * math.sqrt(time)
    rho = unit * standing.time(leg.value_date) / deviation
    by_spot = unit / (spot * deviation)
    return {
        "present_value": unit,
        "delta": by_spot,
        "gamma": by_spot / (spot * deviation),
        "vega": unit / volatility,
        "theta": unit / time,
        "rho_domestic": rho,
        "rho_foreign": rho,
        "vanna": by_spot / volatility,
        "volga": unit / volatility**2,
        "charm": by_spot / time,
    }


def compare(leg: Exotic, formula: Formula, unit: float, volatility: float, standing: Standing) -> None:
    """Every number of the valuation against 40 digits."""
    found = priced(leg, flat(EURUSD, AS_OF, **MARKET, volatility=volatility)).valuation
    wanted = exact(formula, leg, standing, volatility)
    size = sizes(unit, standing, leg, volatility)
    off = {f.name: abs(getattr(found, f.name) - wanted[f.name]) / size[f.name] for f in fields(Valuation)}
    assert max(off.values()) < ERROR_MAX, off


def standing(volatility: float) -> Standing:
    """EUR/USD in the flat market."""
    return flat(EURUSD, AS_OF, **MARKET, volatility=volatility).of(EURUSD)


DISTANCES = (0.9, 0.3, 0.02, 1e-3, 1e-6)
"""From spot to barrier, in deviations."""


@pytest.mark.parametrize(("expiry", "volatility"), [("ON", 0.07), ("1M", 0.09), ("1Y", 0.12), ("3Y", 0.6)])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("up", [False, True])
def test_greeks_beside_one_barrier(up: bool, distance: float, expiry: str, volatility: float) -> None:
    """Knock-outs, knock-ins, no-touches and one-touches at hit, from far away to a millionth of a deviation."""
    at = standing(volatility)
    time = at.time_to(touch(False, 1.0, None, expiry=expiry).expires)
    deviation = volatility * math.sqrt(time)
    level = at.spot * math.exp((1 if up else -1) * distance * deviation)
    lower, upper = (None, level) if up else (level, None)
    strike = at.spot * math.exp((-0.5 if up else 0.2) * deviation)
    option = at.spot * min(1.0, deviation)
    out = barrier(True, strike, lower, upper, expiry=expiry, at=at)
    compare(out, lambda m: m.vanilla(True, strike) - m.knock_in(True, up, strike, level), option, volatility, at)
    into = barrier(False, strike, lower, upper, knocks_in=True, expiry=expiry, at=at)
    compare(into, lambda m: m.knock_in(False, up, strike, level), option, volatility, at)
    untouched = touch(False, lower, upper, expiry=expiry, at=at)
    compare(untouched, lambda m: m.counter * m.survival(up, level), 1.0, volatility, at)
    hit = touch(True, lower, upper, at_hit=True, expiry=expiry, at=at)
    compare(hit, lambda m: m.at_hit(level), 1.0, volatility, at)


def levels(low: float, high: float, expiry: str, volatility: float, at: Standing) -> tuple[float, float, float]:
    """Two barriers at distances in deviations, and the deviation."""
    deviation = volatility * math.sqrt(at.time_to(touch(False, 1.0, None, expiry=expiry).expires))
    return at.spot * math.exp(-low * deviation), at.spot * math.exp(high * deviation), deviation


@pytest.mark.parametrize(("low", "high", "expiry", "volatility"), [(0.9, 1.1, "6M", 0.1), (1e-6, 2.0, "ON", 0.07)])
def test_greeks_between_two_barriers(low: float, high: float, expiry: str, volatility: float) -> None:
    """Double knock-outs and double no-touches, in the middle and beside a barrier."""
    at = standing(volatility)
    lower, upper, deviation = levels(low, high, expiry, volatility, at)
    strike = lower + 0.4 * (upper - lower)
    out = barrier(True, strike, lower, upper, expiry=expiry, at=at)
    compare(out, lambda m: m.double_knock_out(True, strike, lower, upper), at.spot * deviation, volatility, at)
    inside = touch(False, lower, upper, expiry=expiry, at=at)
    compare(inside, lambda m: m.counter * m.corridor(False, lower, upper, lower, upper), 1.0, volatility, at)


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.3), (0.12, 0.14), (1e-3, 0.5), (1e-6, 0.4)])
@pytest.mark.parametrize(("expiry", "volatility"), [("ON", 0.07), ("6M", 0.1), ("3Y", 0.25)])
def test_greeks_in_a_narrow_corridor(low: float, high: float, expiry: str, volatility: float) -> None:
    """Double no-touches that will hardly survive, against the first waves of the corridor (Pelsser 2000)."""
    at = standing(volatility)
    lower, upper, _ = levels(low, high, expiry, volatility, at)

    def waves(market: Exact) -> Any:
        width, here = mp.log(mpf(upper) / lower), mp.log(mpf(market.spot) / lower)
        nu, variance, total = market.mu, market.deviation**2, mpf(0)
        for k in range(1, 12):
            wave = k * mp.pi / width
            reached = wave * (1 - (-1) ** k * mp.exp(nu * width)) / (nu**2 + wave**2)
            total += reached * mp.sin(wave * here) * mp.exp(-(wave**2 + nu**2) * variance / 2)
        return market.counter * 2 / width * mp.exp(-nu * here) * total

    inside = touch(False, lower, upper, expiry=expiry, at=at)
    compare(inside, waves, 1.0, volatility, at)
