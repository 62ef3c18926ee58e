"""Health of feeds and instruments: what changes, in which order, and who hears of it."""

import asyncio
import dataclasses

import pytest

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata import health_stream
from services.marketdata.board import Board
from services.marketdata.cursor import Cursor
from services.marketdata.domain.normalise import Counts
from services.marketdata.feed_status import DISCONNECTED, LIVE, FeedStatus
from services.marketdata.follower import Written
from services.marketdata.health import CHANGES_KEPT, UNWRITTEN, ChangesForgotten, HealthBoard
from services.marketdata.health_stream import Reader, Wanted
from services.marketdata.quote_log import LogUnavailable
from services.marketdata.term import Term
from tests.unit.marketdata.looks import away, never, nothing

SECOND = 1_000_000_000
ALL = Wanted(frozenset(), frozenset(), 5.0)


@dataclasses.dataclass
class Log:
    """Two feeds that write into one log, and an instance that reads it."""

    now_s: float = 1_000.0
    number: int = 0

    def __post_init__(self) -> None:
        self.board = Board(1024, 10.0, {"b": 2.0})
        self.written: dict[str, Written] = {}
        kinds = {"a": feed_pb2.FEED_KIND_FIX, "b": feed_pb2.FEED_KIND_NATS}
        self.health = HealthBoard(
            kinds,
            self.board,
            lambda: self.written,
            3.0,
            now_ns=lambda: round(self.now_s * SECOND),
            monotonic=lambda: self.now_s,
        )
        self.sequences: dict[tuple[str, str], int] = {}
        self.terms = {name: Term(name, 5) for name in kinds}

    def write(self, feed: str, *quotes: tuple[str, int], told: int = 0, reason: str = "") -> None:
        """One entry with quotes of a health each, and the feed's own if it is `told`."""
        made = []
        for name, health in quotes:
            sequence = self.sequences[name, feed] = self.sequences.get((name, feed), 0) + 1
            quote = pb.Quote(instrument=name, bid=1.1, ask=1.2, sequence=sequence, health=health, source=feed)
            quote.receive_time.FromNanoseconds(round(self.now_s * SECOND))
            made.append(quote)
        entry = self.terms[feed].entry(round(self.now_s * SECOND), made)
        if told:
            entry.feed.name, entry.feed.health, entry.feed.reason, entry.feed.writer = feed, told, reason, "m-1"
        self.number += 1
        self.terms[feed].appended(entry, self.number)
        self.board.apply(entry, feed, self.number)
        self.written.setdefault(feed, Written()).take(self.number, entry, self.now_s)
        self.health.applied(entry, feed, self.number)

    def age(self, seconds: float) -> None:
        """Lets time pass."""
        self.now_s += seconds
        self.board.mark_stale(round(self.now_s * SECOND))
        self.health.check()


def shown(changes) -> list[tuple[str, ...]]:
    """Changes in short."""
    if changes is None:
        return []
    feeds = [(f.name, feed_pb2.FeedHealth.Name(f.health).removeprefix("FEED_HEALTH_")) for f in changes.feeds]
    return feeds + [
        (i.instrument, i.source, pb.QuoteHealth.Name(i.health).removeprefix("QUOTE_HEALTH_"))
        for i in changes.instruments
    ]


def test_a_reader_begins_with_everything_and_goes_on_with_changes():
    """What does not change is not told again; with one venue the composite is that venue's."""
    log = Log()
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE), told=LIVE)
    reader = Reader(log.health, ALL)
    first = reader.take()
    assert first.complete
    assert shown(first) == [
        ("a", "LIVE"),
        ("b", "CONNECTING"),
        ("EUR/USD", "a", "LIVE"),
        ("EUR/USD", "composite", "LIVE"),
    ]
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE), told=LIVE)
    assert not reader.pending
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_CROSSED), ("EUR/USD", pb.QUOTE_HEALTH_LIVE))
    # The composite's is told as it is after the entry.
    assert shown(reader.take()) == [("EUR/USD", "a", "CROSSED"), ("EUR/USD", "a", "LIVE")]
    log.write("a", told=DISCONNECTED, reason="gone")
    assert shown(reader.take()) == [("a", "DISCONNECTED")]


