"""An FX venue around one order book: liquidity behind a source's quotes, latency, last look, limits and hours.

Time is the caller's. `quote` and `send` say what happens when, `advance(to)` lets it happen and returns what clients
learn: a test need not wait, a live venue advances to the clock's time whenever `next_time` has come. Equal calls give
equal reports; what happens to an order by chance depends on the seed and the order alone (`crossrate.exchange.chance`).
"""

from __future__ import annotations

import base64
import heapq
import json
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from crossrate.exchange.book import CAPACITY, OrderBook, SnapshotError
from crossrate.exchange.chance import Chance, Purpose
from crossrate.exchange.event import Event, EventKind, Liquidity, Reason, event_of
from crossrate.exchange.external import PROVIDER, External, takes
from crossrate.exchange.order import PRICE_MAX, Command, Operation, Side, TimeInForce, more
from crossrate.exchange.reports import Report, Reports
from crossrate.exchange.terms import VenueTerms
from crossrate.kernel.matching import Command as At
from crossrate.kernel.reference.matching_rules import POST_ONLY

Row = tuple[int, ...]

PENDING_MAX = 1_000_000
"""Commands, quotes and decisions that may lie ahead."""

TIME_MAX = 1 << 62
VERSION = 1
ADVANCE: Row = (Operation.ADVANCE, *(0,) * 15)
KIND, ID, OWNER, LEAVES, REASON = (Event._fields.index(each) for each in ("kind", "id", "owner", "leaves", "reason"))
DEPTH_LEVELS = 1_000
"""Price levels of clients ahead of the provider's that are looked at; at more an order counts as taking from it."""


class VenueError(ValueError):
    """What was asked of a venue cannot be; the text says why and what to do."""


class Rank(IntEnum):
    """What comes first of what happens at the same nanosecond."""

    EXPIRY = 0
    HOURS = 1
    QUOTE = 2
    DECISION = 3
    ARRIVAL = 4


class Held(NamedTuple):
    """An order under last look.

    Attributes:
        price: ticks that it would have dealt at when it came.
    """

    row: Row
    price: int


