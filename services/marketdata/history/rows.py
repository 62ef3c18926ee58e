"""Entries of the log as columns: what the recorder stores, and what a question adds that is not stored yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from google.protobuf.message import DecodeError

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.ticks.columns import COLUMNS, Flag, Ticks
from services.marketdata.entry import COMPOSITE, COMPOSITE_SOURCE
from services.marketdata.history.composer import Composer
from services.marketdata.quote_log import LogEntry

NANOSECONDS = 1_000_000_000

_HEALTH = {
    pb.QUOTE_HEALTH_STALE: Flag.STALE,
    pb.QUOTE_HEALTH_GAPPED: Flag.AFTER_GAP,
    pb.QUOTE_HEALTH_CROSSED: Flag.CROSSED,
    pb.QUOTE_HEALTH_CLOSED: Flag.CLOSED,
}
HEALTH_FLAGS = [int(_HEALTH.get(health, 0)) for health in range(max(pb.QuoteHealth.values()) + 1)]
"""What is known against a quote of each health."""
SAID = {number: int(Flag[name.removeprefix("QUOTE_FLAG_")]) for name, number in pb.QuoteFlag.items() if number}
"""What a quote itself says against it."""

Key = tuple[str, str]
"""A feed and an instrument."""

LastStored = Callable[[Key], int | None]
"""The sequence of the last stored quote of each; None if there is none. Blocks."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a feed has been taken.

    Attributes:
        epoch: the term of the newest entry.
        sequence: the feed's number of the newest quote; 0 before the first.
        missing: quotes that were forgotten before they were taken.
    """

    epoch: int = 0
    sequence: int = 0
    missing: int = 0


class Columns:
    """Quotes of one instrument from one feed, as they come."""

    __slots__ = ("_lists",)

    def __init__(self) -> None:
        self._lists: tuple[list, ...] = tuple([] for _ in COLUMNS)

    def add(self, quote: pb.Quote, gap: bool) -> None:
        """Takes a quote; `gap` says that those before it are missing."""
        venue, receive, bid, ask = quote.venue_time, quote.receive_time, quote.bid, quote.ask
        flags = HEALTH_FLAGS[quote.health]
        for said in quote.flags:
            flags |= SAID.get(said, 0)
        if bid >= ask:
            flags |= Flag.CROSSED if bid > ask else Flag.LOCKED
        values = (
            venue.seconds * NANOSECONDS + venue.nanos,
            receive.seconds * NANOSECONDS + receive.nanos,
            bid,
            ask,
            quote.bid_quantity,
            quote.ask_quantity,
            quote.sequence,
            flags | Flag.AFTER_GAP if gap else flags,
        )
        for column, value in zip(self._lists, values, strict=True):
            column.append(value)

    def ticks(self) -> Ticks:
        """What was taken, in the order in which it came."""
        names = zip(COLUMNS.items(), self._lists, strict=True)
        return Ticks(**{name: np.array(values, kind) for (name, kind), values in names})


@dataclass(slots=True)
class Collected:
    """Quotes behind a place in the log, in its order. The same entries make the same rows, whoever takes them.

    Attributes:
        number: of the newest entry that was taken, or behind which it begins.
        wanted: instruments whose quotes are taken; None for all.
        feeds: how far each feed has been taken.
        stored_mark: how far a feed is stored; asked once a feed. Blocks.
        last_stored: see `LastStored`; asked after a gap that is older than the first entry.
        rows: quotes that were taken.
        oldest: when the oldest of them was published, ns since 1970 UTC; 0 without.
        undecodable: entries that nothing of this service wrote.
        composer: makes composites of what is taken; None where there is but one feed.
        composed: whether an instrument has composites in the store, so that they go on while only one venue is left.
            Blocks.
    """

    number: int
    stored_mark: Callable[[str], Mark | None]
    last_stored: LastStored
    wanted: frozenset[str] | None = None
    feeds: dict[str, Mark] = field(default_factory=dict)
    rows: int = 0
    oldest: int = 0
    undecodable: int = 0
    composer: Composer | None = None
    composed: Callable[[str], bool] = lambda _name: False
    columns: dict[Key, Columns] = field(default_factory=dict)
    _sequences: dict[Key, int] = field(default_factory=dict)
    _gapped: set[str] = field(default_factory=set)
    _known: dict[str, bool] = field(default_factory=dict)

    def take_all(self, entries: Iterable[LogEntry]) -> int:
        """Takes entries in the order of the log, and returns how many quotes there are now."""
        for entry in entries:
            try:
                self.take(entry.number, entry.feed, events_pb.QuotesPublished.FromString(entry.payload))
            except DecodeError:
                self.number, self.undecodable = entry.number, self.undecodable + 1
        return self.rows

    def take(self, number: int, feed: str, published: events_pb.QuotesPublished) -> None:
        """Takes one entry. One that a board discards adds nothing, nor one that is stored.

        A log that lost its end, as on a machine that loses power, gives the same numbers again under a greater term.
        """
        self.number = number
        composites = iter(self.composer.take(number, feed, published) if self.composer is not None else ())
        first = published.first_sequence
        mark = self.feeds.get(feed) or self.stored_mark(feed) or Mark(published.epoch, first - 1)
        self.feeds[feed] = mark
        if published.epoch < mark.epoch or (published.epoch == mark.epoch and first <= mark.sequence):
            return
        missing = first - mark.sequence - 1
        if missing > 0:
            self._gapped.add(feed)
        elif missing < 0:
            # A greater term that counts from before: the log was lost, and the feed began anew.
            self._gapped.discard(feed)
            self._sequences = {key: n for key, n in self._sequences.items() if key[0] != feed}
        quotes = published.quotes
        self.feeds[feed] = Mark(published.epoch, first + len(quotes) - 1, mark.missing + max(missing, 0))
        if not quotes:
            return
        self.oldest = self.oldest or published.publish_time.ToNanoseconds()
        for quote in quotes:
            if self.wanted is not None and quote.instrument not in self.wanted:
                continue
            key = feed, quote.instrument
            gap = self._after_gap(key, quote.sequence)
            self._of(key).add(quote, gap)
            made = next(composites, None)
            if made is not None and (made.source == COMPOSITE or self._composed_before(quote.instrument)):
                self._of((COMPOSITE_SOURCE, quote.instrument)).add(made.quote, gap)
                self.rows += 1
        self.rows += len(quotes)

    def _of(self, key: Key) -> Columns:
        columns = self.columns.get(key)
        if columns is None:
            columns = self.columns[key] = Columns()
        return columns

    def _composed_before(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self.composed(name)
        return known or (COMPOSITE_SOURCE, name) in self.columns

    def _after_gap(self, key: Key, sequence: int) -> bool:
        last = self._sequences.get(key)
        self._sequences[key] = sequence
        if last is None and (key[0] not in self._gapped or (last := self.last_stored(key)) is None):
            return False
        return sequence > last + 1

    def after(self) -> Collected:
        """What follows once this is stored."""
        known = dict.fromkeys((*(n for n, there in self._known.items() if there), *self._names_composed()), True)
        return replace(self, rows=0, oldest=0, columns={}, feeds=dict(self.feeds), _known=known)

    def _names_composed(self) -> Iterable[str]:
        return (name for source, name in self.columns if source == COMPOSITE_SOURCE)
