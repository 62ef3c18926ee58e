"""Whether surfaces that are put can be traded against."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import surface_quotes_pb2 as options
from crossrate.kernel import vanilla
from crossrate.rpc.errors import ErrorReason, Failure
from services.pricing.checks import check_market
from services.pricing.domain.arbitrage import Kind, violations
from services.pricing.domain.refusal import Refused
from services.pricing.domain.surface import Smile, Surface
from tests.unit.pricing.desk import (
    AS_OF,
    EURO_OPTIONS,
    EURUSD,
    USDJPY,
    YEN_OPTIONS,
    dollars,
    euros,
    put,
    snapshot,
    surface,
)
from tests.unit.pricing.worlds import snapshot as pillars_snapshot

INTERPOLATIONS = [
    options.SMILE_INTERPOLATION_POLYNOMIAL_IN_DELTA,
    options.SMILE_INTERPOLATION_VANNA_VOLGA,
    options.SMILE_INTERPOLATION_SABR,
]


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_a_desks_market_passes(interpolation: int) -> None:
    """Quotes as they occur, a skewed pair among them, have nothing to be traded against, however they run."""
    request = put()
    for each in request.surfaces:
        each.quotes.interpolation = interpolation
        each.quotes.fit_tolerance = 0.005
    found = check_market(request, AS_OF)
    assert (found.count, found.unchecked) == (0, [])


def test_falling_variance_is_a_calendar_spread() -> None:
    """At the money 20 percent for a month and 5 for three: the place and the size are those of the total variances."""
    made = surface(quoted=(("1M", 0.2), ("3M", 0.05)))
    standing = snapshot(surfaces=[made]).of(EURUSD)
    (found,) = violations(standing, [])
    one, other = standing.surface.smiles
    assert (found.kind, found.field, found.time) == (Kind.CALENDAR, "surfaces[0].quotes.quotes[1]", other.time)
    assert found.size == pytest.approx(0.05**2 * other.time - 0.2**2 * one.time, rel=1e-12)
    spread = [
        float(vanilla.price(1, f, k, smile.time, smile.points.atm, 0.0, 0.0)) / f
        for smile in (one, other)
        for f in standing.forwards(np.array([smile.time]))
        for k in (found.strike / float(standing.forwards(np.array([other.time]))[0]) * f,)
    ]
    assert spread[1] < spread[0]


def test_a_butterfly_below_nothing_is_found_where_it_is() -> None:
    """A smile whose wings are quoted below any density: the density there, from premiums, is negative."""
    made = surface(quoted=(("1Y", 0.10, 0.0, 0.0005, 0.0, -0.02),))
    standing = snapshot(surfaces=[made]).of(EURUSD)
    (found,) = violations(standing, [])
    assert (found.kind, found.field) == (Kind.BUTTERFLY, "surfaces[0].quotes.quotes[0]")
    (smile,) = standing.surface.smiles
    forward, step = smile.points.forward, 1e-3
    k = found.strike * np.array([1 - step, 1.0, 1 + step])
    v = smile.volatility(np.log(k / forward), forward)
    call = vanilla.price(np.ones(3, np.int8), forward, k, smile.time, v, 0.0, 0.0)
    assert call[0] - 2 * call[1] + call[2] < 0
    assert found.size < 0


def test_pillars_are_checked_at_their_strikes() -> None:
    """A hump in the middle of three strikes is a butterfly of negative probability, which its premiums show."""
    hump = Smile.of(1.0, [1.0, 1.1, 1.2], [0.05, 0.2, 0.05], "s")
    market = pillars_snapshot()
    market.book.surfaces[EURUSD] = Surface((hump,))
    standing = market.of(EURUSD)
    (found,) = violations(standing, ["surfaces[0].smiles[0]"])
    forward = float(standing.forwards(np.array([1.0]))[0])
    call = vanilla.price(np.ones(3, np.int8), forward, hump.strikes, 1.0, hump.volatilities, 0.0, 0.0)
    assert (found.kind, found.strike) == (Kind.BUTTERFLY, 1.1)
    assert found.size == pytest.approx(float(call[0] - 2 * call[1] + call[2]) / 0.1, rel=1e-9)
    assert violations(pillars_snapshot().of(EURUSD), ["a", "b"]) == []


def test_a_market_that_can_be_traded_against_is_refused_or_reported() -> None:
    """Every place is named with path, strike and size; with allow_arbitrage they are in the answer instead."""
    bad = surface(quoted=(("1M", 0.2), ("3M", 0.05), ("1Y", 0.10, 0.0, 0.0005, 0.0, -0.02)))
    with pytest.raises(Failure) as caught:
        check_market(put(surfaces=[bad]), AS_OF)
    assert caught.value.reason is ErrorReason.INVALID_REQUEST
    paths = [each.field for each in caught.value.violations]
    assert paths == ["surfaces[0].quotes.quotes[2]", "surfaces[0].quotes.quotes[1]"]
    found = check_market(put(surfaces=[bad], allow_arbitrage=True), AS_OF)
    assert [each.field for each in found.arbitrage] == paths
    assert found.count == 2
    assert all(each.size < 0 < each.strike for each in found.arbitrage)


def test_what_cannot_be_checked_is_said() -> None:
    """Pillars without a spot rate are kept unchecked and named; quotes without one, or without a curve, are refused."""
    smile = market_pb2.Smile(time=0.5, strike=[1.0, 1.1, 1.2], volatility=[0.05, 0.2, 0.05])
    pillars = market_pb2.Surface(instrument="EUR/USD", smiles=[smile])
    flat = [market_pb2.Curve(currency=c, time=[1.0], rate=[0.02]) for c in ("EUR", "USD")]
    assert check_market(put(curves=flat, surfaces=[pillars], spots=[]), AS_OF).unchecked == ["EUR/USD"]
    with pytest.raises(Failure, match="butterfly"):
        check_market(put(curves=flat, surfaces=[pillars]), AS_OF)
    with pytest.raises(Refused, match="EUR/USD") as caught:
        check_market(put(curves=flat, surfaces=[surface(quoted=EURO_OPTIONS)], spots=[]), AS_OF)
    assert caught.value.field == "spots"
    with pytest.raises(Refused, match="USD/JPY"):
        check_market(put(spots=[market_pb2.SpotRate(instrument="EUR/USD", bid=1.08, ask=1.08)]), AS_OF)
    yen = surface(USDJPY, YEN_OPTIONS)
    with pytest.raises(Refused, match="a curve of JPY") as caught:
        check_market(put(curves=[dollars(), euros()], surfaces=[yen]), AS_OF)
    assert caught.value.field == "surfaces[0].quotes"
    twice = [market_pb2.SpotRate(instrument="EUR/USD", bid=1.08, ask=1.08)] * 2
    with pytest.raises(Refused, match="once") as caught:
        check_market(put(spots=twice), AS_OF)
    assert caught.value.field == "spots[1].instrument"
