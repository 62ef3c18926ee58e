"""A venue: what happens to an order between its client and the book."""

from __future__ import annotations

import itertools
import random
from statistics import mean, median

import pytest

from crossrate.exchange.book import Level, SnapshotError
from crossrate.exchange.chance import Chance, Latency, Purpose
from crossrate.exchange.event import EventKind, Liquidity, Reason
from crossrate.exchange.external import PROVIDER
from crossrate.exchange.hours import AlwaysOpen
from crossrate.exchange.order import Cancel, MassCancel, NewOrder, OrderType, Replace, Side, TimeInForce, Trigger
from crossrate.exchange.terms import LastLook, PartialFills, Slippage, Tier, VenueTerms
from crossrate.exchange.venue import Report, Venue, VenueError

BUY, SELL = Side.BUY, Side.SELL
TIERS = (Tier(0, 100), Tier(2, 300))
MS = 1_000_000
MILLION = 1_000_000


def venue(**terms) -> Venue:
    """A venue with two tiers unless others are given."""
    return Venue(VenueTerms(**{"tiers": TIERS, **terms}), seed=7)


def order(name: int, side: Side, quantity: int, price: int = 0, **more) -> NewOrder:
    """An order of owner `name`, a market order without a price."""
    kind = OrderType.LIMIT if price else OrderType.MARKET
    return NewOrder(
        **{"id": name, "owner": name, "side": side, "quantity": quantity, "price": price, "type": kind, **more}
    )


def trades(reports: list[Report], name: int) -> list[tuple[int, int]]:
    """Price and quantity of an order's fills."""
    return [(e.price, e.quantity) for _, e in reports if e.kind is EventKind.FILLED and e.id == name]


def last(reports: list[Report]) -> tuple[EventKind, Reason]:
    """Kind and reason of the last event."""
    return reports[-1].event.kind, reports[-1].event.reason


def test_tiers_stand_around_each_quote_and_are_consumed_until_the_next() -> None:
    """An order walks the tiers; a second one finds what is left; a new quote brings all back."""
    place = venue()
    place.quote(1000, 1002, 0)
    place.send(order(1, BUY, 250), 1)
    place.send(order(2, BUY, 200), 2)
    reports = place.advance(5)
    assert trades(reports, 1) == [(1002, 100), (1004, 150)]
    assert trades(reports, 2) == [(1004, 150)]
    assert last(reports) == (EventKind.CANCELLED, Reason.NO_LIQUIDITY)
    place.quote(1001, 1003, 6)
    place.advance(6)
    assert place.book.depth(SELL) == [Level(1003, 100, 1), Level(1005, 300, 1)]
    assert place.book.depth(BUY) == [Level(1001, 100, 1), Level(999, 300, 1)]


def test_clients_rest_in_the_same_book_and_quotes_trade_with_them() -> None:
    """A better client's order trades first; a quote that reaches a resting order fills it at its own price."""
    place = venue()
    place.quote(1000, 1004, 0)
    place.send(order(1, SELL, 50, 1003), 1)
    place.send(order(2, BUY, 120), 2)
    place.send(order(3, BUY, 80, 1001), 3)
    reports = place.advance(5)
    assert trades(reports, 2) == [(1003, 50), (1004, 70)]
    place.quote(998, 1000, 6)
    (report,) = place.advance(6)
    assert trades([report], 3) == [(1001, 80)]
    assert report.event.liquidity is Liquidity.ADDED
    assert place.book.ask == Level(1000, 20, 1)


@pytest.mark.parametrize("quote", [(0, 0), (1002, 1002), (1003, 1001)])
def test_nobody_deals_on_a_quote_that_is_none_or_crossed(quote: tuple[int, int]) -> None:
    """The liquidity of the quote before is withdrawn."""
    place = venue()
    place.quote(1000, 1002, 0)
    place.quote(*quote, 1)
    place.advance(1)
    assert place.book.depth(BUY) == place.book.depth(SELL) == []


def test_quotes_trigger_stops() -> None:
    """A stop is looked at when the whole quote stands, not between its two sides."""
    place = venue()
    place.quote(1000, 1002, 0)
    place.send(order(1, SELL, 10, trigger=Trigger.STOP, trigger_source=1, trigger_price=995), 1)
    place.quote(1005, 1007, 2)
    assert [each.event.kind for each in place.advance(3)] == [EventKind.ACCEPTED]
    place.quote(994, 996, 4)
    assert trades(place.advance(4), 1) == [(994, 10)]


