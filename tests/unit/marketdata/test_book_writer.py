"""The writer of a feed's books against a log in memory that refuses, forgets to answer and has other writers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import structlog

from crossrate.api.marketdata.v1 import book_events_pb2 as events_pb
from services.marketdata.books import writer as writers
from services.marketdata.books.board import BookBoard
from services.marketdata.books.follower import BookFollower
from services.marketdata.books.writer import BookFeed, BookTerm
from services.marketdata.domain.book import BookUpdate, Verdict
from services.marketdata.domain.composite import Health
from services.marketdata.feed import Clock
from services.marketdata.quote_log import Fenced, LogEntry, LogUnavailable


class Log:
    """A log. `before` runs before each append, and may write or fail; `after` likewise once it is done."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self._listeners: list[Callable] = []

    async def append(self, feed: str, payload: bytes, after: int) -> int:
        await asyncio.sleep(0)
        self.before()
        return self.write(feed, payload, after)

    def write(self, feed: str, payload: bytes, after: int) -> int:
        newest = max((e.number for e in self.entries if e.feed == feed), default=0)
        if newest != after:
            raise Fenced(f"{newest} is there, not {after}")
        self.entries.append(LogEntry(len(self.entries) + 1, feed, payload))
        self.after()
        return len(self.entries)

    async def announce(self, entry: LogEntry) -> None:
        for each in self._listeners:
            await each(entry)

    async def follow(self, heard: Callable) -> Callable:
        self._listeners.append(heard)

        async def end() -> None:
            self._listeners.remove(heard)

        return end

    async def last(self) -> int:
        return len(self.entries)

    async def last_of(self, feed: str) -> LogEntry | None:
        return next((e for e in reversed(self.entries) if e.feed == feed), None)

    async def read(self, after: int) -> list[LogEntry]:
        return self.entries[after : after + 3]


class Stand:
    """A log, an instance's follower and board, and what writes to them."""

    def __init__(self, log: Log | None = None) -> None:
        self.log = log or Log()
        self.board = BookBoard(1_024, 10)
        self.note = structlog.get_logger()
        self.follower = BookFollower(self.log, self.board, ["one"], 100, self.note)
        self.now = 0.0
        clock = Clock(now_ns=lambda: 5, monotonic=lambda: self.now)
        self.feed = BookFeed("one", self.log, self.follower, self.board, self.note, clock)
        self.asked: list[str] = []

    @contextlib.asynccontextmanager
    async def term(self, epoch: int = 1) -> AsyncIterator[BookTerm]:
        async with self.feed.lead(epoch, self.asked.append) as term:
            yield term

    def entries(self) -> list[events_pb.BooksPublished]:
        return [events_pb.BooksPublished.FromString(e.payload) for e in self.log.entries]

    async def read(self) -> BookBoard:
        await self.follower.catch_up()
        return self.board


def whole(number: int, price: float, pair: str = "EUR/USD") -> BookUpdate:
    return BookUpdate(pair, [(price, 1.0)], [(price + 1, 1.0)], True, last_sequence=number)


def diff(number: int, price: float, quantity: float = 1.0) -> BookUpdate:
    return BookUpdate("EUR/USD", [(price, quantity)], first_sequence=number, last_sequence=number)


def bids(board: BookBoard, pair: str = "EUR/USD") -> list[tuple[float, float]]:
    held = board.held(pair, "one")
    assert held is not None
    return [tuple(level) for level in held.ladder.bids.levels()]


