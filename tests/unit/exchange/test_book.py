"""The rules of an order book, one by one."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from crossrate.exchange.book import Level, OrderBook, SnapshotError, Trade
from crossrate.exchange.event import Event, EventKind, Liquidity, Reason
from crossrate.exchange.order import (
    Cancel,
    MassCancel,
    NewOrder,
    OrderType,
    Replace,
    SelfMatchPrevention,
    Side,
    TimeInForce,
    Trigger,
    TriggerSource,
)
from crossrate.kernel import ArgumentError

BUY, SELL = Side.BUY, Side.SELL


class Desk:
    """A book, and short ways to speak to it."""

    def __init__(self, capacity: int = 100) -> None:
        self.book = OrderBook(capacity)
        self.time = 0

    def new(self, order: int, side: Side, quantity: int, price: int = 0, **more) -> list[Event]:
        """A new order of owner `order` unless another is given; a market order without a price."""
        kind = OrderType.LIMIT if price else OrderType.MARKET
        fields = {"owner": order, "type": kind, "price": price, **more}
        return self.book.apply(NewOrder(id=order, side=side, quantity=quantity, **fields), self.time)

    def replace(self, order: int, quantity: int, price: int = 0, **more) -> list[Event]:
        """An amendment."""
        fields = {"owner": order, **more}
        return self.book.apply(Replace(id=order, quantity=quantity, price=price, **fields), self.time)


@pytest.fixture
def desk(build: str) -> Desk:
    """A desk with an empty book."""
    return Desk()


def fills(events: list[Event]) -> list[tuple[int, int, int]]:
    """Maker, price and quantity of each trade."""
    makers = [each for each in events if each.kind is EventKind.FILLED and each.liquidity is Liquidity.ADDED]
    return [(each.id, each.price, each.quantity) for each in makers]


def last(events: list[Event]) -> tuple[EventKind, Reason]:
    """Kind and reason of the last event."""
    return events[-1].kind, events[-1].reason


def test_the_best_price_trades_first_and_at_one_price_the_oldest(desk: Desk) -> None:
    """A taker meets offers by price, then by time, each at the maker's price."""
    desk.new(1, SELL, 5, 102)
    desk.new(2, SELL, 5, 101)
    desk.new(3, SELL, 5, 101)
    assert fills(desk.new(4, BUY, 12, 102)) == [(2, 101, 5), (3, 101, 5), (1, 102, 2)]
    assert desk.book.ask == Level(102, 3, 1)
    assert desk.book.last == Trade(102, 2)


def test_both_sides_of_a_trade_are_told(desk: Desk) -> None:
    """Maker and taker have one execution number, each other's id, and what is open and filled."""
    desk.new(1, SELL, 5, 101)
    accepted, maker, taker = desk.new(2, BUY, 8, 101)
    assert accepted.kind is EventKind.ACCEPTED
    assert (maker.execution, maker.counter_id, maker.liquidity) == (1, 2, Liquidity.ADDED)
    assert (taker.execution, taker.counter_id, taker.liquidity) == (1, 1, Liquidity.REMOVED)
    assert (maker.leaves, maker.filled, taker.leaves, taker.filled) == (0, 5, 3, 5)


def test_a_market_order_does_not_rest(desk: Desk) -> None:
    """What finds nobody is cancelled."""
    desk.new(1, SELL, 5, 101)
    events = desk.new(2, BUY, 8)
    assert fills(events) == [(1, 101, 5)]
    assert last(events) == (EventKind.CANCELLED, Reason.NO_LIQUIDITY)
    assert events[-1].quantity == 3
    assert desk.book.open_orders == 0


def test_immediate_or_cancel_gives_up_the_rest(desk: Desk) -> None:
    """What is not within its limit at once is cancelled."""
    desk.new(1, SELL, 5, 101)
    desk.new(2, SELL, 5, 102)
    events = desk.new(3, BUY, 8, 101, time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL)
    assert fills(events) == [(1, 101, 5)]
    assert last(events) == (EventKind.CANCELLED, Reason.IMMEDIATE_OR_CANCEL)