def test_reports_are_numbered_and_show_no_order_of_the_provider() -> None:
    """From 1 without gaps, and the provider is only ever a counterparty."""
    reports, _ = day(seed=3)
    assert [each.event.sequence for each in reports] == list(range(1, len(reports) + 1))
    assert all(each.event.owner < PROVIDER for each in reports)
    assert any(each.event.counter_id > PROVIDER for each in reports)


TERMS = VenueTerms(
    tiers=(Tier(0, MILLION), Tier(1, 3 * MILLION)),
    maximum_quantity=10 * MILLION,
    quantity_increment=1000,
    inbound=Latency(100_000, 2 * MS),
    outbound=Latency(100_000, MS, 1.0),
    reject_rate=0.02,
    slippage=Slippage(0.1, 1),
    partial_fills=PartialFills(0.1, 0.3),
    last_look=LastLook(15 * MS, 0),
)


def day(
    seed: int, orders: int = 500, cut: int | None = None, leave_out: int | None = None
) -> tuple[list[Report], Venue]:
    """A busy time of quotes and orders; at `cut` the venue is replaced by one restored from its snapshot."""
    place, chance, reports, mid = Venue(TERMS, seed=seed), random.Random(1), [], 110_000
    for name in range(1, orders):
        now = name * 10 * MS
        mid += chance.choice((-1, 0, 0, 1))
        place.quote(mid - 1, mid + 1, now)
        price = mid + chance.randint(-3, 3) if chance.random() < 0.7 else 0
        sent = order(
            name, chance.choice((BUY, SELL)), chance.choice((100, 2000, 5000)) * 1000, price,
            owner=1 + name % 3, time_in_force=chance.choice((1, 3, 4)) if price else 1,
        )  # fmt: skip
        if name != leave_out:
            place.send(sent, now)
        if chance.random() < 0.3:
            place.send(Cancel(id=max(1, name - 4), owner=1 + max(1, name - 4) % 3), now)
        if name == cut:
            place = Venue.restore(place.snapshot(), TERMS)
        reports += place.advance(now)
    return reports + place.advance(10**12), place


def test_the_same_calls_give_the_same_reports_also_over_a_snapshot() -> None:
    """Two runs agree, and so does one whose venue went on as another in the middle, with orders held and on the way."""
    reports, place = day(seed=5)
    again, other = day(seed=5, cut=333)
    assert reports == again
    assert place.snapshot() == other.snapshot()
    kinds = {(each.event.kind, each.event.reason) for each in reports}
    wanted = {Reason.LAST_LOOK, Reason.VENUE_REJECT, Reason.FILL_OR_KILL, Reason.NO_LIQUIDITY, Reason.UNKNOWN_ORDER}
    assert wanted <= {reason for _, reason in kinds}


def test_another_seed_is_another_day() -> None:
    """What happens by chance depends on the seed."""
    assert day(seed=5)[0] != day(seed=6)[0]


def test_chances_are_an_order_s_own() -> None:
    """Without one of the orders, every other one is refused at random or not, and at the time, as before."""
    whole, less = (
        {each.event.id: each for each in day(seed=5, leave_out=left)[0] if each.event.reason is Reason.VENUE_REJECT}
        for left in (None, 100)
    )
    assert whole
    assert {name: each.event.time for name, each in whole.items()} == {n: each.event.time for n, each in less.items()}


def test_latency_is_fixed_plus_lognormal() -> None:
    """Arrivals and receipts are later by it; the median of the random part is what was asked for."""
    place = venue(inbound=Latency(10 * MS), outbound=Latency(3 * MS))
    place.send(order(1, BUY, 5, 900), 0)
    assert place.advance(10 * MS - 1) == []
    (report,) = place.advance(20 * MS)
    assert (report.event.time, report.receive_time) == (10 * MS, 13 * MS)
    drawn = [Latency(MS, 2 * MS, 0.4).ns(Chance(1).uniform(Purpose.LATENCY_IN, name)) for name in range(4000)]
    assert min(drawn) > MS
    assert median(drawn) == pytest.approx(3 * MS, rel=0.03)
    assert max(Latency(0, MS, 5.0, most_ns=7).ns(each) for each in (0.5, 1 - 2**-52)) == 7


def test_an_owner_s_messages_do_not_overtake_each_other() -> None:
    """A cancel that is sent after its order arrives after it, and reports come in order."""
    place = venue(inbound=Latency(0, 10 * MS, 2.0), outbound=Latency(0, 10 * MS, 2.0))
    for name in range(1, 60):
        place.send(order(name, BUY, 5, 900, owner=1), name)
        place.send(Cancel(id=name, owner=1), name)
    reports = place.advance(10**15)
    assert [each.event.kind for each in reports] == [EventKind.ACCEPTED, EventKind.CANCELLED] * 59
    assert all(a.receive_time <= b.receive_time for a, b in itertools.pairwise(reports))


