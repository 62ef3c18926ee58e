"""The books of the order path as they stand in the databases and on NATS, added up again from the first report on.

Nothing of trading's own code is used: reports are messages of the contract, sums are decimals.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import asyncpg

from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.events.events import Events
from tests.chaos.checker import Broken, Problem, continuous

PAGE = 5_000
ENDED = frozenset(
    {
        order_pb2.ORDER_STATUS_FILLED,
        order_pb2.ORDER_STATUS_CANCELLED,
        order_pb2.ORDER_STATUS_REJECTED,
        order_pb2.ORDER_STATUS_EXPIRED,
    }
)
UNDER_WAY = frozenset(
    {
        order_pb2.ORDER_STATUS_PENDING_NEW,
        order_pb2.ORDER_STATUS_PENDING_CANCEL,
        order_pb2.ORDER_STATUS_PENDING_REPLACE,
        order_pb2.ORDER_STATUS_PENDING_UNKNOWN,
    }
)
"""Where an order does not stay."""
CHANGED = (execution.EXEC_TYPE_TRADE_CANCEL, execution.EXEC_TYPE_TRADE_CORRECT)
SHOWN_MAX = 5


@dataclass
class Book:
    """An account, from its journal alone.

    Attributes:
        last: its last report.
        orders: the last report of each order.
        first: number of the first report of each order that was not refused with it.
        entered: order ids by client id.
        fills: venue and its id: order and fill, as they count now.
        reducing: orders that could only make the position smaller when they were entered: no kill stops those.
        problems: what is wrong with the reports themselves.
    """

    account: str
    last: int = 0
    orders: dict[str, order_pb2.Order] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    entered: dict[str, set[str]] = field(default_factory=lambda: collections.defaultdict(set))
    fills: dict[tuple[str, str], tuple[str, execution.Fill]] = field(default_factory=dict)
    reducing: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    _held: dict[str, Decimal] = field(default_factory=lambda: collections.defaultdict(Decimal))

    def take(self, number: int, report: execution.ExecutionReport) -> None:
        """The next report."""
        self.problems += continuous(f"journal of {self.account}", [number], self.last + 1)
        if report.sequence != number:
            self._wrong(Broken.DIFFERS, f"report {report.sequence} stands at {number}")
        self.last = number
        order, kind = report.order, report.exec_type
        before = self.orders.get(order.order_id)
        if before is not None and before.status in ENDED and kind not in (execution.EXEC_TYPE_TRADE, *CHANGED):
            self._wrong(Broken.DIFFERS, f"order {order.order_id} had ended before report {number}")
        self.orders[order.order_id] = order
        if before is None and kind != execution.EXEC_TYPE_REJECTED:
            self.first[order.order_id] = number
            if -self._held[order.terms.instrument] * _sign(order) >= Decimal(order.terms.quantity):
                self.reducing.add(order.order_id)
        self.entered[order.terms.client_order_id].add(order.order_id)
        key = report.fill.venue, report.fill.venue_exec_id
        if kind == execution.EXEC_TYPE_TRADE:
            if key in self.fills:
                self._wrong(Broken.TWICE, f"fill {key} again in report {number}")
            self.fills[key] = order.order_id, report.fill
            self._held[order.terms.instrument] += _sign(order) * Decimal(report.fill.quantity)
        elif kind in CHANGED:
            self.fills.pop((report.fill.venue, report.exec_ref_id), None)
            if kind == execution.EXEC_TYPE_TRADE_CORRECT:
                self.fills[report.fill.venue, report.exec_ref_id] = order.order_id, report.fill

    def _wrong(self, broken: Broken, what: str) -> None:
        self.problems.append(Problem(broken, f"journal of {self.account}", what))

    def positions(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Units of the base currency and of the counter currency, by instrument: the sum of the fills."""
        sums: dict[str, tuple[Decimal, Decimal]] = {}
        for order_id, fill in self.fills.values():
            terms = self.orders[order_id].terms
            quantity, price = _sign(self.orders[order_id]) * Decimal(fill.quantity), Decimal(fill.price)
            base, counter = sums.get(terms.instrument, (Decimal(0), Decimal(0)))
            sums[terms.instrument] = base + quantity, counter - quantity * price
        return sums

    def under_way(self) -> list[str]:
        """Orders that wait for somebody."""
        return [name for name, order in self.orders.items() if order.status in UNDER_WAY]

    def working(self) -> list[str]:
        """Orders that have not ended."""
        return [name for name, order in self.orders.items() if order.status not in ENDED]

    def filled(self) -> list[Problem]:
        """Each order has dealt what its fills add up to, and no more than its quantity."""
        sums: dict[str, Decimal] = collections.defaultdict(Decimal)
        for order_id, fill in self.fills.values():
            sums[order_id] += Decimal(fill.quantity)
        problems = []
        for name, order in self.orders.items():
            told = Decimal(order.cum_quantity or "0")
            if told != sums[name]:
                words = f"order {name} has {told} filled, its fills are {sums[name]}"
                problems.append(Problem(Broken.DIFFERS, f"orders of {self.account}", words))
            elif told > Decimal(order.terms.quantity):
                words = f"order {name} of {order.terms.quantity} has dealt {told}"
                problems.append(Problem(Broken.TWICE, f"orders of {self.account}", words))
        return problems


