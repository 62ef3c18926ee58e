"""What the comparison reads: fills as we were told them, and as the drop copy has them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from crossrate.store import Database
from services.broker.domain.amounts import quantity_of
from services.broker.domain.books import BUY, SELL, Fill

FILL, TAKEN_BACK, CORRECTED = 1, 2, 3
"""What a copy says."""

_OWN = """
SELECT r.sequence, r.content, o.instrument, o.content, o.client_id FROM venue_report r
JOIN venue_order o ON o.order_id = r.order_id
WHERE r.sequence > $1 AND r.sequence <= $2 AND r.venue = $3 AND r.kind = ANY($4::smallint[])
ORDER BY r.sequence LIMIT $5"""
_COPIES = """
SELECT c.number, c.kind, c.exec_id, c.ref, c.instrument, c.side, c.quantity, c.price, c.venue_order_id, c.client_id,
       c.time_ns, coalesce(o.order_id, ''), coalesce(o.account, ''), c.net
FROM drop_copy c LEFT JOIN LATERAL (
    SELECT order_id, account FROM venue_order o WHERE o.venue = c.venue AND o.venue_order_id = c.venue_order_id LIMIT 1
) o ON c.venue_order_id <> ''
WHERE c.venue = $1 AND c.number > $2 AND c.number <= $3 ORDER BY c.number LIMIT $4"""
_KINDS = [
    pb.VENUE_REPORT_KIND_FILLED,
    pb.VENUE_REPORT_KIND_TRADE_CANCELLED,
    pb.VENUE_REPORT_KIND_TRADE_CORRECTED,
    pb.VENUE_REPORT_KIND_ADOPTED,
]
_WHAT = {
    pb.VENUE_REPORT_KIND_FILLED: FILL,
    pb.VENUE_REPORT_KIND_TRADE_CANCELLED: TAKEN_BACK,
    pb.VENUE_REPORT_KIND_TRADE_CORRECTED: CORRECTED,
    pb.VENUE_REPORT_KIND_ADOPTED: 0,
}


@dataclass(frozen=True, slots=True)
class Said:
    """A book's word of a fill.

    Attributes:
        number: of the report, or of the copy.
        what: FILL, TAKEN_BACK, CORRECTED; 0 where an order was adopted.
        ref: of what is taken back or corrected, and of what was booked again: the fill that is meant.
        fill: as the book has it now; None if it was taken back.
        told_id: the id that trading knows it by.
    """

    number: int
    what: int
    exec_id: str
    ref: str
    fill: Fill | None
    account: str = ""
    told_id: str = ""


class Copies:
    """Reads; every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def own(self, venue: str, after: int, upto: int, limit: int) -> list[Said]:
        """What we were told by a venue after a report, in order."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_OWN, after, upto, venue, _KINDS, limit)
        return [_own(row) for row in rows]

    async def copied(self, venue: str, after: int, upto: int, limit: int) -> list[Said]:
        """What the drop copy has after a number, in order."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_COPIES, venue, after, upto, limit)
        return [_copied(row) for row in rows]

    async def ends(self, venue: str) -> tuple[int, int]:
        """The newest report of all venues, and the newest copy of one."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT (SELECT last_sequence FROM report_head), "
                "(SELECT coalesce(max(number), 0) FROM drop_copy WHERE venue = $1)",
                venue,
            )
        return row[0], row[1]

    async def known(self, venue: str, exec_id: str) -> tuple[Fill | None, Fill | None]:
        """A fill that is older than what is in memory, as we were told it and as the drop copy has it."""
        async with self._database.connection() as connection:
            own = await connection.fetchrow(
                "SELECT r.sequence, r.content, o.instrument, o.content, o.client_id FROM venue_report r "
                "JOIN venue_order o ON o.order_id = r.order_id WHERE r.venue = $1 AND r.exec_key = $2 AND r.kind = $3",
                venue,
                exec_id,
                pb.VENUE_REPORT_KIND_FILLED,
            )
            copy = await connection.fetchrow(
                "SELECT number, kind, exec_id, ref, instrument, side, quantity, price, venue_order_id, client_id, "
                "time_ns, '', '', net FROM drop_copy WHERE venue = $1 AND exec_id = $2 AND kind = 1",
                venue,
                exec_id,
            )
        return _own(own).fill if own is not None else None, _copied(copy).fill if copy is not None else None


def _own(row: Any) -> Said:
    report, order = pb.VenueReport.FromString(row[1]), order_pb2.Order.FromString(row[3])
    what, told = _WHAT[report.kind], report.fill
    fill = None
    if what in (FILL, CORRECTED):
        fill = Fill(
            report.exec_ref_id or told.venue_exec_id,
            row[2],
            BUY if order.terms.side == order_pb2.SIDE_BUY else SELL,
            quantity_of(told.quantity),
            Decimal(told.price),
            report.order_id,
            report.venue_order_id,
            row[4],
            report.account,
            told.venue_time.ToNanoseconds(),
            _net(told, order.terms.side == order_pb2.SIDE_BUY),
        )
    return Said(row[0], what, told.venue_exec_id, report.exec_ref_id, fill, report.account, told.venue_exec_id)


def _net(told: execution_pb2.Fill, buys: bool) -> int | None:
    """What a swap does to the position: its far leg has the order's side, its near one the other."""
    if not told.far_quantity:
        return None
    return (1 if buys else -1) * (quantity_of(told.far_quantity) - quantity_of(told.quantity))


def _copied(row: Any) -> Said:
    exec_id, ref = row[2], row[3]
    fill = None
    if row[1] != TAKEN_BACK:
        fill = Fill(ref or exec_id, row[4], row[5], row[6], row[7], row[11], row[8], row[9], row[12], row[10], row[13])
    return Said(row[0], row[1], exec_id, ref, fill, row[12])
