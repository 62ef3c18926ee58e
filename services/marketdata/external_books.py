"""The books of a feed from outside for one term: the venue's symbols, units and clock become the platform's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.marketdata.books.writer import BookTerm
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.entries import EntryUpdate
from services.marketdata.domain.normalise import GAPPED, IN_UTC, Mapped
from services.marketdata.domain.venue_clock import VenueClock
from services.marketdata.feeds import Outside

MISSING = "updates by position are missing, or do not fit"

Levels = Sequence[tuple[float, float]]


class VenueBooks:
    """See the module.

    Attributes:
        wanted: symbols of which a whole book is to be asked.
    """

    def __init__(self, spec: Outside, catalogue: Catalogue) -> None:
        self._spec = spec
        self._catalogue = catalogue
        self._clock = VenueClock(spec.venue_clock())
        self._symbols: dict[str, str] = {}
        self._mapped: dict[str, Mapped] = {}
        self._closed: dict[str, bool] = {}
        self._revision = -1
        self._term: BookTerm | None = None
        self.wanted: set[str] = set()

    def begin(self, term: BookTerm) -> None:
        """Writes to a term from now on. What a predecessor left is not to be traded on until it has come whole."""
        self._term = term
        term.lose("another instance connects to the venue")

    def resnapshot(self, instrument: str) -> None:
        """Has the adapter ask for a whole book."""
        if instrument in self._symbols:
            self.wanted.add(self._symbols[instrument])

    def take(self, updates: Sequence[tuple[BookUpdate, int]], receive_ns: int) -> None:
        """What the venue says, received together; of symbols that are instruments of the platform."""
        if self._term is None:
            return
        for update, note in updates:
            mapped = self._mapping(update.instrument)
            if mapped is None:
                continue
            if note & GAPPED:
                self._term.lose(MISSING, mapped.instrument)
                continue
            if update.snapshot:
                self.wanted.discard(update.instrument)
            local = update.venue_time
            utc = local or receive_ns
            if local and not note & IN_UTC and not self._clock.utc:
                utc = self._clock.to_utc(local, receive_ns)
            self._term.put(
                replace(
                    update,
                    instrument=mapped.instrument,
                    bids=_levels(update.bids, mapped),
                    asks=_levels(update.asks, mapped),
                    entries=_entries(update.entries, mapped),
                    venue_time=utc,
                    receive_time=receive_ns,
                    closed=self._closed.get(mapped.instrument, False),
                )
            )

    def lose(self, reason: str) -> None:
        """The connection went, or messages of it are missing."""
        if self._term is not None:
            self._term.lose(reason)

    def listed(self, now_ns: int) -> None:
        """Closes and opens books with their instruments."""
        if self._revision == self._catalogue.revision or self._term is None:
            return
        self._revision = self._catalogue.revision
        for name, quoted in self._catalogue.quoted().items():
            was, self._closed[name] = self._closed.get(name, False), not quoted
            if was is quoted and name in self._symbols:
                self._term.put(BookUpdate(name, receive_time=now_ns, venue_time=now_ns, closed=not quoted))

    def _mapping(self, symbol: str) -> Mapped | None:
        known = self._mapped.get(symbol)
        if known is None:
            known = self._spec.mapped(symbol)
            if known is None or known.instrument not in self._catalogue:
                # Quotes of it are counted and told; a book of it is nobody's.
                return None
            self._mapped[symbol], self._symbols[known.instrument] = known, symbol
        return known


def _levels(levels: Levels, mapped: Mapped) -> Levels:
    points, unit = mapped.price_points, mapped.quantity_unit
    if points == unit == 1.0:
        return levels
    return [(price / points, quantity * unit) for price, quantity in levels]


def _entries(entries: Sequence[EntryUpdate], mapped: Mapped) -> Sequence[EntryUpdate]:
    points, unit = mapped.price_points, mapped.quantity_unit
    if points == unit == 1.0:
        return entries
    return [EntryUpdate(name, bid, price / points, quantity * unit) for name, bid, price, quantity in entries]
