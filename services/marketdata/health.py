"""Health of every feed and instrument, on every instance, and how it changed.

Most of it stands in the log, so that every instance has the same changes under the same places. Two things are found by
each instance itself, because nobody writes them: a quote that grew too old, and a feed that nobody writes. They have
the place of the newest entry, and are told again to whoever resumes.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from crossrate.api.marketdata.v1 import feed_pb2 as pb
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2
from services.marketdata.board import Board
from services.marketdata.cursor import Cursor
from services.marketdata.entry import COMPOSITE, COMPOSITE_SOURCE
from services.marketdata.follower import Written

CHANGES_KEPT = 8_192
"""Changes that cursors can return to."""
UNWRITTEN = "no instance writes the feed"

Key = tuple[str, str]
"""An instrument and a source."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: of a feed, or of an instrument.

    Attributes:
        number: 1, 2, 3 … on this instance.
        place: number in the log of the entry with which, or after which, it came.
        found: it was found by this instance, and does not stand in the log.
        of: what changed, as it is since.
    """

    number: int
    place: int
    found: bool
    of: pb.Feed | pb.InstrumentHealth


class ChangesForgotten(LookupError):
    """The place that a cursor names is not among the changes that are kept (any more)."""


class HealthBoard:
    """What is known of health, and the changes that led there.

    Attributes:
        last: number of the newest change.
        place: number of the newest entry of the log that it has seen.
        waiting: how many wait for a place that it has not seen yet.
    """

    def __init__(
        self,
        kinds: Mapping[str, int],
        board: Board,
        written: Callable[[], Mapping[str, Written]],
        silent_after_s: float,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """For one instance.

        Args:
            kinds: every declared feed, and its kind.
            board: the quotes.
            written: where the writing of each feed stands.
            silent_after_s: a feed without an entry for this long is written by nobody.
            now_ns: the platform's clock, nanoseconds since 1970 UTC.
            monotonic: how much time has passed, seconds.
        """
        self._board = board
        self._written = written
        self._silent_after_s = silent_after_s
        self._now_ns, self._monotonic = now_ns, monotonic
        self._began = monotonic()
        self._feeds: dict[str, pb.Feed] = {}
        self._silent: dict[str, pb.Feed] = {}
        self._instruments: dict[Key, pb.InstrumentHealth] = {}
        self._aged: dict[Key, pb.InstrumentHealth] = {}
        self._stale_version = 0
        self._changes: deque[Change] = deque(maxlen=CHANGES_KEPT)
        self._forgotten = self._first_place = 0
        self._epoch = self._born = 0
        self._changed = asyncio.Event()
        self.last = 0
        self.place = 0
        self.waiting = 0
        for name, kind in kinds.items():
            feed = pb.Feed(name=name, kind=kind, health=pb.FEED_HEALTH_CONNECTING, reason=UNWRITTEN)
            feed.health_time.FromNanoseconds(now_ns())
            self._feeds[name] = feed

    # What comes in

    def applied(self, published: events_pb.QuotesPublished, feed: str, number: int) -> None:
        """Takes an entry of the log, after the board has."""
        standing = self._board.feeds.get(feed)
        if standing is None or standing.epoch != published.epoch:
            return
        if number <= self.place:
            # The log was lost, and its numbers begin anew: no place from before means anything.
            self._changes.clear()
            self._forgotten, self._born, self.place = self.last, published.epoch, 0
        if not self.place:
            self._first_place = number - 1
        before = self.last
        self.place, self._epoch = number, max(self._epoch, published.epoch)
        if published.HasField("feed"):
            self._take_feed(published.feed)
        for quotes in (published.board, published.quotes):
            self._take_quotes(quotes, feed)
        if self.last != before or self.waiting:
            self._wake()

    def _take_quotes(self, quotes: Iterable[quote_pb2.Quote], feed: str) -> None:
        instruments, aged, venues = self._instruments, self._aged, self._board.venues
        for quote in quotes:
            name, key = quote.instrument, (quote.instrument, feed)
            known = instruments.get(key)
            if known is None or known.health != quote.health or (aged and key in aged):
                self._note(name, feed, quote.health, quote.receive_time.ToNanoseconds())
            elif len(venues.get(name, ())) < 2:
                continue
            self._note_composite(name)

    def check(self) -> None:
        """Finds what nobody writes: quotes that grew too old, feeds without a writer. Called often."""
        before, now_ns = self.last, self._now_ns()
        if self._stale_version != self._board.stale_version:
            self._stale_version = self._board.stale_version
            for source in (*self._feeds, COMPOSITE):
                for name, entry in self._board.stale(source).items():
                    key = (name, source or COMPOSITE_SOURCE)
                    if key not in self._aged:
                        self._note(*key, entry.quote.health, now_ns, found=True)
        for name in self._feeds:
            self._check_writer(name, now_ns)
        if self.last != before:
            self._wake()

    def _check_writer(self, name: str, now_ns: int) -> None:
        written = self._written().get(name)
        heard_at = written.heard_at if written is not None and written.number else self._began
        silent = self._monotonic() - heard_at > self._silent_after_s
        if silent == (name in self._silent):
            return
        if not silent:
            del self._silent[name]
            self._add(self._feeds[name], found=True)
            return
        feed = self._silent[name] = pb.Feed()
        feed.CopyFrom(self._feeds[name])
        feed.health, feed.reason, feed.writer = pb.FEED_HEALTH_DISCONNECTED, UNWRITTEN, ""
        feed.health_time.FromNanoseconds(now_ns)
        self._add(feed, found=True)

    def _take_feed(self, feed: pb.Feed) -> None:
        known = self._silent.pop(feed.name, None) or self._feeds.get(feed.name)
        self._feeds[feed.name] = feed
        if known is None or (known.health, known.reason, known.writer) != (feed.health, feed.reason, feed.writer):
            self._add(feed)

    def _note_composite(self, name: str) -> None:
        entry = self._board.last(name)
        if entry is None:
            return
        key = (name, COMPOSITE_SOURCE)
        known = self._instruments.get(key)
        if known is None or known.health != entry.quote.health or key in self._aged:
            self._note(*key, entry.quote.health, entry.quote.receive_time.ToNanoseconds())

    def _note(self, name: str, source: str, health: int, at_ns: int, *, found: bool = False) -> None:
        made = pb.InstrumentHealth(instrument=name, source=source, health=health)
        made.health_time.FromNanoseconds(at_ns)
        if found:
            self._aged[name, source] = made
        else:
            aged = self._aged.pop((name, source), None)
            known, self._instruments[name, source] = self._instruments.get((name, source)), made
            if aged is not None and known is not None and aged.health == health:
                return
        self._add(made, found=found)

    def _add(self, of: pb.Feed | pb.InstrumentHealth, *, found: bool = False) -> None:
        self.last += 1
        if len(self._changes) == CHANGES_KEPT:
            oldest = self._changes[0]
            self._forgotten, self._first_place = oldest.number, oldest.place
        self._changes.append(Change(self.last, self.place, found, of))

    # What readers ask

    def feeds(self) -> list[pb.Feed]:
        """Every feed as it is, by name."""
        return [self._silent.get(name) or self._feeds[name] for name in sorted(self._feeds)]

    def instruments(self) -> list[pb.InstrumentHealth]:
        """Every instrument of every source as it is."""
        keys = sorted(self._instruments.keys() | self._aged.keys())
        return [self._aged.get(key) or self._instruments[key] for key in keys]

    def since(self, number: int) -> list[Change] | None:
        """The changes after a number, in order; None if some of them are forgotten."""
        if number < self._forgotten:
            return None
        changes: list[Change] = []
        for change in reversed(self._changes):
            if change.number <= number:
                break
            changes.append(change)
        changes.reverse()
        return changes

    def cursor(self, number: int) -> Cursor:
        """The cursor of whoever has the changes up to a number."""
        following = next(iter(self.since(number) or ()), None)
        # Changes of one entry have one place: it is reached with the last of them.
        return Cursor(self._epoch, self.place if following is None else following.place - 1)

    def find(self, cursor: Cursor) -> int | None:
        """The number of the last change that a cursor's owner has; None while this instance has not come that far.

        Raises:
            ChangesForgotten: the changes after it are not kept any more, or the log was lost since.
        """
        if cursor.epoch < self._born or cursor.place < self._first_place:
            raise ChangesForgotten(Cursor(self._epoch, self._first_place).encode())
        if cursor.place > self.place:
            return None
        earlier = [c.number for c in self._changes if c.place <= cursor.place and not c.found]
        return max(earlier, default=self._forgotten)

    def found(self) -> list[pb.Feed | pb.InstrumentHealth]:
        """What this instance found by itself and still holds."""
        return [*self._silent.values(), *self._aged.values()]

    def changed(self) -> asyncio.Event:
        """An event that is set with the next change; take it before looking, wait after."""
        return self._changed

    def _wake(self) -> None:
        event, self._changed = self._changed, asyncio.Event()
        event.set()
