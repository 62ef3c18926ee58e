"""Fills: which trades they reduce, close and open, and what that earns."""

from __future__ import annotations

from decimal import Decimal

from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_pb2 as pb
from services.broker.oanda import words
from services.broker.oanda.book import FILLED, PENDING, Book, Json

DEPENDENT = {
    "TAKE_PROFIT": "takeProfitOrderID",
    "STOP_LOSS": "stopLossOrderID",
    "TRAILING_STOP_LOSS": "trailingStopLossOrderID",
}
"""Under which field a trade names an order that hangs on it."""


def keep(order: Json, fill: ex.Fill) -> None:
    """A fill that was not told yet."""
    kept = [
        fill.quantity,
        fill.price,
        fill.market_bid,
        fill.market_ask,
        fill.commission,
        fill.commission_currency,
        fill.venue_exec_id,
    ]
    order.setdefault("_fills", []).append(kept)


def tell(book: Book, order: Json, stands: pb.Order, asked: Json, time_ns: int) -> None:
    """One ORDER_FILL of everything that was filled and not told yet, at its average price."""
    kept = order.pop("_fills", [])
    if kept:
        quantity = sum(Decimal(each[0]) for each in kept)
        value = sum(Decimal(each[0]) * Decimal(each[1]) for each in kept)
        told = _fill(book, order, quantity, value, asked, time_ns)
        _spread(told, kept, quantity)
        commission = sum(Decimal(each[4]) for each in kept if each[4])
        told["commission"] = _converted(book, commission, kept[0][5] or book.currency) or words.money(Decimal(0))
        order.setdefault("_execs", []).extend([each[6], each[0], each[1]] for each in kept)
    if order["state"] == PENDING and stands.status == pb.ORDER_STATUS_FILLED:
        last = book.transactions[-1] if kept else None
        order |= {"state": FILLED, "filledTime": words.time_text(time_ns)}
        if last is not None:
            order["fillingTransactionID"] = last["id"]
            if "tradeOpened" in last:
                order["tradeOpenedID"] = last["tradeOpened"]["tradeID"]
            if "tradeReduced" in last:
                order["tradeReducedID"] = last["tradeReduced"]["tradeID"]
            order["tradeClosedIDs"] = [each["tradeID"] for each in last.get("tradesClosed", ())]
        unhang(book, order)


def take_back(book: Book, order: Json, exec_id: str, time_ns: int) -> None:
    """A venue took a fill back: the other way round at its price, first out of the trades that the order opened."""
    execs = order.get("_execs", [])
    for kept in [each for each in execs if each[0] == exec_id]:
        execs.remove(kept)
        quantity, price = Decimal(kept[1]), Decimal(kept[2])
        back = {**order, "_side": 3 - order["_side"]}
        opened = [
            t["id"] for t in book.open_trades(words.name_of(order["_instrument"])) if t["_opener"] == order["_order_id"]
        ]
        hint = {"tradeClose": {"tradeID": opened[-1]}} if opened else {}
        told = _fill(book, back, quantity, quantity * price, hint, time_ns)
        told["reason"] = "TRADE_CANCELLED_BY_VENUE"


def unhang(book: Book, order: Json) -> None:
    """An order that hung on a trade has ended: the trade names it no more."""
    trade = book.trades.get(order.get("tradeID", ""))
    key = DEPENDENT.get(order["type"], "")
    if trade is not None and trade.get(key) == order["id"]:
        del trade[key]
        book.put_trade(trade)


def _reason(order: Json, asked: Json) -> str:
    if "tradeClose" in asked:
        return "MARKET_ORDER_TRADE_CLOSE"
    if "longPositionCloseout" in asked or "shortPositionCloseout" in asked:
        return "MARKET_ORDER_POSITION_CLOSEOUT"
    return f"{order['type']}_ORDER"