def test_random_rejects_come_at_their_rate() -> None:
    """A tenth of many orders."""
    place = venue(reject_rate=0.1)
    for name in range(1, 3001):
        place.send(order(name, BUY, 5, 900), name)
    refused = [each for each in place.advance(5000) if each.event.reason is Reason.VENUE_REJECT]
    assert 240 < len(refused) < 360


def test_slippage_moves_the_liquidity_that_an_order_would_take() -> None:
    """By its ticks, until the next quote; an order that would not take is left alone."""
    place = venue(slippage=Slippage(1.0, 3))
    place.quote(1000, 1002, 0)
    place.send(order(1, BUY, 10, 999), 1)
    place.send(order(2, BUY, 10), 2)
    assert trades(place.advance(3), 2) == [(1005, 10)]
    place.send(order(3, SELL, 10, 1000, time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL), 4)
    assert last(place.advance(4)) == (EventKind.CANCELLED, Reason.IMMEDIATE_OR_CANCEL)


def test_partial_fills_leave_a_part_of_each_tier() -> None:
    """From the least share to all, in whole increments."""
    filled = []
    for seed in range(200):
        terms = VenueTerms(tiers=(Tier(0, 100),), partial_fills=PartialFills(1.0, 0.4), quantity_increment=10)
        place = Venue(terms, seed=seed)
        place.quote(1000, 1002, 0)
        place.send(order(1, BUY, 100), 1)
        filled.append(sum(quantity for _, quantity in trades(place.advance(1), 1)))
    assert {each % 10 for each in filled} == {0}
    assert (min(filled), max(filled)) == (40, 90)
    assert mean(filled) == pytest.approx(65, abs=4)


@pytest.mark.parametrize(
    ("move", "symmetric", "price"),
    [
        (0, True, 1002),
        (1, True, 1002),
        (2, True, None),
        (-1, True, 1001),
        (-2, True, None),
        (-2, False, 1000),
        (2, False, None),
    ],
)
def test_last_look_refuses_a_price_that_moved(move: int, symmetric: bool, price: int | None) -> None:
    """Within a tick a buyer deals at what stood when it came, or better; beyond it is refused, on one side or both."""
    place = venue(last_look=LastLook(5 * MS, 1, symmetric))
    place.quote(1000, 1002, 0)
    place.send(order(1, BUY, 60), MS)
    place.quote(1000 + move, 1002 + move, 3 * MS)
    assert place.advance(6 * MS - 1) == []
    reports = place.advance(6 * MS)
    if price is None:
        assert last(reports) == (EventKind.REJECTED, Reason.LAST_LOOK)
    else:
        assert trades(reports, 1) == [(price, 60)]
        assert place.book.ask == Level(1002 + move, 40, 1)


def test_last_look_of_a_seller_is_its_mirror() -> None:
    """A bid that falls within the tolerance is dealt at where it was."""
    place = venue(last_look=LastLook(5 * MS, 1))
    place.quote(1000, 1002, 0)
    place.send(order(1, SELL, 160), MS)
    place.quote(999, 1001, 3 * MS)
    assert trades(place.advance(6 * MS), 1) == [(1000, 100), (998, 60)]


def test_resting_orders_of_clients_have_no_last_look() -> None:
    """What clients offer at better prices is firm."""
    place = venue(last_look=LastLook(5 * MS, 1))
    place.quote(1000, 1004, 0)
    place.send(order(1, SELL, 50, 1003), 1)
    place.send(order(2, BUY, 50), 2)
    assert trades(place.advance(3), 2) == [(1003, 50)]


