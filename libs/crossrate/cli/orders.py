"""What `crossrate orders` does: calls through the edge as a client of the topology."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from dataclasses import dataclass
from typing import Any

from crossrate.cli import reach, show
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError

SIDES = {"buy": "SIDE_BUY", "sell": "SIDE_SELL"}
TIMES = ("gtc", "day", "ioc", "fok")
COLUMNS = ("id", "instrument", "side", "quantity", "type", "price", "filled", "average", "status", "why")


@dataclass(frozen=True, slots=True)
class Terms:
    """What was said of an order beside account, side, quantity and instrument; empty for nothing."""

    limit: str = ""
    stop: str = ""
    trail: str = ""
    time_in_force: str = ""
    take_profit: str = ""
    stop_loss: str = ""
    reduce_only: bool = False
    post_only: bool = False
    strategy: str = ""
    order_id: str = ""


def _client() -> str | None:
    return os.environ.get("CROSSRATE_CLIENT") or None


def _call(name: str, request: Any) -> Any:
    from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub

    async def made() -> Any:
        async with reach.edge(client=_client()) as channel:
            return await getattr(TradingServiceStub(channel), name)(request)

    return asyncio.run(made())


def order_of(account: str, side: str, quantity: str, instrument: str, terms: Terms) -> Any:
    """The order that the words mean.

    Raises:
        CommandError: a word is none that is known, or two do not go together.
    """
    from crossrate.api.trading.v1 import order_pb2

    if side.lower() not in SIDES:
        raise CommandError(f"{side!r} is no side", "write buy or sell")
    if terms.trail and (terms.stop or terms.limit):
        raise CommandError("--trail has a price of its own", "leave out --stop and --limit")
    kind = "MARKET"
    if terms.trail:
        kind = "TRAILING_STOP"
    elif terms.stop:
        kind = "STOP_LIMIT" if terms.limit else "STOP"
    elif terms.limit:
        kind = "LIMIT"
    lasting = (terms.time_in_force or ("ioc" if kind == "MARKET" else "gtc")).lower()
    if lasting not in TIMES:
        raise CommandError(f"{lasting!r} is no time in force", f"write one of {', '.join(TIMES)}")
    order = order_pb2.NewOrder(
        client_order_id=terms.order_id or uuid.uuid4().hex,
        account=account,
        instrument=instrument.upper(),
        side=order_pb2.Side.Value(SIDES[side.lower()]),
        quantity=quantity.replace("_", ""),
        order_type=order_pb2.OrderType.Value(f"ORDER_TYPE_{kind}"),
        limit_price=terms.limit,
        stop_price=terms.stop,
        trailing_distance=terms.trail,
        time_in_force=order_pb2.TimeInForce.Value(f"TIME_IN_FORCE_{lasting.upper()}"),
        reduce_only=terms.reduce_only,
        post_only=terms.post_only,
        strategy=terms.strategy,
    )
    if terms.take_profit or terms.stop_loss:
        order.on_fill.take_profit_price, order.on_fill.stop_loss_price = terms.take_profit, terms.stop_loss
    return order


def place(account: str, side: str, quantity: str, instrument: str, terms: Terms, *, check: bool, as_json: bool) -> int:
    """Enters an order, or only checks it; the exit code."""
    from crossrate.api.trading.v1 import order_entry_pb2 as pb
    from crossrate.api.trading.v1 import order_pb2

    order = order_of(account, side, quantity, instrument, terms)
    request = pb.PlaceOrderRequest(request_id=str(uuid.uuid4()), order=order, validate_only=check)
    answer = _call("PlaceOrder", request)
    if as_json:
        show.document(as_dict(answer))
    else:
        _orders([answer.order])
        _checks(answer.checks)
    return int(answer.order.status == order_pb2.ORDER_STATUS_REJECTED)


def cancel(account: str, name: str, *, as_json: bool) -> None:
    """Cancels one order, or all."""
    from crossrate.api.trading.v1 import order_entry_pb2 as pb

    ids = {"request_id": str(uuid.uuid4()), "account": account}
    if name == "all":
        answer = _call("CancelAll", pb.CancelAllRequest(**ids))
        orders = list(answer.orders)
    else:
        answer = _call("CancelOrder", pb.CancelOrderRequest(client_order_id=name, **ids))
        orders = [answer.order]
    _show(answer, orders, as_json=as_json)


def list_orders(account: str, *, every: bool, instrument: str, lines: int, as_json: bool) -> None:
    """Shows orders, the newest first."""
    from crossrate.api.trading.v1 import order_history_pb2 as pb

    request = pb.ListOrdersRequest(account=account, working=not every, instrument=instrument.upper(), page_size=lines)
    answer = _call("ListOrders", request)
    _show(answer, list(answer.orders), as_json=as_json)
    if answer.next_page_token and not as_json:
        show.note("there are more: --lines")


def show_order(account: str, name: str, *, as_json: bool) -> None:
    """Shows one order."""
    from crossrate.api.trading.v1 import order_history_pb2 as pb

    answer = _call("GetOrder", pb.GetOrderRequest(account=account, order=name))
    _show(answer, [answer.order], as_json=as_json)


def explain(account: str, name: str, *, as_json: bool) -> None:
    """Shows the chain of causes of an order."""
    from crossrate.api.trading.v1 import order_history_pb2 as pb

    answer = _call("ExplainOrder", pb.ExplainOrderRequest(account=account, order=name))
    if as_json:
        show.document(as_dict(answer))
        return
    _orders([answer.order])
    rows = [(_time(c.time), c.service, c.text, ", ".join(c.references)) for c in answer.causes]
    show.table(("time", "says", "what", "leads on"), rows)
    for each in answer.missing:
        show.note(f"not asked: {each}")


def watch(account: str, *, after: int, count: int, as_json: bool) -> None:
    """Shows reports as they come."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_watch(account, after, count, as_json))


