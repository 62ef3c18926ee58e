"""Execution reports as transactions, orders and trades of the v20 API."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.api.common.v1 import check_pb2
from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_pb2 as pb
from services.broker.oanda.book import PENDING, is_open, new_book
from services.broker.oanda.fold import apply
from services.broker.oanda.words import shown
from tests.unit.broker.oanda_reports import BEGIN_NS, BUY, SELL, Trading


def types(transactions: list) -> list[str]:
    """What they are."""
    return [each["type"] for each in transactions]


def test_a_market_order_is_created_and_filled_at_one_price() -> None:
    """However many prices it took, one ORDER_FILL tells their average, and opens one trade."""
    trading = Trading()
    order = trading.order("300")
    assert types(trading.enter(order)) == ["MARKET_ORDER"]
    assert trading.fill(order, "100", "1.10000") == []
    (told,) = trading.fill(order, "200", "1.10030")
    assert (told["type"], told["orderID"], told["units"], told["price"]) == ("ORDER_FILL", "2", "300", "1.10020")
    assert told["tradeOpened"] == {"tradeID": "3", "units": "300", "price": "1.10020"}
    assert trading.book.orders["2"]["state"] == "FILLED"
    assert trading.book.orders["2"]["fillingTransactionID"] == "3"


def test_what_was_not_filled_at_once_is_cancelled_after_the_fill() -> None:
    """The fill of a part comes first, then the end with its reason."""
    trading = Trading()
    order = trading.order("300")
    trading.enter(order)
    trading.fill(order, "100", "1.1")
    told = trading.end(order, ex.EXECUTION_REASON_NO_LIQUIDITY)
    assert types(told) == ["ORDER_FILL", "ORDER_CANCEL"]
    assert told[1]["reason"] == "INSUFFICIENT_LIQUIDITY"
    assert told[0]["batchID"] == told[1]["batchID"] == told[0]["id"]


def test_the_oldest_trade_is_reduced_first_and_profit_is_told_in_the_account_s_currency() -> None:
    """A sale takes the oldest trades away; what is left of it opens a trade on the other side."""
    trading = Trading()
    trading.deal("100", "1.10")
    trading.deal("100", "1.20")
    told = trading.deal("250", "1.30", SELL)[-1]
    assert [(each["tradeID"], each["units"]) for each in told["tradesClosed"]] == [("3", "-100"), ("5", "-100")]
    assert [each["realizedPL"] for each in told["tradesClosed"]] == ["20.0000", "10.0000"]
    assert (told["pl"], told["tradeOpened"]["units"]) == ("30.0000", "-50")
    assert trading.book.trades["3"]["state"] == "CLOSED"
    assert trading.book.trades["3"]["averageClosePrice"] == "1.30000"


def test_a_close_takes_the_trade_that_it_names() -> None:
    """An order that closes a trade reduces that one, though an older one is there."""
    trading = Trading()
    trading.deal("100", "1.10")
    trading.deal("100", "1.20")
    trading.requests["c"] = {"tradeClose": {"tradeID": "5", "units": "ALL"}, "reason": "TRADE_CLOSE"}
    created, told = trading.deal("100", "1.30", SELL, root="c")
    assert (created["reason"], told["reason"]) == ("TRADE_CLOSE", "MARKET_ORDER_TRADE_CLOSE")
    assert [each["tradeID"] for each in told["tradesClosed"]] == ["5"]
    assert is_open(trading.book.trades["3"])


def test_profit_without_a_rate_is_told_in_the_counter_currency_alone() -> None:
    """No rate is made up: `quotePL` says what it is, `pl` waits for nothing and is left out."""
    trading = Trading("EUR")
    trading.deal("100", "157.0", instrument="USD/JPY")
    told = trading.deal("100", "158.0", SELL, instrument="USD/JPY")[-1]
    assert told["quotePL"] == "100"
    assert "pl" not in told
    trading.book.rate = {"JPY": Decimal("0.0058")}.get
    trading.deal("100", "157.0", instrument="USD/JPY")
    assert trading.deal("100", "158.0", SELL, instrument="USD/JPY")[-1]["pl"] == "0.5800"


def test_a_replacement_cancels_one_order_and_creates_another() -> None:
    """The new order says which one it replaces; the old one which one came."""
    trading = Trading()
    order = trading.order("100", order_type=pb.ORDER_TYPE_LIMIT, limit_price="1.05")
    trading.enter(order)
    trading.work(order)
    trading.book.orders["2"]["_replacement"] = {"clientExtensions": {"id": "other"}}
    order.terms.limit_price, order.version = "1.06", 2
    cancelled, created = trading.tell(order, ex.EXEC_TYPE_REPLACED)
    assert (cancelled["reason"], cancelled["replacedByOrderID"]) == ("CLIENT_REQUEST_REPLACED", created["id"])
    assert (created["replacesOrderID"], created["price"]) == ("2", "1.06000")
    assert created["clientExtensions"] == {"id": "other"}
    assert trading.book.orders["2"]["state"] == "CANCELLED"
    assert {"2", created["id"]} <= trading.book.changed_orders
    assert trading.fill(order, "100", "1.06")[0]["orderID"] == created["id"]


def test_a_refused_order_has_no_order() -> None:
    """Its transaction names the reason of the check that failed."""
    trading = Trading()
    order = trading.order("100", order_type=pb.ORDER_TYPE_LIMIT, limit_price="1.05")
    order.status = pb.ORDER_STATUS_REJECTED
    check = check_pb2.Check(kind=check_pb2.CHECK_KIND_MARGIN, passed=False)
    (told,) = trading.tell(order, ex.EXEC_TYPE_REJECTED, checks=[check], text="margin: …")
    assert (told["type"], told["rejectReason"]) == ("LIMIT_ORDER_REJECT", "INSUFFICIENT_MARGIN")
    assert not trading.book.orders


def test_protections_hang_on_the_trade_that_their_order_opened() -> None:
    """Trading's own orders for a fill are a take profit and a stop loss of the trade, and end with it."""
    trading = Trading()
    parent = trading.order("100")
    parent.terms.on_fill.take_profit_price = "1.3"
    trading.enter(parent)
    trading.fill(parent, "100", "1.1")
    child = trading.order(
        "100", SELL, root=f"tp.{parent.order_id}", order_type=pb.ORDER_TYPE_LIMIT, limit_price="1.3", reduce_only=True
    )
    child.parent_order_id = parent.order_id
    (created,) = trading.enter(child)
    assert (created["type"], created["tradeID"], created["reason"]) == ("TAKE_PROFIT_ORDER", "3", "ON_FILL")
    assert trading.book.trades["3"]["takeProfitOrderID"] == created["id"]
    told = trading.fill(child, "100", "1.3")[-1]
    assert (told["reason"], told["tradesClosed"][0]["tradeID"]) == ("TAKE_PROFIT_ORDER", "3")
    assert "takeProfitOrderID" not in trading.book.trades["3"]


