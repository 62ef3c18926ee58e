"""Keeps the books equal to their log, and knows where the writing of each feed's stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crossrate.api.marketdata.v1 import book_events_pb2 as pb
from services.marketdata.books.board import BookBoard
from services.marketdata.books.log import BookLog
from services.marketdata.log_follower import LogFollower
from services.marketdata.quote_log import LogEntry


@dataclass(slots=True)
class Written:
    """Where the writing of one feed's books stands.

    Attributes:
        number: of its newest entry in the log; 0 if it has none.
        epoch: that entry's term.
        round_number: where a reader begins who wants every book; 0 if no round was finished.
    """

    number: int = 0
    epoch: int = 0
    round_number: int = 0


class BookFollower(LogFollower[pb.BooksPublished]):
    """One instance's reader of the books' log.

    Attributes:
        feeds: where the writing of each feed stands, by the entries that were read.
        bytes_read: of the entries that were read.
    """

    what = "the books' log"
    kind = pb.BooksPublished

    def __init__(self, log: BookLog, board: BookBoard, feeds: Iterable[str], entries_read: int, note: Any) -> None:
        super().__init__(log, feeds, entries_read, note)
        self._board = board
        self.bytes_read = 0
        self.feeds: dict[str, Written] = {}

    def written(self, feed: str) -> Written:
        """Where the writing of a feed stands."""
        return self.feeds.get(feed) or Written()

    def _begins(self, entry: LogEntry, published: pb.BooksPublished | None) -> int | None:
        """The entry with which the last round of all books begins; without one everything is read."""
        return published.round_number if published is not None else 0

    def _take(self, entry: LogEntry, published: pb.BooksPublished) -> None:
        self.bytes_read += len(entry.payload)
        self._board.apply(published, entry.feed, entry.number)
        self.feeds[entry.feed] = Written(entry.number, published.epoch, published.round_number)

    def _forget(self) -> None:
        self._board.forget_places()
        self.feeds.clear()
