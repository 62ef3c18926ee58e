"""A look into the log: who asks together is answered together, and nobody by what was asked before."""

import asyncio

import pytest
import structlog

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from services.marketdata.board import PLACES_PER_ENTRY, Board
from services.marketdata.cursor import Cursor
from services.marketdata.follower import Follower
from services.marketdata.quote_log import LogEntry, LogUnavailable, QuoteLog
from services.marketdata.ring import CursorUnknown

FEED = "simulated"


class Log(QuoteLog):
    """A log in memory that can be away, or wait before it answers.

    Attributes:
        asked: how often it was asked for its end.
        gate: it does not answer before this is set.
    """

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.asked = 0
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    def write(self, epoch: int, first: int = 0) -> None:
        """One more entry, with one quote."""
        number = len(self.entries) + 1
        published = events_pb.QuotesPublished(epoch=epoch, first_sequence=first or number)
        published.quotes.add(instrument="EUR/USD", bid=1.1, ask=1.2, sequence=first or number)
        self.entries.append(LogEntry(number, FEED, published.SerializeToString()))

    async def last(self) -> int:
        """See QuoteLog."""
        self.asked += 1
        last = len(self.entries)
        await self.gate.wait()
        if self.away:
            raise LogUnavailable("nobody answers")
        return last

    async def last_of(self, feed: str) -> LogEntry | None:
        """See QuoteLog."""
        return self.entries[-1] if self.entries else None

    async def read(self, after: int, feed: str = "*", limit: int = 256) -> list[LogEntry]:
        """See QuoteLog."""
        return self.entries[after : after + limit]


def following(log: Log) -> tuple[Follower, Board]:
    """An instance that reads the log."""
    board = Board(64, 10)
    return Follower(log, board, [FEED], 1_000, structlog.get_logger()), board


async def asked_together(follower: Follower, count: int) -> list[asyncio.Task[None]]:
    """So many who look at once, each as far as it comes."""
    looks = [asyncio.create_task(follower.look()) for _ in range(count)]
    for _ in range(5):
        await asyncio.sleep(0)
    return looks


async def test_a_thousand_who_look_at_once_ask_the_log_twice() -> None:
    """When an instance dies its readers come together: one asks for the first, one for all who came meanwhile."""
    log = Log()
    log.write(1)
    follower, board = following(log)
    log.gate.clear()
    looks = await asked_together(follower, 1_000)
    log.gate.set()
    await asyncio.gather(*looks)
    assert log.asked == 2
    assert board.head == 1


async def test_who_comes_during_a_look_is_not_answered_by_it() -> None:
    """It may know of an entry that was written after the log was asked: a second look finds it."""
    log = Log()
    log.write(1)
    follower, board = following(log)
    log.gate.clear()
    first = await asked_together(follower, 1)
    log.write(1)
    second = await asked_together(follower, 100)
    assert log.asked == 1
    log.gate.set()
    await asyncio.gather(*first, *second)
    assert log.asked == 2
    assert board.head == 2


async def test_a_log_that_does_not_answer_is_told_to_all_who_asked() -> None:
    """They do not wait for its silence one after the other; whoever asks later tries again."""
    log = Log()
    log.write(1)
    follower, board = following(log)
    log.away = True
    log.gate.clear()
    looks = await asked_together(follower, 100)
    log.gate.set()
    found = await asyncio.gather(*looks, return_exceptions=True)
    assert {type(each) for each in found} == {LogUnavailable}
    assert log.asked == 2
    log.away = False
    await follower.look()
    assert board.head == 1


async def test_who_gives_up_its_look_takes_nobody_else_s() -> None:
    """A client that goes away while the log is read for it leaves the others their answer."""
    log = Log()
    log.write(1)
    follower, board = following(log)
    log.gate.clear()
    looks = await asked_together(follower, 3)
    looks[0].cancel()
    await asyncio.sleep(0)
    log.gate.set()
    found = await asyncio.gather(*looks, return_exceptions=True)
    assert [type(each) for each in found] == [asyncio.CancelledError, type(None), type(None)]
    assert board.head == 1


async def test_a_log_that_went_back_is_told_from_one_that_is_to_be_read() -> None:
    """A cursor of entries that are gone has expired, also when others stand in their places by then."""
    log = Log()
    for _ in range(5):
        log.write(7)
    follower, board = following(log)
    await follower.look()
    cursor, lagging = board.cursor(5), board.cursor(3)
    del log.entries[3:]
    heir, heirs = following(log)
    await heir.look()
    assert await heirs.found(lagging, 0.0, heir.look) == 3
    with pytest.raises(CursorUnknown):
        await heirs.found(cursor, 0.0, heir.look)
    # The instance that has the lost entries finds out by the same look, and what it kept has no places any more.
    with pytest.raises(CursorUnknown):
        await board.found(Cursor(7, cursor.place + 2 * PLACES_PER_ENTRY), 0.0, follower.look)
    with pytest.raises(CursorUnknown):
        await board.found(cursor, 0.0, follower.look)
    for _ in range(3):
        log.write(8)
    await heir.look()
    with pytest.raises(CursorUnknown):
        await heirs.found(cursor, 0.0, heir.look)