async def settle(condition: Callable[[], bool]) -> None:
    """Lets the writer work until a condition holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


async def test_updates_are_written_with_numbers_of_their_own() -> None:
    """Whatever numbers the venue has; what was put before the end of the term is written."""
    stand = Stand()
    async with stand.term() as term:
        term.put(whole(70, 1.0))
        term.put(diff(71, 2.0))
        term.put(diff(72, 1.0, 0.0))
    board = await stand.read()
    held = board.held("EUR/USD", "one")
    assert (held.sequence, held.venue_sequence, bids(board)) == (3, 72, [(2.0, 1.0)])


async def test_nothing_is_written_before_the_term_is_confirmed() -> None:
    """Of two instances that begin at the same time one has no term; the number of its own would stop the other."""
    stand, confirmed = Stand(), asyncio.Event()
    async with stand.feed.lead(9, stand.asked.append, confirmed) as term:
        term.put(whole(1, 1.0))
        for _ in range(50):
            await asyncio.sleep(0)
        assert stand.log.entries == []
    assert stand.log.entries == []
    async with stand.feed.lead(8, stand.asked.append, confirmed) as term:
        term.put(whole(1, 1.0))
        confirmed.set()
    assert bids(await stand.read()) == [(1.0, 1.0)]


async def test_a_gap_is_written_and_a_snapshot_asked_for() -> None:
    """The writer asks once when it finds the gap, and again when the answer was too old."""
    stand = Stand()
    async with stand.term() as term:
        term.put(whole(1, 1.0))
        assert term.put(diff(4, 4.0)).verdict is Verdict.MISSING
        assert stand.asked == ["EUR/USD"]
        await settle(lambda: sum(len(e.changes) for e in stand.entries()) == 2)
        held = (await stand.read()).held("EUR/USD", "one")
        assert (held.health, held.gap.expected_sequence, held.gap.received_sequence) == (Health.GAPPED, 2, 4)
        assert term.put(whole(2, 2.0)).verdict is Verdict.BEHIND
        assert stand.asked == ["EUR/USD"] * 2
        assert term.put(whole(3, 3.0)).healed
    assert bids(await stand.read()) == [(4.0, 1.0), (3.0, 1.0)]
    assert (stand.feed.counts["gaps"], stand.feed.counts["healed"]) == (1, 1)
    assert stand.board.held("EUR/USD", "one").health is Health.LIVE


async def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    """Every few seconds, until it comes or the connection goes."""
    stand = Stand()
    async with stand.term() as term:
        term.put(whole(1, 1.0))
        term.put(diff(4, 4.0))
        for asked in (2, 3):
            stand.now += writers.RESNAPSHOT_S
            term._wake.set()
            await settle(lambda n=asked: len(stand.asked) == n)
        term.put(whole(3, 3.0))
        stand.now += writers.RESNAPSHOT_S
        term._wake.set()
        for _ in range(50):
            await asyncio.sleep(0)
        assert stand.asked == ["EUR/USD"] * 3


async def test_a_lost_venue_gaps_what_a_predecessor_left_too() -> None:
    """No book of the feed is to be traded on until it comes whole over the new connection."""
    stand = Stand()
    async with stand.term() as term:
        term.put(whole(1, 1.0))
        term.put(whole(1, 150.0, "USD/JPY"))
    await stand.read()
    async with stand.term(2) as term:
        term.put(whole(9, 1.5))
        term.lose("the venue hung up")
        term.lose("it is away still")
    board = await stand.read()
    for pair in ("EUR/USD", "USD/JPY"):
        held = board.held(pair, "one")
        assert (held.health, held.gap.reason) == (Health.GAPPED, "the venue hung up")
    assert bids(board) == [(1.5, 1.0)]
    assert bids(board, "USD/JPY") == [(150.0, 1.0)]
    assert stand.asked == []
    async with stand.term(3) as term:
        term.put(whole(1, 1.6))
    held = (await stand.read()).held("EUR/USD", "one")
    assert (held.health, held.gap) == (Health.LIVE, None)


async def test_an_answer_that_does_not_come_leaves_no_doubt() -> None:
    """Whether the entry is in the log or not: every book is written whole behind what is there."""
    for lost_before in (True, False):
        stand = Stand()
        fails = [False]

        def fail(fails: list[bool] = fails) -> None:
            if fails.pop() if fails else False:
                raise LogUnavailable("no answer")

        async with stand.term() as term:
            term.put(whole(1, 1.0))
            await settle(lambda s=stand: len(s.log.entries) == 1)
            fails.append(True)
            setattr(stand.log, "before" if lost_before else "after", fail)
            term.put(diff(2, 2.0))
            await settle(lambda s=stand, n=2 if lost_before else 3: len(s.log.entries) == n)
            assert stand.entries()[-1].changes[0].WhichOneof("change") == "snapshot"
            term.put(diff(3, 3.0))
        assert bids(await stand.read()) == [(3.0, 1.0), (2.0, 1.0), (1.0, 1.0)]
        assert stand.board.holes == 0


async def test_a_predecessor_that_still_writes_is_overwritten() -> None:
    """Its last entries are read, numbers go on behind them, and the books are those of the new term."""
    old, new = Stand(), None
    async with old.term(1) as first:
        first.put(whole(1, 1.0))
        await settle(lambda: len(old.log.entries) == 1)
        first.put(diff(2, 2.0))
        await settle(lambda: len(old.log.entries) == 2)
        new = Stand(old.log)
        late = events_pb.BooksPublished.FromString(old.log.entries[1].payload)
        late.changes[0].diff.first_sequence = late.changes[0].diff.last_sequence = 3

        def predecessor() -> None:
            new.log.before = lambda: None
            new.log.write("one", late.SerializeToString(), 2)

        async with new.term(2) as second:
            await settle(lambda: new.follower.complete)
            new.log.before = predecessor
            second.put(whole(5, 5.0))
            await settle(lambda: len(new.log.entries) == 4)
            assert new.entries()[-1].changes[0].snapshot.sequence == 4
            # The older term finds out with its next append, and stops.
            first.put(diff(3, 3.0))
            await settle(lambda: first.ended)
            first.put(diff(4, 4.0))
    assert len(new.log.entries) == 4
    assert bids(await new.read()) == [(5.0, 1.0)]


async def test_a_queue_that_grows_too_long_ends_in_whole_books(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded while the log is slow, and nothing is wrong afterwards."""
    monkeypatch.setattr(writers, "QUEUE_MAX", 10)
    stand = Stand()
    async with stand.term() as term:
        term.put(whole(1, 1.0))
        for number in range(2, 60):
            term.put(diff(number, float(number)))
    assert stand.feed.counts["overflow"] == 1
    assert len(bids(await stand.read())) == 59
    assert stand.board.holes == 0
    assert [c.WhichOneof("change") for e in stand.entries() for c in e.changes] == ["snapshot"]