def test_the_composite_of_two_venues_is_well_while_one_of_them_is():
    """A venue that turns STALE alone takes nothing from the composite."""
    log = Log()
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE))
    log.write("b", ("EUR/USD", pb.QUOTE_HEALTH_LIVE))
    reader = Reader(log.health, Wanted(frozenset(), frozenset(["composite"]), 5.0))
    assert shown(reader.take()) == [("EUR/USD", "composite", "LIVE")]
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_STALE))
    assert reader.take() is None
    log.write("b", ("EUR/USD", pb.QUOTE_HEALTH_CLOSED))
    assert shown(reader.take()) == [("EUR/USD", "composite", "STALE")]


def test_age_is_found_by_the_instance_with_each_feeds_own_limit():
    """A quote turns STALE by its feed's rule, once, and LIVE again with the next; nobody wrote that."""
    log = Log()
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE))
    log.write("b", ("USD/JPY", pb.QUOTE_HEALTH_LIVE))
    reader = Reader(log.health, Wanted(frozenset(), frozenset(["a", "b"]), 5.0))
    reader.take()
    log.age(2.5)
    assert shown(reader.take()) == [("USD/JPY", "b", "STALE")]
    log.age(0.1)
    assert reader.take() is None
    log.write("b", ("USD/JPY", pb.QUOTE_HEALTH_LIVE))
    assert shown(reader.take()) == [("USD/JPY", "b", "LIVE")]
    log.age(2.5)
    reader.take()
    log.write("b", ("USD/JPY", pb.QUOTE_HEALTH_STALE))
    assert reader.take() is None


def test_a_feed_without_a_writer_is_found():
    """After the silence every feed that nobody writes is DISCONNECTED; the next entry brings its own health back."""
    log = Log()
    log.write("a", told=LIVE)
    reader = Reader(log.health, ALL)
    reader.take()
    log.age(3.5)
    assert shown(reader.take()) == [("a", "DISCONNECTED"), ("b", "DISCONNECTED")]
    assert {feed.reason for feed in log.health.feeds()} == {UNWRITTEN}
    assert not log.health.feeds()[0].writer
    log.write("a")
    log.age(0.1)
    assert shown(reader.take()) == [("a", "LIVE")]
    assert log.health.feeds()[0].writer == "m-1"


def test_whoever_resumes_gets_what_it_missed_and_what_was_found():
    """Changes after the cursor, in order; what an instance found by itself may be told again."""
    log = Log()
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE), told=LIVE)
    log.write("b", told=LIVE)
    cursor = log.health.cursor(log.health.last)
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_CROSSED))
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE))
    log.age(2.9)
    log.write("a", told=LIVE)
    log.age(0.2)
    number = log.health.find(cursor)
    reader = Reader(log.health, dataclasses.replace(ALL, after=number))
    got = reader.take()
    assert not got.complete
    assert shown(got) == [
        ("b", "DISCONNECTED"),
        ("EUR/USD", "a", "CROSSED"),
        ("EUR/USD", "composite", "CROSSED"),
        ("EUR/USD", "a", "LIVE"),
        ("EUR/USD", "composite", "LIVE"),
    ]
    assert not reader.pending
    again = Reader(log.health, dataclasses.replace(ALL, after=log.health.find(log.health.cursor(log.health.last))))
    assert shown(again.take()) == [("b", "DISCONNECTED")]


def test_a_message_that_ends_within_an_entry_has_a_cursor_before_it():
    """Changes of one entry have one place: the cursor moves behind it only when all of them are sent."""
    log = Log()
    log.write("a", told=LIVE)
    reader = Reader(log.health, ALL)
    reader.take()
    names = [f"{a}{b}{c}/USD" for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJ" for c in "ABCDEF"]
    log.write("a", *[(name, pb.QUOTE_HEALTH_LIVE) for name in names])
    assert len(reader.take().instruments) == health_stream.CHANGES_MAX
    assert log.health.cursor(reader.number).place == 1
    assert len(reader.take().instruments) == 2 * len(names) - health_stream.CHANGES_MAX
    assert log.health.cursor(reader.number).place == 2


def test_what_is_forgotten_is_told_anew_or_refused():
    """A reader that fell too far behind gets everything as it is; a cursor from then is expired."""
    log = Log()
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE), told=LIVE)
    cursor = log.health.cursor(log.health.last)
    reader = Reader(log.health, ALL)
    reader.take()
    for _ in range(CHANGES_KEPT // 4 + 1):
        log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_CROSSED))
        log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE))
    got = reader.take()
    assert got.complete
    assert shown(got)[-1] == ("EUR/USD", "composite", "LIVE")
    with pytest.raises(ChangesForgotten):
        log.health.find(cursor)