def _sign(order: order_pb2.Order) -> int:
    return 1 if order.terms.side == order_pb2.SIDE_BUY else -1


class Books:
    """All accounts; what is read is read once."""

    def __init__(self) -> None:
        self.accounts: dict[str, Book] = {}
        self.published: dict[str, int] = collections.defaultdict(int)
        self.problems: list[Problem] = []
        self._stream_at = 0

    def book(self, account: str) -> Book:
        """An account's."""
        return self.accounts.setdefault(account, Book(account))

    async def read(self, connection: asyncpg.Connection) -> None:
        """Takes what the journals have since."""
        for (stream,) in await connection.fetch("SELECT stream FROM trading.journal_head ORDER BY stream"):
            book = self.book(stream.removeprefix("accounts/"))
            while rows := await connection.fetch(
                "SELECT seq, payload FROM trading.journal WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                stream,
                book.last,
                PAGE,
            ):
                for number, payload in rows:
                    (report,) = history.ExecutionReports.FromString(payload).reports
                    book.take(number, report)

    async def read_stream(self, events: Events) -> None:
        """Takes what the relay has published since: each report once, in order."""
        while page := await events.read("trading", self._stream_at):
            for event in page:
                account = event.subject.rpartition(".")[2]
                # Reports that follow each other in an account may come as one message.
                numbers = [each.sequence for each in history.ExecutionReports.FromString(event.payload).reports]
                self.problems += continuous(f"stream of {account}", numbers, self.published[account] + 1)
                self.published[account] = numbers[-1]
            self._stream_at = page[-1].sequence

    def forget_stream(self) -> None:
        """Reads the stream from its first message on again."""
        self._stream_at = 0
        self.published.clear()

    def is_published(self) -> bool:
        """Whether NATS has every report."""
        return all(self.published[name] >= book.last for name, book in self.accounts.items())

    async def check(self, connection: asyncpg.Connection) -> list[Problem]:
        """The tables of trading and broker against the journals."""
        problems, self.problems = self.problems, []
        for book in self.accounts.values():
            problems += book.problems
            book.problems = []
            problems += book.filled() + await self._check_account(connection, book)
        return problems + await self._check_broker(connection)

    async def _check_account(self, connection: asyncpg.Connection, book: Book) -> list[Problem]:
        whose = f"tables of {book.account}"
        head = await connection.fetchval(
            "SELECT last_seq FROM trading.journal_head WHERE stream = $1", f"accounts/{book.account}"
        )
        problems = []
        if head != book.last:
            problems.append(Problem(Broken.GAP, whose, f"the journal ends at {book.last}, its head is {head}"))
        rows = await connection.fetch(
            "SELECT order_id::text, content FROM trading.client_order WHERE account = $1", book.account
        )
        kept = {name: order_pb2.Order.FromString(content) for name, content in rows}
        problems += differences(Broken.DIFFERS, whose, "orders", book.orders, kept)
        rows = await connection.fetch(
            "SELECT instrument, sum(quantity), sum(counter_amount) FROM trading.account_position"
            " WHERE account = $1 GROUP BY instrument",
            book.account,
        )
        positions = {row[0]: (row[1], row[2]) for row in rows}
        problems += differences(Broken.DIFFERS, whose, "positions", book.positions(), positions)
        rows = await connection.fetch(
            "SELECT venue, venue_exec_id, order_id::text FROM trading.fill WHERE account = $1 AND NOT withdrawn",
            book.account,
        )
        fills = {(row[0], row[1]): row[2] for row in rows}
        booked = {key: order for key, (order, _) in book.fills.items()}
        return problems + differences(Broken.DIFFERS, whose, "fills", booked, fills)

    async def _check_broker(self, connection: asyncpg.Connection) -> list[Problem]:
        """What the venues filled is what was booked, each once; an order was given to a venue once."""
        if await connection.fetchval("SELECT to_regclass('broker.venue_report') IS NULL"):
            return []
        rows = await connection.fetch("SELECT sequence, content FROM broker.venue_report ORDER BY sequence")
        problems = continuous("reports of broker", [number for number, _ in rows])
        dealt: dict[tuple[str, str], tuple[str, str, str]] = {}
        for _, content in rows:
            report = venue.VenueReport.FromString(content)
            fill = report.fill
            if report.kind == venue.VENUE_REPORT_KIND_FILLED:
                key = report.venue, fill.venue_exec_id
                if key in dealt:
                    problems.append(Problem(Broken.TWICE, "reports of broker", f"fill {key}"))
                dealt[key] = report.order_id, str(Decimal(fill.quantity)), str(Decimal(fill.price))
        booked = {
            key: (order, str(Decimal(fill.quantity)), str(Decimal(fill.price)))
            for book in self.accounts.values()
            for key, (order, fill) in book.fills.items()
        }
        return problems + differences(Broken.LOST, "broker and trading", "fills", dealt, booked)


