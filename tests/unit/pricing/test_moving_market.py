"""A quoted market whose spot rates move: what it needs, what stands, and that nothing else than the quotes goes in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crossrate.basics.pair import Pair
from crossrate.basics.tenor import parse_tenor
from tests.unit.pricing import worlds
from tests.unit.pricing.desk import AS_OF, EURUSD, USDJPY, snapshot

EURJPY = Pair("EUR", "JPY")


def test_a_pair_needs_those_that_imply_its_curves() -> None:
    """Its own first, each once; a market of pillars needs no other."""
    book = snapshot().book
    assert book.pairs_for(EURJPY) == (EURJPY, EURUSD, USDJPY)
    assert book.pairs_for(EURUSD) == (EURUSD,)
    assert book.calibrates(EURJPY)
    pillars = worlds.snapshot().book
    assert pillars.pairs_for(EURJPY) == (EURJPY,)
    assert not pillars.calibrates(EURUSD)


@pytest.mark.parametrize("later", [timedelta(seconds=1), timedelta(days=1)])
def test_a_moved_market_is_the_one_that_is_made_anew(later: timedelta) -> None:
    """The dollar's curve stands while its day does; forwards and volatilities are the same as without that."""
    first = snapshot()
    first.calibrate(EURUSD)
    moved = first.moved(AS_OF + later, {EURUSD: 1.1, USDJPY: 151.0})
    anew = snapshot(as_of=AS_OF + later, EURUSD=1.1, USDJPY=151.0)
    assert (moved.curve("USD") is first.curve("USD")) == (later < timedelta(hours=1))
    for pair in (EURUSD, USDJPY):
        one, other = moved.of(pair), anew.of(pair)
        day = one.dates.at(parse_tenor("6M")).far
        assert one.forward(day) == other.forward(day)
    time, strike = [0.5], [1.1]
    assert moved.of(EURUSD).volatility(time, strike)[0] == anew.of(EURUSD).volatility(time, strike)[0]
