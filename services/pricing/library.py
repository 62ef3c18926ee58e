"""Snapshots and markets in memory. They never change, so what is held is right for ever and only room limits it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from crossrate.api.pricing.v1 import market_pb2
from services.pricing.books import book_of
from services.pricing.domain.market import Book, Snapshot
from services.pricing.domain.refusal import Missing
from services.pricing.messages import snapshot_of
from services.pricing.store import Store

K = TypeVar("K")
V = TypeVar("V")


class Shelf(Generic[K, V]):
    """The things that were asked for last, at most `held_max`."""

    def __init__(self, held_max: int) -> None:
        self._held_max = held_max
        self._things: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """A thing, if it is held."""
        if key in self._things:
            self._things.move_to_end(key)
        return self._things.get(key)

    def put(self, key: K, thing: V) -> V:
        """Holds a thing, lets go of the one that was asked for longest ago if there is no room, and returns it."""
        self._things[key] = thing
        if len(self._things) > self._held_max:
            self._things.popitem(last=False)
        return thing

    def __len__(self) -> int:
        return len(self._things)


class Library:
    """Reads from the store what is not held."""

    def __init__(self, store: Store, *, snapshots_held_max: int, markets_held_max: int) -> None:
        self._store = store
        self._snapshots: Shelf[str, Snapshot] = Shelf(snapshots_held_max)
        self._books: Shelf[tuple[str, int], Book] = Shelf(markets_held_max)

    async def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """A snapshot with its market; None if there is none of that id.

        Raises:
            StoreUnavailable: it is not held, and the database is away.
        """
        key = snapshot_id.lower()
        if (held := self._snapshots.get(key)) is not None:
            return held
        content = await self._store.snapshot(key)
        if content is None:
            return None
        message = market_pb2.Snapshot.FromString(content)
        book = await self.book(message.market, message.market_version)
        assert book is not None, f"snapshot {key} names a market that is not kept"
        return self._snapshots.put(key, snapshot_of(message, book))

    async def found(self, snapshot_id: str) -> Snapshot:
        """A snapshot with its market.

        Raises:
            Missing: there is none of that id.
            StoreUnavailable: it is not held, and the database is away.
        """
        snapshot = await self.snapshot(snapshot_id)
        if snapshot is None:
            raise Missing("snapshot", snapshot_id)
        return snapshot

    async def book(self, name: str, version: int) -> Book | None:
        """A version of a market, which is not 0; None if there is none.

        Raises:
            StoreUnavailable: it is not held, and the database is away.
        """
        if (held := self._books.get((name, version))) is not None:
            return held
        content = await self._store.market(name, version)
        if content is None:
            return None
        message = market_pb2.Market.FromString(content)
        return self._books.put((name, version), book_of(message.curves, message.surfaces))