class Venue:
    """A venue in one instrument."""

    def __init__(self, terms: VenueTerms, *, seed: int, start: int = 0, capacity: int = CAPACITY) -> None:
        """A venue without orders or quotes.

        Args:
            seed: of all that happens by chance, 0 to 2**64 - 1.
            start: the time at which it begins, nanoseconds since 1970 UTC.
            capacity: the most orders that may rest or wait, its liquidity's included.
        """
        self.terms = terms
        self.book = OrderBook(capacity)
        self.now = start
        self._chance = Chance(seed)
        self._external = External(terms)
        self._queue: list[tuple[int, int, int, Row]] = []
        self._number = 0
        self._held: dict[int, Held] = {}
        self._arrivals: dict[int, int] = {}
        self._reports = Reports(terms.outbound, self._chance)
        self._watch_hours()

    # What the caller says

    def quote(self, bid: int, ask: int, time: int) -> None:
        """The source's quote from a time on: it replaces what is left of the liquidity behind the one before.

        Args:
            bid: ticks; 0 for none.
            ask: ticks; 0 for none. Where both are there and the bid is not below the ask, nobody quotes.
            time: now or later, nanoseconds.

        Raises:
            VenueError: a price is out of range, the time is past, or too much lies ahead.
        """
        for name, price in (("bid", bid), ("ask", ask)):
            if not 0 <= price <= PRICE_MAX:
                raise VenueError(f"{name} is {price}: it must be 0 for none, or ticks up to 2^40")
        self._check(time)
        self._schedule(time, Rank.QUOTE, (bid, ask))

    def send(self, command: Command, time: int) -> None:
        """A client sends a command; it arrives later by the latency, and never before an earlier one of its owner.

        Args:
            time: now or later, nanoseconds.

        Raises:
            VenueError: the time is past, or too much lies ahead.
        """
        self._check(time)
        row = command.row(0)
        order, owner = row[At.ID], row[At.OWNER]
        delay = self.terms.inbound.drawn(self._chance, Purpose.LATENCY_IN, order, self._reports.sent(order))
        arrival = max(time + delay, self._arrivals.get(owner, 0))
        self._schedule(arrival, Rank.ARRIVAL, row)
        self._arrivals[owner] = arrival

    @property
    def next_time(self) -> int | None:
        """When something happens next by itself: sleep until then, or until something is sent. None for never."""
        return self._queue[0][0] if self._queue else None

    def advance(self, to: int) -> list[Report]:
        """Lets everything happen that happens until a time, that included.

        Returns:
            What clients learn, in the venue's order; each has the time at which it reaches its client.

        Raises:
            VenueError: the time is past.
        """
        if to < self.now or to > TIME_MAX:
            raise VenueError(f"time is {to}: it must be from {self.now}, where the venue is, to 2^62")
        while self._queue and self._queue[0][0] <= to:
            time, rank, _, row = heapq.heappop(self._queue)
            self.now = max(time, self.now)
            if rank == Rank.ARRIVAL:
                self._arrive(row)
            elif rank == Rank.QUOTE:
                self._take_quote(*row)
            elif rank == Rank.DECISION:
                self._decide(row[0])
            elif rank == Rank.HOURS:
                self._change_hours()
            else:
                self._run([])
        self.now = to
        return self._reports.taken()

    # What happens

    def _check(self, time: int) -> None:
        if not self.now <= time <= TIME_MAX:
            raise VenueError(f"time is {time}: it must be from {self.now}, where the venue is, to 2^62")
        if len(self._queue) >= PENDING_MAX:
            raise VenueError(f"{PENDING_MAX} quotes and commands lie ahead: advance first")

    def _schedule(self, time: int, rank: Rank, row: Row) -> None:
        self._number += 1
        heapq.heappush(self._queue, (time, int(rank), self._number, row))

    def _arrive(self, row: Row) -> None:
        operation, order = row[At.OPERATION], row[At.ID]
        if operation == Operation.NEW:
            reason = self._why_not(row)
            if not reason and self._chance.happens(self.terms.reject_rate, Purpose.REJECT, order):
                reason = Reason.VENUE_REJECT
            if reason:
                self._refuse(row, reason)
            else:
                self._meet(row)
        elif operation == Operation.REPLACE:
            reason = Reason.HELD if self._is_held(row) else self._why_not(row)
            if reason:
                self._refuse(row, reason)
            else:
                self._run([row])
                self._watch_expiry(row)
        elif operation == Operation.CANCEL and self._is_held(row):
            self._end_held(order, Reason.REQUESTED, operation)
        else:
            self._cancel(row)

    def _cancel(self, row: Row) -> None:
        owner, side = row[At.OWNER], row[At.SIDE]
        if owner >= PROVIDER:
            self._refuse(row, Reason.OWNER)
            return
        if row[At.OPERATION] != Operation.MASS_CANCEL or not 0 <= side <= 2:
            self._run([row])
            return
        for order, held in list(self._held.items()):
            if owner in (0, held.row[At.OWNER]) and side in (0, held.row[At.SIDE]):
                self._end_held(order, Reason.MASS_CANCEL, Operation.MASS_CANCEL)
        if owner:
            self._run([row])
        else:
            # Everybody is every client: the provider's liquidity stays.
            self._run([*self._external.withdrawn(), more(row)], settle=False)
            self._run(self._external.placed())

    def _why_not(self, row: Row) -> Reason:
        terms, quantity = self.terms, row[At.QUANTITY]
        if row[At.ID] >= PROVIDER:
            return Reason.ID
        if row[At.OWNER] >= PROVIDER:
            return Reason.OWNER
        if row[At.OPERATION] == Operation.NEW and row[At.ID] in self._held:
            return Reason.DUPLICATE_ID
        if not terms.hours.is_open(self.now):
            return Reason.MARKET_CLOSED
        if quantity > terms.maximum_quantity:
            return Reason.ABOVE_MAXIMUM_QUANTITY
        if 0 < quantity < terms.minimum_quantity:
            return Reason.BELOW_MINIMUM_QUANTITY
        if any(row[each] % terms.quantity_increment for each in (At.QUANTITY, At.DISPLAY, At.MINIMUM)):
            return Reason.QUANTITY_INCREMENT
        fits = not any(row[each] % terms.price_increment for each in (At.PRICE, At.TRIGGER_PRICE))
        return Reason.NONE if fits else Reason.PRICE_INCREMENT

    def _meet(self, row: Row) -> None:
        """Lets a new order meet the book, or be held where it would take the provider's liquidity."""
        order, side = row[At.ID], row[At.SIDE]
        firm = row[At.TRIGGER] or side not in (Side.BUY, Side.SELL)
        if not firm and self._takes(row):
            self._disturb(order, Side(side).other)
        look = self.terms.last_look
        price = self._external.best(Side(side).other) if not firm else 0
        if look is None or firm or not self._takes(row):
            self._run([row])
            self._watch_expiry(row)
            return
        self._held[order] = Held(row, price)
        self._schedule(self.now + look.hold_ns, Rank.DECISION, (order,))

    def _takes(self, row: Row) -> bool:
        """Whether an order would come to the provider's liquidity: clients at better prices do not suffice."""
        if row[At.INSTRUCTIONS] & POST_ONLY:
            return False
        side = Side(row[At.SIDE]).other
        price = self._external.best(side)
        if not price or not takes(row, price):
            return False
        sign = 1 if side is Side.SELL else -1
        best = self.book.best(side)
        if best is None or sign * (price - best.price) <= 0:
            return True
        better = (each.quantity for each in self.book.depth(side, DEPTH_LEVELS) if sign * (price - each.price) > 0)
        return sum(better) < row[At.QUANTITY]

    def _disturb(self, order: int, side: Side) -> None:
        """Slippage and the speed of others, drawn for the order that is to take from a side."""
        slippage, partial = self.terms.slippage, self.terms.partial_fills
        shift = slippage.ticks if self._chance.happens(slippage.rate, Purpose.SLIPPAGE, order) else 0
        share = 1.0
        if self._chance.happens(partial.rate, Purpose.PARTIAL, order):
            share = partial.share + (1.0 - partial.share) * self._chance.uniform(Purpose.PARTIAL_SHARE, order)
        if shift or share < 1.0:
            withdrawn = self._external.withdrawn(side)
            self._external.move(side, shift)
            self._external.thin(side, share)
            self._run([*withdrawn, *self._external.placed(side)])

    def _decide(self, order: int) -> None:
        """The end of a hold."""
        held, look = self._held.pop(order, None), self.terms.last_look
        if held is None or look is None:
            return
        side = Side(held.row[At.SIDE])
        price = self._external.best(side.other)
        move = (price - held.price) * (1 if side is Side.BUY else -1)
        refused = not price or move > look.tolerance or (look.symmetric and -move > look.tolerance)
        if refused or self._chance.happens(look.refuse_rate, Purpose.LAST_LOOK, order):
            self._refuse(held.row, Reason.LAST_LOOK)
            return
        if move <= 0:
            self._run([held.row])
        else:
            self._deal_as_remembered(held.row, side.other, move)
        self._watch_expiry(held.row)

    def _deal_as_remembered(self, row: Row, side: Side, move: int) -> None:
        """Deals an order at the prices that stood when it came, which have moved against the provider."""
        external = self._external
        self._run(external.withdrawn(), settle=False)
        external.move(side, -move)
        # Post-only: what the provider grants to one order it does not offer to bids and offers of others.
        self._run(external.placed(side, post_only=True), settle=False)
        self._run([more(row)], settle=False)
        self._run(external.withdrawn(side), settle=False)
        external.move(side, move)
        self._run(external.placed())

    def _take_quote(self, bid: int, ask: int) -> None:
        withdrawn = self._external.withdrawn()
        is_open = self.terms.hours.is_open(self.now)
        self._external.quote(*((bid, ask) if is_open and not (bid and ask and bid >= ask) else (0, 0)))
        self._run([*withdrawn, *self._external.placed()])

    def _watch_expiry(self, row: Row) -> None:
        expire = row[At.EXPIRE]
        if row[At.TIME_IN_FORCE] in (0, TimeInForce.GOOD_TILL_DATE) and self.now < expire <= TIME_MAX:
            self._schedule(expire, Rank.EXPIRY, ())

    def _watch_hours(self) -> None:
        change = self.terms.hours.next_change(self.now)
        if change is not None:
            self._schedule(change, Rank.HOURS, ())

    def _change_hours(self) -> None:
        if not self.terms.hours.is_open(self.now):
            self._take_quote(0, 0)
            for order, held in list(self._held.items()):
                del self._held[order]
                self._refuse(held.row, Reason.MARKET_CLOSED)
        self._watch_hours()

    def _is_held(self, row: Row) -> bool:
        held = self._held.get(row[At.ID])
        return held is not None and held.row[At.OWNER] == row[At.OWNER]

    # What clients learn

    def _run(self, rows: Sequence[Row], settle: bool = True) -> None:
        """Carries out records now; triggers are looked at after the last, unless they are to wait."""
        if not rows and not settle:
            return
        timed = np.array([*rows, ADVANCE] if settle else rows, np.int64)
        timed[:, At.TIME] = self.now
        for row in self.book.run(timed).tolist():
            if row[OWNER] != PROVIDER:
                self._reports.tell(event_of(row), self.now)
            elif row[KIND] == EventKind.FILLED:
                self._external.filled(row[ID], row[LEAVES])
            elif row[REASON] == Reason.BOOK_FULL:
                self._external.refused(row[ID])

    def _refuse(self, row: Row, reason: Reason) -> None:
        self._own(EventKind.REJECTED, row, reason, row[At.OPERATION])

    def _end_held(self, order: int, reason: Reason, operation: int) -> None:
        self._own(EventKind.CANCELLED, self._held.pop(order).row, reason, operation)

    def _own(self, kind: EventKind, row: Row, reason: Reason, operation: int) -> None:
        """Tells what the book knows nothing of."""
        words = row[At.ID], row[At.OWNER], row[At.SIDE], row[At.PRICE], row[At.QUANTITY]
        tail = (0, 0, 0, 0, Liquidity.NONE, reason, self.now, operation, 0)
        self._reports.tell(Event(0, kind, *words, *tail), self.now)

    # The whole of it

    def snapshot(self) -> bytes:
        """The whole state as JSON, the book within; a venue that did the same gives the same bytes."""
        state = {
            "version": VERSION,
            "seed": self._chance.seed,
            "now": self.now,
            "book": base64.b64encode(self.book.snapshot()).decode(),
            "external": self._external.state(),
            "queue": sorted(self._queue),
            "number": self._number,
            "reports": self._reports.state(),
            "held": [[order, *held] for order, held in sorted(self._held.items())],
            "arrivals": sorted(self._arrivals.items()),
        }
        return json.dumps(state, separators=(",", ":")).encode()

    @classmethod
    def restore(cls, snapshot: bytes, terms: VenueTerms) -> Venue:
        """The venue of a snapshot under terms, which are the caller's to keep; it goes on as the other would have.

        Raises:
            SnapshotError: the bytes are damaged or of another version.
        """
        try:
            state = json.loads(snapshot)
            if state["version"] != VERSION:
                raise SnapshotError(f"the snapshot is of version {state['version']}, this is {VERSION}")
            venue = cls(terms, seed=state["seed"], start=state["now"])
            venue.book = OrderBook.restore(base64.b64decode(state["book"], validate=True))
            venue._external.load(state["external"])
            venue._queue = [(time, rank, number, tuple(row)) for time, rank, number, row in state["queue"]]
            venue._number = state["number"]
            venue._reports.load(state["reports"])
            venue._held = {order: Held(tuple(row), price) for order, row, price in state["held"]}
            venue._arrivals = dict(state["arrivals"])
        except SnapshotError:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f"these bytes are no snapshot of a venue: {error!r}") from error
        return venue
