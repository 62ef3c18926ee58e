"""An order as broker has it, for the comparison with a venue's statement."""

from __future__ import annotations

from decimal import Decimal

from crossrate.api.trading.v1 import order_pb2
from services.broker.domain.amounts import quantity_of
from services.broker.domain.books import BUY, SELL, OwnOrder
from services.broker.routed import At, Routed

_LIMITS = (order_pb2.ORDER_TYPE_LIMIT, order_pb2.ORDER_TYPE_STOP_LIMIT)


def own_order(routed: Routed, unanswered_s: float = 0.0) -> OwnOrder:
    """The same as a value."""
    terms = routed.order.terms
    limit = terms.limit_price if terms.order_type in _LIMITS else ""
    return OwnOrder(
        routed.order_id,
        routed.account,
        routed.instrument,
        routed.venue_order_id,
        routed.client_id,
        routed.status.name.lower(),
        routed.status in (At.WORKS, At.UNKNOWN),
        routed.status is At.ENDED,
        BUY if terms.side == order_pb2.SIDE_BUY else SELL,
        quantity_of(terms.quantity) - routed.earlier,
        Decimal(limit) if limit else None,
        routed.filled,
        unanswered_s,
    )
