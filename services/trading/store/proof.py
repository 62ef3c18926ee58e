"""Whether the tables are what the journal makes of them: memory begins with the tables."""

from __future__ import annotations

import asyncpg

from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.store.database import Database
from services.trading import messages
from services.trading.store.commits import load

PAGE = 1000


class Rebuilt:
    """An account from its journal alone."""

    def __init__(self) -> None:
        self.sequence = 0
        self.orders: dict[str, bytes] = {}
        self.sequences: dict[str, list[int]] = {}
        self.fills: dict[tuple[str, str], execution.Fill] = {}
        self.positions: dict[tuple[str, str], list[int]] = {}
        self.strategies: dict[tuple[str, str, str], list[int]] = {}

    def take(self, report: execution.ExecutionReport) -> str:
        """The next report; says what is wrong with it, or nothing."""
        problem = "" if report.sequence == self.sequence + 1 else f"{report.sequence} follows {self.sequence}"
        self.sequence = report.sequence
        order = report.order
        self.orders[order.order_id] = order.SerializeToString(deterministic=True)
        self.sequences.setdefault(order.order_id, []).append(report.sequence)
        kind = report.exec_type
        if kind == execution.EXEC_TYPE_TRADE:
            key = (report.fill.venue, report.fill.venue_exec_id)
            if key in self.fills:
                problem = problem or f"fill {key} was counted twice, again by report {report.sequence}"
            self._count(order, report.fill, 1)
            self.fills[key] = report.fill
        elif kind in (execution.EXEC_TYPE_TRADE_CANCEL, execution.EXEC_TYPE_TRADE_CORRECT):
            was = self.fills.pop((report.fill.venue, report.exec_ref_id), None)
            if was is None:
                return problem or f"report {report.sequence} corrects a fill that is not there"
            self._count(order, was, -1)
            if kind == execution.EXEC_TYPE_TRADE_CORRECT:
                self._count(order, report.fill, 1)
                self.fills[report.fill.venue, report.exec_ref_id] = report.fill
        return problem

    def _count(self, order, fill: execution.Fill, sign: int) -> None:
        deal = messages.deal_of_fill(fill)
        side = sign * messages.SIDES[order.terms.side]
        key = order.terms.instrument, fill.position_id
        places = [self.positions.setdefault(key, [0, 0])]
        if order.terms.strategy:
            places.append(self.strategies.setdefault((*key, order.terms.strategy), [0, 0]))
        for place in places:
            if order.terms.HasField("far_leg"):
                place[0] += side * (deal.far_quantity - deal.quantity)
                place[1] -= side * (deal.far_quantity * deal.far_price - deal.quantity * deal.price)
            else:
                place[0] += side * deal.quantity
                place[1] -= side * deal.quantity * deal.price


async def differences(database: Database, account: str) -> list[str]:
    """What the tables of an account have otherwise than its journal; empty if they are the same, to the byte.

    Raises:
        StoreUnavailable: the database is away.
    """
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        rebuilt, found = Rebuilt(), []
        while True:
            rows = await connection.fetch(
                "SELECT payload FROM journal WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                f"accounts/{account}",
                rebuilt.sequence,
                PAGE,
            )
            for report in history.ExecutionReports.FromString(b"".join(row[0] for row in rows)).reports:
                if problem := rebuilt.take(report):
                    found.append(problem)
            if len(rows) < PAGE:
                break
        return found + await _compared(connection, account, rebuilt)


async def _compared(connection: asyncpg.Connection, account: str, rebuilt: Rebuilt) -> list[str]:
    found = []
    rows = await connection.fetch(
        "SELECT order_id::text, content, sequences, working FROM client_order WHERE account = $1", account
    )
    kept = {row[0]: row for row in rows}
    found += [f"order {name} is in one of the two only" for name in kept.keys() ^ rebuilt.orders.keys()]
    for name in kept.keys() & rebuilt.orders.keys():
        image = messages.order_pb2.Order.FromString(kept[name][1])
        if image.SerializeToString(deterministic=True) != rebuilt.orders[name]:
            found.append(f"order {name} is not what its last report says")
        if list(kept[name][2]) != rebuilt.sequences[name]:
            found.append(f"order {name} has other reports than it names")
        if kept[name][3] == messages.order_of(image).final:
            found.append(f"order {name} is marked wrongly as working or not")
    now = await load(connection, account)
    if now.positions != rebuilt.positions:
        found.append(f"positions are {now.positions}, by the journal {rebuilt.positions}")
    if now.strategies != rebuilt.strategies:
        found.append(f"positions of strategies are {now.strategies}, by the journal {rebuilt.strategies}")
    return found
