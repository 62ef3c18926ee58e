"""One venue's book of one instrument as an instance has it: filled from the log, by the numbers that the log gives."""

from __future__ import annotations

import time

from crossrate.api.marketdata.v1 import book_pb2 as pb
from crossrate.basics.ladder import Ladder
from services.marketdata.books.messages import gap_message, nanoseconds
from services.marketdata.domain.book import Gap
from services.marketdata.domain.composite import Health
from services.marketdata.domain.composite_book import SharedLevel, ShownBook


class HeldBook:
    """See the module.

    Attributes:
        ladder: the levels.
        sequence: number of the newest change in it.
        epoch: the term in which that was written.
        venue_sequence: the venue's number of that change; 0 where it does not number.
        venue_time, receive_time: of that change, nanoseconds since 1970 UTC.
        gap: what is missing while it is GAPPED.
        stale: whether it is older than the limit.
        missing: whether the log itself had a hole, so that only a whole book is taken.
    """

    __slots__ = (
        "_health",
        "epoch",
        "gap",
        "ladder",
        "missing",
        "receive_time",
        "sequence",
        "stale",
        "venue_sequence",
        "venue_time",
    )

    def __init__(self) -> None:
        self.ladder = Ladder()
        self.sequence = self.epoch = self.venue_sequence = self.venue_time = self.receive_time = 0
        self.gap: pb.BookGap | None = None
        self.stale = self.missing = False
        self._health = Health.GAPPED

    @property
    def health(self) -> Health:
        """Whether it may be traded on, its age included."""
        if self.stale and self._health in (Health.LIVE, Health.CROSSED):
            return Health.STALE
        return self._health

    @property
    def state(self) -> tuple[int, Health]:
        """What a view of it depends on."""
        return self.sequence, self.health

    def replace(self, book: pb.Book, epoch: int) -> None:
        """Takes a whole book."""
        bids, asks = ([(each.price, each.quantity) for each in side] for side in (book.bids, book.asks))
        self.ladder.replace(bids, asks)
        self.sequence, self.missing = book.sequence, False
        self._take(book, epoch)

    def apply(self, diff: pb.BookDiff, epoch: int) -> bool:
        """Takes the next change. One that does not follow makes the book GAPPED; returns whether it did."""
        if diff.first_sequence > self.sequence + 1:
            reason = "the log has forgotten changes before this instance read them"
            gap = Gap(self.sequence + 1, diff.first_sequence, time.time_ns(), reason)
            self.gap, self._health, self.missing = gap_message(gap), Health.GAPPED, True
            # A number of its own, so that no view of the book before it passes for one of it.
            self.sequence = diff.last_sequence
            return False
        bids, asks = self.ladder.bids, self.ladder.asks
        for each in diff.bids:
            bids.set(each.price, each.quantity)
        for each in diff.asks:
            asks.set(each.price, each.quantity)
        self.sequence = diff.last_sequence
        self._take(diff, epoch)
        return True

    def _take(self, message: pb.Book | pb.BookDiff, epoch: int) -> None:
        self.epoch, self.stale = epoch, False
        self._health = Health(message.health)
        self.venue_sequence = message.venue_sequence
        self.venue_time, self.receive_time = nanoseconds(message.venue_time), nanoseconds(message.receive_time)
        if self._health is not Health.GAPPED:
            self.gap = None
        elif message.HasField("gap"):
            self.gap = message.gap

    def shown(self, source: str, depth: int) -> ShownBook:
        """The best levels, and what is known of the book."""
        bids = [SharedLevel(*level) for level in self.ladder.bids.levels(depth)]
        asks = [SharedLevel(*level) for level in self.ladder.asks.levels(depth)]
        return ShownBook(source, self.sequence, self.health, bids, asks, self.venue_time, self.receive_time)