def differences(broken: Broken, whose: str, what: str, expected: Mapping, found: Mapping) -> list[Problem]:
    """Where two tables differ: as `broken` what is missing, as DIFFERS the rest."""
    missing = [key for key in expected if key not in found]
    more = [key for key in found if key not in expected]
    other = [key for key in expected if key in found and expected[key] != found[key]]
    return [
        Problem(kind, whose, f"{len(keys)} {what} {words}, as {', '.join(map(str, keys[:SHOWN_MAX]))}")
        for kind, keys, words in (
            (broken, missing, "are missing"),
            (Broken.PHANTOM, more, "nobody knows"),
            (Broken.DIFFERS, other, "are otherwise"),
        )
        if keys
    ]


async def whereabouts(connection: asyncpg.Connection, account: str, order_id: str) -> str:
    """Who has an account, and what broker has of an order of it: where a stuck one waits."""
    holder = await connection.fetchval("SELECT holder FROM trading.lease WHERE name = $1", f"accounts/{account}")
    heard = await connection.fetchval("SELECT venue_sequence FROM trading.account_venue WHERE account = $1", account)
    rows = await connection.fetch(
        "SELECT kind, state FROM broker.instruction WHERE order_id = $1 ORDER BY number", order_id
    )
    told = await connection.fetch(
        "SELECT sequence, kind FROM broker.venue_report WHERE order_id = $1 ORDER BY sequence", order_id
    )
    return (
        f"held by {holder}, which has broker's reports to {heard}; broker's instructions (kind, state) "
        f"{[tuple(row) for row in rows]}, its reports (number, kind) {[tuple(row) for row in told]}"
    )
