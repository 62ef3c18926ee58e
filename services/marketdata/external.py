"""A source outside of the platform, whatever the way to it: supervised, normalised, batched into entries of the log.

    adapter ─put─▶ pending ─tick─▶ normaliser ─▶ entry of the log
       ▲                                │
    supervisor: connect, back off       └─▶ status: health, reason, counts

It is connected only while its instance leads the feed. What arrives wakes the feed at once; what arrives while the
feed appends waits for the next entry, so that a busy feed has fewer and larger entries and a quiet one no delay.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.adapter import Adapter, Disconnected
from services.marketdata.books.writer import BookFeed
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.backoff import Backoff
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.normalise import Normal, Normaliser, Raw
from services.marketdata.domain.venue_clock import VenueClock
from services.marketdata.external_books import VenueBooks
from services.marketdata.feed_status import COMPLETE, CONNECTING, DISCONNECTED, LIVE, STALE, FeedStatus
from services.marketdata.feeds import Outside
from services.marketdata.term import QUOTES_PER_ENTRY_MAX, Term

NANOSECONDS = 1_000_000_000
BATCH_MAX = 1_000
"""Most quotes that are taken as received together."""
GRACE_NS = NANOSECONDS
"""A new writer that is not connected after this tells that what its predecessor wrote is stale."""
CLOSE_S_MAX = 3.0
CLOSE_ROUNDS = 3
"""An adapter that is told to end may take a third of this for its farewell, then it is told again."""

Action = Callable[[int], list[Normal]]
"""Something that happened between quotes, and the quotes that tell of it."""


class External:
    """A source."""

    def __init__(
        self,
        name: str,
        spec: Outside,
        adapter: Callable[[events_pb.FeedState], Adapter],
        catalogue: Catalogue,
        instance: str,
        note: Any,
        *,
        books: BookFeed | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """For one feed.

        Args:
            name: the feed.
            spec: what was declared.
            adapter: makes the adapter of a term, from where the term before ended.
            catalogue: the platform's instruments.
            instance: who this is.
            note: where to log.
            books: what writes the feed's books; without it there are none.
            now_ns: the platform's clock, nanoseconds since 1970 UTC.
            monotonic: how much time has passed, seconds.
            draw: chance.
        """
        self.name = name
        self.spec = spec
        self.adapter = adapter
        self.catalogue = catalogue
        self.instance = instance
        self.note = note.bind(feed=name) if hasattr(note, "bind") else note
        self.books = books
        self.now_ns = now_ns
        self.monotonic = monotonic
        self.draw = draw

    @asynccontextmanager
    async def open(self, term: Term) -> AsyncIterator[Connection]:
        """A connection for a term, made once the log has taken the term's first entry; it ends with the term."""
        connection = Connection(self, term)
        async with contextlib.AsyncExitStack() as stack:
            if self.books is not None:
                books = connection.books
                writing = self.books.lead(term.epoch, books.resnapshot, term.confirmed)
                books.begin(await stack.enter_async_context(writing))
            try:
                yield connection
            finally:
                await connection.close()


