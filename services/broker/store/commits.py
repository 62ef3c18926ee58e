"""What is committed together: instructions, orders, reports, and a venue's own state."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.store import Database, Lease
from crossrate.store.database import BROKEN_CONNECTION
from crossrate.store.errors import OutcomeUnknown, StaleWriter, StoreError
from services.broker.routed import At, Carried, Routed, Told
from services.broker.store.outcome import (
    Entry,
    Input,
    Outcome,
    carried_arguments,
    columns,
    commit_arguments,
    instruction,
    order_columns,
)

CHANNEL_REPORTS, CHANNEL_INSTRUCTIONS = "broker_reports", "broker_instructions"

_ORDERS = """
INSERT INTO venue_order (order_id, account, venue, instrument, status, version, venue_order_id, filled, earlier,
                         content, client_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::integer[], $7::text[],
                     $8::bigint[], $9::bigint[], $10::bytea[], $11::text[])
ON CONFLICT (order_id) DO UPDATE SET venue = excluded.venue, status = excluded.status, version = excluded.version,
    venue_order_id = excluded.venue_order_id, filled = excluded.filled, earlier = excluded.earlier,
    content = excluded.content, client_id = excluded.client_id, update_time = now()
RETURNING order_id, number"""

# Of orders only those are written whose instruction is new. One that is sent again after it had ended begins anew; what
# works is left alone.
_TAKE = f"""
WITH new AS (
    INSERT INTO instruction (instruction_id, order_id, venue, kind, version, state, pinned, content)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::integer[], $6::smallint[],
                         $7::boolean[], $8::bytea[])
    ON CONFLICT (instruction_id) DO NOTHING RETURNING instruction_id, order_id
),
fresh AS (
    INSERT INTO venue_order AS v (order_id, account, venue, instrument, status, version, venue_order_id, filled,
                                  earlier, content, client_id)
    SELECT w.* FROM unnest($9::text[], $10::text[], $11::text[], $12::text[], $13::smallint[], $14::integer[],
                           $15::text[], $16::bigint[], $17::bigint[], $18::bytea[], $19::text[]) AS w (order_id)
    WHERE w.order_id IN (SELECT order_id FROM new)
    ON CONFLICT (order_id) DO UPDATE SET venue = excluded.venue, status = excluded.status, version = excluded.version,
        venue_order_id = excluded.venue_order_id, filled = excluded.filled, earlier = excluded.earlier,
        content = excluded.content, client_id = excluded.client_id, update_time = now()
        WHERE v.status = {At.ENDED.value}
)
SELECT array_agg(instruction_id),
       CASE WHEN count(*) > 0 THEN pg_notify('{CHANNEL_INSTRUCTIONS}_' || current_schema(), $20)::text END FROM new"""

_REPORTS = """
INSERT INTO venue_report (sequence, account, order_id, venue, kind, exec_key, content)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::bytea[])"""

_DEALS = f"keep_deals({', '.join(f'${n}' for n in range(1, 14))})"
_NUMBERS = "SELECT nextval(pg_get_serial_sequence('venue_order', 'number')) FROM generate_series(1, $1)"
NUMBERS = 500
"""Numbers of orders that are taken at once; those that are left over at the end are nobody's."""
_INPUT = "INSERT INTO book_input (venue, instrument, number, told, content) VALUES ($1, $2, $3, $4, $5)"


@functools.cache
def _statement(*calls: tuple[str, int]) -> str:
    """One statement that calls functions with so many arguments each, one after another."""
    words, place = [], 1
    for name, count in calls:
        words.append(f"{name}({', '.join(f'${n}' for n in range(place, place + count))})")
        place += count
    return f"SELECT {', '.join(words)}"


