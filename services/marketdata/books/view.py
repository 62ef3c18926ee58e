"""A book as it stands, at one depth: never changed, encoded when first asked for, shared by all who ask for it."""

from __future__ import annotations

from google.protobuf.internal.encoder import _VarintBytes as varint

from crossrate.api.marketdata.v1 import book_pb2 as pb
from crossrate.api.marketdata.v1 import book_service_pb2 as service_pb
from services.marketdata.books.messages import book_message, shared_update_messages, stamp
from services.marketdata.domain.composite import Health
from services.marketdata.domain.composite_book import ShownBook

DIFFS_MAX = 32
"""Older views to which the way from them is remembered."""

_CHANGE_TAG = bytes([service_pb.BookBatch.CHANGES_FIELD_NUMBER << 3 | 2])


class View:
    """One state of one book.

    Attributes:
        name: the instrument.
        shown: levels and what is known of the book.
        version: of the instrument's books when it was made, or last found to be the same.
    """

    __slots__ = ("_diffs", "_gap", "_message", "_venue_sequence", "_whole", "name", "shown", "version")

    def __init__(
        self, name: str, shown: ShownBook, version: int, venue_sequence: int = 0, gap: pb.BookGap | None = None
    ) -> None:
        self.name = name
        self.shown = shown
        self.version = version
        self._venue_sequence = venue_sequence
        self._gap = gap
        self._message: pb.Book | None = None
        self._whole = b""
        self._diffs: dict[tuple[int, Health, int], bytes] = {}

    @property
    def state(self) -> tuple[int, Health]:
        """What tells it apart from other states of a venue's book."""
        return self.shown.sequence, self.shown.health

    def message(self) -> pb.Book:
        """The book; never changed."""
        if self._message is None:
            self._message = book_message(self.name, self.shown, self._venue_sequence, self._gap)
        return self._message

    def whole(self) -> bytes:
        """As one element of `BookBatch.changes`, tag and length included."""
        if not self._whole:
            self._whole = _element(pb.BookChange(snapshot=self.message()))
        return self._whole

    def follows(self, older: View) -> bool:
        """Whether the way from another view may be said as a diff: it is of one source, and not of later numbers."""
        return older.shown.source == self.shown.source and older.shown.sequence <= self.shown.sequence

    def differs(self, older: View) -> bool:
        """Whether a reader of the older one is to be told of this one: of changes beyond its depth it is not."""
        old, new = older.shown, self.shown
        if old.health != new.health or old.bids != new.bids or old.asks != new.asks:
            return True
        return new.health is Health.GAPPED and self._gap != older._gap

    def since(self, older: View) -> bytes:
        """What makes an older view of the same depth this one, as one element of `BookBatch.changes`."""
        key = (*older.state, older.version)
        if (known := self._diffs.get(key)) is not None:
            return known
        old, new = older.shown, self.shown
        diff = pb.BookDiff(
            instrument=self.name,
            source=new.source,
            first_sequence=old.sequence + 1,
            last_sequence=new.sequence,
            health=int(new.health),
            bids=shared_update_messages(old.bids, new.bids),
            asks=shared_update_messages(old.asks, new.asks),
            venue_sequence=self._venue_sequence,
            gap=self._gap if self._gap is not None and new.health is Health.GAPPED else None,
        )
        stamp(diff, new.venue_time, new.receive_time)
        if len(self._diffs) >= DIFFS_MAX:
            self._diffs.clear()
        made = self._diffs[key] = _element(pb.BookChange(diff=diff))
        return made


def health_only(view: View) -> bytes:
    """That a book of which nothing else changed has another health now, as one element of `BookBatch.changes`."""
    return view.since(view)


def _element(change: pb.BookChange) -> bytes:
    encoded = change.SerializeToString()
    return _CHANGE_TAG + varint(len(encoded)) + encoded
