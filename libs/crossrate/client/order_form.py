"""Orders from what a program has: words for the sides, exact decimals, and the type that follows from the prices."""

from __future__ import annotations

import datetime
import re
import uuid
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.rpc.call_error import CallError

Amount: TypeAlias = Decimal | str | int
"""A price or a quantity, exactly."""

_PLAIN = re.compile(r"[0-9]+([.][0-9]+)?")
_DIGITS_MAX = 40
"""More than any field of the contract takes, before or behind the full stop."""
_AT_ONCE = (pb.ORDER_TYPE_MARKET, pb.ORDER_TYPE_PREVIOUSLY_QUOTED)


class OrderRejected(Exception):
    """An order was refused; nothing of it was or will be filled.

    - `order`: as committed, REJECTED;
    - `checks`: the checks of risk that failed, each with limit, value, headroom and remedy;
    - `reason`: a word of `ExecutionReason` ("RISK", "KILL_SWITCH", "VENUE" …).
    """

    def __init__(self, answer: entry.PlaceOrderResponse) -> None:
        self.order = answer.order
        self.checks = [check for check in answer.checks if not check.passed]
        self.reason = answer.order.reason
        terms = self.order.terms
        super().__init__(f"order {terms.client_order_id} of {terms.account} was refused: {self.order.reason_text}")


class OutcomeUnknown(Exception):
    """Nobody answered whether the order was entered, after all repetitions.

    Placing it again with the same `client_order_id` and terms is safe: it is entered once. `GetOrder` tells without
    entering it. `cause` is the last failure.
    """

    def __init__(self, order: pb.NewOrder, cause: CallError) -> None:
        self.order, self.cause = order, cause
        self.client_order_id = order.client_order_id
        words = f"whether order {order.client_order_id} of {order.account} was entered is not known ({cause.message})"
        super().__init__(f"{words}: place it again with the same client_order_id, which enters it once")


def decimal(value: Amount, field: str, signed: bool = False) -> str:
    """A price or quantity as the contract has it: digits with a full stop, no exponent, no zeros at the end.

    Args:
        signed: whether it may be below zero, as swap points may.

    Raises:
        TypeError: it is a float, or no number at all.
        ValueError: it is not a number, or below zero and may not be.
    """
    if isinstance(value, float):
        example = repr(value)
        raise TypeError(f"{field} is the float {example}, which is not exact: give Decimal({example!r}) or {example!r}")
    if isinstance(value, bool) or not isinstance(value, (Decimal, str, int)):
        raise TypeError(f"{field} is of type {type(value).__name__}: give a Decimal, a str or an int")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(
            f"{field} is {value!r}, which is no number: give digits with a full stop, as '1.0825'"
        ) from None
    if number.is_finite() and number and abs(number.adjusted()) >= _DIGITS_MAX:
        raise ValueError(f"{field} has more than {_DIGITS_MAX} digits: look at its exponent")
    text = format(number or Decimal(0), "f") if number.is_finite() else ""
    if not _PLAIN.fullmatch(text.removeprefix("-") if signed else text):
        raise ValueError(f"{field} is {value!r}: give a number of zero or more; the side says which way")
    return text.rstrip("0").rstrip(".") if "." in text else text


def changed(changes: dict[str, Amount]) -> dict[str, str]:
    """New terms of an order as the contract has them; the limit of a swap may be below zero.

    Raises:
        TypeError: as in `decimal`.
        ValueError: likewise.
    """
    return {name: decimal(value, name, name == "limit_price") for name, value in changes.items()}


def member(enum: Any, prefix: str, value: str | int, field: str) -> int:
    """A value of an enum from its number or its word ("buy", "GTC", "stop-limit").

    Raises:
        ValueError: there is none of that word.
    """
    if isinstance(value, int):
        return value
    word = value.upper().replace("-", "_").replace(" ", "_").removeprefix(prefix)
    numbers = {name.removeprefix(prefix): number for name, number in enum.items() if number}
    if word in numbers:
        return numbers[word]
    words = ", ".join(name.lower() for name in numbers)
    raise ValueError(f"{field} is {value!r}: give one of {words}")


