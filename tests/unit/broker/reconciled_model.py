"""A venue, what it tells on two ways and states on a third, and a model that only looks at the end what is different.

The venue deals, orders come and go; each word of it goes by its own way with its own delay, or is lost, doubled or
altered. The model never matches anything: it compares whole books once nothing is under way.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from services.broker.domain.books import BUY, SELL, Fill, OwnOrder, StatedOrder, Statement
from services.broker.domain.breaks import Finding, Kind
from services.broker.domain.matching import Matcher

SECOND = 1_000_000_000
GRACE_S = 5
DELAY_S_MAX = 4
"""Nothing is longer under way than the grace time."""


@dataclass
class Order:
    """An order at the venue."""

    number: int
    side: int
    quantity: int
    price: Decimal
    filled: int = 0
    works: bool = True


@dataclass(order=True)
class Word:
    """Something on its way."""

    time_ns: int
    number: int
    what: str = field(compare=False)
    fill: Fill | None = field(compare=False, default=None)
    order: int = field(compare=False, default=0)


class World:
    """The venue, our books, and the matcher that looks at both."""

    def __init__(self, seed: int, faults: Iterable[str], *, copied: bool = True) -> None:
        self.chance = random.Random(seed)
        self.faults = set(faults)
        self.now = SECOND
        self.orders: dict[int, Order] = {}
        self.own: dict[int, OwnOrder] = {}
        self.way: list[Word] = []
        self.copied = copied
        self.matcher = Matcher(copied=copied, late_s=60.0, grace_ns=GRACE_S * SECOND)
        self.position = 0
        self.copied_position = 0
        self.ours: dict[str, Fill] = {}
        self.theirs: dict[str, Fill] = {}
        self.repeated: set[str] = set()
        self.breaks: dict[tuple[Kind, str], Finding] = {}
        self._words = 0
        self._execs = 0

    # The venue.

    def step(self) -> None:
        """Something happens, time passes, words arrive, and the matcher looks."""
        what = self.chance.random()
        if what < 0.3 or not self._working():
            self._place()
        elif what < 0.75:
            self._deal(self.chance.choice(self._working()))
        elif what < 0.85:
            self._end(self.chance.choice(self._working()))
        self.pass_time(self.chance.randint(0, 2 * SECOND))

    def _working(self) -> list[Order]:
        return [each for each in self.orders.values() if each.works]

    def _strikes(self, fault: str) -> bool:
        return fault in self.faults and self.chance.random() < 0.15

    def _send(self, what: str, fill: Fill | None = None, order: int = 0) -> None:
        self._words += 1
        delay = self.chance.randint(0, DELAY_S_MAX * SECOND)
        # One way keeps its order.
        last = max((each.time_ns for each in self.way if each.what[0] == what[0]), default=0)
        self.way.append(Word(max(self.now + delay, last), self._words, what, fill, order))

    def _place(self) -> None:
        number = len(self.orders) + 1
        side, quantity = self.chance.choice((BUY, SELL)), self.chance.randint(1, 50) * 10_000
        price = Decimal(self.chance.randint(10_700, 10_900)) / 10_000
        self.orders[number] = Order(number, side, quantity, price)
        if not self._strikes("by_hand"):
            self._send("own:accepted", order=number)

    def _deal(self, order: Order) -> None:
        left = order.quantity - order.filled
        quantity = self.chance.randint(1, left // 10_000) * 10_000
        order.filled += quantity
        order.works = order.filled < order.quantity
        self._execs += 1
        fill = Fill(
            f"E{self._execs}",
            "EUR/USD",
            order.side,
            quantity,
            order.price,
            f"O{order.number}",
            f"S{order.number}",
            time_ns=self.now,
        )
        self.position += fill.signed
        if self._strikes("lose_both"):
            return
        if self.copied and not self._strikes("lose_copy"):
            copied = replace(fill, side=-fill.side) if self._strikes("alter_side") else fill
            self._send("copy", copied)
        if self._strikes("lose_report"):
            return
        told = fill
        if self._strikes("alter_quantity"):
            told = replace(told, quantity=2 * told.quantity)
        if self._strikes("alter_price"):
            told = replace(told, price=told.price + 1)
        self._send("own:fill", told, order.number)
        if self._strikes("repeat"):
            self._send("own:fill", replace(told, exec_id=f"{told.exec_id}R"), order.number)
            self.repeated.add(f"{told.exec_id}R")

    def _end(self, order: Order) -> None:
        order.works = False
        if not self._strikes("lose_end"):
            self._send("own:ended", order=order.number)

    # Our side.

    def pass_time(self, ns: int) -> None:
        """Time passes; what was under way arrives; the matcher looks."""
        self.now += ns
        for word in sorted(each for each in self.way if each.time_ns <= self.now):
            self.way.remove(word)
            self._arrive(word)
        self.look()

    def _arrive(self, word: Word) -> None:
        if word.what == "copy":
            assert word.fill is not None
            self.theirs[word.fill.exec_id] = word.fill
            self.copied_position += word.fill.signed
            self.matcher.theirs(word.fill.exec_id, word.fill, self.now)
            return
        order = self.orders[word.order]
        known = self.own.get(word.order) or OwnOrder(
            f"O{order.number}",
            "alpha",
            "EUR/USD",
            f"S{order.number}",
            "",
            "works",
            True,
            False,
            order.side,
            order.quantity,
            order.price,
            0,
        )
        if word.what == "own:fill":
            assert word.fill is not None
            self.ours[word.fill.exec_id] = word.fill
            self.matcher.ours(word.fill.exec_id, word.fill, self.now)
            filled = known.filled + word.fill.quantity
            known = replace(known, filled=filled)
            if filled >= known.quantity:
                known = replace(known, works=False, ended=True)
        elif word.what == "own:ended":
            known = replace(known, works=False, ended=True)
        self.own[word.order] = known

    def statement(self) -> Statement:
        """What the venue states; its position has in it what the drop copy has told."""
        orders = tuple(
            StatedOrder(
                f"S{each.number}",
                "",
                "EUR/USD",
                each.side,
                each.quantity,
                each.price,
                each.filled,
                f"O{each.number}" if each.number in self.own else "",
            )
            for each in self._working()
        )
        under_way = sum(each.fill.signed for each in self.way if each.what == "copy" and each.fill is not None)
        own = {each.order_id: each for each in self.own.values()}
        positions = {"EUR/USD": self.position - under_way} if self.copied else None
        return Statement(orders, positions, 0, own)

    def look(self) -> None:
        """Notes every difference that has lasted too long."""
        ripe = {}
        for each in self.matcher.findings(self.statement(), self.now):
            if self.now - each.since_ns >= GRACE_S * SECOND:
                ripe[each.kind, each.subject] = each
        self.breaks = ripe

    def settle(self) -> None:
        """Everything arrives, and the grace time passes."""
        for _ in range(4):
            self.pass_time((DELAY_S_MAX + GRACE_S + 1) * SECOND)
        assert not self.way


def differences(world: World) -> set[tuple[Kind, str]]:
    """What is different between whole books when nothing is under way, found by looking at everything."""
    found: set[tuple[Kind, str]] = set()
    touched: set[str] = set()
    for exec_id in world.ours.keys() | world.theirs.keys():
        ours, theirs = world.ours.get(exec_id), world.theirs.get(exec_id)
        if ours is not None and theirs is not None:
            if ours.agrees(theirs):
                continue
            kind = Kind.PRICE
            if ours.quantity != theirs.quantity:
                kind = Kind.QUANTITY
            if ours.side != theirs.side:
                kind = Kind.SIDE
            found.add((kind, f"fill:{exec_id}"))
        elif theirs is not None:
            found.add((Kind.MISSING_FILL, f"fill:{exec_id}"))
        else:
            found.add((Kind.UNKNOWN_FILL, f"fill:{exec_id}"))
        touched |= {each.order_id for each in (ours, theirs) if each is not None}
    for number, order in world.orders.items():
        own, name = world.own.get(number), f"O{number}"
        if name in touched:
            continue
        if own is None:
            if order.works:
                found.add((Kind.UNKNOWN_HERE, f"order:S{number}"))
        elif own.works and not order.works:
            found.add((Kind.MISSING_AT_VENUE, f"order:{name}"))
        elif own.ended and order.works:
            found.add((Kind.STATE, f"order:{name}"))
        elif own.works and own.filled != order.filled:
            found.add((Kind.QUANTITY, f"order:{name}"))
    if world.position != sum(each.signed for each in world.theirs.values()):
        found.add((Kind.POSITION, "position:EUR/USD"))
    return found
