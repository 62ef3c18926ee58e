"""The venue `sim`: the simulated exchange around the composite quotes of marketdata, in real time.

A pass takes what waits, lets the books go on to now, and commits in one transaction what was taken, what clients are
told, and what went into the books. Nothing is ever in doubt here: what is not committed did not happen.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import asyncpg

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.exchange.event import Event
from crossrate.exchange.order import Cancel, OrderType
from crossrate.store import Database, StoreError
from crossrate.store.errors import OutcomeUnknown
from services.broker.domain.books import StatedOrder, Statement
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk, Handed, settle
from services.broker.engine.session import Session
from services.broker.indications import Ask
from services.broker.peers import Quotes
from services.broker.routed import At, Carried, Routed, Waiting, recalled
from services.broker.store import Outcome, write_inputs
from services.broker.venues import exchange_terms as words
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.sim_answers import may_enter, refuse, unpriced, unquoted
from services.broker.venues.sim_book import SimBook, rows_of
from services.broker.venues.sim_dated import REFRESH_S, Dated, Prices, key_of
from services.broker.venues.sim_faults import SimFaults
from services.broker.venues.sim_records import SimRecords
from services.broker.venues.sim_shelf import SimShelf
from services.broker.venues.sim_swaps import SimSwaps
from services.broker.venues.sim_telling import SimTelling
from services.broker.venues.sim_terms import SimClock

PASS_S_MAX = 60.0
CANCEL, REPLACE = routing.INSTRUCTION_KIND_CANCEL, routing.INSTRUCTION_KIND_REPLACE


class SimAdapter:
    """See the module."""

    def __init__(
        self,
        desk: Desk,
        spec: SimulatedVenue,
        quotes: Quotes,
        quoted: set[Callable[[str], None]],
        prices: Prices,
        database: Database,
        calendar: Calendar,
        clock: SimClock,
        note: Any,
    ) -> None:
        self._desk, self._spec, self._database = desk, spec, database
        self._quotes, self._quoted = quotes, quoted
        self._calendar, self._clock, self._note = calendar, clock, note
        self._shelf = SimShelf(desk.venue, spec, database, clock)
        self._books = self._shelf.books
        self._dated = Dated(spec, prices, self._answered)
        self._requoted: dict[str, Any] = {}
        """The quotes and points that books have."""
        self._moved: set[str] = set()
        self._waited: set[str] = set()
        """Instruments whose first quote was waited for."""
        self._dealt: set[str] = set()
        self._faults = SimFaults(spec.faults, spec.seed)
        self._records = SimRecords(desk.venue, self._faults)
        self._swaps = SimSwaps(desk, spec, calendar, self._dated, quotes, self._faults, self._records)
        self._telling = SimTelling(desk, spec, calendar, self._faults, note)

    async def run(self) -> None:
        """See Adapter."""
        desk = self._desk
        desk.become(Session.RECOVERING, "its books are being read")
        await self._recover()
        self._quoted.add(self._heard)
        desk.become(Session.READY, "the simulated exchange is open")
        desk.takes = self._takes
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_points())
                while True:
                    desk.wake.clear()
                    async with desk.turn:
                        await self._turn()
                    if not desk.instructed and not desk.handed and not self._moved:
                        await self._rest()
        finally:
            self._quoted.discard(self._heard)
            self._dated.close()

    async def _follow_points(self) -> None:
        """Asks for the points on which orders rest, and takes down books that nobody needs any more."""
        while True:
            await asyncio.sleep(REFRESH_S)
            self._swaps.working.ask_again()
            for book in self._shelf.dated():
                self._dated.ask(self._dated.points_ask(book.instrument, book.day))
                self._moved.add(book.key)  # points also grow too old
                self._desk.wake.set()
            if self._shelf.outdated():
                async with self._desk.turn:
                    if found := self._shelf.outdated():
                        await self._desk.commit(Outcome(), partial(self._shelf.take_down, books=found))
                        self._shelf.removed(found)

    def _answered(self, ask: Ask) -> None:
        """Pricing has answered."""
        if self._dated.waited_for:
            self._desk.instruct()
        if ask.far is None:
            self._stir(self._books.get(f"{ask.instrument} {ask.day}"))
        elif self._swaps.working.answered(ask):
            self._desk.wake.set()

    def _takes(self, routed: Routed) -> bool:
        """Whether a new order may be handed over: its book is here, and nothing has to be asked for first."""
        terms = routed.order.terms
        if routed.instrument not in self._waited or terms.HasField("far_leg") or words.dated(terms):
            return False
        return self._desk.order(routed.order_id) is None

    async def _recover(self) -> None:
        for routed in self._desk.orders.values():
            self._telling.numbers[words.number_of(routed)] = routed.order_id
        for each in await self._desk.reading.unanswered(self._desk.venue):
            self._telling.amending.asked(each)
        # All of them: answers may be on their way about orders that have ended.
        async with self._database.connection() as connection:
            keys = await self._shelf.kept(connection)
            await self._records.begin(connection)
        for key in keys:
            await self._book(key)
        self._swaps.recover(self._clock.now_ns())

    async def _rest(self) -> None:
        times = [self._swaps.working.next_time, *(book.next_time for book in self._books.values())]
        wait_s = min((self._clock.wait_s(each) for each in times if each is not None), default=math.inf)
        most_s = REFRESH_S if self._dated.waited_for else PASS_S_MAX
        try:
            async with asyncio.timeout(min(wait_s, most_s)):
                await self._desk.wake.wait()
        except TimeoutError:
            if self._dated.waited_for:
                self._desk.instruct()  # what waits is looked at again, whatever became of the answer

    def _heard(self, instrument: str) -> None:
        for book in self._shelf.of_pair(instrument):
            self._stir(book)

    def _stir(self, book: SimBook | None) -> None:
        if book is not None and not book.idle:
            self._moved.add(book.key)
            self._desk.wake.set()

    # One pass.

    async def _turn(self) -> None:
        desk, handed, carried = self._desk, list[Handed](), list[Carried]()
        try:
            outcome, touched = Outcome(), set[str]()
            if desk.instructed:
                waiting = await desk.waiting()
                self._dated.forget({each.number for each in waiting})
                done = self._recall(outcome, waiting)
                await self._carry_out(outcome, touched, [each for each in waiting if each.number not in done])
            elif handed := desk.taken():
                made = await desk.begin(handed)
                await self._carry_out(outcome, touched, [each for _, each in made])
                outcome.done.clear()  # they are kept as done
                carried = [each for each, _ in made]
            await self._go_on(outcome, touched, carried)
        except BaseException as error:
            unknown = error if isinstance(error, StoreError) else OutcomeUnknown("the venue's adapter has failed")
            settle(handed, unknown)
            raise
        settle(handed)

    async def _carry_out(self, outcome: Outcome, touched: set[str], waiting: Sequence[Waiting]) -> None:
        behind = set[str]()
        for each in waiting:
            # What is about an order that waits for its points waits behind it.
            if each.order_id in behind or self._waits(each):
                behind.add(each.order_id)
            elif (key := await self._carry(outcome, each)) is not None:
                touched.add(key)

    def _waits(self, each: Waiting) -> bool:
        routed = self._desk.order(each.order_id)
        if each.kind != routing.INSTRUCTION_KIND_NEW or routed is None or routed.status is not At.HERE:
            return False
        if each.age_s > self._spec.unsent_s_max:
            return False
        try:
            ask = self._dated.ask_of(routed)
        except words.Unfit:
            return False  # it is refused
        return ask is not None and self._dated.waits(each, ask)

    async def _go_on(self, outcome: Outcome, touched: set[str], carried: Sequence[Carried]) -> None:
        """Lets the books go on to now, and commits what came of it."""
        now = self._clock.now_ns()
        for key in self._moved & self._books.keys():
            self._requote(self._books[key], now)
        self._moved.clear()
        for key, book in self._books.items():
            if key in touched or (book.next_time is not None and book.next_time <= now):
                book.advance(now)
            for report in book.due(now):
                touched.add(key)
                await self._telling.name(report.event.id)
                self._telling.hear(outcome, book, report.event, now)
        self._swaps.go_on(outcome, now)
        await self._commit(outcome, touched, carried)

    def _recall(self, outcome: Outcome, waiting: list[Waiting]) -> set[int]:
        for order_id, numbers in recalled(waiting).items():
            self._desk.recall(outcome, self._desk.order(order_id), numbers)
        return set(outcome.done)

    async def _commit(self, outcome: Outcome, touched: set[str], carried: Sequence[Carried]) -> None:
        # What a deal came from is written with it.
        touched |= self._dealt
        self._dealt = set()
        books = [book for book in self._books.values() if book.changed and (book.full or book.key in touched)]
        if outcome.empty and not books:
            return

        inputs, states = rows_of(books)
        deals = self._records.taken()
        if not states:
            await self._desk.store.commit_at_once(self._desk.lease, outcome, inputs, deals, carried)
            return

        async def write(connection: asyncpg.Connection) -> None:
            await write_inputs(connection, inputs, deals)
            for book in states:
                await book.write(connection)

        await self._desk.commit(outcome, write, carried)

    def _requote(self, book: SimBook, now: int) -> None:
        quote = self._quotes.live(book.instrument)
        if book.day is not None:
            book.quote(*self._dated.quoted(book, quote), now)
        elif quote is None or quote is not self._requoted.get(book.key):
            self._requoted[book.key] = quote
            bid, ask = (0, 0) if quote is None else words.ticks_of(quote.bid, quote.ask, book.grid)
            book.quote(bid, ask, now)

    # What waits.

    async def _carry(self, outcome: Outcome, each: Waiting) -> str | None:
        """Puts an instruction into its book, or answers it at once; returns the book that was touched."""
        routed = self._desk.order(each.order_id)
        if routed is None:
            self._note.error("an instruction about an order that is not kept", instruction=each.instruction_id)
            outcome.done.append(each.number)
            return None
        now = self._clock.now_ns()
        try:
            if each.kind == routing.INSTRUCTION_KIND_NEW:
                await self._new(outcome, routed, each, now)
            elif words.is_swap(routed) and each.kind in (CANCEL, REPLACE):
                asked = self._swaps.cancel if each.kind == CANCEL else self._swaps.replace
                asked(outcome, routed, each, now)
            elif each.kind == CANCEL:
                book = await self._book(key_of(routed))
                number = words.number_of(routed)
                book.send(Cancel(id=number, owner=words.owner_of(routed.account)), now)
                self._telling.numbers[number] = routed.order_id
                outcome.done.append(each.number)
            elif each.kind == REPLACE:
                await self._replace(outcome, routed, each, now)
            else:
                self._status(outcome, routed)
                outcome.done.append(each.number)
        except words.Unfit as unfit:
            refuse(self._desk, outcome, routed, each, str(unfit), execution.EXECUTION_REASON_VENUE, now)
            return None
        return key_of(routed) or None

    async def _new(self, outcome: Outcome, routed: Routed, each: Waiting, now: int) -> None:
        if not may_enter(self._desk, self._spec, outcome, routed, each, now):
            return
        if (ask := self._dated.ask_of(routed)) is not None:
            if (found := self._dated.answer(ask)).why_not:
                unpriced(self._desk, outcome, routed, each, found, now)
                return
            if ask.far is not None:
                self._swaps.enter(outcome, routed, each, found, now)
                return
        book = await self._book(key_of(routed))
        command = words.new_order(routed, book.grid, self._calendar, now)
        if ask is None and routed.instrument not in self._waited:
            # Also of a book that was there before this instance: its quotes come later than its orders.
            self._waited.add(routed.instrument)
            self._quotes.want(routed.instrument)
            await self._quotes.first(routed.instrument, self._spec.quote_wait_s)
            now = self._clock.now_ns()
        self._requote(book, now)
        quoted = self._quotes.live(routed.instrument) is not None and (book.day is None or book.quoted != (0, 0))
        if command.type is OrderType.MARKET and not quoted:
            unquoted(self._desk, outcome, routed, each, now)
            return
        routed.status, routed.venue_order_id = At.SENT, f"S{routed.number}"
        self._telling.numbers[routed.number] = routed.order_id
        self._desk.remember(routed)
        book.send(command, now)
        self._desk.sends(routed)
        outcome.orders[routed.order_id] = routed
        outcome.done.append(each.number)

    async def _replace(self, outcome: Outcome, routed: Routed, each: Waiting, now: int) -> None:
        book = await self._book(key_of(routed))
        command = words.replacement(routed, each.order, book.grid, self._calendar, now)
        self._telling.numbers[words.number_of(routed)] = routed.order_id
        self._telling.amending.asked(each)
        outcome.sent.append(each.number)
        book.send(command, now)

    def _status(self, outcome: Outcome, routed: Routed) -> None:
        if routed.status in (At.SENT, At.WORKS):
            report = pb.VenueReport(kind=pb.VENUE_REPORT_KIND_ACCEPTED, text="it works, says the venue")
            report.venue_time.FromNanoseconds(self._clock.now_ns())
            self._desk.told(outcome, routed, report)

    # Books.

    async def _book(self, key: str) -> SimBook:
        book = self._books.get(key)
        if book is None:
            book = await self._shelf.open(key)
            book.orders = sum(
                routed.status is not At.HERE and key_of(routed) == key for routed in self._desk.orders.values()
            )
            book.dealt = partial(self._deal, book)
            if not book.idle:
                self._quotes.want(book.instrument)
                if book.day is not None:
                    self._dated.ask(self._dated.points_ask(book.instrument, book.day))
                self._moved.add(key)
            if book.renewed:
                await self._renew(book)
        return book

    def _deal(self, book: SimBook, event: Event) -> None:
        self._dealt.add(book.key)
        self._records.dealt(book.instrument, book.grid, event)

    copied = True
    copy_since_ns = 0

    @property
    def latency_s(self) -> float:
        """See Adapter: four deviations of the way out."""
        out = self._spec.outbound
        return (out.fixed_ms + out.median_ms * math.exp(4 * out.sigma)) / 1e3

    async def statement(self) -> Statement:
        """See Adapter."""
        async with self._desk.turn, self._database.connection() as connection:
            return await self._records.statement(connection, self._desk, self._books.values(), self._swaps.stated())

    async def cancel_there(self, stated: StatedOrder) -> None:
        """See Adapter."""
        async with self._desk.turn:
            await self._book(stated.instrument)
            number, now = int(stated.venue_order_id.removeprefix("S")), self._clock.now_ns()
            for book in self._shelf.of_pair(stated.instrument):
                resting = next((each for each in book.exchange.book.orders() if each.id == number), None)
                if resting is not None:
                    book.send(Cancel(id=number, owner=resting.owner), now)
                    await self._desk.commit(Outcome(), book.write)
        self._desk.wake.set()

    async def _renew(self, book: SimBook) -> None:
        """Writes a book whose terms have changed, with the reports that were on their way."""
        book.renewed, outcome = False, Outcome()
        for report in book.due(self._clock.now_ns()):
            await self._telling.name(report.event.id)
            self._telling.say(outcome, book, report.event)
        await self._desk.commit(outcome, book.write)
