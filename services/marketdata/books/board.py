"""The books of every instrument and source as this instance has them, and the last changes, shared by all readers.

They are filled from the books' log alone, in its order, so that every instance has the same books under the same
numbers.

    log ──apply──▶ ring of the last changes ◀── position ── reader of every change
                 └▶ book by instrument and source ──▶ view: a book as it stands, made when asked for ◀── other readers

A view belongs to one version of a book and one depth; whoever asks for the same gets the same, encodings included. The
composite of an instrument, whose source is "" here, is only ever a view: while one venue has a book of it, that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.internal.encoder import _VarintBytes as varint

from crossrate.api.marketdata.v1 import book_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import book_pb2 as pb
from crossrate.api.marketdata.v1 import book_service_pb2 as service_pb
from services.marketdata.books.held import HeldBook
from services.marketdata.books.view import View
from services.marketdata.domain.composite_book import composite_book
from services.marketdata.ring import Ring
from services.marketdata.turns import Turns

COMPOSITE = ""
PLACES_PER_ENTRY = 1 << 13
"""More than the changes of one entry of the log."""
VIEWS_MAX = 4_096
"""Views that are remembered."""

_CHANGE_TAG = bytes([service_pb.BookBatch.CHANGES_FIELD_NUMBER << 3 | 2])

Key = tuple[str, str]
"""An instrument and a source."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one venue's book.

    Attributes:
        position: how many changes this instance had seen with it; its place in the ring.
        place: its place in the log, the same on every instance.
        epoch: the term of its feed in which it was written.
        name, source: its book.
        encoded: the change as one element of `BookBatch.changes`, tag and length included.
    """

    position: int
    place: int
    epoch: int
    name: str
    source: str
    encoded: bytes


class BookBoard(Ring[Entry]):
    """Books and the ring. A book is STALE after `stale_after_s`, or what `ages` says of its source, without a change.

    Attributes:
        epochs: the term of the newest entry of each feed.
        stale_version: grows when books have grown too old.
        generation: grows when a book came that no change in the ring tells of.
        discarded: changes that the board had already.
        holes: changes of books that did not follow on what the board had, because the log forgot what was between.
        turns: when streams that send at most so often do.
    """

    def __init__(self, capacity: int, stale_after_s: float, ages: Mapping[str, float] | None = None) -> None:
        super().__init__(capacity)
        self._stale_after_ns = round(stale_after_s * 1e9)
        self._ages_ns = {source: round(each * 1e9) for source, each in (ages or {}).items()}
        self._books: dict[Key, HeldBook] = {}
        self._venues: dict[str, list[str]] = {}
        self._versions: dict[str, int] = {}
        self._views: dict[tuple[str, str, int], View] = {}
        self.epochs: dict[str, int] = {}
        self.stale_version = 0
        self.generation = 0
        self.discarded = 0
        self.holes = 0
        self.turns = Turns()

    # What comes from the log

    def apply(self, published: events_pb.BooksPublished, feed: str, number: int) -> None:
        """Takes the next entry of the log, which has a number there."""
        self.epochs[feed] = epoch = published.epoch
        for place, change in enumerate(published.changes, number * PLACES_PER_ENTRY):
            self._take(change, feed, epoch, place)
        for book in published.books:
            held = self._books.get((book.instrument, feed))
            if held is None or held.missing or held.sequence < book.sequence:
                self._held(book.instrument, feed).replace(book, epoch)
                self._touch(book.instrument)
                # It has no place in the ring, and yet whoever reads every change needs it.
                self.generation += 1
        self.place = (number + 1) * PLACES_PER_ENTRY - 1
        self.oldest = max(self.oldest, self.head - self._mask)
        if published.changes or published.books:
            self.wake()

    def _take(self, change: pb.BookChange, feed: str, epoch: int, place: int) -> None:
        whole = change.WhichOneof("change") == "snapshot"
        name = change.snapshot.instrument if whole else change.diff.instrument
        held = self._books.get((name, feed))
        if whole:
            if held is not None and change.snapshot.sequence <= held.sequence and epoch == held.epoch:
                self.discarded += 1
                return
            self._held(name, feed).replace(change.snapshot, epoch)
        elif held is not None and not held.missing:
            if change.diff.last_sequence <= held.sequence:
                self.discarded += 1
                return
            self.holes += not held.apply(change.diff, epoch)
        # A book that this instance does not have yet will come with a round; the change is for readers who have it.
        encoded = change.SerializeToString()
        self.head += 1
        self._ring[self.head & self._mask] = Entry(
            self.head, place, epoch, name, feed, _CHANGE_TAG + varint(len(encoded)) + encoded
        )
        self._touch(name)

    def _held(self, name: str, feed: str) -> HeldBook:
        held = self._books.get((name, feed))
        if held is None:
            held = self._books[name, feed] = HeldBook()
            self._venues.setdefault(name, []).append(feed)
            self._venues[name].sort()
        return held

    def _touch(self, name: str) -> None:
        self._versions[name] = self._versions.get(name, 0) + 1

    # Age

    def mark_stale(self, now_ns: int) -> int:
        """Marks the books that are older than the limit, and returns how many are stale now."""
        count = 0
        for (name, source), held in self._books.items():
            old = now_ns - held.receive_time > self._ages_ns.get(source, self._stale_after_ns)
            count += held.stale or old
            if old and not held.stale:
                held.stale = True
                self._touch(name)
                self.stale_version += 1
        if count:
            self.wake()
        return count

    # What readers ask

    def held(self, name: str, source: str) -> HeldBook | None:
        """A venue's book; None while there is none."""
        return self._books.get((name, source))

    def of(self, source: str) -> dict[str, HeldBook]:
        """All books of a venue, by instrument."""
        return {name: held for (name, of), held in self._books.items() if of == source}

    def venues(self, name: str) -> list[str]:
        """The sources that have a book of an instrument, in order of their names."""
        return self._venues.get(name, [])

    def version(self, name: str) -> int:
        """Grows with every change of any book of an instrument, its health included; 0 while there is none."""
        return self._versions.get(name, 0)

    def view(self, name: str, source: str = COMPOSITE, depth: int = 0) -> View | None:
        """A book as it stands; None while there is none."""
        venues = self._venues.get(name)
        if not venues or (source != COMPOSITE and source not in venues):
            return None
        if source == COMPOSITE and len(venues) == 1:
            source = venues[0]
        key, version = (name, source, depth), self._versions[name]
        known = self._views.get(key)
        if known is not None and known.version == version:
            return known
        if source == COMPOSITE:
            shown = [self._books[name, venue].shown(venue, depth) for venue in venues]
            view = View(name, composite_book(shown, depth), version)
        else:
            held = self._books[name, source]
            if known is not None and known.state == (held.sequence, held.health):
                known.version = version
                return known
            view = View(name, held.shown(source, depth), version, held.venue_sequence, held.gap)
        if len(self._views) >= VIEWS_MAX:
            self._views.clear()
        self._views[key] = view
        return view

    @property
    def empty(self) -> bool:
        """Whether there is no book at all."""
        return not self._books

    def between(self, after: int, names: frozenset[str], source: str = COMPOSITE) -> list[Entry]:
        """Changes of some books at positions greater than `after`, ascending. `after` + 1 is in the ring."""
        parts = self._behind(after)
        if source == COMPOSITE:
            return [e for e in parts if e is not None and e.name in names]
        return [e for e in parts if e is not None and e.source == source and e.name in names]

    def _epochs(self) -> Iterable[int]:
        return self.epochs.values()