def test_a_fill_that_its_venue_takes_back_is_turned_round() -> None:
    """The trade that it opened is gone at the same price, without profit."""
    trading = Trading()
    order = trading.order("100")
    trading.enter(order)
    trading.fill(order, "100", "1.1", name="x1")
    (told,) = trading.tell(order, ex.EXEC_TYPE_TRADE_CANCEL, exec_ref_id="x1")
    assert (told["units"], told["pl"], told["tradesClosed"][0]["tradeID"]) == ("-100", "0.0000", "3")
    assert not [each for each in trading.book.trades.values() if is_open(each)]


def test_a_swap_is_not_told() -> None:
    """The API has no word for it, and it changes no spot position."""
    trading = Trading()
    order = trading.order("100")
    order.terms.far_leg.quantity = "100"
    assert trading.enter(order) == []
    assert trading.book.last_report == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deal", "limit", "fill", "cancel", "amend", "late"]),
        st.booleans(),
        st.integers(1, 50),
        st.integers(9_000, 11_000),
    ),
    max_size=40,
)


def play(trading: Trading, steps: list[tuple[str, bool, int, int]]) -> tuple[Decimal, Decimal]:
    """Plays steps; what the position is, and what was received less paid."""
    position, received = Decimal(0), Decimal(0)
    working: list[pb.Order] = []
    ended: list[pb.Order] = []
    for word, buys, size, ticks in steps:
        side, price, quantity = BUY if buys else SELL, str(Decimal(ticks) / 10_000), str(size)
        sign = 1 if buys else -1
        if word == "deal":
            trading.deal(quantity, price, side)
            position, received = position + sign * size, received - sign * size * Decimal(price)
        elif word == "limit":
            order = trading.order(quantity, side, order_type=pb.ORDER_TYPE_LIMIT, limit_price=price)
            trading.enter(order)
            trading.work(order)
            working.append(order)
        elif word == "late" and ended:
            order = ended.pop()
            fill = ex.Fill(venue_exec_id=f"late{len(trading.reports)}", quantity="1", price=price)
            trading.tell(order, ex.EXEC_TYPE_TRADE, fill=fill)
            sign = 1 if order.terms.side == BUY else -1
            position, received = position + sign, received - sign * Decimal(price)
        elif working:
            order = working[size % len(working)]
            sign = 1 if order.terms.side == BUY else -1
            left = int(Decimal(order.terms.quantity) - Decimal(order.cum_quantity))
            if word == "fill":
                part = min(left, size)
                trading.fill(order, str(part), price)
                position, received = position + sign * part, received - sign * part * Decimal(price)
                if part == left:
                    working.remove(order)
            elif word == "cancel":
                trading.end(order)
                working.remove(order)
                ended.append(order)
            elif word == "amend":
                order.terms.limit_price, order.version = price, order.version + 1
                trading.tell(order, ex.EXEC_TYPE_REPLACED)
    assert {each["_root"] for each in trading.book.orders.values() if each["state"] == PENDING} == {
        each.terms.client_order_id for each in working
    }
    return position, received


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_trades_and_profit_are_those_of_the_fills(steps: list[tuple[str, bool, int, int]]) -> None:
    """Whatever happens, ids have no gap, open trades are the position, and profit and cost are all that was dealt."""
    trading = Trading()
    position, received = play(trading, steps)
    assert [int(each["id"]) for each in trading.told] == list(range(1, len(trading.told) + 1))
    trades = trading.book.trades.values()
    assert sum(Decimal(each["currentUnits"]) for each in trades if is_open(each)) == position
    sides = {Decimal(each["currentUnits"]) > 0 for each in trades if is_open(each)}
    assert len(sides) <= 1
    held = sum(Decimal(each["_quote"]) for each in trades)
    earned = sum(Decimal(each["_quotePL"]) for each in trades)
    assert abs(held + earned - received) < Decimal("1e-18")


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_a_book_that_is_read_again_goes_on_as_the_one_before(steps: list[tuple[str, bool, int, int]]) -> None:
    """What is open suffices: whoever begins from it before any report makes the same transactions."""
    trading = Trading()
    play(trading, steps)
    book = new_book("alpha", "USD", BEGIN_NS)
    made = list(book.transactions)
    ended: dict = {}
    for report in trading.reports:
        book.taken()
        kept = json.loads(json.dumps({"orders": book.orders, "trades": book.trades}))
        book.orders, book.trades = kept["orders"], kept["trades"]
        if book.order_of(report.order.terms.client_order_id) is None:
            # As `recall` does.
            book.orders |= {k: v for k, v in ended.items() if v["_root"] == report.order.terms.client_order_id}
        apply(book, report, {})
        ended |= json.loads(json.dumps({key: book.orders[key] for key in book.changed_orders}))
        made += book.transactions
    assert made == trading.told


def test_nothing_of_what_is_kept_beside_is_shown() -> None:
    """Fields that begin with "_" stay here, and times come in the form that is asked for."""
    told = shown({"_root": "x", "time": "2023-11-14T22:13:20.000000005Z", "a": [{"_b": 1, "c": 2}]}, unix=True)
    assert told == {"time": "1700000000.000000005", "a": [{"c": 2}]}