async def _watch(account: str, after: int, count: int, as_json: bool) -> None:
    from crossrate.api.trading.v1 import execution_pb2
    from crossrate.api.trading.v1 import order_history_pb2 as pb
    from crossrate.client import AsyncClient

    async with AsyncClient(client=_client()) as client:
        if after < 0:
            request = pb.ListExecutionsRequest(account=account, page_size=1)
            after = (await client.trading.ListExecutions(request)).last_sequence
        seen = 0
        async for report in client.stream_executions(account, after_sequence=after):
            if as_json:
                show.line(as_dict(report))
            else:
                order, fill = report.order, report.fill
                name = execution_pb2.ExecType.Name(report.exec_type).removeprefix("EXEC_TYPE_")
                filled = f"{fill.quantity} at {fill.price}" if fill.quantity else ""
                print(f"{report.sequence:>8}  {order.terms.client_order_id}  {name}  {filled}  {report.text}".rstrip())
            seen += 1
            if seen == count:
                return


def _show(answer: Any, orders: list[Any], *, as_json: bool) -> None:
    if as_json:
        show.document(as_dict(answer))
    else:
        _orders(orders)


def _orders(orders: list[Any]) -> None:
    from crossrate.api.trading.v1 import order_pb2

    rows = []
    for order in orders:
        terms = order.terms
        kind = order_pb2.OrderType.Name(terms.order_type).removeprefix("ORDER_TYPE_")
        rows.append(
            (
                terms.client_order_id,
                terms.instrument,
                order_pb2.Side.Name(terms.side).removeprefix("SIDE_"),
                terms.quantity,
                kind,
                terms.limit_price or order.trigger_price or "-",
                order.cum_quantity,
                order.avg_price or "-",
                order_pb2.OrderStatus.Name(order.status).removeprefix("ORDER_STATUS_"),
                " ".join(filter(None, (order.reason, order.reason_text))),
            )
        )
    show.table(COLUMNS, rows)


def _checks(checks: Any) -> None:
    from crossrate.api.common.v1 import check_pb2

    rows = [
        (
            check_pb2.CheckKind.Name(c.kind).removeprefix("CHECK_KIND_"),
            c.scope,
            show.mark("passed" if c.passed else "failed", c.passed),
            c.value,
            c.limit,
            c.headroom,
            c.unit,
        )
        for c in checks
    ]
    if rows:
        show.table(("check", "scope", "result", "value", "limit", "headroom", "unit"), rows)


def _time(time: Any) -> str:
    return time.ToJsonString() if time.seconds else ""
