"""What connects to a venue, and what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.normalise import Raw


class Disconnected(Exception):
    """The venue cannot be reached, refused, or went away; the message says so in words for people."""


class Sink(Protocol):
    """Takes what an adapter hears. Nothing of it waits, but `room`."""

    def up(self, words: str) -> None:
        """The session stands: the venue's own numbers begin anew, and quotes may come."""

    def restart(self) -> None:
        """The venue's own numbers and times begin anew, without a new connection."""

    def put(self, quotes: Sequence[Raw], place: events_pb.ReplayPlace | None = None) -> None:
        """Quotes that came together, and where the source stands after them if it can be asked to go on there."""

    def depth(self, updates: Sequence[tuple[BookUpdate, int]]) -> None:
        """What the venue says of whole books, by its symbols; with each whether its time is IN_UTC already."""

    @property
    def wanted(self) -> set[str]:
        """Symbols of which a whole book is to be asked, because something of it is missing."""

    def gapped(self, missing: int) -> None:
        """So many messages are missing, and it is not known whose: nothing is LIVE until a new quote of it comes."""

    def missed(self, missing: int) -> None:
        """Counts messages that are missing of instruments whose quotes say so themselves."""

    def reject(self, reason: str, count: int = 1) -> None:
        """Counts what came and was no quote."""

    @property
    def full(self) -> bool:
        """Whether so much waits for the log that `room` should be waited for."""

    async def room(self) -> None:
        """Waits until the log has taken enough of what waits."""


class Adapter(Protocol):
    """One way to reach a venue. It is run anew for every connection, and may keep what outlives one."""

    async def run(self, sink: Sink) -> None:
        """Connects, and delivers until it is cancelled; returns if there will never be more.

        Raises:
            Disconnected: the connection could not be made or ended.
        """
