"""A naive order book: one list, sorted anew for every question. Slow, and short enough to be read against the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BUY, SELL, MARKET, LIMIT, IOC, FOK, GTD = 1, 2, 1, 2, 3, 4, 6
TOUCHED, TRAILING = 2, 3
TOP = 1 << 40


@dataclass(eq=False)
class Entry:
    """An order: its command's words, and where it stands."""

    id: int
    owner: int
    side: int
    type: int
    tif: int
    total: int
    price: int
    display: int
    minimum: int
    expire: int
    trigger: int
    source: int
    level: int
    how: int
    filled: int = 0
    shown: int = 0
    extreme: int = 0
    stamp: int = 0
    age: int = 0

    @property
    def open(self) -> int:
        """Units open."""
        return self.total - self.filled

    @property
    def stays(self) -> bool:
        """Whether its rest goes to the book."""
        return self.type == LIMIT and self.tif not in (IOC, FOK)

    @property
    def waits_for_a_fall(self) -> bool:
        """The direction of its trigger."""
        return self.side == (BUY if self.trigger == TOUCHED else SELL)

    @property
    def trigger_at(self) -> int | None:
        """Twice the price of its trigger; None if it has none yet."""
        if self.trigger != TRAILING:
            return 2 * self.level
        if not self.extreme:
            return None
        return self.extreme + (-2 if self.waits_for_a_fall else 2) * self.level


