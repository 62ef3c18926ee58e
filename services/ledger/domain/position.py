"""A position: what is open of which deals, and what settles of it on which date."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from services.ledger.domain.amounts import divided


class CostMethod(IntEnum):
    """Which open deals a closing deal closes; numbers as in the contract."""

    FIFO = 1
    AVERAGE = 2


@dataclass(slots=True)
class Lot:
    """What is open of one deal: quantity with its sign, and counter money received less paid for it."""

    quantity: int
    money: int


@dataclass(slots=True)
class Flow:
    """What settles on one date: base currency as quantity, counter currency as money."""

    base: int = 0
    counter: int = 0


@dataclass(slots=True)
class Position:
    """Open deals, oldest first (with average cost one), and flows by value date."""

    lots: deque[Lot] = field(default_factory=deque)
    flows: dict[date, Flow] = field(default_factory=dict)

    @property
    def quantity(self) -> int:
        """Units of the base currency, negative for short."""
        return sum(lot.quantity for lot in self.lots)

    @property
    def money(self) -> int:
        """Counter money received less paid for what is open."""
        return sum(lot.money for lot in self.lots)

    @property
    def over(self) -> bool:
        """Whether nothing is open and nothing settles any more."""
        return not self.lots and not self.flows

    def move(self, day: date, base: int, counter: int) -> None:
        """Adds to what settles on a day."""
        flow = self.flows.setdefault(day, Flow())
        flow.base += base
        flow.counter += counter
        if not flow.base and not flow.counter:
            del self.flows[day]


def deal(lots: deque[Lot], method: CostMethod, quantity: int, price: int) -> int:
    """Deals on a position's lots and returns the profit that it realises, in counter money.

    What goes against the position closes its oldest lot first; of an average cost the share of the quantity, rounded
    half even to a unit of money, and the whole with the last of it. What is left opens a lot.
    """
    realised, left = 0, quantity
    while left and lots and (lots[0].quantity > 0) != (left > 0):
        lot = lots[0]
        part = min(abs(left), abs(lot.quantity)) * (1 if lot.quantity > 0 else -1)
        removed = lot.money if part == lot.quantity else divided(lot.money * part, lot.quantity)
        realised += removed + part * price
        lot.quantity -= part
        lot.money -= removed
        left += part
        if not lot.quantity:
            lots.popleft()
    if left and method is CostMethod.AVERAGE and lots:
        lots[0].quantity += left
        lots[0].money -= left * price
    elif left:
        lots.append(Lot(left, -left * price))
    return realised


def replayed(method: CostMethod, deals: Iterable[tuple[int, int]]) -> tuple[deque[Lot], int]:
    """Lots and realised profit after deals of quantity and price, from nothing."""
    lots: deque[Lot] = deque()
    realised = 0
    for quantity, price in deals:
        realised += deal(lots, method, quantity, price)
    return lots, realised
