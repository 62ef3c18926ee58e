"""One order book: commands in, events out; what stands in it, and the whole of it as bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.exchange.event import Event, events_of
from crossrate.exchange.order import Command, Operation, Side
from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.matching import Fact, Kept, Matcher
from crossrate.kernel.reference.matching_rules import COMMAND_WORDS, FACTS, ORDER_WORDS

Rows = NDArray[np.int64]

CAPACITY = 65_536
"""Orders that a book keeps, unless its maker says otherwise; 560 bytes each, touched as it fills."""

MAGIC = b"XRBOOK\x00\x01"
_HEAD = struct.Struct("<8sQI")


class SnapshotError(ValueError):
    """Bytes that are no snapshot of a book, or one that this book cannot hold; the text says which."""


class Level(NamedTuple):
    """A price level: ticks, units that are shown, number of orders."""

    price: int
    quantity: int
    orders: int


class Trade(NamedTuple):
    """The last trade: ticks and units."""

    price: int
    quantity: int


class Resting(NamedTuple):
    """An order that rests or waits.

    Attributes:
        leaves: units that are open.
        shown: units that are shown, once it rests.
        trigger: what it waits for; `Trigger.NONE` for an order that rests.
        trigger_price: ticks at which it triggers; of a trailing stop its distance.
        extreme: of a trailing stop, twice the furthest reference that it has seen; 0 before the first.
        priority: ascending with time priority.
    """

    id: int
    owner: int
    side: int
    type: int
    time_in_force: int
    quantity: int
    price: int
    display_quantity: int
    minimum_quantity: int
    expire_time: int
    trigger: int
    trigger_source: int
    trigger_price: int
    instructions: int
    leaves: int
    shown: int
    extreme: int
    priority: int
    rank: int


class OrderBook:
    """Price-time priority: the best price first, at one price the oldest. The same commands give the same events.

    Time is the caller's: each command has one, nanoseconds since 1970 UTC, and it never goes back.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        """An empty book.

        Args:
            capacity: the most orders that may rest or wait, 1 to 2**20.

        Raises:
            ArgumentError: it is out of range.
        """
        self._matcher = Matcher(capacity)

    def apply(self, command: Command, time: int) -> list[Event]:
        """Carries out one command; its events, in order."""
        return events_of(self.run([command.row(time)]))

    def advance(self, time: int) -> list[Event]:
        """Lets time pass: orders that end by then end."""
        return events_of(self.run([(Operation.ADVANCE, *(0,) * 14, time)]))

    def run(self, commands: Rows | Sequence[tuple[int, ...]]) -> Rows:
        """Carries out records of commands, in order: the fast way.

        Args:
            commands: shape (n, 16), int64 or rows of `row()`.

        Returns:
            Records of their events, in order, int64, shape (m, 16), as `Event` has them.

        Raises:
            OverflowError: a number of a row has more than 64 bits.
            ShapeError: the shape is another one.
        """
        if not isinstance(commands, np.ndarray):
            commands = np.array(commands, np.int64).reshape(-1, COMMAND_WORDS)
        return self._matcher.run(commands)

    def depth(self, side: int, levels: int = 10) -> list[Level]:
        """The best price levels of a side, the best one first: what is shown (level 2)."""
        return [Level(*row) for row in zip(*(each.tolist() for each in self._matcher.depth(side, levels)), strict=True)]

    def best(self, side: int) -> Level | None:
        """The best price level of a side, None if nobody is there."""
        return next(iter(self.depth(side, 1)), None)

    @property
    def bid(self) -> Level | None:
        """The highest bid."""
        return self.best(Side.BUY)

    @property
    def ask(self) -> Level | None:
        """The lowest offer."""
        return self.best(Side.SELL)

    @property
    def last(self) -> Trade | None:
        """The last trade, None before the first."""
        facts = self._matcher.facts()
        price = int(facts[Fact.LAST_PRICE])
        return Trade(price, int(facts[Fact.LAST_QUANTITY])) if price else None

    @property
    def sequence(self) -> int:
        """The number of the last event, 0 before the first."""
        return int(self._matcher.facts()[Fact.EVENTS])

    @property
    def open_orders(self) -> int:
        """How many orders rest or wait."""
        return int(self._matcher.facts()[Fact.ORDERS])

    def orders(self) -> list[Resting]:
        """All orders that rest or wait, oldest time priority first."""
        return [Resting(*row) for row in self._matcher.orders().tolist()]

    def snapshot(self) -> bytes:
        """The whole state, in a form that does not depend on the build: equal books, equal bytes.

        Eight bytes of magic and version, number of orders (uint64) and CRC-32 of the rest, then facts and orders as
        little-endian int64.
        """
        orders = self._matcher.orders()
        body = self._matcher.facts().astype("<i8").tobytes() + orders.astype("<i8").tobytes()
        return _HEAD.pack(MAGIC, len(orders), zlib.crc32(body)) + body

    @classmethod
    def restore(cls, snapshot: bytes, capacity: int | None = None) -> OrderBook:
        """The book of a snapshot, which goes on exactly as the one that it was taken of.

        Args:
            capacity: None for the one that it had.

        Raises:
            SnapshotError: the bytes are damaged, of another version, or more orders than the capacity.
        """
        if len(snapshot) < _HEAD.size or snapshot[:8] != MAGIC:
            raise SnapshotError(f"these bytes do not begin with {MAGIC!r}: they are no snapshot of this version")
        _, count, checksum = _HEAD.unpack_from(snapshot)
        body = snapshot[_HEAD.size :]
        if len(body) != 8 * (FACTS + count * ORDER_WORDS) or zlib.crc32(body) != checksum:
            raise SnapshotError(f"the snapshot of {count} orders is damaged: its length or checksum is another one")
        words = np.frombuffer(body, "<i8").astype(np.int64)
        facts, orders = words[:FACTS], words[FACTS:].reshape(-1, ORDER_WORDS)
        try:
            book = cls(int(facts[Fact.CAPACITY]) if capacity is None else capacity)
            book._matcher.load(facts, orders)
        except ArgumentError as error:
            raise SnapshotError(f"no book can hold this snapshot: {error}") from error
        return book


assert Resting._fields.index("priority") == Kept.PRIORITY