@pytest.mark.parametrize(("quantity", "trades"), [(10, True), (11, False)])
def test_fill_or_kill_is_all_or_nothing(desk: Desk, quantity: int, trades: bool) -> None:
    """Hidden parts of icebergs count; one unit too much and nothing trades."""
    desk.new(1, SELL, 6, 101, display_quantity=1)
    desk.new(2, SELL, 4, 102)
    events = desk.new(3, BUY, quantity, 102, time_in_force=TimeInForce.FILL_OR_KILL)
    assert bool(fills(events)) is trades
    assert (last(events) == (EventKind.CANCELLED, Reason.FILL_OR_KILL)) is not trades


def test_a_minimum_quantity_trades_at_once_or_ends_the_order(desk: Desk) -> None:
    """Enough of it trades and the rest goes to the book; too little and none does."""
    desk.new(1, SELL, 5, 101)
    assert last(desk.new(2, BUY, 9, 101, minimum_quantity=6)) == (EventKind.CANCELLED, Reason.MINIMUM_NOT_AVAILABLE)
    assert fills(desk.new(3, BUY, 9, 101, minimum_quantity=5)) == [(1, 101, 5)]
    assert desk.book.bid == Level(101, 4, 1)


def test_post_only_never_takes(desk: Desk) -> None:
    """It is refused where it would trade, also when it is moved there, which leaves it as it was."""
    desk.new(1, SELL, 5, 101)
    assert last(desk.new(2, BUY, 5, 101, post_only=True)) == (EventKind.REJECTED, Reason.POST_ONLY)
    desk.new(3, BUY, 5, 100, post_only=True)
    assert last(desk.replace(3, 5, 101)) == (EventKind.REJECTED, Reason.POST_ONLY)
    assert desk.book.bid == Level(100, 5, 1)


def test_an_iceberg_shows_a_part_and_the_next_one_queues_behind(desk: Desk) -> None:
    """Only the displayed quantity is shown; when it is gone, others at the price come first."""
    desk.new(1, SELL, 10, 101, display_quantity=4)
    desk.new(2, SELL, 4, 101)
    assert desk.book.ask == Level(101, 8, 2)
    assert fills(desk.new(3, BUY, 6, 101)) == [(1, 101, 4), (2, 101, 2)]
    assert desk.book.ask == Level(101, 6, 2)
    assert fills(desk.new(4, BUY, 9, 101)) == [(2, 101, 2), (1, 101, 4), (1, 101, 2)]


def test_good_till_date_ends_when_its_time_has_come(desk: Desk) -> None:
    """Not a nanosecond before; in order of expiry."""
    for order, expire in ((1, 30), (2, 20), (3, 31)):
        desk.new(order, BUY, 5, 100, time_in_force=TimeInForce.GOOD_TILL_DATE, expire_time=expire)
    assert desk.book.advance(19) == []
    assert [(each.id, each.kind) for each in desk.book.advance(30)] == [(2, EventKind.EXPIRED), (1, EventKind.EXPIRED)]
    assert desk.book.open_orders == 1


@pytest.mark.parametrize(
    ("mode", "trades", "ended"),
    [
        (SelfMatchPrevention.NONE, [(1, 101, 5), (2, 101, 3)], []),
        (SelfMatchPrevention.CANCEL_RESTING, [(2, 101, 5)], [1]),
        (SelfMatchPrevention.CANCEL_AGGRESSING, [], [3]),
        (SelfMatchPrevention.CANCEL_BOTH, [], [1, 3]),
    ],
)
def test_self_match_prevention(desk: Desk, mode: SelfMatchPrevention, trades, ended) -> None:
    """Where an owner would meet itself, the resting order ends, the incoming one, both, or they trade."""
    desk.new(1, SELL, 5, 101, owner=7)
    desk.new(2, SELL, 5, 101)
    events = desk.new(3, BUY, 8, 101, owner=7, self_match_prevention=mode)
    assert fills(events) == trades
    assert [each.id for each in events if each.reason is Reason.SELF_MATCH] == ended


def test_less_quantity_keeps_the_place_and_anything_else_loses_it(desk: Desk) -> None:
    """A smaller quantity stays first; a greater one goes to the back."""
    for order in (1, 2, 3):
        desk.new(order, SELL, 5, 101)
    desk.replace(1, 4, 101)
    desk.replace(2, 6, 101)
    assert fills(desk.new(4, BUY, 15, 101)) == [(1, 101, 4), (3, 101, 5), (2, 101, 6)]


