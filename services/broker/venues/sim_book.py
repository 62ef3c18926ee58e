"""One simulated book that outlives its process: a state, and what was put into it since.

What goes in is remembered in its order and committed together with the reports that came out. A book that is
read again does the same once more, so it stands where the other stood, to the byte; what was not committed was not
told to anybody.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date

import asyncpg

from crossrate.exchange.event import Event, EventKind
from crossrate.exchange.external import PROVIDER
from crossrate.exchange.grid import Grid
from crossrate.exchange.order import Command, Operation
from crossrate.exchange.reports import Report
from crossrate.exchange.terms import VenueTerms
from crossrate.exchange.venue import Venue
from services.broker.store import Input

INPUTS_MAX = 2000
"""Inputs that may stand uncommitted: what is dropped at a kill is quotes that nobody dealt on."""
ROWS_MAX, ROWS_HARD_MAX = 200, 5000
"""Rows of inputs after which the state is written anew, once nothing is on its way: as soon as as much went in since as
it has orders, so that a large book is not written again and again; beyond the second number in any case."""
QUOTE, SEND, ADVANCE = 0, 1, 2


class Raw:
    """A command as it was written down: the row is all of it."""

    def __init__(self, row: tuple[int, ...]) -> None:
        self._row = row

    def row(self, time: int) -> tuple[int, ...]:
        """The record that the kernel takes."""
        return (*self._row[:-1], time)


def parts_of(key: str) -> tuple[str, date | None]:
    """A book's pair, and its date where it is one of outrights: "EUR/USD", "EUR/USD 2026-12-29"."""
    instrument, _, day = key.partition(" ")
    return instrument, date.fromisoformat(day) if day else None


def table_of(key: str) -> str:
    """Where a book is kept: those of dates apart, as the version before takes all of the others for pairs."""
    return "dated_book" if parts_of(key)[1] else "book"


