"""The venue `sim`: the simulated exchange around the composite quotes of marketdata, in real time.

A pass takes what waits, lets the books go on to now, and commits in one transaction what was taken, what clients are
told, and what went into the books. Nothing is ever in doubt here: what is not committed did not happen.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import asyncpg

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.exchange.event import Event, EventKind
from crossrate.exchange.grid import Grid
from crossrate.exchange.order import Cancel, OrderType
from crossrate.exchange.terms import VenueTerms
from crossrate.exchange.venue import Venue
from crossrate.store import Database, StoreError
from crossrate.store.errors import OutcomeUnknown
from services.broker.adopting import adopted, key_of
from services.broker.domain.amounts import quantity_of
from services.broker.domain.books import StatedOrder, Statement
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk, Handed, settle
from services.broker.engine.session import Session
from services.broker.peers import Quotes
from services.broker.routed import At, Carried, Routed, Waiting, recalled
from services.broker.store import Outcome, write_inputs
from services.broker.venues import exchange_terms as words
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.sim_answers import Amending, refuse, unquoted
from services.broker.venues.sim_book import SimBook, rows_of
from services.broker.venues.sim_faults import HAND, SimFaults
from services.broker.venues.sim_records import SimRecords
from services.broker.venues.sim_terms import SimClock, terms_of

PASS_S_MAX = 60.0
NUMBERS_MAX = 100_000
"""Orders whose numbers are kept in memory; others are read when something is told of them."""


class SimAdapter:
    """See the module."""

    def __init__(
        self,
        desk: Desk,
        spec: SimulatedVenue,
        quotes: Quotes,
        quoted: set[Callable[[str], None]],
        database: Database,
        calendar: Calendar,
        clock: SimClock,
        note: Any,
    ) -> None:
        self._desk, self._spec, self._database = desk, spec, database
        self._quotes, self._quoted = quotes, quoted
        self._calendar, self._clock, self._note = calendar, clock, note
        self._books: dict[str, SimBook] = {}
        self._grids: dict[str, Grid] = {}
        self._numbers: dict[int, str] = {}
        self._amending = Amending()
        self._requoted: dict[str, Any] = {}
        """The quotes that books have."""
        self._quantity_max = quantity_of(spec.limits.order_quantity_max)
        self._moved: set[str] = set()
        self._waited: set[str] = set()
        """Instruments whose first quote was waited for."""
        self._dealt: set[str] = set()
        self._faults = SimFaults(spec.faults, spec.seed)
        self._records = SimRecords(desk.venue, self._faults)

    async def run(self) -> None:
        """See Adapter."""
        desk = self._desk
        desk.become(Session.RECOVERING, "its books are being read")
        await self._recover()
        self._quoted.add(self._heard)
        desk.become(Session.READY, "the simulated exchange is open")
        desk.takes = self._takes
        try:
            while True:
                desk.wake.clear()
                async with desk.turn:
                    await self._turn()
                if not desk.instructed and not desk.handed and not self._moved:
                    await self._rest()
        finally:
            self._quoted.discard(self._heard)

    def _takes(self, routed: Routed) -> bool:
        """Whether a new order may be handed over: its book is here, and no quote has to be waited for."""
        return routed.instrument in self._waited and self._desk.order(routed.order_id) is None

    async def _recover(self) -> None:
        for routed in self._desk.orders.values():
            self._numbers[words.number_of(routed)] = routed.order_id
        for each in await self._desk.reading.unanswered(self._desk.venue):
            self._amending.asked(each)
        # All of them: answers may be on their way about orders that have ended.
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT instrument FROM book WHERE venue = $1", self._desk.venue)
            await self._records.begin(connection)
        for instrument in sorted(row[0] for row in rows):
            await self._book(instrument)

    async def _rest(self) -> None:
        times = [book.next_time for book in self._books.values() if book.next_time is not None]
        wait_s = min((self._clock.wait_s(each) for each in times), default=math.inf)
        try:
            async with asyncio.timeout(min(wait_s, PASS_S_MAX)):
                await self._desk.wake.wait()
        except TimeoutError:
            pass

    def _heard(self, instrument: str) -> None:
        book = self._books.get(instrument)
        if book is not None and not book.idle:
            self._moved.add(instrument)
            self._desk.wake.set()

    # One pass.

    async def _turn(self) -> None:
        desk, handed, carried = self._desk, list[Handed](), list[Carried]()
        try:
            outcome, touched = Outcome(), set[str]()
            if desk.instructed:
                waiting = await desk.waiting()
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
        for each in waiting:
            if (instrument := await self._carry(outcome, each)) is not None:
                touched.add(instrument)

    async def _go_on(self, outcome: Outcome, touched: set[str], carried: Sequence[Carried]) -> None:
        """Lets the books go on to now, and commits what came of it."""
        now = self._clock.now_ns()
        for instrument in self._moved:
            self._requote(self._books[instrument], now)
        self._moved.clear()
        for instrument, book in self._books.items():
            if instrument in touched or (book.next_time is not None and book.next_time <= now):
                book.advance(now)
            for report in book.due(now):
                touched.add(instrument)
                await self._name(report.event.id)
                self._hear(outcome, book, report.event, now)
        await self._commit(outcome, touched, carried)

    def _recall(self, outcome: Outcome, waiting: list[Waiting]) -> set[int]:
        for order_id, numbers in recalled(waiting).items():
            self._desk.recall(outcome, self._desk.order(order_id), numbers)
        return set(outcome.done)

    async def _commit(self, outcome: Outcome, touched: set[str], carried: Sequence[Carried]) -> None:
        # What a deal came from is written with it.
        touched |= self._dealt
        self._dealt = set()
        books = [book for book in self._books.values() if book.changed and (book.full or book.instrument in touched)]
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
        if quote is None or quote is not self._requoted.get(book.instrument):
            self._requoted[book.instrument] = quote
            bid, ask = (0, 0) if quote is None else words.ticks_of(quote.bid, quote.ask, self._grids[book.instrument])
            book.quote(bid, ask, now)

    # What waits.

    async def _carry(self, outcome: Outcome, each: Waiting) -> str | None:
        """Puts an instruction into its book, or answers it at once; returns the instrument that was touched."""
        routed = self._desk.order(each.order_id)
        if routed is None:
            self._note.error("an instruction about an order that is not kept", instruction=each.instruction_id)
            outcome.done.append(each.number)
            return None
        now = self._clock.now_ns()
        try:
            if each.kind == routing.INSTRUCTION_KIND_NEW:
                await self._new(outcome, routed, each, now)
            elif each.kind == routing.INSTRUCTION_KIND_CANCEL:
                book = await self._book(routed.instrument)
                number = words.number_of(routed)
                book.send(Cancel(id=number, owner=words.owner_of(routed.account)), now)
                self._numbers[number] = routed.order_id
                outcome.done.append(each.number)
            elif each.kind == routing.INSTRUCTION_KIND_REPLACE:
                await self._replace(outcome, routed, each, now)
            else:
                self._status(outcome, routed)
                outcome.done.append(each.number)
        except words.Unfit as unfit:
            refuse(self._desk, outcome, routed, each, str(unfit), execution.EXECUTION_REASON_VENUE, now)
            return None
        return routed.instrument

    async def _new(self, outcome: Outcome, routed: Routed, each: Waiting, now: int) -> None:
        if routed.status is not At.HERE:
            self._note.error("an order is there already; it is not sent again", instruction=each.instruction_id)
            outcome.done.append(each.number)
            return
        if each.age_s > self._spec.unsent_s_max:
            text = f"it waited {each.age_s:.0f} s for its venue, which is longer than {self._spec.unsent_s_max:g} s"
            refuse(self._desk, outcome, routed, each, text, execution.EXECUTION_REASON_NO_VENUE, now)
            return
        limits = self._spec.limits
        if quantity_of(routed.order.terms.quantity) > self._quantity_max:
            raise words.Unfit(f"quantity: the venue's limit is {limits.order_quantity_max} an order; send less at once")
        if len(self._desk.orders) > limits.open_orders_max:
            raise words.Unfit(f"the venue's limit of {limits.open_orders_max} open orders is reached: cancel some")
        book = await self._book(routed.instrument)
        command = words.new_order(routed, self._grids[routed.instrument], self._calendar, now)
        if routed.instrument not in self._waited:
            # Also of a book that was there before this instance: its quotes come later than its orders.
            self._waited.add(routed.instrument)
            self._quotes.want(routed.instrument)
            await self._quotes.first(routed.instrument, self._spec.quote_wait_s)
            now = self._clock.now_ns()
        if command.type is OrderType.MARKET and self._quotes.live(routed.instrument) is None:
            unquoted(self._desk, outcome, routed, each, now)
            return
        self._requote(book, now)
        routed.status, routed.venue_order_id = At.SENT, f"S{routed.number}"
        self._numbers[routed.number] = routed.order_id
        self._desk.remember(routed)
        book.send(command, now)
        self._desk.sends(routed)
        outcome.orders[routed.order_id] = routed
        outcome.done.append(each.number)

    async def _replace(self, outcome: Outcome, routed: Routed, each: Waiting, now: int) -> None:
        book = await self._book(routed.instrument)
        command = words.replacement(routed, each.order, self._grids[routed.instrument], self._calendar, now)
        self._numbers[words.number_of(routed)] = routed.order_id
        self._amending.asked(each)
        outcome.sent.append(each.number)
        book.send(command, now)

    def _status(self, outcome: Outcome, routed: Routed) -> None:
        if routed.status in (At.SENT, At.WORKS):
            report = pb.VenueReport(kind=pb.VENUE_REPORT_KIND_ACCEPTED, text="it works, says the venue")
            report.venue_time.FromNanoseconds(self._clock.now_ns())
            self._desk.told(outcome, routed, report)

    # What the exchange says.

    async def _name(self, number: int) -> None:
        """Has the order of a number in memory: what is told late may be about one that ended before a restart."""
        if self._desk.order(self._numbers.get(number, "")) is None:
            routed = await self._desk.reading.by_number(number, self._desk.venue if number >= HAND else "")
            if routed is not None:
                self._numbers[number] = routed.order_id
                if self._desk.order(routed.order_id) is None:
                    self._desk.remember(routed)
        while len(self._numbers) > NUMBERS_MAX:
            self._numbers.pop(next(iter(self._numbers)))

    def _hear(self, outcome: Outcome, book: SimBook, event: Event, now: int) -> None:
        for each in self._faults.told(event) if self._faults.any else (event,):
            self._say(outcome, book.instrument, each)
        if self._faults.any and (order := self._faults.by_hand(event, words.owner_of(self._spec.adopted_account))):
            book.send(order, now)

    def _say(self, outcome: Outcome, instrument: str, event: Event) -> None:
        routed = self._desk.order(self._numbers.get(event.id, ""))
        if routed is None and event.id >= HAND:
            if self._spec.adopts and event.kind is EventKind.ACCEPTED:
                self._adopt(outcome, instrument, event)
            return
        if routed is None:
            self._note.error("the exchange tells of an order that is not kept", number=event.id, kind=event.kind.name)
            return
        amended = self._amending.answered(outcome, routed.order_id, event)
        if amended is not None and event.kind is EventKind.REPLACED:
            routed.order, routed.version = amended.order, amended.version
        said = words.report_of(event, routed, self._grids[instrument], self._calendar)
        if said is None:
            return
        if amended is not None:
            said.report.version = amended.version
        if routed.status is At.ENDED and routed.order_id in self._desk.orders:
            self._books[instrument].orders -= 1
        self._desk.told(outcome, routed, said.report, said.key)

    def _adopt(self, outcome: Outcome, instrument: str, event: Event) -> None:
        stated = words.stated_of(event, instrument, self._grids[instrument])
        account = self._spec.adopted_account
        routed, report = adopted(self._desk.venue, account, stated, self._calendar, event.time)
        self._numbers[event.id] = routed.order_id
        self._desk.told(outcome, routed, report, key_of(stated))

    # Books.

    async def _book(self, instrument: str) -> SimBook:
        book = self._books.get(instrument)
        if book is None:
            grid = self._grids[instrument] = words.grid_of(instrument, Decimal(self._spec.quantity_unit))
            declared = self._spec.model_dump_json()

            def terms(text: str) -> VenueTerms:
                spec = SimulatedVenue.model_validate_json(text)
                return terms_of(spec, instrument, words.grid_of(instrument, Decimal(spec.quantity_unit)))

            async with self._database.connection() as connection:
                book = await SimBook.read(connection, self._desk.venue, instrument, declared, terms)
            if book is None:
                exchange = Venue(
                    terms_of(self._spec, instrument, grid), seed=self._spec.seed, start=self._clock.now_ns()
                )
                book = SimBook(self._desk.venue, instrument, exchange, declared)
            book.orders = sum(
                routed.instrument == instrument and routed.status is not At.HERE
                for routed in self._desk.orders.values()
            )
            self._books[instrument] = book
            book.dealt = partial(self._deal, instrument)
            if not book.idle:
                self._quotes.want(instrument)
                self._moved.add(instrument)
            if book.renewed:
                await self._renew(book)
        return book

    def _deal(self, instrument: str, event: Event) -> None:
        self._dealt.add(instrument)
        self._records.dealt(instrument, self._grids[instrument], event)

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
            return await self._records.statement(connection, self._desk, self._books, self._grids)

    async def cancel_there(self, stated: StatedOrder) -> None:
        """See Adapter."""
        async with self._desk.turn:
            book, now = await self._book(stated.instrument), self._clock.now_ns()
            number = int(stated.venue_order_id.removeprefix("S"))
            resting = next((each for each in book.exchange.book.orders() if each.id == number), None)
            if resting is not None:
                book.send(Cancel(id=number, owner=resting.owner), now)
                await self._desk.commit(Outcome(), book.write)
        self._desk.wake.set()

    async def _renew(self, book: SimBook) -> None:
        """Writes a book whose terms have changed, with the reports that were on their way."""
        book.renewed, outcome = False, Outcome()
        for report in book.due(self._clock.now_ns()):
            await self._name(report.event.id)
            self._say(outcome, book.instrument, report.event)
        await self._desk.commit(outcome, book.write)
