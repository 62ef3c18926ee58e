"""Matching of orders in one order book: records of whole numbers in, records out. It is exact.

This is the bare machine; `crossrate.exchange` has orders and events with names. Commands and events are rows of int64
whose columns are `Command` and `Event`, orders that are kept rows of `Kept`. The same commands give the same events on
every build.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack
from crossrate.kernel.front import pointer
from crossrate.kernel.reference import matching as reference
from crossrate.kernel.reference.matching import COMMAND_WORDS, EVENT_WORDS, FACTS, ORDER_WORDS, ORDERS_MAX

Rows = NDArray[np.int64]

FEW = 64
ROOM = 4096
"""Events that a book has room for at a time; more come in further calls of C."""


class Command(IntEnum):
    """Columns of a command, as in xr/matching.h."""

    OPERATION = 0
    ID = 1
    OWNER = 2
    SIDE = 3
    TYPE = 4
    TIME_IN_FORCE = 5
    QUANTITY = 6
    PRICE = 7
    DISPLAY = 8
    MINIMUM = 9
    EXPIRE = 10
    TRIGGER = 11
    SOURCE = 12
    TRIGGER_PRICE = 13
    INSTRUCTIONS = 14
    TIME = 15


class Event(IntEnum):
    """Columns of an event, as in xr/matching.h."""

    SEQUENCE = 0
    KIND = 1
    ID = 2
    OWNER = 3
    SIDE = 4
    PRICE = 5
    QUANTITY = 6
    LEAVES = 7
    FILLED = 8
    EXECUTION = 9
    COUNTER = 10
    LIQUIDITY = 11
    REASON = 12
    TIME = 13
    OPERATION = 14
    SHOWN = 15


class Kept(IntEnum):
    """Columns of an order that rests or waits, after the command's own from ID to INSTRUCTIONS, one to the left."""

    LEAVES = 14
    SHOWN = 15
    EXTREME = 16
    PRIORITY = 17
    RANK = 18


class Fact(IntEnum):
    """What a book knows beside its orders."""

    CAPACITY = 0
    TIME = 1
    EVENTS = 2
    TRADES = 3
    LAST_PRICE = 4
    LAST_QUANTITY = 5
    STAMP = 6
    ORDERS = 7


def rows_of(name: str, value: Any, words: int) -> Rows:
    """Records as an array of int64, shape (n, words). It is exact: nothing is converted but the order of memory.

    Raises:
        ShapeError: the shape is another one.
        TypeError: it is not of int64.
    """
    if not isinstance(value, np.ndarray) or value.dtype != np.int64:
        raise TypeError(f"{name} must be an array of int64")
    if value.ndim != 2 or value.shape[1] != words:
        raise ShapeError(f"{name} has shape {value.shape}: (n, {words}) is needed")
    return np.ascontiguousarray(value)


class Compiled:
    """A book in C."""

    def __init__(self, capacity: int) -> None:
        """An empty book that keeps at most `capacity` orders; its memory is touched as it fills."""
        words = np.zeros(1, np.int64)
        path.lib.xr_matching_words(capacity, pointer(words))
        self._size = int(words[0])
        self._memory = np.zeros(self._size, np.int64)
        self._book = pointer(self._memory)
        path.lib.xr_matching_begin(capacity, self._size, self._book)
        self._events = np.zeros((ROOM, EVENT_WORDS), np.int64)
        self._done = np.zeros(3, np.int64)
        self._out, self._progress = pointer(self._events), pointer(self._done)
        # Memory of few commands or levels has its pointer made once: making a pointer costs more than matching.
        self._few = np.zeros((FEW, COMMAND_WORDS), np.int64)
        self._given = pointer(self._few)
        self._levels = np.zeros((4, FEW), np.int64)
        self._columns = tuple(pointer(each) for each in self._levels)

    def run(self, commands: Rows) -> Rows:
        """Carries out commands."""
        pieces, at = [], 0
        address = self._given
        if len(commands) <= FEW:
            self._few[: len(commands)] = commands
        else:
            address = pointer(commands)
        while True:
            taken, made, idle = self._step(len(commands) - at, address + at * COMMAND_WORDS)
            pieces.append(self._events[:made].copy())
            at += taken
            if idle and at == len(commands):
                return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _step(self, count: int, address: Any) -> tuple[int, int, int]:
        fault = path.lib.xr_matching_run(self._size, self._book, count, address, ROOM, self._out, self._progress)
        assert fault == 0, f"the book's memory is no book: {unpack(fault)}"
        taken, made, idle = self._done.tolist()
        return taken, made, idle

    def depth(self, side: int, levels: int) -> tuple[Rows, Rows, Rows]:
        """Price, shown quantity and number of orders of the best levels of a side."""
        columns, pointers = self._levels, self._columns
        if levels > FEW:
            columns = np.zeros((4, levels), np.int64)
            pointers = tuple(pointer(each) for each in columns)
        path.lib.xr_matching_depth(self._size, self._book, side, levels, *pointers)
        price, quantity, orders, made = columns
        count = int(made[0])
        return price[:count].copy(), quantity[:count].copy(), orders[:count].copy()

    def facts(self) -> Rows:
        """What it knows beside its orders, by `Fact`."""
        facts = np.zeros(FACTS, np.int64)
        path.lib.xr_matching_facts(self._size, self._book, pointer(facts))
        return facts

    def orders(self) -> Rows:
        """All orders, ascending by stamp of time priority."""
        count = int(self.facts()[Fact.ORDERS])
        found = np.zeros((count, ORDER_WORDS), np.int64)
        path.lib.xr_matching_orders(self._size, self._book, count, pointer(found))
        return found[np.argsort(found[:, Kept.PRIORITY])]

    def load(self, facts: Rows, orders: Rows) -> int:
        """Goes on as the book that these are of; the fault, 0 for none."""
        by_rank = np.argsort(orders[:, Kept.RANK], kind="stable").astype(np.int64)
        arrays = pointer(facts), len(orders), pointer(orders), pointer(by_rank)
        return int(path.lib.xr_matching_load(self._size, self._book, *arrays))


