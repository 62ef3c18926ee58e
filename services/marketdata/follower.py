"""Keeps the board equal to the log of quotes, and knows where the writing of each feed stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as pb
from services.marketdata.board import Board
from services.marketdata.log_follower import LogFollower
from services.marketdata.quote_log import LogEntry, QuoteLog

Applied = Callable[[pb.QuotesPublished, str, int], None]
"""Hears of every entry after the board has taken it: what it says, its feed, its number."""


@dataclass(slots=True)
class Written:
    """Where the writing of one feed stands.

    Attributes:
        number: of its newest entry in the log; 0 if it has none.
        epoch: that entry's term.
        following: the number that its next quote will have.
        board_number: of its newest entry that carries the board; 0 if it has none.
        state: where its source stood after it.
        feed: how the feed was, as its writer told last.
        released: whether it ended its writer's term.
        heard_at: when it came, on the monotonic clock.
    """

    number: int = 0
    epoch: int = 0
    following: int = 1
    board_number: int = 0
    state: pb.FeedState = field(default_factory=pb.FeedState)
    feed: feed_pb2.Feed = field(default_factory=feed_pb2.Feed)
    released: bool = False
    heard_at: float = 0.0

    def take(self, number: int, published: pb.QuotesPublished, now: float) -> None:
        """Takes the feed's next entry."""
        self.number, self.epoch, self.released, self.heard_at = number, published.epoch, published.released, now
        self.following = published.first_sequence + len(published.quotes)
        self.board_number = number if published.board else published.board_number
        if published.HasField("state"):
            self.state = published.state
        if published.HasField("feed"):
            self.feed = published.feed


class Follower(LogFollower[pb.QuotesPublished]):
    """One instance's reader of the log of quotes.

    Attributes:
        feeds: where the writing of each feed stands, by the entries that were read.
    """

    what = "the quote log"
    kind = pb.QuotesPublished

    def __init__(
        self,
        log: QuoteLog,
        board: Board,
        feeds: Iterable[str],
        entries_read: int,
        note: Any,
        clock: Callable[[], float] = time.monotonic,
        applied: Applied | None = None,
    ) -> None:
        super().__init__(log, feeds, entries_read, note)
        self._tell = applied
        self._board = board
        self._clock = clock
        self.feeds: dict[str, Written] = {}

    def _begins(self, entry: LogEntry, published: pb.QuotesPublished | None) -> int | None:
        """The entry that carries the feed's board."""
        if published is None:
            return None
        return (entry.number if published.board else published.board_number) or entry.number

    def _take(self, entry: LogEntry, published: pb.QuotesPublished) -> None:
        self._board.apply(published, entry.feed, entry.number)
        self.feeds.setdefault(entry.feed, Written()).take(entry.number, published, self._clock())
        if self._tell is not None:
            self._tell(published, entry.feed, entry.number)

    def _forget(self) -> None:
        # The board keeps the newest quotes; whoever writes next counts on from there.
        self._board.forget_places()
        for written in self.feeds.values():
            written.number = written.board_number = 0
