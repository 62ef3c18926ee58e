"""What a gate reaches among orders that work."""

from __future__ import annotations

import pytest

from services.trading.domain.account import Account
from services.trading.domain.gate import Mode, Rule, ended, reaches
from services.trading.domain.lifecycle import Status
from services.trading.domain.order import BUY, Order, OrderType, Terms, TimeInForce


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
