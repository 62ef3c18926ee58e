"""From what a venue says to the platform's quotes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.ticks.clock import Clock
from services.marketdata.domain.composite import Health
from services.marketdata.domain.normalise import (
    GAPPED,
    IN_UTC,
    NEGATIVE_QUANTITY,
    NO_NUMBER,
    NO_TIME,
    NOT_POSITIVE,
    UNKNOWN_SYMBOL,
    WITHDRAWN,
    Counts,
    Mapped,
    Mark,
    Normaliser,
    Raw,
    Rules,
)
from services.marketdata.domain.outlier import Band, Rule
from services.marketdata.domain.venue_clock import VenueClock

SECOND = 1_000_000_000
NOW = 1_767_366_245 * SECOND
MAPPED = {"EURUSD": Mapped("EUR/USD"), "USDJPY": Mapped("USD/JPY", 1000.0, 1e6), "XAUUSD": Mapped("XAU/USD")}
LISTED = {"EUR/USD": True, "USD/JPY": True}


def normaliser(clock: str = "UTC", **rules) -> Normaliser:
    made = Normaliser(VenueClock(Clock.parse(clock)), MAPPED.get, Rules(**rules), Counts())
    made.list(LISTED, NOW)
    return made


def eur(bid: float = 1.1, ask: float = 1.1001, **more) -> Raw:
    return Raw("EURUSD", bid, ask, **more)


def test_units_and_names_are_the_platforms():
    """Integer points are divided, so that the double nearest to the price comes out; quantities are multiplied."""
    (quote,) = normaliser().take([Raw("USDJPY", 150123.0, 150127.0, 2.0, 3.5, NOW, 9)], NOW)
    assert (quote.instrument, quote.bid, quote.ask) == ("USD/JPY", 150.123, 150.127)
    assert (quote.bid_quantity, quote.ask_quantity) == (2_000_000, 3_500_000)
    assert (quote.sequence, quote.venue_sequence, quote.health, quote.marks) == (1, 9, Health.LIVE, ())
    assert (quote.venue_time, quote.receive_time) == (NOW, NOW)


def test_every_instrument_is_numbered_without_gaps_and_goes_on_after_a_term():
    """Ours are 1, 2, 3 …, whatever the venue numbers; another writer goes on with the next."""
    first = normaliser()
    made = first.take([eur(), eur(1.2, 1.3), Raw("USDJPY", 150000, 150001), eur(1.1, 1.2)], NOW)
    assert [(q.instrument, q.sequence) for q in made] == [
        ("EUR/USD", 1),
        ("EUR/USD", 2),
        ("USD/JPY", 1),
        ("EUR/USD", 3),
    ]
    second = normaliser()
    second.begin(made[-1:])
    assert second.take([eur()], NOW)[0].sequence == 4


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (eur(0.0), NOT_POSITIVE),
        (eur(-1.0), NOT_POSITIVE),
        (eur(1.1, 0.0), NOT_POSITIVE),
        (eur(math.nan), NO_NUMBER),
        (eur(1.1, math.nan), NO_NUMBER),
        (eur(1.1, math.inf), NO_NUMBER),
        (eur(bid_quantity=-1.0), NEGATIVE_QUANTITY),
        (eur(ask_quantity=math.nan), NEGATIVE_QUANTITY),
        (eur(venue_time=-5), NO_TIME),
        (eur(venue_time=10**20), NO_TIME),
        (Raw("DOGEUSD", 1.0, 1.1), UNKNOWN_SYMBOL),
        (Raw("XAUUSD", 1.0, 1.1), UNKNOWN_SYMBOL),
    ],
)
def test_what_is_no_quote_is_counted_with_its_reason(raw, reason):
    """Nothing of it is passed on, and it takes no number."""
    these = normaliser()
    assert these.take([raw], NOW) == []
    assert these.counts.rejected == {reason: 1}
    assert these.take([eur()], NOW)[0].sequence == 1


def test_unknown_symbols_are_remembered_once_and_printable():
    """Each is there once, in the order in which it came; one that the platform lists later is taken from then on."""
    these = normaliser()
    these.take([Raw("B\x07\ud800", 1, 2), Raw("A", 1, 2), Raw("A", 1, 2), Raw("XAUUSD", 1, 2)], NOW)
    assert list(these.unknown) == ["B\\x07\\ud800", "A", "XAUUSD"]
    assert these.counts.rejected == {UNKNOWN_SYMBOL: 4}
    these.list({**LISTED, "XAU/USD": True}, NOW)
    assert len(these.take([Raw("XAUUSD", 1, 2)], NOW)) == 1


def test_crossed_and_locked_quotes_are_told():
    """Bid above ask is a health; bid at ask is a mark on a quote that may be traded on."""
    made = normaliser(outlier=None).take([eur(1.2, 1.1), eur(1.1, 1.1), eur()], NOW)
    assert [(q.health, q.marks) for q in made] == [
        (Health.CROSSED, ()),
        (Health.LIVE, (Mark.LOCKED,)),
        (Health.LIVE, ()),
    ]


def test_gaps_and_duplicates_are_found_by_the_venues_numbers():
    """A gap is told on the quote behind it and counted exactly; what came already is left out."""
    these = normaliser()
    took = [(1, 0), (2, 1), (5, 2), (5, 2), (4, 1), (6, 3)]
    made = these.take([eur(venue_time=NOW + t, sequence=n) for n, t in took], NOW)
    assert [(q.venue_sequence, q.health) for q in made] == [
        (1, Health.LIVE),
        (2, Health.LIVE),
        (5, Health.GAPPED),
        (6, Health.LIVE),
    ]
    assert made[2].marks == (Mark.AFTER_GAP,)
    assert (these.counts.gaps, these.counts.duplicates) == (2, 2)


def test_a_venue_may_count_anew():
    """A lower number with a later time is another count, whose begin is not known; after `restart` it is not."""
    these = normaliser()
    these.take([eur(venue_time=NOW, sequence=900)], NOW)
    (quote,) = these.take([eur(venue_time=NOW + 1, sequence=1)], NOW)
    assert (quote.health, quote.marks) == (Health.GAPPED, (Mark.AFTER_GAP,))
    these.restart()
    (quote,) = these.take([eur(venue_time=NOW + 2, sequence=77)], NOW)
    assert quote.health == Health.LIVE


def test_without_numbers_a_repetition_is_marked_and_passed_on():
    """The same time, prices and quantities may be two quotes; the platform drops neither."""
    these = normaliser()
    made = these.take([eur(venue_time=NOW), eur(venue_time=NOW), eur(), eur()], NOW)
    assert [q.marks for q in made] == [(), (Mark.DUPLICATE,), (), ()]
    assert these.counts.duplicates == 1


def test_a_quote_from_before_is_marked_and_stale_if_it_is_old():
    """Slightly out of order is told; a second or more before the newest it is not current."""
    these = normaliser()
    made = these.take([eur(venue_time=NOW - t) for t in (0, 5_000_000, 1_500_000_000)], NOW)
    assert [(q.health, q.marks) for q in made] == [
        (Health.LIVE, ()),
        (Health.LIVE, (Mark.OUT_OF_ORDER,)),
        (Health.STALE, (Mark.OUT_OF_ORDER,)),
    ]
    assert these.counts.out_of_order == 2


def test_a_time_far_from_ours_is_stale():
    """An hour ahead is a wrong clock, an hour behind an old price: neither is current."""
    these = normaliser(late_ns=10 * SECOND)
    made = these.take([eur(venue_time=NOW - 3600 * SECOND), eur(venue_time=NOW + 3600 * SECOND)], NOW)
    assert [q.health for q in made] == [Health.STALE, Health.STALE]
    assert these.counts.late == 2


def test_what_an_adapter_knows_counts():
    """A gap that an adapter knows of, and a price that is not shown any more."""
    these = normaliser()
    (first, gapped, gone) = these.take([eur(), eur(note=GAPPED), eur(0, 0, note=WITHDRAWN)], NOW)
    assert (first.health, gapped.health, gone.health) == (Health.LIVE, Health.GAPPED, Health.STALE)
    assert (gone.bid, gone.sequence) == (1.1, 3)
    assert these.take([eur(0, 0, note=WITHDRAWN)], NOW) == []


def test_a_halt_closes_once_and_until_it_ends():
    """One CLOSED quote at the last prices; what comes meanwhile is CLOSED, what comes afterwards is not."""
    these = normaliser()
    these.take([eur()], NOW)
    (closed,) = these.list({"EUR/USD": False, "USD/JPY": True}, NOW + 1)
    assert (closed.health, closed.sequence, closed.bid, closed.receive_time) == (Health.CLOSED, 2, 1.1, NOW + 1)
    assert these.list({"EUR/USD": False, "USD/JPY": True}, NOW + 2) == []
    assert these.take([eur()], NOW)[0].health == Health.CLOSED
    these.list(LISTED, NOW)
    assert these.take([eur()], NOW)[0].health == Health.LIVE


def test_going_stale_and_gapped_say_each_instrument_once():
    """A venue that is gone is told once an instrument, and a gap takes nothing back that is worse."""
    these = normaliser()
    these.take([eur(), Raw("USDJPY", 150001, 150000)], NOW)
    assert [(q.instrument, q.health) for q in these.go_gapped(NOW, 7)] == [("EUR/USD", Health.GAPPED)]
    assert these.counts.gaps == 7
    assert [q.health for q in these.go_stale(NOW)] == [Health.STALE, Health.STALE]
    assert these.go_stale(NOW) == []


def test_an_outlier_is_marked_and_not_live_until_it_is_confirmed():
    """A price a percent away is told, never dropped; the third in a row there is where the market is."""
    these = normaliser()
    these.take([eur(1.1 + i * 1e-5, 1.1001 + i * 1e-5) for i in range(20)], NOW)
    made = these.take([eur(1.12, 1.1201), eur(1.1, 1.1001), *[eur(1.13, 1.1301)] * 4], NOW)
    assert [q.health == Health.LIVE for q in made] == [False, True, False, False, True, True]
    assert [q.marks for q in made] == [(Mark.OUTLIER,), (), (Mark.OUTLIER,), (Mark.OUTLIER,), (), ()]
    assert these.counts.outliers == 3
    live = normaliser(outliers_live=True)
    live.take([eur()] * 10, NOW)
    assert [(q.health, q.marks) for q in live.take([eur(1.2, 1.2001)], NOW)] == [(Health.LIVE, (Mark.OUTLIER,))]


def test_the_band_follows_the_market_and_widens_with_it():
    """Steps that are usual are never outliers, however far they lead; after a long silence it begins anew."""
    band = Band(Rule())
    assert not any(band.outlies(1.1 * 1.001**i, i) for i in range(500))
    band = Band(Rule(forget_ns=1000))
    assert not any(band.outlies(1.1, 0) for _ in range(20))
    assert band.outlies(1.2, 500)
    assert not band.outlies(1.2, 2000)


@given(st.lists(st.floats(0.5, 2.0), max_size=200))
def test_the_band_keeps_its_order(mids):
    """Whatever comes, the window is the last mids that were taken, sorted."""
    band = Band(Rule(window=8, begin=8, floor_bp=10_000))
    for at, mid in enumerate(mids):
        band.outlies(mid, at)
    assert band._sorted == sorted(band._order)
    assert len(band._sorted) <= 8


@pytest.mark.parametrize(
    ("clock", "utc", "local"),
    [
        ("UTC", "2026-07-01T12:00:00", "2026-07-01T12:00:00"),
        ("UTC-05:00", "2026-07-01T12:00:00", "2026-07-01T07:00:00"),
        ("Europe/London", "2026-01-15T12:00:00", "2026-01-15T12:00:00"),
        ("Europe/London", "2026-07-01T12:00:00", "2026-07-01T13:00:00"),
        # The hour that comes twice, both times.
        ("Europe/London", "2026-10-25T00:30:00", "2026-10-25T01:30:00"),
        ("Europe/London", "2026-10-25T01:30:00", "2026-10-25T01:30:00"),
        # Right before and after the hour that does not exist.
        ("Europe/London", "2026-03-29T00:59:59", "2026-03-29T00:59:59"),
        ("Europe/London", "2026-03-29T01:00:01", "2026-03-29T02:00:01"),
        ("New York+7", "2026-03-08T06:59:00", "2026-03-08T08:59:00"),
        ("New York+7", "2026-03-08T07:01:00", "2026-03-08T10:01:00"),
    ],
)
def test_the_venues_clock_becomes_utc(clock, utc, local):
    """Daylight saving is resolved by when the quote came, also in the hour that comes twice."""
    moment = int(np.datetime64(utc, "ns").astype(np.int64))
    shown = int(np.datetime64(local, "ns").astype(np.int64))
    these = normaliser(clock)
    for receive in (moment + 40_000_000, moment + 5 * SECOND, moment - SECOND):
        (quote,) = these.take([eur(venue_time=shown)], receive)
        assert (quote.venue_time, quote.health) == (moment, Health.LIVE)
    (quote,) = these.take([eur(venue_time=moment, note=IN_UTC)], moment)
    assert quote.venue_time == moment