class Store:
    """Commits. Each method is one transaction, or a part of the caller's.

    Args:
        told: called with reports that were committed here.
        name: what this process says with instructions that it has kept; it wakes itself up.
    """

    def __init__(self, database: Database, told: Callable[[list[pb.VenueReport]], None], name: str) -> None:
        self._database = database
        self._name = name
        self._told = told
        self._last = -1
        """The newest report that is known here; -1 before the first look."""
        self._numbers: deque[int] = deque()

    async def numbers(self, count: int) -> list[int]:
        """Numbers for new orders that are carried out before they are kept.

        Raises:
            StoreUnavailable: the database is away.
        """
        while len(self._numbers) < count:
            async with self._database.connection() as connection:
                rows = await connection.fetch(_NUMBERS, max(NUMBERS, count))
            self._numbers.extend(row[0] for row in rows)
        return [self._numbers.popleft() for _ in range(count)]

    def transaction(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A transaction of the schema."""
        return self._database.transaction()

    async def take(self, entries: Sequence[Entry], orders: Sequence[Routed]) -> set[str]:
        """Keeps instructions, each once, and returns the ids of those that are new.

        Raises:
            StoreUnavailable: nothing was kept.
            OutcomeUnknown: perhaps it was; the same call tells.
        """
        refused = {e.instruction.instruction_id: e.refusal for e in entries if e.refusal is not None}
        kept: list[pb.VenueReport] = []
        async with self._taking(bool(refused)) as connection:
            row = await connection.fetchrow(
                _TAKE, *columns(map(instruction, entries), 8), *order_columns(orders), self._name
            )
            new = set(row[0] or ())
            refusals = [refusal for each, refusal in refused.items() if each in new]
            if refusals:
                kept = await write_reports(connection, refusals)
        if kept:
            self._told(kept)
        return new

    @contextlib.asynccontextmanager
    async def _taking(self, several: bool) -> AsyncIterator[asyncpg.Connection]:
        """A transaction; without words of its own where one statement does it all."""
        if several:
            async with self._database.transaction() as connection:
                yield connection
            return
        async with self._database.connection() as connection:
            try:
                yield connection
            except asyncio.CancelledError:
                _cut(connection)
                raise
            except BROKEN_CONNECTION as error:
                _cut(connection)
                raise OutcomeUnknown("the connection broke during the commit; it may have been done") from error

    async def commit(
        self,
        lease: Lease,
        outcome: Outcome,
        also: Callable[[asyncpg.Connection], Awaitable[None]] | None = None,
        carried: Sequence[Carried] = (),
    ) -> list[pb.VenueReport]:
        """Commits what a venue's holder did, if he still holds it, and returns the reports with their numbers.

        Args:
            carried: new orders that nobody has kept before.

        Raises:
            StaleWriter: another instance has the venue; nothing was committed.
            StoreError: nothing was, or whether it was is unknown: what the holder remembers is to be read anew.
        """
        async with self._database.transaction() as connection:
            await self._keep(connection, lease, carried)
            kept = await self.within(connection, lease, outcome)
            if also is not None:
                await also(connection)
        self.told(kept)
        return kept

    async def commit_at_once(
        self,
        lease: Lease,
        outcome: Outcome,
        inputs: Sequence[Input],
        deals: Sequence[Any] = (),
        carried: Sequence[Carried] = (),
    ) -> list[pb.VenueReport]:
        """The same for a venue whose books are here, in one round trip where that can be: nothing moves to another
        venue, and what it tells has not been told before.

        Args:
            deals: what `keep_deals` takes; empty where nothing was dealt.
            carried: new orders that nobody has kept before.

        Raises:
            as `commit`; StoreError also where something of `carried` is kept already.
        """
        if self._last < 0:
            async with self._database.connection() as connection:
                self._last = await connection.fetchval("SELECT last_sequence FROM report_head")
        fresh = {each.order.order_id for each in carried}
        orders = [order for order in outcome.orders.values() if order.order_id not in fresh]
        if not outcome.moved and all(order.kept is not None for order in orders):
            reports = [each.report for each in outcome.reports]
            number(reports, self._last)
            calls = [
                ("keep_carried", carried_arguments(lease, carried) if carried else ()),
                ("commit_venue", commit_arguments(lease, outcome, orders, reports, self._last, inputs)),
                ("keep_deals", deals),
            ]
            made = [(name, arguments) for name, arguments in calls if arguments]
            statement = _statement(*((name, len(arguments)) for name, arguments in made))
            async with self._taking(several=False) as connection:
                try:
                    await connection.execute(statement, *itertools.chain.from_iterable(each for _, each in made))
                except asyncpg.UniqueViolationError:
                    pass  # a report that was told before is left out; that is for `within`
                except asyncpg.PostgresError as error:
                    if error.sqlstate == "XR001":
                        raise StaleWriter(lease.name, lease.epoch) from None
                    if error.sqlstate != "XR010":  # others have numbered reports: anew, behind theirs
                        raise
                else:
                    _written(outcome.orders.values())
                    self.told(reports)
                    return reports
        return await self.commit(lease, outcome, lambda connection: write_inputs(connection, inputs, deals), carried)

    async def _keep(self, connection: asyncpg.Connection, lease: Lease, carried: Sequence[Carried]) -> None:
        if carried:
            arguments = carried_arguments(lease, carried)
            try:
                await connection.execute(_statement(("keep_carried", len(arguments))), *arguments)
            except asyncpg.UniqueViolationError as error:
                raise StoreError("an instruction that was carried out is kept already") from error

    async def within(self, connection: asyncpg.Connection, lease: Lease, outcome: Outcome) -> list[pb.VenueReport]:
        """The same as a part of the caller's transaction; after its commit `told` is the caller's to call."""
        held = await connection.fetchval(
            "SELECT 1 FROM lease WHERE name = $1 AND epoch = $2 FOR SHARE", lease.name, lease.epoch
        )
        if held is None:
            raise StaleWriter(lease.name, lease.epoch)
        if outcome.sent:
            await connection.execute(
                "UPDATE instruction SET state = 1, sent_time = clock_timestamp() WHERE number = ANY($1)", outcome.sent
            )
        if outcome.done:
            await connection.execute("UPDATE instruction SET state = 2 WHERE number = ANY($1)", outcome.done)
        if outcome.moved:
            await connection.execute(
                "UPDATE instruction i SET venue = m.venue FROM unnest($1::bigint[], $2::text[]) AS m (number, venue) "
                "WHERE i.number = m.number AND i.state = 0",
                [number for number, _ in outcome.moved],
                [venue for _, venue in outcome.moved],
            )
            await connection.execute("SELECT pg_notify($1 || '_' || current_schema(), '')", CHANNEL_INSTRUCTIONS)
        if outcome.orders:
            await write_orders(connection, list(outcome.orders.values()))
        return await write_reports(connection, outcome.reports) if outcome.reports else []

    def told(self, reports: list[pb.VenueReport]) -> None:
        """These were committed just now."""
        if reports:
            self._last = max(self._last, reports[-1].sequence)
            self._told(reports)


async def write_inputs(connection: asyncpg.Connection, inputs: Sequence[Input], deals: Sequence[Any] = ()) -> None:
    """Writes what went into simulated books, and what they dealt."""
    if inputs:
        await connection.executemany(_INPUT, inputs)
    if deals:
        await connection.execute(f"SELECT {_DEALS}", *deals)


async def write_orders(connection: asyncpg.Connection, orders: Sequence[Routed]) -> None:
    """Writes orders as they stand and gives new ones their numbers."""
    if not orders:
        return
    found = await connection.fetch(_ORDERS, *order_columns(orders))
    numbers = dict(found)
    for order in orders:
        order.number = numbers[order.order_id]
    _written(orders)


async def write_reports(connection: asyncpg.Connection, told: Sequence[Told]) -> list[pb.VenueReport]:
    """Numbers reports and writes them, each thing that a venue told once."""
    keys = [(each.report.venue, each.exec_key) for each in told if each.exec_key]
    known: set[tuple[str, str]] = set()
    # The lock that numbering takes comes first, so that nobody else tells the same between the look and the write.
    await connection.fetchval("SELECT last_sequence FROM report_head FOR UPDATE")
    if keys:
        rows = await connection.fetch(
            "SELECT r.venue, r.exec_key FROM venue_report r JOIN unnest($1::text[], $2::text[]) AS k (venue, key) "
            "ON r.venue = k.venue AND r.exec_key = k.key",
            [venue for venue, _ in keys],
            [key for _, key in keys],
        )
        known = {(row[0], row[1]) for row in rows}
    fresh: list[Told] = []
    for each in told:
        key = (each.report.venue, each.exec_key)
        if not each.exec_key or key not in known:
            fresh.append(each)
            known.add(key)
    if not fresh:
        return []
    last = await connection.fetchval(
        "UPDATE report_head SET last_sequence = last_sequence + $1 RETURNING last_sequence", len(fresh)
    )
    reports = [each.report for each in fresh]
    number(reports, last - len(fresh))
    rows = [
        (r.sequence, r.account, r.order_id, r.venue, int(r.kind), each.exec_key or None, r.SerializeToString())
        for r, each in zip(reports, fresh, strict=True)
    ]
    await connection.execute(_REPORTS, *(list(column) for column in zip(*rows, strict=True)))
    await connection.execute("SELECT pg_notify($1 || '_' || current_schema(), $2)", CHANNEL_REPORTS, str(last))
    return reports


def number(reports: Sequence[pb.VenueReport], after: int) -> None:
    """Numbers reports that follow one, and says when."""
    now = time.time_ns()
    for sequence, report in enumerate(reports, after + 1):
        report.sequence = sequence
        report.time.seconds, report.time.nanos = divmod(now, 1_000_000_000)


def _written(orders: Iterable[Routed]) -> None:
    for order in orders:
        order.kept = order.order


def _cut(connection: asyncpg.Connection) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()
