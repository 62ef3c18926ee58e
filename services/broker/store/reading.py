"""What is read: reports, what waits, orders that are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.store import Database
from services.broker.routed import At, Routed, Waiting

_ORDER = (
    "SELECT number, order_id, account, venue, instrument, status, version, venue_order_id, filled, earlier, content, "
    "client_id "
    "FROM venue_order "
)
_WAITING = (
    "SELECT number, instruction_id, order_id, kind, version, pinned, content, "
    "extract(epoch FROM clock_timestamp() - create_time)::float8 FROM instruction "
)

_WAITING_WITH_ORDERS = """
SELECT i.number, i.instruction_id, i.order_id, i.kind, i.version, i.pinned, i.content,
       extract(epoch FROM clock_timestamp() - i.create_time)::float8,
       o.number, o.order_id, o.account, o.venue, o.instrument, o.status, o.version, o.venue_order_id, o.filled,
       o.earlier, o.content, o.client_id
FROM instruction i LEFT JOIN venue_order o USING (order_id)
WHERE i.venue = $1 AND i.state = 0 ORDER BY i.number LIMIT $2"""


class Reading:
    """Reads; every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_sequence(self) -> int:
        """The number of the newest report."""
        async with self._database.connection() as connection:
            return await connection.fetchval("SELECT last_sequence FROM report_head")

    async def reports(self, after: int, limit: int) -> list[pb.VenueReport]:
        """Reports of all accounts after a number."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT content FROM venue_report WHERE sequence > $1 ORDER BY sequence LIMIT $2", after, limit
            )
        return [pb.VenueReport.FromString(row[0]) for row in rows]

    async def reports_of(
        self, account: str, after: int, limit: int, order_id: str = ""
    ) -> tuple[list[pb.VenueReport], int]:
        """Reports of one account, or of one of its orders, after a number; the newest number of any at that moment."""
        async with self._database.connection() as connection:
            # The newest number first: what is committed between the two is then in the page, not past it.
            last = await connection.fetchval("SELECT last_sequence FROM report_head")
            which = "" if not order_id else "AND order_id = $5 "
            rows = await connection.fetch(
                f"SELECT content FROM venue_report WHERE account = $1 AND sequence > $2 AND sequence <= $4 {which}"
                "ORDER BY sequence LIMIT $3",
                account,
                after,
                limit,
                last,
                *([order_id] if order_id else []),
            )
        return [pb.VenueReport.FromString(row[0]) for row in rows], last

    async def waiting(self, venue: str, limit: int) -> list[Waiting]:
        """Instructions of a venue that wait, in their order."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                _WAITING + "WHERE venue = $1 AND state = 0 ORDER BY number LIMIT $2", venue, limit
            )
        return [_waiting(row) for row in rows]

    async def waiting_with_orders(self, venue: str, limit: int) -> tuple[list[Waiting], list[Routed]]:
        """Instructions of a venue that wait, in their order, and the orders that they are about, as they stand."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_WAITING_WITH_ORDERS, venue, limit)
        return [_waiting(row[:8]) for row in rows], [_routed(row[8:]) for row in rows if row[8] is not None]

    async def unanswered(self, venue: str) -> list[Waiting]:
        """Instructions that were sent and not answered."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_WAITING + "WHERE venue = $1 AND state = 1 ORDER BY number", venue)
        return [_waiting(row) for row in rows]

    async def open_orders(self, venue: str) -> list[Routed]:
        """The orders of a venue that have not ended."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_ORDER + "WHERE venue = $1 AND status < 4 ORDER BY number", venue)
        return [_routed(row) for row in rows]

    async def orders(self, order_ids: Sequence[str]) -> dict[str, Routed]:
        """Orders by id, ended ones too."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_ORDER + "WHERE order_id = ANY($1)", list(order_ids))
        return {row["order_id"]: _routed(row) for row in rows}

    async def within(self, connection: Any, order_id: str) -> Routed | None:
        """An order within the caller's transaction, locked."""
        row = await connection.fetchrow(_ORDER + "WHERE order_id = $1 FOR UPDATE", order_id)
        return None if row is None else _routed(row)

    async def seen(self, connection: Any, venue: str, exec_key: str) -> bool:
        """Whether a venue has told something before."""
        return bool(
            await connection.fetchval(
                "SELECT true FROM venue_report WHERE venue = $1 AND exec_key = $2", venue, exec_key
            )
        )

    async def named(self, connection: Any, venue: str, venue_order_id: str) -> Routed | None:
        """The same by the venue's id."""
        row = await connection.fetchrow(
            _ORDER + "WHERE venue = $1 AND venue_order_id = $2 FOR UPDATE", venue, venue_order_id
        )
        return None if row is None else _routed(row)

    async def named_all(self, connection: Any, venue: str, venue_order_ids: Sequence[str]) -> dict[str, Routed]:
        """Orders by the venue's ids, without a lock."""
        rows = await connection.fetch(
            _ORDER + "WHERE venue = $1 AND venue_order_id = ANY($2)", venue, list(venue_order_ids)
        )
        return {row["venue_order_id"]: _routed(row) for row in rows}

    async def unanswered_s(self, venue: str) -> dict[str, float]:
        """By order, for how many seconds something that was sent about it is not answered."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT order_id, extract(epoch FROM clock_timestamp() - min(sent_time))::float8 FROM instruction "
                "WHERE venue = $1 AND state = 1 GROUP BY order_id",
                venue,
            )
        return {row[0]: row[1] for row in rows}

    async def instructed(self, connection: Any, number: int) -> tuple[Waiting, str] | None:
        """An instruction by its number, and its venue."""
        row = await connection.fetchrow(
            _WAITING.replace(" FROM instruction", ", venue FROM instruction") + "WHERE number = $1", number
        )
        return None if row is None else (_waiting(row), row[8])

    async def answered(self, connection: Any, number: int) -> bool:
        """Whether an instruction is done."""
        return await connection.fetchval("SELECT state = 2 FROM instruction WHERE number = $1", number) is True

    async def by_number(self, number: int, venue: str = "") -> Routed | None:
        """An order by this service's number, or with a venue by the simulated exchange's own."""
        async with self._database.connection() as connection:
            if venue:
                row = await connection.fetchrow(
                    _ORDER + "WHERE venue = $1 AND venue_order_id = $2", venue, f"S{number}"
                )
            else:
                row = await connection.fetchrow(_ORDER + "WHERE number = $1", number)
        return None if row is None else _routed(row)


def _routed(row: Any) -> Routed:
    order = order_pb2.Order.FromString(row[10])
    return Routed(*row[:5], At(row[5]), *row[6:10], order, row[11], order)


def _waiting(row: Any) -> Waiting:
    return Waiting(*row[:6], order_pb2.Order.FromString(row[6]), row[7])