def _fill(book: Book, order: Json, quantity: Decimal, value: Decimal, asked: Json, time_ns: int) -> Json:
    instrument = order["_instrument"]
    sign = 1 if order["_side"] == pb.SIDE_BUY else -1
    average = value / quantity
    told = book.add(
        "ORDER_FILL",
        time_ns,
        orderID=order["id"],
        clientOrderID=order.get("clientExtensions", {}).get("id"),
        instrument=words.name_of(instrument),
        units=words.number(sign * quantity),
        price=words.price(average, instrument),
        fullVWAP=words.number(round(average, 10)),
        reason=_reason(order, asked),
    )
    wanted = asked.get("tradeClose", {}).get("tradeID") or order.get("tradeID")
    left, earned = quantity, Decimal(0)
    closed = []
    against = [t for t in book.open_trades(told["instrument"]) if Decimal(t["currentUnits"]) * sign < 0]
    against.sort(key=lambda trade: trade["id"] != wanted)
    for trade in against:
        if not left:
            break
        part = min(left, abs(Decimal(trade["currentUnits"])))
        result, gain = _reduce(book, trade, sign, part, value * part / quantity, told)
        left -= part
        earned += gain
        if trade["state"] == "OPEN":
            told["tradeReduced"] = result
        else:
            closed.append(result)
    if closed:
        told["tradesClosed"] = closed
    if left:
        _open(book, order, sign * left, value * left / quantity, told, asked)
    told["quotePL"] = words.number(round(earned, 10))
    if (pl := _converted(book, earned, instrument[4:])) is not None:
        told["pl"] = pl
    told |= {"financing": "0.0000", "guaranteedExecutionFee": "0.0000"}
    return told


def _reduce(book: Book, trade: Json, sign: int, part: Decimal, value: Decimal, told: Json) -> tuple[Json, Decimal]:
    """Takes a part of a trade away for so much of the counter currency; what that earned."""
    units, quote = Decimal(trade["currentUnits"]), Decimal(trade["_quote"])
    cost = quote * part / abs(units)
    # `_quote` is received less paid for what is open; closing by buying pays `value`, by selling it receives it.
    gain = cost - sign * value
    counter = trade["instrument"][4:]
    left = units + sign * part
    trade |= {
        "currentUnits": words.number(left),
        "_quote": str(quote - cost),
        "_closed": str(Decimal(trade["_closed"]) + part),
        "_closing": str(Decimal(trade["_closing"]) + value),
    }
    trade["averageClosePrice"] = words.price(
        Decimal(trade["_closing"]) / Decimal(trade["_closed"]), trade["instrument"].replace("_", "/")
    )
    trade["closingTransactionIDs"] = [*trade.get("closingTransactionIDs", ()), told["id"]]
    trade["_quotePL"] = str(Decimal(trade["_quotePL"]) + gain)
    pl = _converted(book, gain, counter)
    trade["realizedPL"] = words.money(Decimal(trade["realizedPL"]) + Decimal(pl or 0))
    if not left:
        trade |= {"state": "CLOSED", "closeTime": told["time"]}
    book.put_trade(trade)
    result = {
        "tradeID": trade["id"],
        "units": words.number(sign * part),
        "price": told["price"],
        "financing": "0.0000",
        "guaranteedExecutionFee": "0.0000",
    }
    if pl is not None:
        result["realizedPL"] = pl
    if client_id := trade.get("clientExtensions", {}).get("id"):
        result["clientTradeID"] = client_id
    return result, gain


def _open(book: Book, order: Json, units: Decimal, value: Decimal, told: Json, asked: Json) -> None:
    opened = {"tradeID": told["id"], "units": words.number(units), "price": told["price"]}
    made: Json = {
        "id": told["id"],
        "instrument": told["instrument"],
        "price": told["price"],
        "openTime": told["time"],
        "initialUnits": words.number(units),
        "state": "OPEN",
        "currentUnits": words.number(units),
        "realizedPL": "0.0000",
        "financing": "0.0000",
        "dividendAdjustment": "0.0000",
        "_quote": str(-value if units > 0 else value),
        "_quotePL": "0",
        "_closed": "0",
        "_closing": "0",
        "_opener": order["_order_id"],
    }
    if extensions := asked.get("tradeClientExtensions") or order.get("tradeClientExtensions"):
        made["clientExtensions"] = opened["clientExtensions"] = extensions
    book.put_trade(made)
    told["tradeOpened"] = opened


def _converted(book: Book, amount: Decimal, currency: str) -> str | None:
    """In the account's currency; None while no rate is known."""
    if not amount:
        return words.money(Decimal(0))
    rate = Decimal(1) if currency == book.currency else book.rate(currency)
    return None if rate is None else words.money(amount * rate)


def _spread(told: Json, kept: list[list[str]], quantity: Decimal) -> None:
    """The market that the fill met, and what half of its width cost in the counter currency."""
    _, _, bid, ask, *_ = kept[0]
    if bid and ask:
        told["fullPrice"] = {
            "closeoutBid": bid,
            "closeoutAsk": ask,
            "bids": [{"price": bid, "liquidity": "0"}],
            "asks": [{"price": ask, "liquidity": "0"}],
            "timestamp": told["time"],
        }
        half = (Decimal(ask) - Decimal(bid)) / 2 * quantity
        told["_halfSpreadCost"] = str(half)