def test_an_order_under_last_look_can_be_cancelled_and_not_replaced() -> None:
    """One by one or with all."""
    place = venue(last_look=LastLook(5 * MS, 1))
    place.quote(1000, 1002, 0)
    for name in (1, 2, 3):
        place.send(order(name, BUY, 10, owner=9), MS)
    place.send(order(1, BUY, 10, owner=9), MS)
    place.send(Replace(id=1, owner=9, quantity=5), MS)
    place.send(Cancel(id=1, owner=9), MS)
    place.send(MassCancel(owner=9, side=BUY), MS)
    found = [(each.event.id, each.event.reason) for each in place.advance(20 * MS)]
    assert found == [
        (1, Reason.DUPLICATE_ID), (1, Reason.HELD), (1, Reason.REQUESTED), (2, Reason.MASS_CANCEL),
        (3, Reason.MASS_CANCEL), (0, Reason.NONE),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (order(1, BUY, 1010, 900), Reason.ABOVE_MAXIMUM_QUANTITY),
        (order(1, BUY, 10, 900), Reason.BELOW_MINIMUM_QUANTITY),
        (order(1, BUY, 55, 900), Reason.QUANTITY_INCREMENT),
        (order(1, BUY, 50, 900, display_quantity=5), Reason.QUANTITY_INCREMENT),
        (order(1, BUY, 50, 903), Reason.PRICE_INCREMENT),
        (order(PROVIDER, BUY, 50, 900), Reason.ID),
        (order(1, BUY, 50, 900, owner=PROVIDER), Reason.OWNER),
        (Cancel(id=PROVIDER + 1, owner=PROVIDER), Reason.OWNER),
        (MassCancel(owner=PROVIDER), Reason.OWNER),
        (Cancel(id=5, owner=5), Reason.UNKNOWN_ORDER),
        (order(1, BUY, -5, 900), Reason.QUANTITY_INCREMENT),
        (order(1, 0, 50, 900), Reason.SIDE),
    ],
)
def test_limits_of_the_terms_are_kept(sent, reason: Reason) -> None:
    """What is above, below or between the steps is refused with its reason."""
    terms = {"minimum_quantity": 20, "maximum_quantity": 1000, "quantity_increment": 10, "price_increment": 5}
    place = venue(**terms)
    place.quote(1001, 1003, 0)
    place.send(sent, 1)
    reports = place.advance(2)
    assert last(reports) == (EventKind.REJECTED, reason)
    assert len(reason.says) > 20
    # The provider's prices are on the grid too, away from each other.
    assert (place.book.bid, place.book.ask) == (Level(1000, 100, 1), Level(1005, 400, 2))


def test_cancelling_everybody_leaves_the_provider() -> None:
    """Its liquidity is no client's order."""
    place = venue()
    place.quote(1000, 1002, 0)
    place.send(order(1, BUY, 10, 900), 1)
    place.send(MassCancel(owner=0), 2)
    assert place.advance(2)[-1].event.quantity == 1
    assert place.book.depth(SELL) == [Level(1002, 100, 1), Level(1004, 300, 1)]


def test_orders_end_at_their_own_time() -> None:
    """An expiry is told with the time at which it was due, whatever comes before and after."""
    place = venue()
    terms = {"time_in_force": TimeInForce.GOOD_TILL_DATE, "expire_time": 50}
    place.send(order(1, BUY, 10, 900, **terms), 1)
    place.send(order(2, BUY, 10, 900), 90)
    reports = place.advance(100)
    assert [(each.event.id, each.event.kind, each.event.time) for each in reports] == [
        (1, EventKind.ACCEPTED, 1), (1, EventKind.EXPIRED, 50), (2, EventKind.ACCEPTED, 90),
    ]  # fmt: skip


def test_what_cannot_be_is_an_error() -> None:
    """Of the past, of prices, of terms and of snapshots."""
    place = venue()
    place.advance(10)
    for wrong in (lambda: place.send(order(1, BUY, 5, 900), 9), lambda: place.quote(1, 2, 9), lambda: place.advance(9),
                  lambda: place.quote(-1, 2, 10), lambda: place.quote(1, (1 << 40) + 1, 10)):  # fmt: skip
        with pytest.raises(VenueError):
            wrong()
    for terms in ({"tiers": (Tier(2, 1), Tier(1, 1))}, {"reject_rate": 1.5}, {"maximum_quantity": 0},
                  {"tiers": TIERS * 26}, {"slippage": Slippage(0.1, 3), "price_increment": 5}):  # fmt: skip
        with pytest.raises(ValueError, match=r"it must be|they must|at most|multiples"):
            VenueTerms(**terms)
    for bad in (b"", b"{}", place.snapshot()[:-5], place.snapshot().replace(b'"version":1', b'"version":2')):
        with pytest.raises(SnapshotError):
            Venue.restore(bad, place.terms)


def test_a_venue_says_when_it_next_has_something_to_do() -> None:
    """So that a live one sleeps until then."""
    place = venue(inbound=Latency(50))
    assert place.next_time is None
    assert AlwaysOpen().next_change(0) is None
    place.send(order(1, BUY, 5, 900), 5)
    assert place.next_time == 55
