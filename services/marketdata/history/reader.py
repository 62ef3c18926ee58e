"""What is stored together with what the log has behind it, as one state: so that "now" is part of every answer."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from crossrate.history.bars import BarStore
from crossrate.history.cursor import Cursor
from crossrate.history.keys import LIVE
from crossrate.history.store import BATCH_ROWS_MAX, Coverage, TickStore
from crossrate.ticks.columns import Ticks
from services.marketdata.entry import COMPOSITE_SOURCE
from services.marketdata.history import ledger
from services.marketdata.history.composer import Composer, Composing
from services.marketdata.history.rows import Collected, Key, Mark
from services.marketdata.quote_log import LogEntry, QuoteLog

if TYPE_CHECKING:
    from crossrate.history.reading import Page

T = TypeVar("T")

ENTRIES_A_PIECE = 256
"""Entries of the log that are decoded between two looks whether anybody still waits."""
_given_up: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("given_up", default=None)
"""Set when nobody waits any more for what a thread works on."""


class GivenUp(Exception):
    """Whoever asked has gone, or ran out of time: what is left of the work is not done."""


def proceed() -> None:
    """Called between two pieces of work in a thread.

    Raises:
        GivenUp: nobody waits for it any more.
    """
    event = _given_up.get()
    if event is not None and event.is_set():
        raise GivenUp


class SourceUnclear(LookupError):
    """Several sources have quotes of the instrument, and none was named."""


class NothingStored(LookupError):
    """There is no quote of the instrument at all."""


@dataclass(frozen=True, slots=True)
class View:
    """One state of the history; its methods block.

    Attributes:
        store: what is stored, pinned.
        tail: what is not stored yet, in the order in which it came.
    """

    store: TickStore
    tail: dict[Key, Ticks]

    def source(self, instrument: str, source: str) -> str:
        """The source that a question is about. The composite of an instrument that only one feed quotes is that feed's
        quotes.

        Raises:
            SourceUnclear: none was named, and there are several.
            NothingStored: there is none.
        """
        files = self.store.files(instrument)
        live = {key[0] for key in self.tail if key[1] == instrument}
        found = live | {file.key.venue for file in files}
        if source in found:
            return source
        if source == COMPOSITE_SOURCE:
            live |= {file.key.venue for file in files if file.key.dataset == LIVE}
            if len(live) == 1:
                return live.pop()
        if not found or source:
            raise NothingStored(source)
        venues = found - {COMPOSITE_SOURCE} or found
        if len(venues) > 1:
            raise SourceUnclear(f"{instrument} has quotes of {', '.join(sorted(found))}: name one of them")
        return venues.pop()

    def also(self, source: str, instrument: str) -> Ticks | None:
        """What is not stored yet of an instrument and source."""
        return self.tail.get((source, instrument))

    def ticks(
        self,
        instrument: str,
        start: int,
        end: int,
        source: str,
        columns: Sequence[str] | None = None,
        *,
        limit: int | None = None,
        resume: Cursor | None = None,
        rows_max: int = BATCH_ROWS_MAX,
    ) -> Iterator[Page]:
        """`TickStore.ticks` with what is not stored yet; ends with GivenUp, see `proceed`."""
        return self.store.ticks(
            instrument,
            start,
            end,
            source,
            columns,
            limit=limit,
            resume=resume,
            rows_max=rows_max,
            also=self.also(source, instrument),
            proceed=proceed,
        )

    def coverage(self, instrument: str, source: str) -> list[Coverage]:
        """What there is, in the order of source and instrument, with what is not stored yet."""
        found = {(c.venue, c.instrument): c for c in self.store.coverage(instrument or None, source or None)}
        for key, ticks in self.tail.items():
            if instrument not in ("", key[1]) or source not in ("", key[0]):
                continue
            times, known = ticks.venue_time, found.get(key)
            first, last = int(times.min()), int(times.max())
            if known is None:
                found[key] = Coverage(*key, len(ticks), first, last, 1, 0, 0, (LIVE,))
            else:
                datasets = tuple(sorted({*known.datasets, LIVE}))
                first, last = min(first, known.first), max(last, known.last)
                rows, size = known.rows + len(ticks), known.size_bytes
                found[key] = Coverage(*key, rows, first, last, known.days, known.files, size, datasets)
        return [found[key] for key in sorted(found)]


class Reader:
    """Answers of one instance about history. Questions wait for each other: `threads` has one or two of them.

    Attributes:
        working: pieces of work that threads are at, or that wait for one.
        awaited: those of them that somebody waits for.
        given_up: those that ended early because nobody waited for them any more.
    """

    def __init__(
        self,
        log: QuoteLog,
        open_store: Callable[[], TickStore],
        threads: Executor,
        composing: Composing | None = None,
        open_bars: Callable[[], BarStore] | None = None,
    ) -> None:
        self._log = log
        self._composing = composing
        self._open_store = open_store
        self._open_bars = open_bars
        self._bars: BarStore | None = None
        self._threads = threads
        self._store: TickStore | None = None
        self.working = self.awaited = self.given_up = 0

    async def blocking(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does something in a thread. Of what is cancelled, by the client or by its deadline, the next `proceed` in
        the thread raises; what no thread has begun is never begun."""
        gone, context = threading.Event(), contextvars.copy_context()
        context.run(_given_up.set, gone)
        done = self._threads.submit(context.run, work, *arguments)
        self.working, self.awaited = self.working + 1, self.awaited + 1
        loop = asyncio.get_running_loop()

        def ended(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
                loop.call_soon_threadsafe(self._ended, gone)

        done.add_done_callback(ended)
        try:
            return await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            gone.set()
            raise
        finally:
            self.awaited -= 1

    def _ended(self, gone: threading.Event) -> None:
        self.working -= 1
        self.given_up += gone.is_set()

    async def store(self) -> TickStore:
        """The store, opened when first asked for.

        Raises:
            HistoryError: it cannot be opened.
        """
        if self._store is None:
            self._store = await self.blocking(self._open_store)
        return self._store

    def bars(self) -> BarStore | None:
        """The store of venues' own bars, opened when first asked for; None if this instance has none. Blocks.

        Raises:
            HistoryError: it cannot be opened.
        """
        if self._bars is None and self._open_bars is not None:
            self._bars = self._open_bars()
        return self._bars

    async def view(self, instruments: Iterable[str] | None = None, source: str = "") -> View:
        """The history as it is now; what is not stored yet only of some instruments, if they are said, and of
        composites if the source is theirs.

        All that the log has behind the store is read, page by page: what the stream keeps bounds it (`max_mib` in the
        topology), and the recorder does not let it come that far.

        Raises:
            LogUnavailable: the log did not answer.
            HistoryError: the store cannot be read.
        """
        store, ends = await self.store(), await self._log.ends()
        wanted = None if instruments is None else frozenset(instruments)
        at = await self.blocking(ledger.stored, store, ends)
        entries, after = [], at.number or 0
        while after < ends.last and (page := await self._log.read(after)):
            entries += page
            after = page[-1].number
        composer = None
        if self._composing is not None and source == COMPOSITE_SOURCE:
            always = await self.blocking(ledger.composed, store)
            composer = await self._composing.composer(self._log, at.number or 0, entries, names=wanted, always=always)
        return await self.blocking(_view, store, at.name, entries, wanted, composer)


def _view(
    store: TickStore,
    name: str,
    entries: Sequence[LogEntry],
    wanted: frozenset[str] | None,
    composer: Composer | None = None,
) -> View:
    """The store, and what the entries have behind it."""
    feeds = {entry.feed for entry in entries}
    marks = {feed: [f"{what}-{feed}" for what in ledger.MARK] for feed in feeds}
    # More may have been stored since the entries were read; positions and rows are of one state.
    pinned, positions = store.pinned([name, *(each for names in marks.values() for each in names)])
    number = positions[name] or 0

    def mark(feed: str) -> Mark | None:
        epoch, sequence, missing = (positions[each] for each in marks[feed])
        return None if epoch is None else Mark(epoch, sequence or 0, missing or 0)

    taken = Collected(
        number,
        mark,
        lambda key: ledger.last_sequence(pinned, key),
        wanted,
        composer=composer,
        composed=lambda name: ledger.composed(pinned, name),
    )
    if composer is not None:
        composer.seed((entry for entry in entries if entry.number <= number), ())
    for begin in range(0, len(entries), ENTRIES_A_PIECE):
        proceed()
        taken.take_all(entry for entry in entries[begin : begin + ENTRIES_A_PIECE] if entry.number > number)
    return View(pinned, {key: columns.ticks() for key, columns in taken.columns.items()})
