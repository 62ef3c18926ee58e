"""Order books: what a diff costs, from a venue's update to a change on another instance's board.

Three stretches, each with books of fifty levels a side and diffs of six: a venue's book alone; an update put,
numbered and encoded, appended to a log in memory, decoded and applied to a board; the same over a real NATS that
acknowledges what is on disk.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

import structlog

from crossrate.events.events import Events
from crossrate.runtime import topology
from services.marketdata.books.board import BookBoard
from services.marketdata.books.follower import BookFollower
from services.marketdata.books.log import BookLog
from services.marketdata.books.writer import BookFeed
from services.marketdata.domain.book import BookUpdate, VenueBook
from tests.bench.figures import median
from tests.integration.conftest import Servers

PAIRS = tuple(f"EUR/{chr(65 + n)}AA" for n in range(20))
LEVELS = 50
TOUCHED = 3
"""Levels of each side in a diff."""
IN_FLIGHT = 2_000
"""Updates that are put before the writer gets the loop again: what comes in one read of a busy connection."""


def updates(count: int) -> list[BookUpdate]:
    """A snapshot of each book, then diffs in turn."""
    chance = random.Random(7)
    made, numbers = [], dict.fromkeys(PAIRS, 1)
    for pair in PAIRS:
        bids = [((110_000 - n) / 1e5, 1e6) for n in range(1, LEVELS + 1)]
        asks = [((110_000 + n) / 1e5, 1e6) for n in range(1, LEVELS + 1)]
        made.append(BookUpdate(pair, bids, asks, True, last_sequence=1))
    for number in range(count):
        pair = PAIRS[number % len(PAIRS)]
        numbers[pair] += 1
        bids = [((110_000 - chance.randint(1, 60)) / 1e5, float(chance.randint(0, 5))) for _ in range(TOUCHED)]
        asks = [((110_000 + chance.randint(1, 60)) / 1e5, float(chance.randint(0, 5))) for _ in range(TOUCHED)]
        made.append(BookUpdate(pair, bids, asks, False, numbers[pair], numbers[pair]))
    return made


def applied_per_s(count: int) -> float:
    """Diffs a second that one process applies to venues' books."""
    books = {pair: VenueBook() for pair in PAIRS}
    every = updates(count)
    begun = time.perf_counter()
    for update in every:
        books[update.instrument].apply(update)
    took = time.perf_counter() - begun
    assert all(book.live for book in books.values())
    return len(every) / took


async def written_per_s(count: int) -> float:
    """Diffs a second from `put` through JetStream to the board of the same process, all there in the end."""
    every = updates(count)
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder), topology.load())
        try:
            servers.issue()
            await servers.start_nats()
            await servers.nats.provision(servers.topology)
            events = await Events.open(servers.runtime("marketdata"))
            log, board, note = BookLog(events), BookBoard(1 << 14, 10), structlog.get_logger()
            follower = BookFollower(log, board, ["bench"], 1_000, note)
            closed = asyncio.Event()
            following = asyncio.create_task(follower.run(closed))
            begun = time.perf_counter()
            async with BookFeed("bench", log, follower, board, note).lead(1, lambda _name: None) as term:
                for start in range(0, len(every), IN_FLIGHT):
                    for update in every[start : start + IN_FLIGHT]:
                        term.put(update)
                    while board.head < start:
                        await board.changed().wait()
                while board.head < len(every):
                    await board.changed().wait()
            took = time.perf_counter() - begun
            closed.set()
            await following
            await events.close()
            return len(every) / took
        finally:
            await asyncio.to_thread(servers.remove)


def book_diffs_per_s(quick: bool) -> tuple[dict[str, float], dict[str, str]]:
    """Both rates, medians of some rounds."""
    count, rounds = (20_000, 1) if quick else (100_000, 3)
    applied = [applied_per_s(count) for _ in range(rounds)]
    written = [asyncio.run(asyncio.wait_for(written_per_s(count), 120)) for _ in range(rounds)]
    return (
        {"book_applied_per_s": median(applied), "book_diffs_per_s": median(written)},
        {
            "book_applied_per_s": "diffs of 6 levels to books of 2 × 50, one process",
            "book_diffs_per_s": "the same put, numbered, on disk in JetStream, and on the board",
        },
    )
