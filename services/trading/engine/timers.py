"""Orders whose time ends: those held here expire, a venue's are cancelled there if it has not ended them."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import heapq
from collections.abc import Callable

from crossrate.basics.pair import Pair
from crossrate.basics.session import session_of
from services.trading import messages
from services.trading.domain.account import Account, Step
from services.trading.domain.lifecycle import PENDING, Exec, Reason
from services.trading.domain.order import Order, TimeInForce
from services.trading.engine.writer import Writer
from services.trading.store import Batch

LOOK_S = 0.25
"""The clock is looked at so often: it may be set."""

TIMED = frozenset({TimeInForce.DAY, TimeInForce.GTD})


def end_ns(order: Order) -> int:
    """When an order's time ends, in ns since 1970, UTC; 0 for never."""
    match order.terms.time_in_force:
        case TimeInForce.GTD:
            return order.terms.expire_ns
        case TimeInForce.DAY:
            date = order.image.trade_date
            return _session_end_ns(order.instrument, date.year, date.month, date.day)
    return 0


@functools.lru_cache(maxsize=4096)
def _session_end_ns(instrument: str, year: int, month: int, day: int) -> int:
    session = session_of(Pair(instrument[:3], instrument[4:]), dt.date(year, month, day))
    return int(session.end.timestamp()) * messages.NS


class Timers:
    """See the module. `run` is a task of the process."""

    def __init__(self, writer: Writer, clock_ns: Callable[[], int], *, grace_s: float) -> None:
        self._writer = writer
        self._clock_ns = clock_ns
        self._grace_ns = int(grace_s * messages.NS)
        self._due: list[tuple[int, str, str]] = []
        self._known: dict[str, int] = {}

    async def claimed(self, account: Account) -> None:
        """An account is here now: its orders' times are watched here."""
        for order in account.orders.values():
            self._look(order)

    def committed(self, batch: Batch) -> None:
        """Orders took a step."""
        for order in batch.orders:
            if order.terms.time_in_force in TIMED or order.order_id in self._known:
                self._look(order)

    def _look(self, order: Order) -> None:
        if order.final or order.terms.time_in_force not in TIMED:
            self._known.pop(order.order_id, None)
            return
        due = end_ns(order) + (0 if order.held else self._grace_ns)
        if self._known.get(order.order_id) != due:
            self._known[order.order_id] = due
            heapq.heappush(self._due, (due, order.order_id, order.account))

    async def run(self) -> None:
        """Ends orders whose time is over, until it is cancelled."""
        while True:
            now = self._clock_ns()
            while self._due and self._due[0][0] <= now:
                due, order_id, account = heapq.heappop(self._due)
                if self._known.get(order_id) == due:
                    del self._known[order_id]
                    self._writer.work(account, self._end(order_id))
            await asyncio.sleep(LOOK_S)

    def _end(self, order_id: str) -> Callable[[Account, Batch], None]:
        def do(account: Account, batch: Batch) -> None:
            order = account.orders.get(order_id)
            if order is None or order.final or order.status in PENDING or end_ns(order) > batch.now_ns:
                return
            words = f"its time ended: it was {order.terms.time_in_force.name}"
            if order.held:
                account.end(order, Exec.EXPIRED, Step(Exec.EXPIRED, "time", Reason.EXPIRED, words), batch)
            else:
                account.ask_cancel(order, Reason.EXPIRED, "time", batch, words)

        return do
