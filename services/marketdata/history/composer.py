"""Composites as history: what a board makes of the log, written down.

    log ──▶ board ──▶ composite of each quote of a venue ──▶ rows of source "composite"

Prices of several venues are not composed when they are asked for: the store keeps each venue's quotes by their own
time, and no longer in the order of the log, which decides what a composite has seen. So whoever takes entries of the
log takes them past a board as well, the same that streams are served from, and what it says is what was live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from services.marketdata.board import PLACES_PER_ENTRY, Board
from services.marketdata.entry import Entry
from services.marketdata.quote_log import LogEntry, QuoteLog

SEED_ENTRIES_MAX = 20_000
"""Entries of one feed that are read to know its newest quotes; between two that carry them all are 150."""

BoardOf = Callable[[frozenset[str] | None], Board]
"""Makes an empty board of some instruments, or of all."""


def boards(stale_after_s: float, ages: Mapping[str, float]) -> BoardOf:
    """Boards that tell the age of quotes as the live one does."""
    # Its ring has room for what one entry says.
    return lambda names: Board(2 * PLACES_PER_ENTRY, stale_after_s, ages, names)


class Composer:
    """The composites of entries that are taken in the order of the log.

    Attributes:
        feeds: those whose newest quotes it knows, or whose quotes all come.
    """

    def __init__(self, board: Board, feeds: Iterable[str] = ()) -> None:
        self._board = board
        self.feeds = set(feeds)

    def seed(self, entries: Iterable[LogEntry], feeds: Iterable[str]) -> None:
        """Takes what is before the first entry, for some feeds; makes nothing of it."""
        for entry in entries:
            if (published := decoded(entry)) is not None:
                self._board.apply(published, entry.feed, entry.number)
        self.feeds |= set(feeds)

    def take(self, number: int, feed: str, published: events_pb.QuotesPublished) -> list[Entry]:
        """The composite of each quote of an entry, in its order; none of an entry that is discarded. One venue's own
        quote is the composite while no other has quoted the instrument."""
        head = self._board.head
        self._board.apply(published, feed, number)
        return self._board.composites(head)


@dataclass(frozen=True, slots=True)
class Composing:
    """When composites are made, and how: from the second feed on.

    Attributes:
        feeds: names of the feeds that the log has.
        board_of: makes boards as the live one is.
    """

    feeds: Callable[[], Iterable[str]]
    board_of: BoardOf

    async def composer(
        self,
        log: QuoteLog,
        number: int,
        entries: Iterable[LogEntry] = (),
        *,
        begun: Composer | None = None,
        names: frozenset[str] | None = None,
        always: bool = False,
    ) -> Composer | None:
        """What composes entries behind `number` of the log; None where there is nothing to compose.

        Args:
            log: where it reads what is before them.
            number: up to where everything is known to whom composes.
            entries: those that follow, whose feeds count as well.
            begun: the composer so far, which has taken everything up to `number`.
            names: the instruments that are wanted; None for all.
            always: compose also for a single feed.

        Raises:
            LogUnavailable: the log did not answer.
        """
        feeds = {*self.feeds(), *(entry.feed for entry in entries)}
        if begun is None and len(feeds) < 2 and not always:
            return None
        made = begun or Composer(self.board_of(names))
        if unknown := sorted(feeds - made.feeds):
            made.seed(await before(log, unknown, number), unknown)
        return made


async def before(log: QuoteLog, feeds: Iterable[str], number: int) -> list[LogEntry]:
    """The entries up to `number` that tell the newest quotes of some feeds, each feed's in its order.

    Raises:
        LogUnavailable: the log did not answer.
    """
    found: list[LogEntry] = []
    for feed in feeds:
        following = await log.read(number, feed, 1)
        entry = following[0] if following else await log.last_of(feed)
        published = decoded(entry) if entry is not None else None
        if entry is None or published is None:
            continue
        if published.board and entry.number > number:
            # It says what was before it, and its own quotes come later.
            del published.quotes[:]
            found.append(LogEntry(number, feed, published.SerializeToString()))
            continue
        after = (entry.number if published.board else published.board_number or 1) - 1
        begin = len(found)
        while after < number and len(found) - begin < SEED_ENTRIES_MAX and (page := await log.read(after, feed)):
            found += [each for each in page if each.number <= number]
            after = page[-1].number
    return found


def decoded(entry: LogEntry) -> events_pb.QuotesPublished | None:
    """What an entry says; None if nothing of this service wrote it."""
    try:
        return events_pb.QuotesPublished.FromString(entry.payload)
    except DecodeError:
        return None