class SimBook:
    """See the module. Times are nanoseconds since 1970 UTC and never go back."""

    grid: Grid
    """Its increments, by whoever opens it; those of a dated book are finer."""

    def __init__(
        self, venue: str, key: str, exchange: Venue, spec: str, number: int = 0, told: int = 0, rows: int = 0
    ) -> None:
        self.venue = venue
        self.key = key
        self.instrument, self.day = parts_of(key)
        self.exchange = exchange
        self.number = number
        self.told = told
        self._spec = spec
        self._rows = rows
        self._begin = b"" if number else exchange.snapshot()
        self._inputs: list[list[object]] = []
        self._since = 0
        """Inputs since the state that is kept."""
        self._on_way: deque[Report] = deque()
        self.quoted: tuple[int, int] = (-1, -1)
        """The quote that it has; unknown at first."""
        self.renewed = False
        """Whether it is to be written before anything else, because its terms have changed."""
        self.orders = 0
        """Clients' orders that are sent and have not ended."""
        self.dealt: Callable[[Event], None] = lambda event: None
        """Called with each fill of a client's order as it happens: once, however often the book is read again."""

    # What goes in.

    def quote(self, bid: int, ask: int, now: int) -> None:
        """A new quote, ticks; 0 for none."""
        if (bid, ask) == self.quoted:
            return
        self.quoted = (bid, ask)
        self._do(QUOTE, bid, ask, max(now, self.exchange.now))
        self.advance(now)

    def send(self, command: Command, now: int) -> None:
        """A client's command."""
        self._do(SEND, *command.row(0)[:-1], max(now, self.exchange.now))

    def advance(self, now: int) -> None:
        """Lets everything happen that happens until now."""
        now = max(now, self.exchange.now)
        if self._inputs and self._inputs[-1][0] == ADVANCE and not self._due(now):
            self._inputs.pop()  # nothing happened between: the longer step says both
        self._do(ADVANCE, now)

    def _due(self, now: int) -> bool:
        next_time = self.exchange.next_time
        return next_time is not None and next_time <= now

    def _do(self, *what: int) -> None:
        self._inputs.append(list(what))
        for report in self._apply(what):
            if report.event.kind is EventKind.FILLED:
                self.dealt(report.event)

    def _apply(self, what: tuple[int, ...]) -> list[Report]:
        match what[0]:
            case 0:
                self.exchange.quote(what[1], what[2], what[3])
                self.quoted = (what[1], what[2])
            case 1:
                self.exchange.send(Raw((*what[1:-1], 0)), what[-1])  # type: ignore[arg-type]
                if what[1] == Operation.NEW:
                    self.orders += 1
            case _:
                reports = self.exchange.advance(what[1])
                self._on_way.extend(each for each in reports if each.event.sequence > self.told)
                return reports
        return []

    # What comes out.

    def due(self, now: int) -> list[Report]:
        """Reports that have reached their clients by now, in the venue's order: none overtakes another."""
        found = []
        while self._on_way and self._on_way[0].receive_time <= now:
            found.append(self._on_way.popleft())
        if found:
            self.told = found[-1].event.sequence
        return found

    @property
    def next_time(self) -> int | None:
        """When something happens by itself; None for never."""
        times = [self.exchange.next_time] if self.exchange.next_time is not None else []
        if self._on_way:
            times.append(self._on_way[0].receive_time)
        return min(times) if times else None

    @property
    def idle(self) -> bool:
        """Whether nobody has anything in it, so that quotes change nothing that anybody would hear of."""
        return self.orders <= 0 and not self._on_way

    @property
    def clients(self) -> bool:
        """Whether a client's order stands in it, whatever was told of it."""
        return any(each.owner < PROVIDER for each in self.exchange.book.orders())

    @property
    def full(self) -> bool:
        """Whether its inputs are to be committed though nobody hears of them."""
        return len(self._inputs) >= INPUTS_MAX

    @property
    def changed(self) -> bool:
        """Whether something went in since it was last written."""
        return bool(self._inputs)

    # As it is kept.

    def row(self) -> Input | None:
        """What went in since, as a row to be committed with the reports; None where `write` has more to say."""
        if self._begin or self._stale:
            return None
        self.number += 1
        self._rows += 1
        self._since += len(self._inputs)
        inputs, self._inputs = self._inputs, []
        content = json.dumps(inputs, separators=(",", ":")).encode()
        return Input(self.venue, self.key, self.number, self.told, content)

    @property
    def _stale(self) -> bool:
        if self._rows < ROWS_MAX or self._on_way:
            return False
        return self._since >= self.orders or self._rows >= ROWS_HARD_MAX

    async def write(self, connection: asyncpg.Connection) -> None:
        """Writes what went in since, within the transaction of the reports; now and then the whole state."""
        if self._begin:
            await self._write_state(connection, self._begin)
            self._begin = b""
        self.number += 1
        if self._stale:
            await self._write_state(connection, self.exchange.snapshot())
            await connection.execute(
                "DELETE FROM book_input WHERE venue = $1 AND instrument = $2", self.venue, self.key
            )
            self._rows = self._since = 0
        else:
            await connection.execute(
                "INSERT INTO book_input (venue, instrument, number, told, content) VALUES ($1, $2, $3, $4, $5)",
                self.venue,
                self.key,
                self.number,
                self.told,
                json.dumps(self._inputs, separators=(",", ":")).encode(),
            )
            self._rows += 1
            self._since += len(self._inputs)
        self._inputs = []

    async def _write_state(self, connection: asyncpg.Connection, state: bytes) -> None:
        await connection.execute(
            f"INSERT INTO {table_of(self.key)} (venue, instrument, number, told, state, spec) "
            "VALUES ($1, $2, $3, $4, $5, $6) "
            "ON CONFLICT (venue, instrument) DO UPDATE SET number = excluded.number, told = excluded.told, "
            "state = excluded.state, spec = excluded.spec",
            self.venue,
            self.key,
            self.number,
            self.told,
            state,
            self._spec,
        )

    @classmethod
    async def read(
        cls,
        connection: asyncpg.Connection,
        venue: str,
        key: str,
        spec: str,
        terms_of: Callable[[str], VenueTerms],
    ) -> SimBook | None:
        """The book as it was committed; None if there is none.

        What was put into it under other terms is done under those once more. Reports that are on their way then come at
        once, so that the state can be written anew before anything is done under the new terms.
        """
        row = await connection.fetchrow(
            f"SELECT number, told, state, spec FROM {table_of(key)} WHERE venue = $1 AND instrument = $2", venue, key
        )
        if row is None:
            return None
        inputs = await connection.fetch(
            "SELECT number, told, content FROM book_input WHERE venue = $1 AND instrument = $2 AND number > $3 "
            "ORDER BY number",
            venue,
            key,
            row["number"],
        )
        exchange = Venue.restore(row["state"], terms_of(row["spec"]))
        book = cls(venue, key, exchange, spec, row["number"], row["told"], len(inputs))
        book._begin = b""
        book.told = inputs[-1]["told"] if inputs else row["told"]
        for each in inputs:
            for what in json.loads(each["content"]):
                book._apply(tuple(what))
                book._since += 1
            book.number = each["number"]
        if row["spec"] != spec:
            book.exchange = Venue.restore(book.exchange.snapshot(), terms_of(spec))
            book._on_way = deque(each._replace(receive_time=0) for each in book._on_way)
            book._rows, book.renewed = ROWS_HARD_MAX, True
        return book


def rows_of(books: Sequence[SimBook]) -> tuple[list[Input], list[SimBook]]:
    """What went into books, as rows; and the books whose state is to be written."""
    rows: list[Input] = []
    states: list[SimBook] = []
    for book in books:
        row = book.row()
        if row is None:
            states.append(book)
        else:
            rows.append(row)
    return rows, states