def test_an_amendment_may_trade_at_once(desk: Desk) -> None:
    """A price that crosses takes."""
    desk.new(1, SELL, 5, 101)
    desk.new(2, BUY, 5, 100)
    events = desk.replace(2, 5, 101)
    assert events[0].kind is EventKind.REPLACED
    assert fills(events) == [(1, 101, 5)]


def test_an_amendment_below_what_is_filled_ends_the_order(desk: Desk) -> None:
    """Whoever asks for less than has traded wants no more: nothing is over-filled in a race."""
    desk.new(1, SELL, 10, 101)
    desk.new(2, BUY, 6, 101)
    events = desk.replace(1, 6, 101)
    assert last(events) == (EventKind.CANCELLED, Reason.QUANTITY_FILLED)
    assert (events[-1].filled, events[-1].quantity, events[-1].leaves) == (6, 4, 0)


def test_nobody_changes_the_orders_of_others(desk: Desk) -> None:
    """For another owner an order does not exist."""
    desk.new(1, SELL, 10, 101)
    assert last(desk.replace(1, 5, 101, owner=2)) == (EventKind.REJECTED, Reason.UNKNOWN_ORDER)
    assert last(desk.book.apply(Cancel(id=1, owner=2), 0)) == (EventKind.REJECTED, Reason.UNKNOWN_ORDER)
    assert last(desk.book.apply(Cancel(id=1, owner=1), 0)) == (EventKind.CANCELLED, Reason.REQUESTED)


def test_a_mass_cancel_ends_all_of_an_owner_and_counts_them(desk: Desk) -> None:
    """Stops too, oldest first, of one side or both; the last event has the number."""
    desk.new(1, BUY, 1, 99, owner=7)
    desk.new(2, SELL, 1, 105, owner=7)
    desk.new(3, BUY, 1, owner=7, trigger=Trigger.STOP, trigger_source=TriggerSource.ASK, trigger_price=110)
    desk.new(4, BUY, 1, 98, owner=8)
    events = desk.book.apply(MassCancel(owner=7, side=BUY, id=55), 1)
    assert [each.id for each in events] == [1, 3, 55]
    assert (events[-1].kind, events[-1].quantity) == (EventKind.MASS_CANCELLED, 2)
    assert [each.id for each in desk.book.apply(MassCancel(owner=0), 2)] == [2, 4, 0]


@pytest.mark.parametrize(
    ("source", "side", "trigger", "price", "fires"),
    [
        (TriggerSource.BID, SELL, Trigger.STOP, 100, False),
        (TriggerSource.BID, SELL, Trigger.STOP, 101, True),
        (TriggerSource.BID, BUY, Trigger.IF_TOUCHED, 101, True),
        (TriggerSource.ASK, BUY, Trigger.STOP, 104, True),
        (TriggerSource.ASK, BUY, Trigger.STOP, 105, False),
        (TriggerSource.ASK, SELL, Trigger.IF_TOUCHED, 104, True),
        (TriggerSource.MID, SELL, Trigger.STOP, 102, False),
        (TriggerSource.MID, SELL, Trigger.STOP, 103, True),
        (TriggerSource.MID, BUY, Trigger.STOP, 102, True),
        (TriggerSource.MID, BUY, Trigger.STOP, 103, False),
        (TriggerSource.LAST, BUY, Trigger.STOP, 103, True),
        (TriggerSource.LAST, SELL, Trigger.STOP, 102, False),
    ],
)
def test_a_trigger_looks_at_its_reference(desk: Desk, source, side, trigger, price, fires) -> None:
    """With 101 bid, offers at 104, the last trade at 103 and a mid of 102.5, exact to half a tick."""
    desk.new(1, SELL, 1, 103)
    desk.new(2, BUY, 1, 103)
    desk.new(3, BUY, 9, 101)
    desk.new(4, SELL, 9, 104)
    events = desk.new(5, side, 1, trigger=trigger, trigger_source=source, trigger_price=price)
    assert (EventKind.TRIGGERED in [each.kind for each in events]) is fires


def test_a_stop_limit_rests_at_its_limit(desk: Desk) -> None:
    """When it is triggered it is a limit order, with the priority of that moment."""
    desk.new(1, SELL, 5, 101)
    desk.new(2, BUY, 5, 99, trigger=Trigger.STOP, trigger_source=TriggerSource.LAST, trigger_price=101)
    assert desk.book.bid is None
    events = desk.new(3, BUY, 1, 101)
    assert last(events) == (EventKind.TRIGGERED, Reason.NONE)
    assert desk.book.bid == Level(99, 5, 1)