@dataclass
class Naive:
    """A book."""

    capacity: int
    orders: list[Entry] = field(default_factory=list)
    now: int = -(1 << 63)
    said: list[list[int]] = field(default_factory=list)
    events: int = 0
    trades: int = 0
    last: int = 0
    clock: int = 0
    operation: int = 0

    def run(self, rows: list[list[int]]) -> list[list[int]]:
        """Carries out commands; the records of their events."""
        self.said = []
        for row in rows:
            self.operation = row[0]
            self.command(row)
            if not row[14] & 8:
                self.triggers()
        return self.said

    def say(self, kind: int, entry: Entry | None = None, reason: int = 0, **words: int) -> None:
        """Adds an event; `words` are those that are not the order's own."""
        self.events += 1
        row = {"sequence": self.events, "kind": kind, "reason": reason, "time": self.now, "operation": self.operation}
        names = ("sequence", "kind", "id", "owner", "side", "price", "quantity", "leaves", "filled", "execution",
                 "counter", "liquidity", "reason", "time", "operation", "shown")  # fmt: skip
        own: dict[str, int] = {}
        if entry:
            own = {"id": entry.id, "owner": entry.owner, "side": entry.side, "price": entry.price}
            own |= {"quantity": entry.total, "leaves": entry.open, "filled": entry.filled}
            own["shown"] = 0 if entry.trigger else entry.shown
        row |= own | words
        self.said.append([row.get(name, 0) for name in names])

    def refuse(self, row: list[int], reason: int) -> None:
        """Says no."""
        self.say(2, reason=reason, id=row[1], owner=row[2], side=row[3], price=row[7], quantity=row[6])

    def command(self, row: list[int]) -> None:
        """One command."""
        if row[15] < self.now:
            return self.refuse(row, 18)
        self.now = row[15]
        due = [each for each in self.orders if each.tif == GTD and each.expire <= self.now]
        for each in sorted(due, key=lambda each: (each.expire, each.age)):
            self.end(each, 6)
        if not 0 <= row[14] <= 15:
            return self.refuse(row, 17)
        if row[0] == 1:
            return self.new(row)
        if row[0] == 4:
            return self.mass(row)
        if row[0] in (2, 3):
            found = [each for each in self.orders if (each.id, each.owner) == (row[1], row[2])]
            if not found:
                return self.refuse(row, 4)
            return self.end(found[0], 4, 32) if row[0] == 3 else self.replace(found[0], row)
        return None if row[0] == 5 else self.refuse(row, 1)

    def end(self, entry: Entry, kind: int, reason: int = 0) -> None:
        """Takes an order away."""
        self.orders = [each for each in self.orders if each is not entry]
        entry.shown = 0
        self.say(kind, entry, reason, quantity=entry.open, leaves=0)

    def flaw(self, e: Entry) -> int:
        """Why an order cannot be."""
        if not 1 <= e.id <= 1 << 62:
            return 2
        if not 1 <= e.owner <= 1 << 62:
            return 5
        if e.side not in (1, 2):
            return 6
        if e.type not in (1, 2):
            return 7
        if e.tif not in (1, 3, 4, 6):
            return 8
        if not 1 <= e.total <= TOP:
            return 9
        if e.price != 0 if e.type == MARKET else not 1 <= e.price <= TOP:
            return 10
        if e.display and not (e.stays and 1 <= e.display <= e.total <= 1000 * e.display):
            return 11
        if e.minimum and (e.tif == FOK or not 1 <= e.minimum <= e.total):
            return 12
        if e.expire != 0 if e.tif != GTD else e.expire <= self.now:
            return 13
        if e.trigger not in (0, 1, 2, 3):
            return 14
        if e.source not in ((1, 2, 3, 4) if e.trigger else (0,)):
            return 15
        if not 1 <= e.level <= TOP if e.trigger else e.level != 0:
            return 16
        return 17 if e.how & 4 and (not e.stays or e.minimum) else 0

    def new(self, row: list[int]) -> None:
        """A new order."""
        entry = Entry(*row[1:15])
        reason = self.flaw(entry)
        if not reason and any(each.id == entry.id for each in self.orders):
            reason = 3
        if not reason and len(self.orders) >= self.capacity and (entry.stays or entry.trigger):
            reason = 19
        if not reason and entry.how & 4 and not entry.trigger and self.against(entry):
            reason = 20
        if reason:
            return self.refuse(row, reason)
        entry.how &= 7
        if entry.trigger == TRAILING:
            entry.extreme = self.reference(entry.source)
        self.say(1, entry, shown=0)
        return self.keep(entry) if entry.trigger else self.enter(entry)

    def queue(self, side: int) -> list[Entry]:
        """The resting orders of a side, in the order in which they trade."""
        resting = [each for each in self.orders if not each.trigger and each.side == side]
        return sorted(resting, key=lambda each: (each.price if side == SELL else -each.price, each.stamp))

    def against(self, entry: Entry) -> list[Entry]:
        """Those that an order would trade with, in order."""
        queue = self.queue(BUY + SELL - entry.side)
        if entry.type == MARKET:
            return queue
        sign = 1 if entry.side == BUY else -1
        return [each for each in queue if sign * (entry.price - each.price) >= 0]

    def reachable(self, entry: Entry) -> int:
        """Units that an order would trade at once."""
        mode, units, others = entry.how & 3, 0, self.against(entry)
        for price in sorted({each.price for each in others}, reverse=entry.side == SELL):
            level = [each for each in others if each.price == price]
            own = [each.owner == entry.owner and mode > 0 for each in level]
            if any(own) and mode > 1:
                return units + sum(each.shown for each in level[: own.index(True)])
            units += sum(each.open for each, mine in zip(level, own, strict=True) if not mine)
        return units

    def enter(self, entry: Entry) -> None:
        """Meets the other side if enough is there."""
        need = entry.open if entry.tif == FOK else entry.minimum if not entry.filled else 0
        if need > self.reachable(entry):
            return self.end(entry, 4, 36 if entry.tif == FOK else 37)
        return self.match(entry)

    def match(self, entry: Entry) -> None:
        """Trades until nothing is left on either side."""
        self.orders = [each for each in self.orders if each is not entry]
        mode = entry.how & 3
        while entry.open and (others := self.against(entry)):
            maker = others[0]
            if mode and maker.owner == entry.owner:
                if mode in (1, 3):
                    self.end(maker, 4, 38)
                if mode in (2, 3):
                    return self.end(entry, 4, 38)
                continue
            units = min(entry.open, maker.shown)
            self.trades, self.last = self.trades + 1, maker.price
            entry.filled, maker.filled, maker.shown = entry.filled + units, maker.filled + units, maker.shown - units
            if not maker.shown and maker.open:
                self.show(maker)
            trade: dict[str, Any] = {"price": maker.price, "quantity": units, "execution": self.trades}
            self.say(3, maker, counter=entry.id, liquidity=1, **trade)
            self.say(3, entry, counter=maker.id, liquidity=2, **trade)
            if not maker.open:
                self.orders.remove(maker)
        if entry.open and entry.stays:
            return self.keep(entry)
        return self.end(entry, 4, 34 if entry.type == MARKET else 35) if entry.open else None

    def show(self, entry: Entry) -> None:
        """Shows the next part, behind all others."""
        self.clock += 1
        entry.stamp, entry.shown = self.clock, min(entry.display or entry.open, entry.open)

    def keep(self, entry: Entry) -> None:
        """Rests or waits."""
        self.show(entry)
        entry.age = entry.age or entry.stamp
        if entry not in self.orders:
            self.orders.append(entry)

    def replace(self, entry: Entry, row: list[int]) -> None:
        """An amendment."""
        total, price, display, expire, level = row[6], row[7], row[8], row[10], row[13]
        changed = Entry(**{**vars(entry), "total": total, "price": price, "display": display, "expire": expire})
        changed.level = level if entry.trigger else 0
        changed.minimum = 0
        reason = self.flaw(changed)
        # What the amended order could not be: its minimum counts against the new total.
        if reason in (0, 13, 16) and entry.minimum > total:
            reason = 12
        if not reason and entry.how & 4 and not entry.trigger and self.against(changed):
            reason = 20
        if reason:
            return self.refuse(row, reason)
        if total <= entry.filled:
            return self.end(entry, 4, 39)
        loses = price != entry.price or total > entry.total or (display or TOP * 2) > (entry.display or TOP * 2)
        loses = loses or bool(entry.trigger and level != entry.level)
        entry.shown = min(entry.shown, total - entry.filled, display or TOP)
        entry.total, entry.price, entry.display = total, price, display
        entry.level = level if entry.trigger else 0
        if expire != entry.expire:
            self.clock += 1
            entry.expire, entry.age = expire, self.clock
        if loses and not entry.trigger:
            entry.shown = 0
            self.say(5, entry)
            return self.match(entry)
        if loses:
            self.show(entry)
        return self.say(5, entry)

    def mass(self, row: list[int]) -> None:
        """Cancels many."""
        if row[3] not in (0, 1, 2):
            return self.refuse(row, 6)
        chosen = [e for e in self.orders if row[2] in (0, e.owner) and row[3] in (0, e.side)]
        for each in sorted(chosen, key=lambda each: (each.owner, each.age)):
            self.end(each, 4, 33)
        return self.say(8, id=row[1], owner=row[2], side=row[3], quantity=len(chosen))

    def reference(self, source: int) -> int:
        """Twice a reference, 0 for none."""
        bids, asks = self.queue(BUY), self.queue(SELL)
        if source == 4:
            return 2 * self.last
        bid, ask = (bids[0].price if bids else 0), (asks[0].price if asks else 0)
        if source == 3:
            return bid + ask if bid and ask else 0
        return 2 * (bid if source == 1 else ask)

    def triggers(self) -> None:
        """Moves trailing stops and triggers orders, one at a time, until none is reached."""
        while True:
            for source in (1, 2, 3, 4):
                for falling in (False, True):
                    self.trail(source, falling)
            reached = [each for each in self.orders if each.trigger and self.is_reached(each)]
            if not reached:
                return
            first = min(reached, key=self.turn)
            first.trigger = first.source = first.level = first.extreme = first.shown = 0
            self.say(7, first)
            if first.how & 4 and self.against(first):
                self.end(first, 4, 20)
            else:
                self.enter(first)

    def trail(self, source: int, falling: bool) -> None:
        """Lets trailing stops follow."""
        now = self.reference(source)
        found = [e for e in self.orders if (e.trigger, e.source, e.waits_for_a_fall) == (TRAILING, source, falling)]
        for each in sorted(found, key=lambda each: each.stamp):
            if now and (not each.extreme or (now > each.extreme if falling else now < each.extreme)):
                self.clock += 1
                each.extreme, each.stamp = now, self.clock

    def is_reached(self, entry: Entry) -> bool:
        """Whether an order's trigger has come."""
        now, at = self.reference(entry.source), entry.trigger_at
        if not now or at is None:
            return False
        return now <= at if entry.waits_for_a_fall else now >= at

    def turn(self, entry: Entry) -> tuple[int, bool, int, int]:
        """Which of several is first: by reference and direction, then the trigger that comes first, then the oldest."""
        at = entry.trigger_at or 0
        return entry.source, entry.waits_for_a_fall, -at if entry.waits_for_a_fall else at, entry.stamp

    def depth(self, side: int) -> list[tuple[int, int, int]]:
        """All price levels of a side, the best one first."""
        queue = self.queue(side)
        levels = [[each for each in queue if each.price == price] for price in dict.fromkeys(e.price for e in queue)]
        return [(level[0].price, sum(each.shown for each in level), len(level)) for level in levels]
