"""How the instance that leads a feed writes its books: updates of the venue in, numbered changes in the log out.

    source ──put──▶ VenueBook ──changes──▶ queue ──append after n──▶ stream "books"
       ▲               │ gap
       └─resnapshot────┘

The books' log is fenced like the quotes', entry by entry, and by the term: a writer that finds an entry of a greater
term has lost the feed and stops. Whatever is not known to be in the log as it was meant (an append without an answer,
a predecessor that wrote in between, a queue that overflowed) ends alike: the log is read, and every book is written
whole.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from crossrate.api.marketdata.v1 import book_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import book_pb2 as pb
from services.marketdata.books.board import BookBoard
from services.marketdata.books.follower import BookFollower
from services.marketdata.books.log import BookLog
from services.marketdata.books.messages import book_message, gap_message, stamp, update_messages
from services.marketdata.domain.book import BookUpdate, Outcome, VenueBook, Verdict
from services.marketdata.domain.composite_book import SharedLevel, ShownBook
from services.marketdata.feed import Clock
from services.marketdata.quote_log import Fenced, LogEntry, LogUnavailable, pause

CHANGES_PER_ENTRY_MAX = 2_000
BYTES_PER_ENTRY_MAX = 393_216
"""Of changes, and as much again of whole books in a round; NATS takes 1 MiB."""
QUEUE_MAX = 20_000
"""Changes that wait for the log; beyond it they are dropped, and every book is written whole."""
ROUND_S = 10.0
"""From one round of whole books to the next, if anything changed."""
ROUND_BYTES = 4 * 1024 * 1024
"""Of the log, whoever wrote them, after which a round begins in any case: an eighth of what the log keeps."""
WAIT_S_MAX = 1.0
RESNAPSHOT_S = 5.0
"""A venue is asked for a whole book again after this long without one."""
RETRY_S = 0.5
FLUSH_S_MAX = 2.0
"""How long the end of a term waits for what is still in the queue."""

Resnapshot = Callable[[str], None]
"""Asks the venue for a whole book of an instrument."""


class BookFeed:
    """One instance's share in writing the books of one feed.

    Attributes:
        name: the feed.
        counts: updates by verdict, over all terms of this instance; "gaps", "healed", "overflow" besides.
    """

    def __init__(
        self,
        name: str,
        log: BookLog,
        follower: BookFollower,
        board: BookBoard,
        note: Any,
        clock: Clock | None = None,
        round_s: float = ROUND_S,
        resnapshot_s: float = RESNAPSHOT_S,
    ) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.log = log
        self.follower = follower
        self.board = board
        self.note = note.bind(feed=name) if hasattr(note, "bind") else note
        self.clock = clock or Clock()
        self.round_s = round_s
        self.resnapshot_s = resnapshot_s

    @asynccontextmanager
    async def lead(
        self, epoch: int, resnapshot: Resnapshot, confirmed: asyncio.Event | None = None
    ) -> AsyncIterator[BookTerm]:
        """Writes for one term of the feed's writer; what was put until the end is still written, if the log answers.

        Args:
            epoch: the term.
            resnapshot: called with an instrument of which the venue is to send a whole book.
            confirmed: set once the log of quotes has taken the term. Nothing is written before: of two instances that
                begin a term at the same time one does not have it, and yet its number may be the greater one.
        """
        term = BookTerm(self, epoch, resnapshot, confirmed)
        writing = asyncio.create_task(term.run())
        try:
            yield term
            term.close()
            await asyncio.wait([writing], timeout=FLUSH_S_MAX)
        finally:
            writing.cancel()
        # asyncio.wait_for of Python 3.11, within the NATS client, loses a cancellation now and then.
        while not (await asyncio.wait([writing], timeout=0.5))[0]:
            writing.cancel()
        if not writing.cancelled():
            writing.result()


class BookTerm:
    """One term: takes the venue's updates at any time, and writes what they change.

    Attributes:
        ended: whether another instance leads the feed; nothing is written any more.
    """

    def __init__(
        self, feed: BookFeed, epoch: int, resnapshot: Resnapshot, confirmed: asyncio.Event | None = None
    ) -> None:
        self._feed = feed
        self._epoch = epoch
        self._resnapshot = resnapshot
        self._confirmed = confirmed
        self._books: dict[str, VenueBook] = {}
        self._sequences: dict[str, int] = {}
        self._wanted: dict[str, float] = {}
        self._queue: deque[pb.BookChange] = deque()
        self._whole = False
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._number = 0
        self._round: list[str] | None = None
        self._round_began = self._round_number = 0
        self._round_due = self._feed.clock.monotonic()
        self._round_bytes = 0
        self._changed_since_round = True
        self.ended = False
        self._failure: Exception | None = None

    # What the source says

    def put(self, update: BookUpdate) -> Outcome:
        """Takes the venue's next update of a book, and asks for a whole one where it has to. Never waits.

        Raises:
            Exception: what the writing ended with, if it failed.
        """
        if self._failure is not None:
            raise self._failure
        book = self._books.get(update.instrument)
        if book is None:
            book = self._books[update.instrument] = VenueBook()
        outcome = book.apply(update)
        self._feed.counts[outcome.verdict.value] += 1
        self._tell(update.instrument, outcome)
        if outcome.changed:
            self._queue_up(self._change(update.instrument, book, outcome))
        return outcome

    def lose(self, reason: str, instrument: str = "") -> None:
        """The connection to the venue went, or is only being made: every book of the feed is GAPPED until it comes
        whole.

        Args:
            reason: why, in words.
            instrument: only the book of this one.
        """
        now_ns = self._feed.clock.now_ns()
        for name, held in self._feed.board.of(self._feed.name).items():
            if instrument in ("", name) and name not in self._books and held.gap is None:
                self._books[name] = book = VenueBook()
                # As a predecessor left it.
                bids, asks = held.ladder.bids.levels(), held.ladder.asks.levels()
                book.apply(BookUpdate(name, bids, asks, True, 0, 0, held.venue_time, held.receive_time))
        for name, book in self._books.items():
            if instrument not in ("", name):
                continue
            outcome = book.lose(now_ns, reason)
            if outcome.changed:
                self._tell(name, outcome)
                self._queue_up(self._change(name, book, outcome))

    def _tell(self, name: str, outcome: Outcome) -> None:
        note, counts = self._feed.note, self._feed.counts
        if outcome.gap is not None:
            gap = outcome.gap
            counts["gaps"] += 1
            note.warning(
                "a book has a gap", instrument=name, expected=gap.expected, received=gap.received, reason=gap.reason
            )
        elif outcome.healed:
            counts["healed"] += 1
            note.info("a book is whole again", instrument=name)
        if outcome.verdict is Verdict.REFUSED and outcome.gap is None:
            note.warning("an update of a book was refused", instrument=name, reason=outcome.reason)
        if outcome.verdict is Verdict.LOST or self._books[name].live:
            # Whoever connects anew begins with whole books.
            self._wanted.pop(name, None)
        elif outcome.gap is not None or outcome.verdict is Verdict.BEHIND:
            self._ask(name)

    def _ask(self, name: str) -> None:
        self._wanted[name] = self._feed.clock.monotonic() + self._feed.resnapshot_s
        self._resnapshot(name)

    def _ask_again(self) -> float:
        """Asks again for books that did not come, because the question or the answer was lost; returns when next."""
        now = self._feed.clock.monotonic()
        for name in [name for name, due in self._wanted.items() if due <= now]:
            self._feed.note.warning("a whole book was asked for and did not come; asking again", instrument=name)
            self._ask(name)
        return min(self._wanted.values(), default=self._round_due)

    def _change(self, name: str, book: VenueBook, outcome: Outcome) -> pb.BookChange:
        """What others are told; its number is given when it is written."""
        if outcome.whole:
            return pb.BookChange(snapshot=self._message(name, book))
        diff = pb.BookDiff(
            instrument=name,
            source=self._feed.name,
            health=int(book.health),
            bids=update_messages(outcome.bids),
            asks=update_messages(outcome.asks),
            venue_sequence=book.last or 0,
            gap=gap_message(outcome.gap) if outcome.gap else None,
        )
        stamp(diff, book.venue_time, book.receive_time)
        return pb.BookChange(diff=diff)

    def _message(self, name: str, book: VenueBook) -> pb.Book:
        bids = [SharedLevel(*level) for level in book.ladder.bids.levels()]
        asks = [SharedLevel(*level) for level in book.ladder.asks.levels()]
        shown = ShownBook(self._feed.name, 0, book.health, bids, asks, book.venue_time, book.receive_time)
        return book_message(name, shown, book.last or 0, gap_message(book.gap) if book.gap else None)

    def _queue_up(self, change: pb.BookChange) -> None:
        if self.ended or self._whole:
            return
        if len(self._queue) >= QUEUE_MAX:
            self._feed.counts["overflow"] += 1
            self._feed.note.warning("the books' log is too slow; every book will be written whole")
            self._queue.clear()
            self._whole = True
        else:
            self._queue.append(change)
        self._wake.set()

    # Writing

    def close(self) -> None:
        """Ends the term once the queue is written."""
        self._closing.set()
        self._wake.set()

    async def run(self) -> None:
        """Writes until the term is closed and the queue is empty, or another instance leads."""
        try:
            await self._write()
        except Exception as error:
            self._failure = error
            raise

    async def _write(self) -> None:
        if self._confirmed is not None:
            waiting = [asyncio.ensure_future(each.wait()) for each in (self._confirmed, self._closing)]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
            if not self._confirmed.is_set():
                self.ended = True
        known = not self.ended and await self._read()
        while not self.ended and not (self._closing.is_set() and not self._queue and not self._whole):
            if not known:
                # What is in the queue was said of books that may not be those in the log.
                known, self._whole = await self._read(), True
                continue
            due = min(self._ask_again(), self._round_due)
            entry, began, finished = self._entry()
            if entry is None:
                self._wake.clear()
                await pause(self._wake, min(max(due - self._feed.clock.monotonic(), 0.01), WAIT_S_MAX))
                continue
            try:
                await self._append(entry)
                if began:
                    self._round_began = self._number
                if finished:
                    self._round_number = self._round_began
            except Fenced:
                known = False
            except LogUnavailable as error:
                self._feed.note.warning("the books' log does not answer; trying again", reason=str(error))
                known = False
                await pause(self._closing, RETRY_S)
        self._queue.clear()

    async def _append(self, entry: events_pb.BooksPublished) -> None:
        payload, log = entry.SerializeToString(), self._feed.log
        self._number = await log.append(self._feed.name, payload, self._number)
        await log.announce(LogEntry(self._number, self._feed.name, payload))

    async def _read(self) -> bool:
        """Takes numbers from the log as it is; returns whether that could be done. Ends with a greater term."""
        feed = self._feed
        while True:
            try:
                await feed.follower.catch_up()
                break
            except LogUnavailable as error:
                feed.note.warning("the books' log cannot be read; trying again", reason=str(error))
                if await pause(self._closing, RETRY_S):
                    self.ended = True
                    return False
        written = feed.follower.written(feed.name)
        if written.epoch > self._epoch:
            feed.note.warning("another instance writes the feed's books", epoch=self._epoch, greater=written.epoch)
            self.ended = True
            return False
        self._number, self._round_number, self._round = written.number, written.round_number, None
        self._sequences = {name: held.sequence for name, held in feed.board.of(feed.name).items()}
        if written.round_number:
            self._round_bytes = feed.follower.bytes_read
            self._round_due = feed.clock.monotonic() + feed.round_s
        return True

    def _entry(self) -> tuple[events_pb.BooksPublished | None, bool, bool]:
        """What is written next, whether a round begins and whether one ends in it."""
        if self._whole:
            self._queue.clear()
            self._queue.extend(
                pb.BookChange(snapshot=self._message(name, book))
                for name, book in self._books.items()
                if not book.waiting
            )
            self._whole = False
        entry = events_pb.BooksPublished(epoch=self._epoch, round_number=self._round_number)
        size = 0
        while self._queue and len(entry.changes) < CHANGES_PER_ENTRY_MAX and size < BYTES_PER_ENTRY_MAX:
            change = self._queue.popleft()
            self._give_number(change)
            size += change.ByteSize()
            entry.changes.append(change)
        self._changed_since_round |= bool(entry.changes)
        began, finished = self._fill_round(entry) if not self._queue else (False, False)
        if not entry.changes and not entry.books:
            return None, False, False
        entry.publish_time.FromNanoseconds(self._feed.clock.now_ns())
        return entry, began, finished

    def _give_number(self, change: pb.BookChange) -> None:
        if change.WhichOneof("change") == "snapshot":
            book = change.snapshot
            book.sequence = self._sequences[book.instrument] = self._sequences.get(book.instrument, 0) + 1
        else:
            diff = change.diff
            number = self._sequences[diff.instrument] = self._sequences.get(diff.instrument, 0) + 1
            diff.first_sequence = diff.last_sequence = number

    def _fill_round(self, entry: events_pb.BooksPublished) -> tuple[bool, bool]:
        now, began = self._feed.clock.monotonic(), False
        if self._round is None:
            pressing = self._feed.follower.bytes_read - self._round_bytes >= ROUND_BYTES
            if now < self._round_due and not pressing:
                return False, False
            self._round_due = now + self._feed.round_s
            if not self._changed_since_round and not pressing:
                return False, False
            self._round_bytes = self._feed.follower.bytes_read
            self._round, began, self._changed_since_round = sorted(self._sequences), True, False
        size = 0
        while self._round and size < BYTES_PER_ENTRY_MAX:
            book = self._book_in_round(self._round.pop())
            size += book.ByteSize()
            entry.books.append(book)
        if self._round:
            self._wake.set()
            return began, False
        self._round = None
        return began, True

    def _book_in_round(self, name: str) -> pb.Book:
        """A book as it is in the log; one that this term has nothing of yet, as its predecessor left it."""
        book = self._books.get(name)
        if book is None or book.waiting:
            view = self._feed.board.view(name, self._feed.name)
            assert view is not None, f"{name} has a number and no book"
            return view.message()
        message = self._message(name, book)
        message.sequence = self._sequences[name]
        return message