def test_one_trigger_may_set_off_the_next(desk: Desk) -> None:
    """Stops are dealt with one after the other, the references looked at again after each."""
    for order, price in ((1, 100), (2, 99), (3, 98)):
        desk.new(order, BUY, 1, price)
    for order, price in ((11, 100), (12, 99)):
        desk.new(order, SELL, 1, trigger=Trigger.STOP, trigger_source=TriggerSource.LAST, trigger_price=price)
    events = desk.new(4, SELL, 1, 100)
    assert [each.id for each in events if each.kind is EventKind.TRIGGERED] == [11, 12]
    assert fills(events) == [(1, 100, 1), (2, 99, 1), (3, 98, 1)]


def test_a_trailing_stop_follows_and_does_not_go_back(desk: Desk) -> None:
    """A sell three ticks behind the bid goes up with it, and triggers when the bid has fallen by three."""
    desk.new(1, BUY, 9, 100)
    desk.new(2, SELL, 1, trigger=Trigger.TRAILING_STOP, trigger_source=TriggerSource.BID, trigger_price=3)
    desk.new(3, BUY, 1, 104)
    desk.book.apply(Cancel(id=3, owner=3), 0)
    # The bid is 100 again, which is more than three below 104.
    assert desk.book.open_orders == 1
    assert desk.book.last == Trade(100, 1)


def test_post_only_and_stop_together_end_where_they_would_take(desk: Desk) -> None:
    """A triggered order that may only add liquidity is cancelled instead of taking."""
    desk.new(1, SELL, 5, 101)
    waits = {"trigger": Trigger.STOP, "trigger_source": TriggerSource.ASK, "trigger_price": 101}
    assert last(desk.new(2, BUY, 5, 101, post_only=True, **waits)) == (EventKind.CANCELLED, Reason.POST_ONLY)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": 0}, Reason.ID),
        ({"owner": 0}, Reason.OWNER),
        ({"side": 3}, Reason.SIDE),
        ({"type": 3}, Reason.TYPE),
        ({"time_in_force": 0}, Reason.TIME_IN_FORCE),
        ({"quantity": 0}, Reason.QUANTITY),
        ({"quantity": (1 << 40) + 1}, Reason.QUANTITY),
        ({"price": 0}, Reason.PRICE),
        ({"price": (1 << 40) + 1}, Reason.PRICE),
        ({"type": OrderType.MARKET}, Reason.PRICE),
        ({"display_quantity": 11}, Reason.DISPLAY_QUANTITY),
        ({"display_quantity": 1, "time_in_force": TimeInForce.IMMEDIATE_OR_CANCEL}, Reason.DISPLAY_QUANTITY),
        ({"quantity": 1001, "display_quantity": 1}, Reason.DISPLAY_QUANTITY),
        ({"minimum_quantity": 11}, Reason.MINIMUM_QUANTITY),
        ({"expire_time": 5}, Reason.EXPIRE_TIME),
        ({"time_in_force": TimeInForce.GOOD_TILL_DATE}, Reason.EXPIRE_TIME),
        ({"trigger": 4}, Reason.TRIGGER),
        ({"trigger": Trigger.STOP, "trigger_price": 5}, Reason.TRIGGER_SOURCE),
        ({"trigger": Trigger.STOP, "trigger_source": TriggerSource.BID}, Reason.TRIGGER_PRICE),
        ({"trigger_price": 5}, Reason.TRIGGER_PRICE),
        ({"post_only": True, "minimum_quantity": 5}, Reason.INSTRUCTIONS),
        ({"post_only": True, "time_in_force": TimeInForce.IMMEDIATE_OR_CANCEL}, Reason.INSTRUCTIONS),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(desk: Desk, change, reason: Reason) -> None:
    """The reason names the field, and its sentence says what it must be."""
    order = {"id": 1, "owner": 1, "side": BUY, "quantity": 10, "price": 100, **change}
    events = desk.book.apply(NewOrder(**order), 0)
    assert last(events) == (EventKind.REJECTED, reason)
    assert len(reason.says) > 20
    assert desk.book.open_orders == 0


