"""When a venue trades."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from crossrate.basics.pair import Pair
from crossrate.exchange.event import EventKind, Reason
from crossrate.exchange.hours import MarketHours
from crossrate.exchange.order import Cancel
from crossrate.exchange.terms import LastLook, VenueTerms
from crossrate.exchange.venue import Venue
from tests.unit.exchange.test_venue import BUY, SELL, TIERS, order, trades


def at(*when: int) -> int:
    """A moment in New York, nanoseconds."""
    return int(datetime(*when, tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9


def test_a_venue_keeps_the_market_s_week_and_its_holidays() -> None:
    """From Friday 17:00 New York to Sunday 17:00, and on a trade date that it does not deal, only cancels are taken."""
    hours = MarketHours(Pair("EUR", "USD"), holidays=[date(2026, 12, 25)])
    friday, sunday = at(2026, 11, 27, 17), at(2026, 11, 29, 17)
    assert hours.is_open(friday - 1)
    assert not hours.is_open(friday)
    assert hours.next_change(friday - 1) == friday
    assert hours.next_change(friday) == sunday
    assert hours.next_change(sunday) == at(2026, 12, 4, 17)
    assert hours.next_change(at(2026, 12, 23, 12)) == at(2026, 12, 24, 17)
    assert hours.next_change(at(2026, 12, 25, 12)) == at(2026, 12, 27, 17)
    place = Venue(VenueTerms(tiers=TIERS, hours=hours, last_look=LastLook(10**9, 5)), seed=1, start=friday - 10**10)
    place.quote(1000, 1002, friday - 10**9)
    place.send(order(1, BUY, 10, 900), friday - 10**9)
    place.send(order(2, BUY, 10), friday - 1)
    place.send(order(3, BUY, 10, 900), friday)
    place.quote(1000, 1002, friday + 1)
    place.send(Cancel(id=1, owner=1), friday + 2)
    found = [(each.event.id, each.event.kind, each.event.reason) for each in place.advance(sunday - 1)]
    assert found == [
        (1, EventKind.ACCEPTED, Reason.NONE), (2, EventKind.REJECTED, Reason.MARKET_CLOSED),
        (3, EventKind.REJECTED, Reason.MARKET_CLOSED), (1, EventKind.CANCELLED, Reason.REQUESTED),
    ]  # fmt: skip
    assert place.book.depth(SELL) == []
    assert place.next_time == sunday
    place.quote(1000, 1002, sunday)
    place.send(order(4, BUY, 10), sunday)
    assert trades(place.advance(sunday + 10**10), 4) == [(1002, 10)]
