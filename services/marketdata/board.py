"""The board: the newest quote of every instrument and the last quotes of all feeds, shared by all who read them.

It is filled from the log alone, in the log's order, so that every instance has the same quotes under the same places.

    log ──apply──▶ ring of the last quotes ◀── position ── subscriber
                 └▶ newest by instrument and source ◀── GetQuote

Beside the quotes of each source stands the composite of an instrument, whose source is "" here: while one venue quotes
it, that venue's own quotes; from the second venue on the best of all, made anew with each quote of any of them. Which
venues count as LIVE is told by the time at which that quote was received and not by this instance's clock: so the log
alone says what each composite is, on every instance and in the history.

The ring is that of `ring.py`; who is too late for it is given the newest of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.domain.composite import Health, Shown, composite
from services.marketdata.entry import COMPOSITE, NANOSECONDS, Entry, aged, quote_of, shown
from services.marketdata.ring import Ring
from services.marketdata.turns import Turns

PLACES_PER_ENTRY = 1 << 13
"""More than the quotes of one entry of the log."""


@dataclass(slots=True)
class Standing:
    """How far the board has one feed: the term of its newest entry, and the number of its newest quote."""

    epoch: int = 0
    sequence: int = 0


ByName = dict[str, Entry]


@dataclass(slots=True)
class _Last:
    """The newest of each instrument by source, and what has grown too old since."""

    newest: dict[str, ByName] = field(default_factory=lambda: {COMPOSITE: {}})
    stale: dict[str, ByName] = field(default_factory=lambda: {COMPOSITE: {}})

    def open(self, source: str) -> tuple[ByName, ByName]:
        """Newest and stale of a source, to be filled."""
        return self.newest.setdefault(source, {}), self.stale.setdefault(source, {})

    def get(self, name: str, source: str) -> Entry | None:
        return self.stale.get(source, {}).get(name) or self.newest.get(source, {}).get(name)


class Board(Ring[Entry]):
    """Last values and the ring.

    Attributes:
        feeds: how far it has each feed.
        venues: the sources that have quoted an instrument, by instrument, in the order of their names.
        stale_version: grows when quotes have grown too old.
        generation: grows when a feed began anew, so that no position from before means anything.
        discarded: entries of the log that were older than the board.
        readers: streams that are served from it.
        turns: when those that send at most so often do.
    """

    # Another instance may have made a composite right behind the quote, where this one knew of no second venue.
    together = 2

    def __init__(
        self,
        capacity: int,
        stale_after_s: float,
        stale_after_of: Mapping[str, float] | None = None,
        names: frozenset[str] | None = None,
    ) -> None:
        """For one instance.

        Args:
            capacity: quotes that the ring holds, a power of two.
            stale_after_s: a LIVE quote older than this is STALE.
            stale_after_of: the same by feed, where a feed has a rule of its own.
            names: the instruments that are kept; None for all.
        """
        super().__init__(capacity)
        self._stale_after_ns = round(stale_after_s * NANOSECONDS)
        self._stale_after_of = {feed: round(age * NANOSECONDS) for feed, age in (stale_after_of or {}).items()}
        self._last = _Last()
        self._only: dict[str, str] = {}
        self._names = names
        self._ahead: set[tuple[str, str]] = set()
        self.feeds: dict[str, Standing] = {}
        self.venues: dict[str, list[str]] = {}
        self.stale_version = 0
        self.generation = 0
        self.discarded = 0
        self.readers = 0
        self.turns = Turns()

    # What comes from the log

    def apply(self, published: events_pb.QuotesPublished, feed: str, number: int) -> None:
        """Takes an entry of the log, which has a number there. Entries that the board has already change nothing."""
        standing = self.feeds.setdefault(feed, Standing())
        first, count = published.first_sequence, len(published.quotes)
        if published.epoch < standing.epoch or (published.epoch == standing.epoch and first <= standing.sequence):
            self.discarded += 1
            return
        if first <= standing.sequence:
            # A greater term that counts from before: the log was lost, and the feed began anew.
            self._restart(feed)
        standing.epoch, standing.sequence = published.epoch, first + count - 1
        board, quotes, names = published.board, published.quotes, self._names
        if names is not None:
            board, quotes = ([q for q in each if q.instrument in names] for each in (board, quotes))
        for quote in board:
            self._recall(quote, feed, published.epoch)
        # Each quote has two places, whether this instance knows of another venue and makes a composite or not.
        self._take(quotes, feed, published.epoch, 2 * number * PLACES_PER_ENTRY)
        self.place = 2 * (number + 1) * PLACES_PER_ENTRY - 1
        self.oldest = max(self.oldest, self.head - self._mask)
        if count or published.board:
            self.wake()

    def _recall(self, quote: pb.Quote, feed: str, epoch: int) -> None:
        """Takes a quote from before the entry that tells of it; it has no place in the ring."""
        name = quote.instrument
        known = self._last.newest.get(feed, {}).get(name)
        if known is not None and known.quote.sequence >= quote.sequence:
            return
        sole = self._sole(name, feed)
        entry = Entry(self.head, self.place, epoch, name, quote, feed, sole)
        self._keep(entry)
        if not sole:
            self._keep(self._composed(entry))

    def _take(self, quotes: Iterable[pb.Quote], feed: str, epoch: int, place: int) -> None:
        """Takes the quotes of an entry, from a place on. Runs for every quote: the usual case is written out."""
        ring, mask, only = self._ring, self._mask, self._only
        newest, stale = self._last.open(feed)
        composites, stale_composites = self._last.open(COMPOSITE)
        for quote in quotes:
            name = quote.instrument
            sole = only.get(name) == feed or self._sole(name, feed)
            position = self.head = self.head + 1
            entry = Entry(position, place, epoch, name, quote, feed, sole)
            ring[position & mask] = newest[name] = entry
            if stale:
                stale.pop(name, None)
            if sole:
                composites[name] = entry
                if stale_composites:
                    stale_composites.pop(name, None)
            else:
                made = self._composed(entry)
                made.position, made.place = position + 1, place + 1
                self._push(made)
            place += 2

    def _sole(self, name: str, feed: str) -> bool:
        """Whether an instrument has no other venue than this."""
        venues = self.venues.setdefault(name, [])
        if feed not in venues:
            # In one order everywhere: sums of quantities and ties in time come out alike.
            venues.append(feed)
            venues.sort()
        sole = len(venues) == 1
        if sole:
            self._only[name] = feed
        else:
            self._only.pop(name, None)
        return sole

    def _push(self, entry: Entry) -> None:
        self.head = entry.position
        self._ring[entry.position & self._mask] = entry
        self._keep(entry)

    def _keep(self, entry: Entry) -> None:
        sources = [entry.source] if entry.source != COMPOSITE else []
        sources += [COMPOSITE] if entry.composite else []
        for source in sources:
            newest, stale = self._last.open(source)
            newest[entry.name] = entry
            stale.pop(entry.name, None)

    def _composed(self, because: Entry) -> Entry:
        """The composite of an instrument, made because one of its venues spoke."""
        name, seen = because.name, []
        received = because.quote.receive_time
        now_ns = received.seconds * NANOSECONDS + received.nanos
        for venue in self.venues[name]:
            entry = self._last.newest.get(venue, {}).get(name)
            if entry is None:
                continue
            each = shown(entry.quote)
            if each.health == Health.LIVE:
                if now_ns - each.receive_time > self._stale_after_of.get(venue, self._stale_after_ns):
                    each = aged(each)
                elif name in self._last.stale.get(venue, ()):
                    # By this instance's clock it is too old already: the next look at ages says so of this composite.
                    self._ahead.add((name, venue))
            seen.append(each)
        return self._made(because, seen)

    def _composed_now(self, because: Entry) -> Entry:
        """The composite as it is now, with the venues that have fallen silent since it was made."""
        entries = (self._last.get(because.name, venue) for venue in self.venues[because.name])
        return self._made(because, [shown(entry.quote) for entry in entries if entry is not None])

    def _made(self, because: Entry, seen: list[Shown]) -> Entry:
        quote = quote_of(because.name, composite(seen))
        return Entry(because.position, because.place, because.epoch, because.name, quote, COMPOSITE, True)

    def _restart(self, feed: str) -> None:
        last = self._last
        last.newest.pop(feed, None)
        last.stale.pop(feed, None)
        composites, stale = last.open(COMPOSITE)
        for name in [n for n, e in composites.items() if e.source in (feed, COMPOSITE)]:
            del composites[name]
            stale.pop(name, None)
        self._only.clear()
        self._ahead.clear()
        for name, venues in list(self.venues.items()):
            if feed in venues:
                venues.remove(feed)
            if not venues:
                del self.venues[name]
        for name, venues in self.venues.items():
            self._recompose(name, venues)
        self.oldest = self.head + 1
        self.generation += 1

    def _recompose(self, name: str, venues: list[str]) -> None:
        for venue in venues:
            if (entry := self._last.get(name, venue)) is not None:
                entry.composite = len(venues) == 1
                self._last.newest[COMPOSITE][name] = entry if entry.composite else self._composed(entry)

    # Age

    def mark_stale(self, now_ns: int) -> int:
        """Marks the quotes of venues that are older than the limit, and returns how many are stale now."""
        last = self._last
        marked = [(name, venue) for name, venue in self._ahead if name in last.stale.get(venue, ())]
        self._ahead.clear()
        for source in [s for s in last.newest if s != COMPOSITE]:
            newest, stale = last.open(source)
            limit_ns = self._stale_after_of.get(source, self._stale_after_ns)
            for name, entry in newest.items():
                if name in stale or entry.quote.health != pb.QUOTE_HEALTH_LIVE:
                    continue
                received = entry.quote.receive_time
                if now_ns - received.seconds * NANOSECONDS - received.nanos > limit_ns:
                    quote = pb.Quote()
                    quote.CopyFrom(entry.quote)
                    quote.health = pb.QUOTE_HEALTH_STALE
                    stale[name] = entry.again(quote)
                    marked.append((name, source))
        composites, stale_composites = last.open(COMPOSITE)
        for name, source in marked:
            newest_of_all = composites[name]
            if len(self.venues[name]) == 1:
                stale_composites[name] = last.stale[source][name]
                continue
            quote = self._composed_now(newest_of_all).quote
            # Made after that venue had fallen silent, it says so already: nobody is told the same again.
            if quote != (stale_composites.get(name) or newest_of_all).quote:
                stale_composites[name] = newest_of_all.again(quote)
        if marked:
            self.stale_version += 1
            self.wake()
        return sum(len(stale) for source, stale in last.stale.items() if source != COMPOSITE)

    # What readers ask

    def last(self, name: str, source: str = COMPOSITE) -> Entry | None:
        """The newest quote of an instrument as it is now, with its health; None while there is none."""
        return self._last.get(name, source)

    def newest(self, source: str = COMPOSITE) -> dict[str, Entry]:
        """The newest quote of every instrument as it came, by name. May hold some that the ring no longer does."""
        return dict(self._last.newest.get(source, {}))

    def stale(self, source: str = COMPOSITE) -> dict[str, Entry]:
        """The newest quote of every instrument for which it is not the same as when it came."""
        return dict(self._last.stale.get(source, {}))

    @property
    def empty(self) -> bool:
        """Whether there is no quote at all."""
        return not self._last.newest[COMPOSITE]

    def between(self, after: int, names: frozenset[str], source: str = COMPOSITE) -> list[Entry]:
        """The quotes of some instruments at positions greater than `after`, ascending. `after` + 1 is in the ring."""
        parts = self._behind(after)
        if source == COMPOSITE:
            return [e for e in parts if e is not None and e.composite and e.name in names]
        return [e for e in parts if e is not None and e.source == source and e.name in names]

    def composites(self, after: int) -> list[Entry]:
        """The composites at positions greater than `after`, one for each quote of a venue, in its order. `after` + 1 is
        in the ring."""
        return [e for e in self._behind(after) if e is not None and e.composite]

    def _epochs(self) -> Iterable[int]:
        return (standing.epoch for standing in self.feeds.values())
