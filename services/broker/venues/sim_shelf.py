"""The simulated exchange's books: one for each pair, and one for each pair and date that is dealt outright.

A date is another thing than spot: orders of one date meet the dealer's tiers at that date's rates and each other, and
nobody's spot orders.
"""

from __future__ import annotations

from decimal import Decimal

import asyncpg

from crossrate.exchange.terms import VenueTerms
from crossrate.exchange.venue import Venue
from crossrate.store import Database
from services.broker.domain.outright import FINER, FINER_PLACES
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.exchange_terms import grid_of
from services.broker.venues.sim_book import SimBook, parts_of
from services.broker.venues.sim_terms import SimClock, terms_of

IDLE_S = 60.0
"""A dated book in which nobody has had anything for so long is taken down."""


class SimShelf:
    """See the module."""

    def __init__(self, venue: str, spec: SimulatedVenue, database: Database, clock: SimClock) -> None:
        self._venue, self._spec, self._database, self._clock = venue, spec, database, clock
        # What is dealt beside spot changes no book's terms.
        self._declared = spec.model_dump_json(exclude={"deals"})
        self.books: dict[str, SimBook] = {}
        self._of_pair: dict[str, list[SimBook]] = {}
        self._idle_ns: dict[str, int] = {}

    async def kept(self, connection: asyncpg.Connection) -> list[str]:
        """The books that were committed."""
        rows = await connection.fetch(
            "SELECT instrument FROM book WHERE venue = $1 UNION ALL SELECT instrument FROM dated_book WHERE venue = $1",
            self._venue,
        )
        return sorted(row[0] for row in rows)

    def of_pair(self, instrument: str) -> list[SimBook]:
        """The books of a pair."""
        return self._of_pair.get(instrument, [])

    async def open(self, key: str) -> SimBook:
        """A book as it was committed, or a new one.

        Raises:
            Unfit: there is no such pair.
        """
        instrument, day = parts_of(key)
        grid = grid_of(instrument, Decimal(self._spec.quantity_unit), FINER_PLACES if day else 0)

        def terms(text: str) -> VenueTerms:
            spec = SimulatedVenue.model_validate_json(text)
            unit = Decimal(spec.quantity_unit)
            of_then = grid_of(instrument, unit, FINER_PLACES if day else 0)
            return terms_of(spec, instrument, of_then, FINER if day else 1)

        async with self._database.connection() as connection:
            book = await SimBook.read(connection, self._venue, key, self._declared, terms)
        if book is None:
            now = self._clock.now_ns()
            exchange = Venue(terms(self._declared), seed=self._spec.seed, start=now)
            book = SimBook(self._venue, key, exchange, self._declared)
        book.grid = grid
        self.books[key] = book
        self._of_pair.setdefault(instrument, []).append(book)
        return book

    def dated(self) -> list[SimBook]:
        """Dated books with something of somebody's in them."""
        return [each for each in self.books.values() if each.day is not None and not each.idle]

    def outdated(self) -> list[SimBook]:
        """Dated books in which nobody has had anything for a while."""
        now, found = self._clock.now_ns(), []
        for key, book in self.books.items():
            if book.day is None or not book.idle:
                self._idle_ns.pop(key, None)
            elif now - self._idle_ns.setdefault(key, now) > IDLE_S * 1e9 and not book.clients:
                found.append(book)
        return found

    async def take_down(self, connection: asyncpg.Connection, books: list[SimBook]) -> None:
        """Removes books from what is kept, within a transaction; the next order of their dates begins them anew."""
        keys = [book.key for book in books]
        for table in ("book_input", "dated_book"):
            await connection.execute(
                f"DELETE FROM {table} WHERE venue = $1 AND instrument = ANY($2)", self._venue, keys
            )

    def removed(self, books: list[SimBook]) -> None:
        """They were removed."""
        for book in books:
            self.books.pop(book.key, None)
            self._idle_ns.pop(book.key, None)
            self._of_pair[book.instrument].remove(book)