def test_an_id_is_taken_while_its_order_is_open(desk: Desk) -> None:
    """A second order of the same id is refused."""
    desk.new(1, BUY, 1, 100)
    assert last(desk.new(1, BUY, 1, 100)) == (EventKind.REJECTED, Reason.DUPLICATE_ID)


def test_a_full_book_refuses_what_would_rest_alone(build: str) -> None:
    """Immediate orders go on; room comes back with a cancel."""
    desk = Desk(capacity=2)
    desk.new(1, BUY, 1, 100)
    desk.new(2, BUY, 1, 100)
    assert last(desk.new(3, BUY, 1, 100)) == (EventKind.REJECTED, Reason.BOOK_FULL)
    assert fills(desk.new(4, SELL, 1)) == [(1, 100, 1)]
    assert desk.new(5, BUY, 1, 100)[-1].kind is EventKind.ACCEPTED


def test_time_does_not_go_back(desk: Desk) -> None:
    """A command of an earlier time is refused, and changes nothing."""
    desk.book.advance(10)
    assert last(desk.new(1, BUY, 1, 100)) == (EventKind.REJECTED, Reason.TIME)


def test_the_greatest_numbers_are_exact(desk: Desk) -> None:
    """Prices and quantities of 2^40, and identifiers of 2^62, as they are; more than 64 bits are no record."""
    top, name = 1 << 40, 1 << 62
    order = NewOrder(id=name, owner=name, side=SELL, quantity=top, price=top)
    assert desk.book.apply(order, 0)[-1].quantity == top
    assert desk.book.ask == Level(top, top, 1)
    assert fills(desk.new(1, BUY, top)) == [(name, top, top)]
    with pytest.raises(OverflowError):
        desk.new(1, BUY, 1 << 64, 1)


def test_a_book_goes_on_from_its_snapshot(desk: Desk) -> None:
    """It has the same orders, answers the same, and gives the same bytes again."""
    desk.new(1, SELL, 10, 101, display_quantity=3)
    desk.new(2, BUY, 2, 101)
    desk.new(3, BUY, 4, trigger=Trigger.STOP, trigger_source=TriggerSource.ASK, trigger_price=120)
    other = OrderBook.restore(desk.book.snapshot())
    assert other.snapshot() == desk.book.snapshot()
    assert other.orders() == desk.book.orders()
    assert other.last == Trade(101, 2)
    order = NewOrder(id=9, owner=9, side=BUY, quantity=9, price=101)
    assert other.apply(order, 5) == desk.book.apply(order, 5)


@pytest.mark.parametrize("damage", ["short", "flipped", "magic", "long", "empty"])
def test_a_damaged_snapshot_is_refused(desk: Desk, damage: str) -> None:
    """One byte too few, too many or another one is seen."""
    desk.new(1, SELL, 10, 101)
    good = desk.book.snapshot()
    flipped = bytes([*good[:60], good[60] ^ 1, *good[61:]])
    bad = {"short": good[:-1], "flipped": flipped, "magic": b"x" + good[1:], "long": good + b"\0", "empty": b""}
    with pytest.raises(SnapshotError):
        OrderBook.restore(bad[damage])


def test_a_snapshot_of_more_orders_than_the_capacity_is_refused(desk: Desk) -> None:
    """The text says so."""
    desk.new(1, SELL, 10, 101)
    desk.new(2, SELL, 10, 101)
    with pytest.raises(SnapshotError, match="no book can hold"):
        OrderBook.restore(desk.book.snapshot(), capacity=1)
    assert OrderBook.restore(desk.book.snapshot(), capacity=2).open_orders == 2
    assert struct.calcsize("<8sQI") + 8 * (8 + 2 * 19) == len(desk.book.snapshot())


def test_arguments_out_of_range_are_errors(build: str) -> None:
    """Of the maker of a book, and of who looks at it."""
    with pytest.raises(ArgumentError):
        OrderBook(0)
    with pytest.raises(ArgumentError):
        OrderBook((1 << 20) + 1)
    with pytest.raises(ArgumentError):
        OrderBook(5).depth(3)
    with pytest.raises(ArgumentError):
        OrderBook(5).depth(1, -1)
    with pytest.raises(TypeError):
        OrderBook(5).run(np.zeros((1, 16)))
