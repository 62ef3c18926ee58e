"""What products are worth: identities that hold by no-arbitrage, and every Greek against a difference of prices."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.pricing.domain import formula, product
from services.pricing.domain.market import SECONDS_OF_YEAR, Snapshot, flat
from services.pricing.domain.product import Cut, Exchange, Option
from services.pricing.domain.valuation import (
    Valuation,
    hedge,
    option_columns,
    par_far_rate,
    reported,
    value_exchange,
    value_options,
)
from tests.unit.pricing.worlds import AS_OF, EURUSD, snapshot

DATES = snapshot().of(EURUSD).dates


def forward(text: str = "6M", rate: float | None = 1.1, notional: float = 1e6) -> Exchange:
    """A forward."""
    return product.exchange(DATES, text, notional, rate, "value_date")


def option(call: bool, strike: float = 1.1, expiry: str = "6M") -> Option:
    """An option on a million."""
    return product.option(
        DATES, AS_OF, call=call, strike=strike, notional=1e6, expiry=expiry, cut=Cut.NEW_YORK, field="expiry"
    )


def worth(leg: Exchange | Option, market: Snapshot) -> Valuation:
    """What a leg is worth in a market."""
    standing = market.of(EURUSD)
    if isinstance(leg, Exchange):
        return value_exchange(leg, standing).valuation
    columns = option_columns([leg], standing)
    return value_options([leg], standing, columns, formula.vanillas(*columns.arrays()))[0].valuation


def test_at_the_par_rate_a_forward_is_worth_nothing() -> None:
    """Also when the par rate is given as the rate; at any other it is worth the discounted difference."""
    standing = snapshot().of(EURUSD)
    free = value_exchange(forward(rate=None), standing)
    assert free.valuation.present_value == 0.0
    assert free.rate == free.forward
    lower = value_exchange(forward(rate=free.forward - 0.01), standing)
    discount = float(standing.domestic.discount(standing.time(lower.leg.value_date)))
    assert lower.valuation.present_value == pytest.approx(10_000 * discount)


def test_at_its_par_points_a_swap_is_worth_nothing() -> None:
    """Whatever its near rate: the far rate makes good for it."""
    standing = snapshot().of(EURUSD)
    near = product.exchange(DATES, "1M", -1e6, 1.05, "near", name="near")
    priced = value_exchange(near, standing)
    far_rate = par_far_rate(priced, value_exchange(forward(rate=None), standing), standing)
    far = value_exchange(forward(rate=far_rate), standing)
    assert priced.valuation.present_value + far.valuation.present_value == pytest.approx(0.0, abs=1e-9)
    assert abs(far_rate - far.forward) > 0.01


@pytest.mark.parametrize("strike", [0.95, 1.0851, 1.3])
def test_a_call_less_a_put_is_a_forward(strike: float) -> None:
    """Put-call parity in worth and in every Greek, with a smile and curves that are not flat."""
    market = snapshot()
    call, put = worth(option(True, strike), market), worth(option(False, strike), market)
    delivered = Exchange("", 1e6, option(True).value_date, strike)
    held = worth(delivered, market)
    for name in Valuation.__slots__:
        assert getattr(call, name) - getattr(put, name) == pytest.approx(getattr(held, name), rel=1e-9, abs=1e-6), name


LEGS = [forward(), forward(rate=None, notional=-3e6), option(True, 1.12), option(False, 1.02, "1Y")]


@pytest.mark.parametrize("leg", LEGS, ids=["forward", "sold at par", "call", "put"])
def test_greeks_are_what_prices_do(leg: Exchange | Option) -> None:
    """Central differences of the present value by quoted spot, volatility, each curve and time, at a flat volatility.

    An exchange whose rate is left open is dealt at the forward before the market moves.
    """
    base = {"spot": 1.08, "volatility": 0.09}
    if isinstance(leg, Exchange) and leg.rate is None:
        leg = Exchange(leg.name, leg.notional, leg.value_date, value_exchange(leg, snapshot(**base).of(EURUSD)).rate)
    found = worth(leg, snapshot(**base))

    def slope(name: str, step: float, of: str = "present_value") -> float:
        start = base.get(name, 0.0)
        up, down = (worth(leg, snapshot(**{**base, name: start + sign * step})) for sign in (1, -1))
        return (getattr(up, of) - getattr(down, of)) / (2 * step)

    assert found.delta == pytest.approx(slope("spot", 1e-4), rel=1e-6)
    assert found.gamma == pytest.approx(slope("spot", 1e-4, "delta"), rel=1e-5, abs=1e-3)
    assert found.vega == pytest.approx(slope("volatility", 1e-4), rel=1e-6, abs=1e-3)
    assert found.rho_domestic == pytest.approx(slope("USD", 1e-5), rel=1e-6)
    assert found.rho_foreign == pytest.approx(slope("EUR", 1e-5), rel=1e-6)
    assert found.vanna == pytest.approx(slope("volatility", 1e-4, "delta"), rel=1e-5, abs=1e-3)
    assert found.volga == pytest.approx(slope("volatility", 1e-4, "vega"), rel=1e-5, abs=1e-3)


def test_theta_of_an_option_is_what_a_day_does() -> None:
    """On flat curves, the same trade date an hour earlier and later changes volatility's time alone: the diffusion part
    of theta, which is what remains without rates."""
    hour = timedelta(hours=1)
    call = option(True, 1.08, "1M")

    def at(moment: datetime) -> Valuation:
        return worth(call, flat(EURUSD, moment, spot=1.08, domestic_rate=0.0, foreign_rate=0.0, volatility=0.1))

    years = 2 * hour.total_seconds() / SECONDS_OF_YEAR
    change = (at(AS_OF + hour).present_value - at(AS_OF - hour).present_value) / years
    assert at(AS_OF).theta == pytest.approx(change, rel=1e-5)
    moved = (at(AS_OF + hour).delta - at(AS_OF - hour).delta) / years
    assert at(AS_OF).charm == pytest.approx(moved, rel=1e-4)


def test_theta_of_a_forward_is_what_a_day_does() -> None:
    """From Tuesday to Wednesday a forward of fixed dates comes one day nearer and its spot date moves with it."""
    day = timedelta(days=1)
    leg = forward("6M", 1.1)

    def at(moment: datetime) -> Valuation:
        return worth(leg, flat(EURUSD, moment, spot=1.08, domestic_rate=0.04, foreign_rate=0.02, volatility=0.1))

    start = AS_OF - timedelta(days=2)
    change = (at(start + day).present_value - at(start).present_value) * 365
    middle = (at(start).theta + at(start + day).theta) / 2
    assert middle == pytest.approx(change, rel=1e-5)
    moved = (at(start + day).delta - at(start).delta) * 365
    assert (at(start).charm + at(start + day).charm) / 2 == pytest.approx(moved, rel=1e-5)


def test_charm_of_an_option_is_what_a_day_does() -> None:
    """With rates; the same Tuesday and Wednesday."""
    leg, day = option(True, 1.09, "1Y"), timedelta(days=1)

    def at(moment: datetime) -> Valuation:
        return worth(leg, flat(EURUSD, moment, spot=1.08, domestic_rate=0.06, foreign_rate=0.02, volatility=0.1))

    start = AS_OF - 2 * day
    moved = (at(start + day).delta - at(start).delta) * 365
    assert (at(start).charm + at(start + day).charm) / 2 == pytest.approx(moved, rel=1e-4)


@pytest.mark.parametrize("moves", [False, True])
def test_greeks_in_another_currency_are_what_reported_worth_does(moves: bool) -> None:
    """In euros the rate into them is the pair's own and moves with it; in yen it stays where it is."""
    base = {"spot": 1.08, "volatility": 0.09}
    leg = option(True, 1.12)

    def of(**moved: float) -> Valuation:
        market = snapshot(**{**base, **moved})
        at = market.of(EURUSD)
        rate = market.today("USD", "EUR") if moves else 150.0
        return reported(worth(leg, market), at.spot, at.spot_time, rate, moves=moves)

    def slope(name: str, step: float, of_what: str = "present_value") -> float:
        up, down = (of(**{name: base.get(name, 0.0) + sign * step}) for sign in (1, -1))
        return (getattr(up, of_what) - getattr(down, of_what)) / (2 * step)

    found = of()
    assert found.delta == pytest.approx(slope("spot", 1e-4), rel=1e-6)
    assert found.gamma == pytest.approx(slope("spot", 1e-4, "delta"), rel=1e-5)
    assert found.vega == pytest.approx(slope("volatility", 1e-4), rel=1e-6)
    assert found.rho_domestic == pytest.approx(slope("USD", 1e-5), rel=1e-6)
    assert found.rho_foreign == pytest.approx(slope("EUR", 1e-5), rel=1e-6)
    assert found.vanna == pytest.approx(slope("volatility", 1e-4, "delta"), rel=1e-5)
    assert found.volga == pytest.approx(slope("volatility", 1e-4, "vega"), rel=1e-5)


def test_the_hedge_of_a_forward_is_itself() -> None:
    """Its delta over that of one unit bought forward is its notional; an option's is between nothing and its own."""
    standing = snapshot().of(EURUSD)
    priced = value_exchange(forward(), standing)
    assert priced.valuation.delta / priced.hedge == pytest.approx(1e6, rel=1e-14)
    call = worth(option(True), snapshot())
    assert 0.0 < call.delta / hedge(standing, option(True).value_date) < 1e6
