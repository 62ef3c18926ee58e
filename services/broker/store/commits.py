"""What is committed together: instructions, orders, reports, and a venue's own state."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import asyncpg

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.store import Database, Lease
from crossrate.store.errors import StaleWriter
from services.broker.routed import At, Routed, State, Told

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

_INSTRUCTIONS = """
INSERT INTO instruction (instruction_id, order_id, venue, kind, version, state, pinned, content)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::integer[], $6::smallint[], $7::boolean[],
                     $8::bytea[])
ON CONFLICT (instruction_id) DO NOTHING RETURNING instruction_id"""

_REPORTS = """
INSERT INTO venue_report (sequence, account, order_id, venue, kind, exec_key, content)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::bytea[])"""


@dataclass(slots=True)
class Outcome:
    """What one commit holds.

    Attributes:
        sent: numbers of instructions that are about to go to the venue.
        done: of those that were carried out or answered.
        moved: of those that go to another venue; (number, venue).
    """

    sent: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    moved: list[tuple[int, str]] = field(default_factory=list)
    orders: dict[str, Routed] = field(default_factory=dict)
    reports: list[Told] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.sent or self.done or self.moved or self.orders or self.reports)


@dataclass(frozen=True, slots=True)
class Entry:
    """An instruction to be kept: where it goes, or why it goes nowhere."""

    instruction: routing.Instruction
    venue: str
    refusal: Told | None = None


class Store:
    """Commits. Each method is one transaction, or a part of the caller's."""

    def __init__(self, database: Database, told: Callable[[list[pb.VenueReport]], None]) -> None:
        self._database = database
        self._told = told

    def transaction(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A transaction of the schema."""
        return self._database.transaction()

    async def take(self, entries: Sequence[Entry], orders: Sequence[Routed]) -> set[str]:
        """Keeps instructions, each once, and returns the ids of those that are new.

        Raises:
            StoreUnavailable: nothing was kept.
            OutcomeUnknown: perhaps it was; the same call tells.
        """
        kept: list[pb.VenueReport] = []
        async with self._database.transaction() as connection:
            new = await self._insert(connection, entries)
            if fresh := [o for o in orders if o.order_id in {e.instruction.order.order_id for e in entries}]:
                # An order that is sent again after it had ended begins anew; what works is left alone.
                known = await connection.fetch(
                    "SELECT order_id FROM venue_order WHERE order_id = ANY($1) AND status < $2",
                    [o.order_id for o in fresh],
                    int(At.ENDED),
                )
                open_ids = {row[0] for row in known}
                new_orders = {e.instruction.order.order_id for e in entries if e.instruction.instruction_id in new}
                await write_orders(
                    connection, [o for o in fresh if o.order_id not in open_ids and o.order_id in new_orders]
                )
            refusals = [e.refusal for e in entries if e.refusal and e.instruction.instruction_id in new]
            if refusals:
                kept = await write_reports(connection, refusals)
            if new:
                await connection.execute("SELECT pg_notify($1 || '_' || current_schema(), '')", CHANNEL_INSTRUCTIONS)
        if kept:
            self._told(kept)
        return new

    async def _insert(self, connection: asyncpg.Connection, entries: Sequence[Entry]) -> set[str]:
        rows = [
            (
                e.instruction.instruction_id,
                e.instruction.order.order_id,
                e.venue,
                e.instruction.kind,
                e.instruction.order.version,
                int(State.WAITS if e.venue else State.DONE),
                bool(e.instruction.order.terms.venue),
                e.instruction.order.SerializeToString(),
            )
            for e in entries
        ]
        found = await connection.fetch(_INSTRUCTIONS, *(list(column) for column in zip(*rows, strict=True)))
        return {row[0] for row in found}

    async def commit(
        self,
        lease: Lease,
        outcome: Outcome,
        also: Callable[[asyncpg.Connection], Awaitable[None]] | None = None,
    ) -> list[pb.VenueReport]:
        """Commits what a venue's holder did, if he still holds it, and returns the reports with their numbers.

        Raises:
            StaleWriter: another instance has the venue; nothing was committed.
            StoreError: nothing was, or whether it was is unknown: what the holder remembers is to be read anew.
        """
        async with self._database.transaction() as connection:
            kept = await self.within(connection, lease, outcome)
            if also is not None:
                await also(connection)
        self.told(kept)
        return kept

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
            self._told(reports)


async def write_orders(connection: asyncpg.Connection, orders: Sequence[Routed]) -> None:
    """Writes orders as they stand and gives new ones their numbers."""
    if not orders:
        return
    rows = [
        (
            o.order_id,
            o.account,
            o.venue,
            o.instrument,
            int(o.status),
            o.version,
            o.venue_order_id,
            o.filled,
            o.earlier,
            o.order.SerializeToString(),
            o.client_id,
        )
        for o in orders
    ]
    found = await connection.fetch(_ORDERS, *(list(column) for column in zip(*rows, strict=True)))
    numbers = dict(found)
    for order in orders:
        order.number = numbers[order.order_id]


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
    now = time.time_ns()
    reports, rows = [], []
    for sequence, each in enumerate(fresh, last - len(fresh) + 1):
        report = each.report
        report.sequence = sequence
        report.time.FromNanoseconds(now)
        reports.append(report)
        content = report.SerializeToString()
        key = each.exec_key or None
        rows.append((sequence, report.account, report.order_id, report.venue, int(report.kind), key, content))
    await connection.execute(_REPORTS, *(list(column) for column in zip(*rows, strict=True)))
    await connection.execute("SELECT pg_notify($1 || '_' || current_schema(), '')", CHANNEL_REPORTS)
    return reports
