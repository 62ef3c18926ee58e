"""Entries of the log as rows: what is taken, what is not, and what is said of quotes that are missing."""

from __future__ import annotations

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.ticks.columns import Flag
from services.marketdata.history.rows import Collected, Key, Mark
from services.marketdata.quote_log import LogEntry

PAIR = "EUR/USD"
FEED = "simulated"


def entry(first: int, *sequences: int, epoch: int = 1, health: int = pb.QUOTE_HEALTH_LIVE) -> events_pb.QuotesPublished:
    """An entry with quotes of one pair."""
    made = events_pb.QuotesPublished(epoch=epoch, first_sequence=first)
    for number in sequences:
        quote = made.quotes.add(instrument=PAIR, bid=1.1, ask=1.2, sequence=number, health=health)
        quote.venue_time.FromSeconds(number)
    return made


def collected(mark: Mark | None = None, last: int | None = None) -> Collected:
    """Nothing yet, behind what is stored."""
    asked: list[Key] = []

    def last_stored(key: Key) -> int | None:
        asked.append(key)
        return last

    return Collected(0, lambda _feed: mark, last_stored)


def taken(held: Collected) -> list[tuple[int, int]]:
    """Sequences and flags of what was taken."""
    ticks = held.columns[FEED, PAIR].ticks()
    return list(zip(ticks.sequence.tolist(), ticks.flags.tolist(), strict=True))


def test_entries_that_a_board_discards_are_not_taken() -> None:
    """An entry that is there twice, or that an old term wrote after a new one began, adds nothing."""
    held = collected()
    held.take(1, FEED, entry(1, 1, 2))
    held.take(2, FEED, entry(1, 1, 2))
    held.take(3, FEED, entry(3, 3, epoch=2))
    held.take(4, FEED, entry(4, 9, epoch=1))
    assert taken(held) == [(1, 0), (2, 0), (3, 0)]
    assert (held.number, held.rows, held.feeds[FEED]) == (4, 3, Mark(2, 3, 0))


def test_a_gap_is_counted_by_the_feed_and_marked_by_the_instrument() -> None:
    """Only the first quote behind the missing ones carries the flag; entries without quotes tell of gaps, too."""
    held = collected()
    held.take(1, FEED, entry(1, 1, 2))
    held.take(4, FEED, entry(6))
    held.take(5, FEED, entry(6, 5, 6))
    assert taken(held) == [(1, 0), (2, 0), (5, Flag.AFTER_GAP), (6, 0)]
    assert held.feeds[FEED] == Mark(1, 7, 3)


def test_a_gap_before_the_first_entry_is_seen_by_what_is_stored() -> None:
    """The number of the last stored quote of the pair says whether its own quotes are missing, or another pair's."""
    for last, flags in ((4, Flag.AFTER_GAP), (9, 0), (None, 0)):
        held = collected(Mark(1, 20, 5), last)
        held.take(1, FEED, entry(31, 10))
        assert taken(held) == [(10, flags)]
        assert held.feeds[FEED] == Mark(1, 31, 15)
    held = collected(Mark(1, 30, 5), 4)
    held.take(1, FEED, entry(31, 10))
    assert taken(held) == [(10, 0)]


def test_a_feed_that_began_anew_is_taken_from_its_beginning() -> None:
    """Numbers that start again under a greater term are no gap and no repetition."""
    held = collected()
    held.take(1, FEED, entry(100, 50))
    held.take(1, FEED, entry(1, 1, epoch=2))
    assert taken(held) == [(50, 0), (1, 0)]
    assert held.feeds[FEED] == Mark(2, 1, 0)


def test_health_becomes_flags() -> None:
    """What a quote's health says against it is kept, and so are prices that touch or cross."""
    held = collected()
    for number, (health, flag) in enumerate(
        (
            (pb.QUOTE_HEALTH_STALE, Flag.STALE),
            (pb.QUOTE_HEALTH_GAPPED, Flag.AFTER_GAP),
            (pb.QUOTE_HEALTH_CLOSED, Flag.CLOSED),
            (pb.QUOTE_HEALTH_UNSPECIFIED, 0),
        ),
        1,
    ):
        held.take(number, FEED, entry(number, number, health=health))
        assert taken(held)[-1] == (number, flag)
    crossed = entry(5, 5, 6)
    crossed.quotes[0].ask, crossed.quotes[1].ask = 1.0, 1.1
    crossed.quotes[1].flags.append(pb.QUOTE_FLAG_OUTLIER)
    held.take(5, FEED, crossed)
    assert taken(held)[-2:] == [(5, Flag.CROSSED), (6, Flag.LOCKED | Flag.OUTLIER)]


def test_what_cannot_be_read_is_counted_and_passed() -> None:
    """An entry that nothing of this service wrote does not stop the recorder."""
    held = collected()
    assert held.take_all([LogEntry(7, FEED, b"\xff\xff"), LogEntry(8, FEED, entry(1, 1).SerializeToString())]) == 1
    assert (held.number, held.undecodable) == (8, 1)
