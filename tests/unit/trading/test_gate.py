"""What a gate reaches among orders that work."""

from __future__ import annotations

import pytest

from services.trading.domain.account import Account
from services.trading.domain.gate import Mode, Rule, ended, reaches, reduces
from services.trading.domain.lifecycle import Status
from services.trading.domain.order import BUY, SELL, Order, OrderType, Terms, TimeInForce


def works(instrument: str = "EUR/USD") -> Order:
    """A limit order that works."""
    made = Order("o", "alpha", "c", instrument, Terms(BUY, 10, OrderType.LIMIT, TimeInForce.GTC, 108))
    made.status = Status.NEW
    return made


@pytest.mark.parametrize(
    ("market", "venue", "instrument", "reached"),
    [
        ("EUR/USD@sim", "sim", "EUR/USD", True),
        ("EUR/USD@sim", "prime", "EUR/USD", False),
        ("EUR/USD@sim", "", "EUR/USD", False),
        ("EUR/USD@sim", "sim", "USD/JPY", False),
        ("EUR/USD@", "", "EUR/USD", True),
        ("EUR/USD@", "sim", "EUR/USD", False),
    ],
)
def test_a_market_is_one_instrument_at_one_venue(market: str, venue: str, instrument: str, reached: bool) -> None:
    """With no venue behind the @ it is orders that are at none and name none."""
    order = works(instrument)
    assert reaches(Rule("market", market, Mode.REDUCE_ONLY), order, {"venue": venue}) is reached
    account = Account("alpha")
    account.add(order)
    rules = [Rule("market", market, Mode.REDUCE_ONLY)]
    assert ended(account, order, 5, rules, {"venue": venue}) is reached
    assert not ended(account, order, 5, [Rule("market", market, Mode.CANCEL_ONLY)], {"venue": venue})


@pytest.mark.parametrize(("side", "far", "reduced"), [(SELL, 10, True), (SELL, 14, False), (BUY, 14, True)])
def test_a_swap_counts_by_what_its_legs_differ(side: int, far: int, reduced: bool) -> None:
    """Twelve are held: an order that sells ten only reduces beside a swap of equal legs that works, or one that buys;
    a swap that sells more than it buys takes the room, and is no reduction itself."""
    account = Account("alpha")
    account.positions["EUR/USD", ""] = [12, 0]
    sells = Order("o", "alpha", "c", "EUR/USD", Terms(SELL, 10, OrderType.LIMIT, TimeInForce.GTC, 108))
    terms = Terms(side, 10, OrderType.LIMIT, TimeInForce.GTC, 0, far_quantity=far, swap=True)
    swap = Order("s", "alpha", "d", "EUR/USD", terms)
    for each in (sells, swap):
        each.status = Status.NEW
        account.add(each)
    assert reduces(account, sells) is reduced
    assert not reduces(account, swap)