class Connection:
    """One term's way to the venue: an adapter's sink on one side, a feed's venue on the other."""

    def __init__(self, source: External, term: Term) -> None:
        self._source = source
        self._term = term
        spec, now_ns = source.spec, source.now_ns()
        kind = feed_pb2.FeedKind.Value(f"FEED_KIND_{spec.kind.upper()}")
        self.status = FeedStatus(source.name, kind, source.instance, term.feed_before, now_ns)
        self._normaliser = Normaliser(
            VenueClock(spec.venue_clock()),
            spec.mapped,
            spec.rules(),
            self.status.counts,
            unknown=term.feed_before.unknown_symbols,
        )
        self._normaliser.begin(map(_normal, term.newest.values()))
        self._reported = set(term.feed_before.unknown_symbols)
        self._begun_ns = now_ns
        self._stale_ns = round(spec.stale_after_s * NANOSECONDS)
        self._pending: deque[tuple[Sequence[Raw], int, events_pb.ReplayPlace | None] | Action] = deque()
        self._waiting = 0
        self._state = events_pb.FeedState()
        self._state.CopyFrom(term.begun_at)
        self._revision = -1
        self._heard = asyncio.Event()
        self._taken = asyncio.Event()
        self._quoted_ns = self._names = 0
        self._connected = False
        self._connected_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._adapter = source.adapter(term.begun_at)
        self.books = VenueBooks(spec, source.catalogue)

    # The adapter's side

    def up(self, words: str) -> None:
        """See Sink."""
        self._connected_at = self._source.monotonic()

        def connected(now_ns: int) -> list[Normal]:
            self._connected, self._quoted_ns = True, 0
            self._normaliser.restart()
            self.status.become(CONNECTING, f"{words}; no quote has come yet", now_ns)
            return []

        self._do(connected)

    def restart(self) -> None:
        """See Sink."""

        def restarted(_now_ns: int) -> list[Normal]:
            self._normaliser.restart()
            return []

        self._do(restarted)

    def _do(self, action: Action) -> None:
        """Has something happen between the quotes that came before it and those that come after."""
        self._pending.append(action)
        self._heard.set()

    def put(self, quotes: Sequence[Raw], place: events_pb.ReplayPlace | None = None) -> None:
        """See Sink."""
        now_ns = self._source.now_ns()
        for start in range(0, len(quotes), BATCH_MAX):
            part = quotes[start : start + BATCH_MAX]
            self._pending.append((part, now_ns, place if start + BATCH_MAX >= len(quotes) else None))
        if place is not None and not quotes:
            self._pending.append(((), now_ns, place))
        self._waiting += len(quotes)
        if self._waiting >= self._source.spec.pending_max:
            self._taken.clear()
        self._heard.set()

    def depth(self, updates: Sequence[tuple[BookUpdate, int]]) -> None:
        """See Sink."""
        self.books.take(updates, self._source.now_ns())

    @property
    def wanted(self) -> set[str]:
        """See Sink."""
        return self.books.wanted

    def gapped(self, missing: int) -> None:
        """See Sink."""
        if missing:
            self.books.lose(f"{missing} messages of the session are missing")
        self._do(lambda now_ns: self._normaliser.go_gapped(now_ns, missing))

    def missed(self, missing: int) -> None:
        """See Sink."""
        self.status.counts.gaps += missing

    def reject(self, reason: str, count: int = 1) -> None:
        """See Sink."""
        self.status.counts.reject(reason, count)

    @property
    def full(self) -> bool:
        """See Sink."""
        return self._waiting >= self._source.spec.pending_max

    async def room(self) -> None:
        """See Sink."""
        while self.full:
            await self._taken.wait()

    # The feed's side

    def tick(self, elapsed_s: float, now_ns: int, *, always: bool) -> events_pb.QuotesPublished | None:
        """What arrived, as the next entry; None if nothing did, unless `always`."""
        del elapsed_s
        quotes = self._listed(now_ns)
        placed = False
        while self._pending and len(quotes) <= QUOTES_PER_ENTRY_MAX - BATCH_MAX:
            item = self._pending.popleft()
            if not isinstance(item, tuple):
                quotes += item(now_ns)
                continue
            raws, received_ns, place = item
            self._waiting -= len(raws)
            quotes += self._normaliser.take(raws, received_ns)
            if raws:
                self._quoted_ns = self.status.quoted_ns = received_ns
            if place is not None:
                self._state.replay.CopyFrom(place)
                placed = True
        if not self.full:
            self._taken.set()
        if not self._pending:
            self._heard.clear()
        quotes += self._aged(now_ns)
        self._report()
        status = self._told(now_ns)
        if not (quotes or placed or status or always):
            return None
        entry = self._term.entry(now_ns, [_quote(each, self._term.feed) for each in quotes])
        if self._state.ByteSize():
            entry.state.CopyFrom(self._state)
        if status is None and entry.board:
            status = self._told(now_ns, always=True)
        if status is not None:
            entry.feed.CopyFrom(status)
        return entry

    async def pause(self, stopping: asyncio.Event, seconds: float) -> bool:
        """Waits for something to write, at most so long; returns whether the process stops."""
        if not self._tasks:
            # The first entry is in the log, so that nobody else leads: two instances never log on to one venue.
            self._tasks = {asyncio.create_task(self._supervise()), asyncio.create_task(self._watch(stopping))}
        if self._heard.is_set() or seconds <= 0 or stopping.is_set():
            # Whoever delivers has its turn, even if there is always more to write.
            await asyncio.sleep(0)
            return stopping.is_set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        return stopping.is_set()

    async def _watch(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._heard.set()

    def _listed(self, now_ns: int) -> list[Normal]:
        """CLOSED quotes of instruments that may not be quoted any more."""
        self.books.listed(now_ns)
        catalogue = self._source.catalogue
        if self._revision == catalogue.revision:
            return []
        self._revision = catalogue.revision
        return self._normaliser.list(catalogue.quoted(), now_ns)

    def _aged(self, now_ns: int) -> list[Normal]:
        """What the time makes of the feed's health."""
        status = self.status
        if self._connected and self._quoted_ns:
            if now_ns - self._quoted_ns <= self._stale_ns:
                status.become(LIVE, "", now_ns)
            elif status.health == LIVE:
                status.become(STALE, f"no quote for {self._source.spec.stale_after_s:g} s", now_ns)
                return self._normaliser.go_stale(now_ns)
        elif self._begun_ns and now_ns - self._begun_ns > GRACE_NS:
            self._begun_ns = 0
            return self._normaliser.go_stale(now_ns)
        return []

    def _told(self, now_ns: int, *, always: bool = False) -> feed_pb2.Feed | None:
        return self.status.told(now_ns, self._normaliser.latencies, self._normaliser.unknown, always=always)

    def _report(self) -> None:
        if len(self._normaliser.names) > self._names:
            self._names = len(self._normaliser.names)
            self._source.catalogue.want(self._normaliser.names)
        unknown = self._normaliser.unknown
        if len(unknown) > len(self._reported):
            for symbol in unknown.keys() - self._reported:
                self._source.note.warning("the feed has a symbol that is mapped to no instrument", symbol=symbol[:64])
            self._reported.update(unknown)

    # The supervisor

    async def _supervise(self) -> None:
        """Keeps the adapter connected until it is cancelled."""
        source = self._source
        these = source.spec.reconnect
        backoff = Backoff(these.first_s, these.cap_s, these.stable_s, source.draw)
        while True:
            self._connected_at = 0.0
            self._do(self._connecting)
            reason = COMPLETE
            try:
                await self._adapter.run(self)
            except Disconnected as error:
                reason = str(error)
            except (OSError, TimeoutError) as error:
                reason = f"the connection failed: {error!r}"
            except Exception as error:
                # A fault in one adapter takes neither the other feeds nor the calls with it.
                source.note.exception("the adapter of the feed failed")
                reason = f"the adapter failed: {error!r}"
            connected_s = source.monotonic() - self._connected_at if self._connected_at else 0.0
            self._ended(reason, connected_s)
            if reason == COMPLETE:
                return
            wait_s = backoff.next(connected_s)
            source.note.warning("the feed is not connected; trying again", reason=reason, wait_s=round(wait_s, 3))
            await asyncio.sleep(wait_s)

    def _connecting(self, now_ns: int) -> list[Normal]:
        self.status.become(CONNECTING, self.status.reason, now_ns)
        return []

    def _ended(self, reason: str, connected_s: float) -> None:
        self.books.lose(reason)

        def disconnected(now_ns: int) -> list[Normal]:
            self._connected = False
            self.status.disconnects += connected_s > 0 and reason != COMPLETE
            self.status.become(DISCONNECTED, reason, now_ns)
            return self._normaliser.go_stale(now_ns)

        self._do(disconnected)

    async def close(self) -> None:
        """Ends the adapter, which has a moment for its farewell."""
        pending = self._tasks
        for _ in range(CLOSE_ROUNDS if pending else 0):
            for task in pending:
                # asyncio.timeout of Python 3.11 can lose a cancellation that comes together with its result.
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=CLOSE_S_MAX / CLOSE_ROUNDS)
            if not pending:
                return
        if pending:
            self._source.note.error("the adapter of the feed does not end")


def _quote(normal: Normal, feed: str) -> pb.Quote:
    quote = pb.Quote(
        instrument=normal.instrument,
        bid=normal.bid,
        ask=normal.ask,
        bid_quantity=normal.bid_quantity,
        ask_quantity=normal.ask_quantity,
        sequence=normal.sequence,
        health=normal.health,
        source=feed,
        flags=normal.marks,
        venue_sequence=normal.venue_sequence,
    )
    seconds, nanos = divmod(normal.venue_time, NANOSECONDS)
    quote.venue_time.seconds, quote.venue_time.nanos = seconds, nanos
    seconds, nanos = divmod(normal.receive_time, NANOSECONDS)
    quote.receive_time.seconds, quote.receive_time.nanos = seconds, nanos
    return quote


def _normal(quote: pb.Quote) -> Normal:
    venue, receive = quote.venue_time, quote.receive_time
    return Normal(
        quote.instrument,
        quote.bid,
        quote.ask,
        quote.bid_quantity,
        quote.ask_quantity,
        quote.sequence,
        venue.seconds * NANOSECONDS + venue.nanos,
        receive.seconds * NANOSECONDS + receive.nanos,
        quote.health,
        (),
        quote.venue_sequence,
    )
