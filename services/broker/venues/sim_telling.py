"""What the simulated exchange says of orders: from its events to reports of our orders."""

from __future__ import annotations

from typing import Any

from crossrate.exchange.event import Event, EventKind
from services.broker.adopting import adopted, key_of
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk
from services.broker.routed import At
from services.broker.store import Outcome
from services.broker.venues import exchange_terms as words
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.sim_answers import Amending
from services.broker.venues.sim_book import SimBook
from services.broker.venues.sim_faults import HAND, SimFaults

NUMBERS_MAX = 100_000
"""Orders whose numbers are kept in memory; others are read when something is told of them."""


class SimTelling:
    """See the module. Of one adapter."""

    def __init__(self, desk: Desk, spec: SimulatedVenue, calendar: Calendar, faults: SimFaults, note: Any) -> None:
        self._desk, self._spec, self._calendar, self._faults, self._note = desk, spec, calendar, faults, note
        self.numbers: dict[int, str] = {}
        """Ids of orders by their numbers."""
        self.amending = Amending()

    async def name(self, number: int) -> None:
        """Has the order of a number in memory: what is told late may be about one that ended before a restart."""
        if self._desk.order(self.numbers.get(number, "")) is None:
            routed = await self._desk.reading.by_number(number, self._desk.venue if number >= HAND else "")
            if routed is not None:
                self.numbers[number] = routed.order_id
                if self._desk.order(routed.order_id) is None:
                    self._desk.remember(routed)
        while len(self.numbers) > NUMBERS_MAX:
            self.numbers.pop(next(iter(self.numbers)))

    def hear(self, outcome: Outcome, book: SimBook, event: Event, now: int) -> None:
        """Takes an event of a book, with what is done wrong about it."""
        for each in self._faults.told(event) if self._faults.any else (event,):
            self.say(outcome, book, each)
        if not self._faults.any or book.day is not None:
            return  # what is placed by hand is spot
        if order := self._faults.by_hand(event, words.owner_of(self._spec.adopted_account)):
            book.send(order, now)

    def say(self, outcome: Outcome, book: SimBook, event: Event) -> None:
        """Tells an event of a book."""
        routed = self._desk.order(self.numbers.get(event.id, ""))
        if routed is None and event.id >= HAND:
            if self._spec.adopts and event.kind is EventKind.ACCEPTED:
                self._adopt(outcome, book, event)
            return
        if routed is None:
            self._note.error("the exchange tells of an order that is not kept", number=event.id, kind=event.kind.name)
            return
        amended = self.amending.answered(outcome, routed.order_id, event)
        if amended is not None and event.kind is EventKind.REPLACED:
            routed.order, routed.version = amended.order, amended.version
        said = words.report_of(event, routed, book.grid, self._calendar)
        if said is None:
            return
        if amended is not None:
            said.report.version = amended.version
        if routed.status is At.ENDED and routed.order_id in self._desk.orders:
            book.orders -= 1
        self._desk.told(outcome, routed, said.report, said.key)

    def _adopt(self, outcome: Outcome, book: SimBook, event: Event) -> None:
        stated = words.stated_of(event, book.instrument, book.grid)
        account = self._spec.adopted_account
        routed, report = adopted(self._desk.venue, account, stated, self._calendar, event.time)
        self.numbers[event.id] = routed.order_id
        self._desk.told(outcome, routed, report, key_of(stated))
