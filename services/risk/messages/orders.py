"""Orders, states and reports of trading as the checks see them."""

from __future__ import annotations

from crossrate.api.trading.v1 import account_state_pb2, execution_pb2, order_pb2
from services.risk.domain.pretrade.accounts import Account, Book, Fill, PositionKey
from services.risk.domain.pretrade.amounts import fine_of, price_of, quantity_of
from services.risk.domain.pretrade.orders import BUY, SELL, Order

_TRADE, _TRADE_CANCEL, _TRADE_CORRECT = (
    execution_pb2.EXEC_TYPE_TRADE,
    execution_pb2.EXEC_TYPE_TRADE_CANCEL,
    execution_pb2.EXEC_TYPE_TRADE_CORRECT,
)
_LIMIT = order_pb2.ORDER_TYPE_LIMIT
_FILLED = frozenset({_TRADE, _TRADE_CANCEL, _TRADE_CORRECT})
_NEW_TERMS = frozenset({execution_pb2.EXEC_TYPE_REPLACED, execution_pb2.EXEC_TYPE_TRIGGERED})


def order_of(message: order_pb2.Order) -> Order:
    """An order.

    Raises:
        ValueError: a number is none.
    """
    terms = message.terms
    quantity = quantity_of(terms.quantity)
    swap = terms.HasField("far_leg")
    return Order(
        order_id=message.order_id,
        account=terms.account,
        instrument=terms.instrument,
        side=BUY if terms.side == order_pb2.SIDE_BUY else SELL,
        quantity=quantity,
        kind=terms.order_type,
        limit_price=price_of(terms.limit_price),
        stop_price=price_of(message.trigger_price or terms.stop_price),
        time_in_force=terms.time_in_force,
        strategy=terms.strategy,
        venue=terms.venue,
        position_id=terms.position_id,
        reduce_only=terms.reduce_only,
        far=(quantity_of(terms.far_leg.quantity) or quantity) if swap else 0,
        is_swap=swap,
        status=message.status,
        filled=quantity_of(message.cum_quantity),
        leaves=quantity_of(message.leaves_quantity),
        pending_quantity=quantity_of(message.proposed.quantity),
        list_id=message.list_id,
        contingency=message.contingency,
        parent=message.parent_order_id,
        version=message.version,
        client_order_id=terms.client_order_id,
    )


def asked_of(message: order_pb2.Order) -> Order:
    """An order that asks to be entered: what it has not yet is left out.

    Raises:
        ValueError: a number is none.
    """
    terms = message.terms
    if terms.HasField("far_leg") or message.cum_quantity not in ("", "0"):
        return order_of(message)
    kind, stop = terms.order_type, 0
    if kind > _LIMIT:
        stop = price_of(message.trigger_price or terms.stop_price)
    return Order(
        message.order_id,
        terms.account,
        terms.instrument,
        BUY if terms.side == order_pb2.SIDE_BUY else SELL,
        quantity_of(terms.quantity),
        kind,
        price_of(terms.limit_price),
        stop,
        terms.time_in_force,
        terms.strategy,
        terms.venue,
        terms.position_id,
        terms.reduce_only,
        status=message.status,
        list_id=message.list_id,
        contingency=message.contingency,
        parent=message.parent_order_id,
        version=message.version,
    )


def take_state(book: Book, account: Account, state: account_state_pb2.AccountState, keep: set[str]) -> None:
    """Takes an account's whole state.

    Raises:
        ValueError: a number in it is none.
        KeyError: it has an instrument that is none.
    """
    orders = [order_of(each) for each in state.working]
    positions: list[tuple[PositionKey, int, int]] = [
        (
            (each.instrument, each.position_id, each.strategy),
            _signed(each.quantity),
            _signed_fine(each.counter_amount),
        )
        for each in state.positions
    ]
    for name in {order.instrument for order in orders} | {key[0] for key, _, _ in positions}:
        if name not in book.market.instruments:
            raise KeyError(f"{state.account} has {name}, which is no instrument")
    book.replace_state(account, state.sequence, orders, positions, keep)


def take_report(book: Book, account: Account, report: execution_pb2.ExecutionReport) -> bool:
    """Takes an account's next report; False if the whole state is needed."""
    message, exec_type = report.order, report.exec_type
    working = account.working.get(message.order_id)
    if working is None or exec_type in _NEW_TERMS or message.version != working.order.version:
        order = order_of(message)
    else:
        # The terms are known: only the standing has changed.
        order = working.order
        order.status = message.status
        order.filled = quantity_of(message.cum_quantity)
        order.leaves = quantity_of(message.leaves_quantity)
        order.pending_quantity = quantity_of(message.proposed.quantity)
    fill = _fill(order, report) if exec_type in _FILLED else None
    return book.report(account, report.sequence, exec_type, order, fill)


def _fill(order: Order, report: execution_pb2.ExecutionReport) -> Fill:
    fill = report.fill
    quantity = quantity_of(fill.quantity)
    if order.is_swap:
        far = quantity_of(fill.far_quantity) or quantity
        moved = order.side * (far - quantity)
        counter = order.side * (quantity * price_of(fill.price) - far * price_of(fill.far_price))
    else:
        moved = order.side * quantity
        counter = -moved * price_of(fill.price)
    reference = report.exec_ref_id or fill.venue_exec_id
    return Fill((fill.venue, reference), fill.position_id, moved, counter)


def _signed(text: str) -> int:
    return -quantity_of(text[1:]) if text.startswith("-") else quantity_of(text)


def _signed_fine(text: str) -> int:
    return -fine_of(text[1:]) if text.startswith("-") else fine_of(text)
