"""The newest quote of each instrument on a subject of its own, and in the stream that keeps the last value of each."""

from __future__ import annotations

import time
from collections.abc import Callable

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.events.events import Events
from services.marketdata.board import Board

STREAM = "quotes_latest"
"""Keeps the newest message of each subject below SUBJECT, in memory."""
SUBJECT = "crossrate.marketdata.v1.quote."
REFRESH_S = 5.0
"""All instruments are told again this often: the stream has them again soon after NATS was restarted, and says of those
that are not quoted any more that they are STALE."""


def quote_subject(instrument: str) -> str:
    """The subject of an instrument's quotes: crossrate.marketdata.v1.quote.EUR-USD."""
    return SUBJECT + instrument.replace("/", "-")


class Latest:
    """What the writer of one feed tells the world outside of this service.

    An entry's quotes of one instrument are one message, the newest: who needs every quote has StreamQuotes. What is
    told is the composite, as in GetQuote; with one venue that is the venue's own quote.
    """

    def __init__(
        self, events: Events, board: Board, feed: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._events = events
        self._board = board
        self._feed = feed
        self._monotonic = monotonic
        self._refresh_at = 0.0

    async def publish(self, published: events_pb.QuotesPublished) -> None:
        """Tells of an entry that was appended."""
        board = self._board
        newest = {quote.instrument: quote for quote in published.quotes}
        for name in newest:
            if len(board.venues.get(name, ())) > 1 and (entry := board.last(name)) is not None:
                newest[name] = entry.quote
        now = self._monotonic()
        # A term begins with it, because whoever wrote before may have died between the log and the subjects.
        if now >= self._refresh_at or published.board:
            self._refresh_at = now + REFRESH_S
            for name in board.newest(self._feed):
                if name not in newest and (entry := board.last(name)) is not None:
                    newest[name] = entry.quote
        for name, quote in newest.items():
            await self._events.publish_core(quote_subject(name), quote.SerializeToString())
