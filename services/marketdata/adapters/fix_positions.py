"""One side of a FIX book whose entries are named by where they stand (MDEntryPositionNo), best first. Pure.

    shifting   New at 2:     1 2 3  ──▶  1 [2] 3 4      what stood there and behind it moves down
               Delete at 2:  1 2 3  ──▶  1 2            what stood behind it moves up
    slots      New, Change and Overlay fill a position, Delete empties it, and nothing moves

An entry keeps its name while others move it, so that a change of one position is a change of one entry.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from services.marketdata.domain.entries import EntryUpdate

NEW, CHANGE, DELETE, DELETE_THRU, DELETE_FROM, OVERLAY = b"0", b"1", b"2", b"3", b"4", b"5"
DELETIONS = frozenset((DELETE, DELETE_THRU, DELETE_FROM))

Level = tuple[float, float]
Completed = Callable[[Level | None], Level | None]
"""Makes price and size of an update complete by those that stood there; None if there is no price."""


class Misplaced(Exception):
    """There is no such position: the book is not the venue's."""


class Positions:
    """See the module.

    Attributes:
        levels: price and size of each entry by its name; shared with the book.
        order: names, best first; of slots, those that are filled are in `levels`.
    """

    __slots__ = ("_bid", "_depth", "_made", "_slots", "levels", "order")

    def __init__(self, levels: dict[object, Level], made: Callable[[], str], *, bid: bool, slots: bool, depth: int):
        """For one side.

        Args:
            levels: what stands there now; it is ranked by price.
            made: gives names that were never given before.
            bid: whether the best price is the greatest.
            slots: nothing moves.
            depth: how many positions there are; 0 for any number.
        """
        self.levels = levels
        self._made = made
        self._bid = bid
        self._slots = slots
        self._depth = depth
        # Sorting is stable: of one price the one that came first is in front.
        self.order: list[object] = sorted(levels, key=lambda name: levels[name][0], reverse=bid)

    def put(self, action: bytes, position: int, completed: Completed) -> list[EntryUpdate]:
        """Takes an update and returns what became of entries.

        Raises:
            Misplaced: the position is not one of the side's.
        """
        if position < 1:
            raise Misplaced
        if self._depth and position > self._depth and action != DELETE_THRU:
            # More than was asked for.
            return []
        if self._slots:
            return self._fill(action, position, completed)
        order, count = self.order, len(self.order)
        if position > count + (action == NEW):
            raise Misplaced
        if action in DELETIONS:
            begin = 0 if action == DELETE_THRU else position - 1
            end = count if action == DELETE_FROM else position
            gone, order[begin:end] = order[begin:end], []
            return [self._gone(name) for name in gone]
        before = None if action == NEW else self.levels[order[position - 1]]
        level = completed(before)
        if level is None:
            # Without it, what stands behind would be named wrongly.
            raise Misplaced
        if action == NEW:
            order.insert(position - 1, self._made())
        changed = [self._set(order[position - 1], level)]
        if self._depth and len(order) > self._depth:
            # The venue names no deletion of what has left the depth that was asked for.
            changed.append(self._gone(order.pop()))
        return changed

    def sorted(self) -> bool:
        """Whether no position has a better price than the one in front of it; of slots nothing is expected."""
        if self._slots:
            return True
        prices = [self.levels[name][0] for name in self.order]
        pairs = itertools.pairwise(prices)
        return all(a >= b for a, b in pairs) if self._bid else all(a <= b for a, b in pairs)

    def _fill(self, action: bytes, position: int, completed: Completed) -> list[EntryUpdate]:
        if action in DELETIONS:
            gone = [name for name in self.levels if _deleted(action, int(str(name)[1:]), position)]
            return [self._gone(name) for name in gone]
        name = f"@{position}"
        level = completed(self.levels.get(name))
        if level is None:
            raise Misplaced
        return [self._set(name, level)]

    def _set(self, name: object, level: Level) -> EntryUpdate:
        self.levels[name] = level
        return update_of(name, self._bid, *level)

    def _gone(self, name: object) -> EntryUpdate:
        self.levels.pop(name, None)
        return update_of(name, self._bid, 0.0, 0.0)


def _deleted(action: bytes, slot: int, position: int) -> bool:
    if action == DELETE:
        return slot == position
    return slot <= position if action == DELETE_THRU else slot >= position


def update_of(name: object, bid: bool, price: float, quantity: float) -> EntryUpdate:
    """An entry of a book as it is from now on; quantity 0 for gone. Names of both sides are told apart."""
    text = name.decode("latin-1") if isinstance(name, bytes) else str(name)
    return EntryUpdate(("b" if bid else "o") + text, bid, price, quantity)
