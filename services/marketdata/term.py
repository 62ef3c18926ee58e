"""One writer's term on a feed: numbers quotes, and makes the entries of the log from them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb

QUOTES_PER_ENTRY_MAX = 5_000
BOARD_EVERY = 150
"""Entries of the log, those of other feeds up to this one's newest too, after which the feed's next carries its board.
The log must not have forgotten the one before by then: at 100,000 quotes a second they have 15 of its 32 MiB."""
BOARD_EVERY_QUOTES = 20_000
"""Most quotes from one that carries the board to the next."""


class Term:
    """See the module. A quote is numbered by its source, gap-free by instrument; the feed's own numbers are given here.

    Attributes:
        feed: the feed; also the source of its quotes.
        epoch: greater than that of every term before.
        begun_at: where the source stood when the term began.
        feed_before: how the feed was then.
        newest: the newest quote of every instrument before the term.
        confirmed: set once the log has taken an entry of the term: then nobody else leads.
    """

    def __init__(
        self,
        feed: str,
        epoch: int,
        following: int = 1,
        newest: Mapping[str, pb.Quote] | None = None,
        begun_at: events_pb.FeedState | None = None,
        board_number: int = 0,
        feed_before: feed_pb2.Feed | None = None,
    ) -> None:
        self.feed = feed
        self.epoch = epoch
        self.confirmed = asyncio.Event()
        self.newest = dict(newest or {})
        self.begun_at = begun_at or events_pb.FeedState()
        self.feed_before = feed_before or feed_pb2.Feed()
        self._state, self._feed = self.begun_at, self.feed_before
        self._following = following
        self._written = dict(self.newest)
        self._board_number = board_number
        self._number = self._since = 0
        self._entries = self._quotes = 0
        self._board_due = True

    def entry(self, now_ns: int, quotes: Sequence[pb.Quote] = ()) -> events_pb.QuotesPublished:
        """The next entry. It is appended before the next one is made, or the term is dropped."""
        return self.complete(events_pb.QuotesPublished(quotes=quotes), now_ns)

    def complete(self, made: events_pb.QuotesPublished, now_ns: int) -> events_pb.QuotesPublished:
        """Makes what has its quotes already the next entry; saves a copy of them."""
        quotes = made.quotes
        made.epoch, made.first_sequence, made.board_number = self.epoch, self._following, self._board_number
        made.publish_time.FromNanoseconds(now_ns)
        entries = max(self._entries, self._number + 1 - self._since)
        if self._board_due or entries >= BOARD_EVERY or self._quotes >= BOARD_EVERY_QUOTES:
            made.board.extend(self._written.values())
            self._board_due, self._entries, self._quotes = False, 0, 0
        for quote in quotes:
            self._written[quote.instrument] = quote
        self._following += len(quotes)
        self._quotes += len(quotes)
        self._entries += 1
        return made

    def release(self, now_ns: int) -> events_pb.QuotesPublished:
        """The last entry: another writer may begin at once."""
        made = self.entry(now_ns)
        made.released = True
        # Whoever begins to read here knows as much as those who read all of it.
        made.state.CopyFrom(self._state)
        if self._feed.name:
            made.feed.CopyFrom(self._feed)
        return made

    def appended(self, entry: events_pb.QuotesPublished, number: int) -> None:
        """Hears the number that an entry has in the log."""
        self._number = number
        if self._entries == 1:
            self._since = number
        self.confirmed.set()
        if entry.board:
            self._board_number = number
        if entry.HasField("state"):
            self._state = entry.state
        if entry.HasField("feed"):
            self._feed = entry.feed
