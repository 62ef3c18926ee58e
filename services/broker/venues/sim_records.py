"""The simulated exchange's own record of deals and positions: of its events, before anybody is told of them.

It is written in the transaction of the books' inputs, so that it has what the books did, no more and no less.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import asyncpg

from crossrate.exchange.book import Resting
from crossrate.exchange.event import Event
from crossrate.exchange.external import PROVIDER
from crossrate.exchange.grid import Grid
from crossrate.exchange.order import Side
from services.broker.domain.amounts import QUANTITY_UNIT, price_text
from services.broker.domain.books import BUY, SELL, OwnOrder, StatedOrder, Statement
from services.broker.engine.desk import Desk
from services.broker.routed import Routed
from services.broker.venues.exchange_terms import exec_id_of
from services.broker.venues.owned import own_order
from services.broker.venues.sim_book import SimBook
from services.broker.venues.sim_faults import SimFaults

COLUMNS = 9
"""Of a deal."""


class SimRecords:
    """See the module. Of one venue; made anew with its desk."""

    def __init__(self, venue: str, faults: SimFaults) -> None:
        self._venue = venue
        self._faults = faults
        self._number = 0
        self._rows: list[tuple[int, str, str, str, int, int, str, int, int | None]] = []
        self._moved: dict[str, int] = {}

    async def begin(self, connection: asyncpg.Connection) -> None:
        """Goes on behind what is kept."""
        self._number = await connection.fetchval(
            "SELECT coalesce(max(number), 0) FROM drop_copy WHERE venue = $1", self._venue
        )

    def dealt(self, instrument: str, grid: Grid, event: Event, net: int | None = None) -> None:
        """A client's order was filled.

        Args:
            net: of a swap, what it does to the position, 1/10000 of the base unit.
        """
        quantity = int(grid.quantity(event.quantity) * QUANTITY_UNIT)
        sign = BUY if event.side == Side.BUY else SELL
        self._moved[instrument] = self._moved.get(instrument, 0) + (sign * quantity if net is None else net)
        copied = self._faults.copied(event) if self._faults.any else event
        if copied is None:
            return
        self._number += 1
        side = BUY if copied.side == Side.BUY else SELL
        price = price_text(grid.price(copied.price))
        exec_id = exec_id_of(instrument, event)
        self._rows.append((self._number, exec_id, f"S{event.id}", instrument, side, quantity, price, event.time, net))

    def taken(self) -> list[Any]:
        """What was dealt since, as `keep_deals` takes it; empty for nothing. A commit that fails begins all anew."""
        if not self._moved:
            return []
        names = list(self._moved)
        columns = [list(each) for each in zip(*self._rows, strict=True)] or [[] for _ in range(COLUMNS)]
        deals = [self._venue, *columns, names, list(self._moved.values()), [self._number] * len(names)]
        self._rows, self._moved = [], {}
        return deals

    async def statement(
        self, connection: asyncpg.Connection, desk: Desk, books: Iterable[SimBook], swaps: Iterable[StatedOrder]
    ) -> Statement:
        """What stands at this moment; nothing may be uncommitted."""
        rows = await connection.fetch("SELECT instrument, quantity FROM venue_position WHERE venue = $1", self._venue)
        own: dict[str, OwnOrder] = {each.order_id: own_order(each) for each in desk.orders.values()}
        by_number = {each.venue_order_id: each for each in desk.orders.values()}
        stated, strange = list(swaps), []
        for book in books:
            for resting in book.exchange.book.orders():
                if resting.owner >= PROVIDER:
                    continue
                known: Routed | None = by_number.get(f"S{resting.id}")
                if known is None:
                    strange.append(f"S{resting.id}")
                stated.append(_stated(book, resting, known.order_id if known else ""))
        if strange:
            found = await desk.reading.named_all(connection, self._venue, strange)
            own |= {each.order_id: own_order(each) for each in found.values()}
            ids = {name: each.order_id for name, each in found.items()}
            stated = [replace(each, order_id=ids.get(each.venue_order_id, each.order_id)) for each in stated]
        return Statement(tuple(stated), {row[0]: row[1] for row in rows}, self._number, own)


def _stated(book: SimBook, resting: Resting, order_id: str) -> StatedOrder:
    grid = book.grid
    return StatedOrder(
        f"S{resting.id}",
        "",
        book.instrument,
        BUY if resting.side == Side.BUY else SELL,
        int(grid.quantity(resting.quantity) * QUANTITY_UNIT),
        grid.price(resting.price),
        int(grid.quantity(resting.quantity - resting.leaves) * QUANTITY_UNIT),
        order_id,
    )
