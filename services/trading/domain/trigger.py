"""Which price sets an order off, and whether it has."""

from __future__ import annotations

from services.trading.domain.order import BUY, Order, OrderType, TriggerSource

STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


def price_of(order: Order, bid: int, ask: int) -> int:
    """The price that an order looks at: by default the side at which it would deal."""
    match order.terms.trigger_source:
        case TriggerSource.BID:
            return bid
        case TriggerSource.ASK:
            return ask
        case TriggerSource.MID:
            return (bid + ask) // 2
    return ask if order.side == BUY else bid


def trailed(order: Order, known: int, price: int) -> int:
    """The trigger price of a trailing stop after a price: it follows the market and never goes back.

    `known` is its trigger price so far; 0 before the first.
    """
    wanted = price + order.side * order.terms.trailing_distance
    if not known:
        return wanted
    return min(known, wanted) if order.side == BUY else max(known, wanted)


def reached(order: Order, stop: int, price: int) -> bool:
    """Whether a price sets off an order with this trigger price.

    A stop to buy is reached from below, one to sell from above: the market has turned against whoever it protects. A
    market-if-touched order is reached from the other side: the market has come as far as its owner hoped.
    """
    if order.terms.order_type in STOPS:
        return (price - stop) * order.side >= 0
    return (stop - price) * order.side >= 0