class Matcher:
    """An order book, in C or as its twin, whichever `crossrate.kernel.path` says when it is made."""

    def __init__(self, capacity: int) -> None:
        """An empty book.

        Args:
            capacity: the most orders that may rest or wait, 1 to 2**20.

        Raises:
            ArgumentError: it is out of range.
        """
        if not 1 <= capacity <= ORDERS_MAX:
            says = f"it must be from 1 to {ORDERS_MAX}"
            raise ArgumentError("capacity", None, Reason.OUT_OF_RANGE, capacity, says)
        self.capacity = capacity
        self._book: Compiled | reference.Book = reference.Book(capacity) if path.is_numpy() else Compiled(capacity)

    def run(self, commands: Rows) -> Rows:
        """Carries out commands, in order.

        Args:
            commands: int64, shape (n, 16), columns `Command`.

        Returns:
            Their events in order, int64, shape (m, 16), columns `Event`.

        Raises:
            ShapeError: the shape is another one.
            TypeError: it is not of int64.
        """
        return self._book.run(rows_of("commands", commands, COMMAND_WORDS))

    def depth(self, side: int, levels: int) -> tuple[Rows, Rows, Rows]:
        """The best levels of a side: price in ticks, shown units, number of orders.

        Args:
            side: 1 bids, 2 offers.
            levels: the most that are wanted, at most 2**20.

        Raises:
            ArgumentError: an argument is out of range.
        """
        if side not in (1, 2):
            raise ArgumentError("side", None, Reason.NOT_A_CODE, side, "it must be 1 (bids) or 2 (offers)")
        if not 0 <= levels <= ORDERS_MAX:
            raise ArgumentError("levels", None, Reason.OUT_OF_RANGE, levels, f"it must be from 0 to {ORDERS_MAX}")
        return self._book.depth(side, min(levels, self.capacity))

    def facts(self) -> Rows:
        """What the book knows beside its orders: int64, shape (8,), by `Fact`."""
        return self._book.facts()

    def orders(self) -> Rows:
        """All orders that rest or wait, ascending by time priority: int64, shape (n, 19), by `Command` and `Kept`."""
        return self._book.orders()

    def load(self, facts: Rows, orders: Rows) -> None:
        """Goes on as the book whose facts and orders these are; to be called once, before the first command.

        Raises:
            ArgumentError: no book of this capacity could have them.
            ShapeError: a shape is another one.
            TypeError: an array is not of int64.
        """
        known = rows_of("facts", np.atleast_2d(facts), FACTS)[0]
        fault = self._book.load(known, rows_of("orders", orders, ORDER_WORDS))
        if fault:
            reason, place, index = unpack(fault)
            name, value = ("book", 0) if place == 1 else ("facts", 0) if place == 2 else ("orders", 0)
            raise ArgumentError(name, index, reason, value, "no book of this capacity can hold it")
