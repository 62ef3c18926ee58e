"""Rates of forwards and swaps out of spot and points: never better for the client than what was quoted."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.basics.pair import parse_pair
from crossrate.exchange.order import NewOrder, OrderType, Side, TimeInForce
from crossrate.exchange.terms import PartialFills, Slippage, Tier, VenueTerms
from crossrate.exchange.venue import Venue
from services.broker.domain.dates import NS, Calendar
from services.broker.domain.outright import FINER, outright, swap_rates
from services.broker.venues.sim_book import SimBook

TICK = Decimal("0.000001")
EUR_USD = parse_pair("EUR/USD")
POINTS = st.decimals(Decimal("-0.05"), Decimal("0.05"), places=8)
WIDTH = st.decimals(Decimal(0), Decimal("0.001"), places=8)


@given(st.integers(90_000, 120_000), st.integers(1, 50), POINTS, WIDTH)
def test_rounding_is_never_for_the_client(spot: int, width: int, points: Decimal, wide: Decimal) -> None:
    """The bid is at most spot's bid and the points for who sells, less than a tick below; the offer likewise above."""
    bid, ask = outright(spot * FINER, (spot + width) * FINER, points, points + wide, TICK)
    exact_bid, exact_ask = spot * FINER * TICK + points, (spot + width) * FINER * TICK + points + wide
    assert 0 <= exact_bid - bid * TICK < TICK
    assert 0 <= ask * TICK - exact_ask < TICK
    assert bid < ask


def test_points_have_either_sign_and_no_quote_has_none() -> None:
    """A currency with higher interest is cheaper later; a side of spot that is not there is not there later."""
    assert outright(1_080_000, 1_080_100, Decimal("0.00123"), Decimal("0.00125"), TICK) == (1_081_230, 1_081_350)
    assert outright(1_080_000, 1_080_100, Decimal("-0.0004555"), Decimal("-0.0004345"), TICK) == (1_079_544, 1_079_666)
    assert outright(0, 1_080_100, Decimal("0.1"), Decimal("0.1"), TICK) == (0, 1_180_100)
    assert outright(100, 0, Decimal("-0.001"), Decimal("0.1"), TICK) == (0, 0)


@given(st.booleans(), st.sampled_from([-1, 0, 1]), POINTS, WIDTH, WIDTH)
def test_a_swap_costs_the_points_of_its_side(
    buys: bool, net: int, points: Decimal, wide: Decimal, half: Decimal
) -> None:
    """Whoever buys on the far date pays the offer, who sells gets the bid; what is exchanged over all pays its side of
    spot; rounding is never for the client."""
    near, offer = Decimal("1.0800505"), points + wide
    rates = swap_rates(buys, net, near, half, points, offer, TICK)
    paid = rates.far - rates.near
    assert 0 <= (paid - offer if buys else points - paid) < TICK
    if net:
        assert 0 <= net * (rates.near - near) - half < TICK
    assert rates.near % TICK == rates.far % TICK == 0


@given(st.booleans(), st.sampled_from([-1, 0, 1]), POINTS, WIDTH, WIDTH, st.integers(-50_000, 50_000))
def test_a_swap_is_dealt_at_its_limit_or_better(
    buys: bool, net: int, points: Decimal, wide: Decimal, half: Decimal, ticks: int
) -> None:
    """Whoever buys pays its limit at most, who sells gets it at least, whatever the signs; the side of spot that an
    uneven one pays counts on neither."""
    rates = swap_rates(buys, net, Decimal("1.0800505"), half, points, points + wide, TICK)
    even = swap_rates(buys, 0, Decimal("1.0800505"), half, points, points + wide, TICK)
    limit, paid = ticks * TICK, rates.far - rates.near
    assert rates.within(None, buys)
    assert rates.within(limit, buys) is even.within(limit, buys) is ((paid - limit) * (1 if buys else -1) <= 0)
    assert rates.within(paid, buys)
    assert not rates.within(paid - TICK if buys else paid + TICK, buys)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["spot", "points", "buy", "sell", "market", "wait"]),
        st.integers(-30, 30),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=50,
)
TERMS = VenueTerms(
    tiers=(Tier(0, 100), Tier(2 * FINER, 500)),
    slippage=Slippage(0.3, 2 * FINER),
    partial_fills=PartialFills(0.3, 0.2),
)