def test_a_log_that_was_lost_ends_every_cursor():
    """Numbers that begin anew mean nothing to cursors from before."""
    log = Log()
    for _ in range(5):
        log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_LIVE), told=LIVE)
    cursor = log.health.cursor(log.health.last)
    log.number = 0
    log.terms["a"] = Term("a", 9, 6)
    log.write("a", ("EUR/USD", pb.QUOTE_HEALTH_STALE))
    with pytest.raises(ChangesForgotten):
        log.health.find(cursor)
    assert log.health.find(log.health.cursor(log.health.last)) == log.health.last


async def test_a_stream_waits_resumes_and_says_that_it_lives():
    """Everything first, then changes as they come, heartbeats in between; an instance behind the cursor is awaited."""
    log = Log()
    log.write("a", told=LIVE)
    ending = asyncio.Event()
    wanted = Wanted(frozenset(), frozenset(), 0.05, messages_max=2)
    stream = health_stream.messages(log.health, wanted, ending)
    first = await anext(stream)
    assert (first.position.sequence, first.changes.complete) == (1, True)
    assert (await anext(stream)).HasField("heartbeat")
    log.write("b", told=LIVE)
    while (message := await anext(stream)).HasField("heartbeat"):
        pass
    assert shown(message.changes) == [("b", "LIVE")]
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    ahead = Cursor(5, log.number + 1)
    waiting = asyncio.ensure_future(health_stream.place(log.health, ahead, 5.0, never))
    await asyncio.sleep(0)
    log.write("b", told=LIVE)
    assert await waiting == log.health.last
    following = Cursor(5, log.number + 1)
    with pytest.raises(ChangesForgotten):
        await health_stream.place(log.health, following, 0.01, nothing)
    with pytest.raises(LogUnavailable):
        await health_stream.place(log.health, following, 0.01, away)

    async def read() -> None:
        log.write("b", told=LIVE)

    assert await health_stream.place(log.health, following, 0.01, read) == log.health.last
    text = health_stream.encode(ahead)
    assert health_stream.decode(text) == ahead
    for wrong in (ahead.encode(), "health.x", ""):
        with pytest.raises(ValueError, match="not a cursor"):
            health_stream.decode(wrong)


def test_a_status_is_told_when_it_changes_and_counts_once_a_second():
    """A change of health at once; counts a second later at most; what says nothing new never."""
    before = feed_pb2.Feed(quote_count=7, gap_count=1, rejected=[feed_pb2.RejectedCount(reason="x", count=2)])
    status = FeedStatus("a", feed_pb2.FEED_KIND_FIX, "m-1", before, SECOND)
    assert status.counts == Counts(quotes=7, gaps=1, rejected={"x": 2})
    assert status.told(SECOND, (), ()) is not None
    status.counts.quotes += 1
    assert status.told(SECOND + 1, (), ()) is None
    told = status.told(2 * SECOND, [5, -3, 9, 7], ["B", "A"])
    assert (told.quote_count, list(told.unknown_symbols)) == (8, ["B", "A"])
    assert (told.latency_p50.ToNanoseconds(), told.latency_p99.ToNanoseconds()) == (7, 9)
    assert status.told(9 * SECOND, [5, -3, 9, 7], ["B", "A"]) is None
    status.become(LIVE, "", 9 * SECOND)
    assert status.told(9 * SECOND + 1, (), ()).health_time.ToNanoseconds() == 9 * SECOND
    status.become(LIVE, "", 10 * SECOND)
    assert status.told(10 * SECOND, (), ()) is None
    status.become(DISCONNECTED, "gone " * 500, 11 * SECOND)
    assert len(status.told(11 * SECOND, (), ()).reason) == 500


def test_the_last_entry_of_a_term_says_where_the_source_stands():
    """Whoever begins there goes on there; entries that say nothing of it take nothing back."""
    term = Term("a", 5)
    entry = term.entry(SECOND)
    entry.state.step, entry.feed.name = 77, "a"
    term.appended(entry, 1)
    term.appended(term.entry(SECOND), 2)
    last = term.release(SECOND)
    assert (last.released, last.state.step, last.feed.name) == (True, 77, "a")
    written = Written()
    written.take(1, entry, 0.0)
    written.take(2, events_pb.QuotesPublished(epoch=5, first_sequence=1, released=True), 0.0)
    assert (written.state.step, written.feed.name) == (77, "a")