async def test_rounds_bring_every_book_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in several entries; the log says where the last whole round began, and whoever begins there has all."""
    monkeypatch.setattr(writers, "BYTES_PER_ENTRY_MAX", 100)
    stand = Stand()
    pairs = [f"EUR/{chr(65 + n)}AA" for n in range(9)]
    async with stand.term() as term:
        for pair in pairs:
            term.put(whole(1, 1.0, pair))
        await settle(lambda: any(e.books for e in stand.entries()))
        await settle(lambda: sum(len(e.books) for e in stand.entries()) == 9)
        assert len([e for e in stand.entries() if e.books]) > 1
        stand.now = 10.5
        term.put(whole(2, 2.0, pairs[0]))
        await settle(lambda: stand.entries()[-1].round_number > 0)
        begin = stand.entries()[-1].round_number
        assert stand.entries()[begin - 1].books
        await settle(lambda: sum(len(e.books) for e in stand.entries()) == 18)
        count = len(stand.log.entries)
        # Where nothing changed there is no round.
        stand.now = 50.0
        term._wake.set()
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(stand.log.entries) == count
        # Unless others have written so much that the log could forget the last round.
        stand.follower.bytes_read += writers.ROUND_BYTES
        term._wake.set()
        await settle(lambda: sum(len(e.books) for e in stand.entries()) == 27)
        # Without the entries in front of the round, as if the log had forgotten them.
        late = BookBoard(64, 10)
        for entry, each in list(zip(stand.log.entries, stand.entries(), strict=True))[begin - 1 :]:
            late.apply(each, "one", entry.number)
        board = await stand.read()
        assert all(late.view(pair, "one").message() == board.view(pair, "one").message() for pair in pairs)