def side(value: str | int) -> int:
    """BUY or SELL from a word or its number."""
    return member(pb.Side, "SIDE_", value, "side")


def _order_type(given: dict[str, str]) -> int:
    limited, stopped = bool(given["limit_price"]), bool(given["stop_price"])
    if given["trailing_distance"]:
        return pb.ORDER_TYPE_TRAILING_STOP
    if limited and stopped:
        return pb.ORDER_TYPE_STOP_LIMIT
    if stopped:
        return pb.ORDER_TYPE_STOP
    return pb.ORDER_TYPE_LIMIT if limited else pb.ORDER_TYPE_MARKET


def new_client_order_id() -> str:
    """An id that no order had: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def new_order(
    account: str,
    instrument: str,
    which: str | int,
    quantity: Amount,
    *,
    limit_price: Amount | None = None,
    stop_price: Amount | None = None,
    trailing_distance: Amount | None = None,
    order_type: str | int | None = None,
    time_in_force: str | int | None = None,
    expire_time: datetime.datetime | None = None,
    client_order_id: str = "",
    take_profit_price: Amount | None = None,
    stop_loss_price: Amount | None = None,
    price_bound: Amount | None = None,
    tenor: str = "",
    far_tenor: str = "",
    **more: Any,
) -> pb.NewOrder:
    """One order; see `AsyncClient.place` for the arguments.

    Raises:
        TypeError: an amount is a float, or a field is not one of an order.
        ValueError: a word or an amount is none.
    """
    amounts = {
        "limit_price": limit_price,
        "stop_price": stop_price,
        "trailing_distance": trailing_distance,
        "price_bound": price_bound,
    }
    swap = bool(far_tenor) or more.get("far_leg") is not None
    given = {
        name: "" if value is None else decimal(value, name, swap and name == "limit_price")
        for name, value in amounts.items()
    }
    unknown = [name for name in more if name not in pb.NewOrder.DESCRIPTOR.fields_by_name]
    if unknown:
        names = ", ".join(pb.NewOrder.DESCRIPTOR.fields_by_name)
        raise TypeError(f"an order has no field {unknown[0]}: it has {names}")
    for name in ("display_quantity", "min_quantity"):
        if more.get(name) is not None:
            more[name] = decimal(more[name], name)
    order = pb.NewOrder(
        client_order_id=client_order_id or new_client_order_id(),
        account=account,
        instrument=instrument,
        side=side(which),
        quantity=decimal(quantity, "quantity"),
        **given,
        **{name: value for name, value in more.items() if value is not None},
    )
    kind = pb.ORDER_TYPE_PREVIOUSLY_QUOTED if order.quote_id else _order_type(given)
    order.order_type = kind if order_type is None else member(pb.OrderType, "ORDER_TYPE_", order_type, "order_type")
    order.time_in_force = _time_in_force(order, time_in_force, expire_time)
    if expire_time is not None:
        if expire_time.tzinfo is None:
            raise ValueError("expire_time has no time zone: give one, as datetime.now(datetime.UTC) has")
        order.expire_time.FromDatetime(expire_time)
    for name, value in (("take_profit_price", take_profit_price), ("stop_loss_price", stop_loss_price)):
        if value is not None:
            setattr(order.on_fill, name, decimal(value, name))
    if tenor:
        order.settlement.tenor = tenor
    if far_tenor:
        order.far_leg.settlement.tenor = far_tenor
    return order


def _time_in_force(order: pb.NewOrder, given: str | int | None, expire_time: datetime.datetime | None) -> int:
    if given is not None:
        return member(pb.TimeInForce, "TIME_IN_FORCE_", given, "time_in_force")
    if expire_time is not None:
        return pb.TIME_IN_FORCE_GTD
    return pb.TIME_IN_FORCE_IOC if order.order_type in _AT_ONCE else pb.TIME_IN_FORCE_DAY