def _played(steps: list[tuple[str, int, int]]) -> tuple[SimBook, list[tuple[NewOrder, int, int]]]:
    """A dated book after some steps, and its fills: the order, ticks and units."""
    book = SimBook("sim", "EUR/USD 2026-12-29", Venue(TERMS, seed=3, start=1), "spec")
    orders: dict[int, NewOrder] = {}
    fills: list[tuple[NewOrder, int, int]] = []
    book.dealt = lambda event: fills.append((orders[event.id], event.price, event.quantity))
    spot, points, now = 108_000, Decimal("0.00123"), 1
    for number, (word, ticks, size) in enumerate(steps, 1):
        now += size
        spot += ticks if word == "spot" else 0
        points += Decimal(ticks).scaleb(-6) if word == "points" else 0
        book.quote(*outright(spot * FINER, (spot + 1) * FINER, points, points + 2 * TICK, TICK), now)
        if word in ("buy", "sell", "market"):
            side = Side.SELL if word == "sell" or (word == "market" and ticks < 0) else Side.BUY
            market = word == "market"
            orders[number] = NewOrder(
                id=number,
                owner=number,
                side=side,
                quantity=20 * size,
                type=OrderType.MARKET if market else OrderType.LIMIT,
                price=0 if market else 1_081_300 + 7 * ticks,
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL if market else TimeInForce.GOOD_TILL_CANCEL,
            )
            book.send(orders[number], now)
        book.advance(now)
    return book, fills


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_a_forward_is_never_filled_beyond_its_limit(steps: list[tuple[str, int, int]]) -> None:
    """However spot and points move while it rests; and what went into the book says it all: played again it is the
    same to the byte."""
    book, fills = _played(steps)
    for order, price, _ in fills:
        sign = 1 if order.side is Side.BUY else -1
        assert order.type is OrderType.MARKET or sign * (order.price - price) >= 0
    again, fills_again = _played(steps)
    assert (again.exchange.snapshot(), fills_again) == (book.exchange.snapshot(), fills)


@pytest.mark.parametrize(("day", "last"), [("2026-12-29", "2026-12-25"), ("2026-12-03", "2026-12-01")])
def test_a_date_is_dealt_until_it_is_nearer_than_spot(day: str, last: str) -> None:
    """The last session is that whose spot date it is, holidays and all."""
    calendar, date = Calendar(), dt.date.fromisoformat(day)
    now = int(dt.datetime(2026, 11, 2, tzinfo=dt.UTC).timestamp()) * NS
    until = dt.datetime.fromtimestamp(calendar.dealt_until_ns(EUR_USD, date, now) / NS, dt.UTC)
    assert until.date() == dt.date.fromisoformat(last)
    assert calendar.spot(EUR_USD, dt.date.fromisoformat(last)) <= date


@pytest.mark.parametrize(
    ("day", "last"), [("2026-12-29", "2026-12-28"), ("2026-12-28", "2026-12-25"), ("2026-11-04", "2026-11-03")]
)
def test_a_near_leg_is_dealt_until_the_day_before_it(day: str, last: str) -> None:
    """Also one that is nearer than spot; over a weekend the last session is Friday's."""
    until = dt.datetime.fromtimestamp(Calendar().swapped_until_ns(EUR_USD, dt.date.fromisoformat(day)) / NS, dt.UTC)
    assert until.date() == dt.date.fromisoformat(last)


def test_a_date_before_spot_is_dealt_until_the_session_ends() -> None:
    """Tomorrow's date is nearer than spot at once."""
    calendar, moment = Calendar(), dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)
    now = int(moment.timestamp()) * NS
    assert calendar.dealt_until_ns(EUR_USD, dt.date(2026, 11, 4), now) == calendar.session_end_ns(EUR_USD, now)
