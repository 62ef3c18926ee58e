"""A venue and a desk on a FIX session, each with a store, over a connection on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import structlog

from crossrate.fix.acceptor import Acceptor
from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import ExecType, OrdStatus
from crossrate.fix.initiator import Initiator
from crossrate.fix.message import Message
from crossrate.fix.orders import NewOrderSingle
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import BusinessMessageReject, ExecutionReport
from crossrate.fix.rules import Rules
from crossrate.fix.store import MemoryStore, Store
from tests.ending import within
from tests.ports import free_port
from tests.venues.fix_desk import Desk, order

NOTE = structlog.get_logger()


def report(name: str) -> ExecutionReport:
    """A fill of an order."""
    return ExecutionReport(
        order_id=f"V-{name}",
        cl_ord_id=name,
        exec_id=f"E-{name}",
        exec_type=ExecType.TRADE,
        ord_status=OrdStatus.FILLED,
        symbol="EUR/USD",
        side=order(name).side,
        last_qty=Decimal(1_000_000),
        last_px=Decimal("1.08504"),
        leaves_qty=Decimal(0),
        cum_qty=Decimal(1_000_000),
        avg_px=Decimal("1.08504"),
    )


class Venue:
    """Fills every order; what it took is in `taken` once it is committed, in its own database if it has one."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.failures = 0
        self.into: Callable[[Any, str], Any] | None = None
        self.reasons: list[str] = []

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        if isinstance(message.value, NewOrderSingle):
            name = message.value.cl_ord_id
            if self.into is not None:
                await self.into(unit.transaction, name)
            unit.send(report(name))
            if self.failures:
                self.failures -= 1
                raise ZeroDivisionError("the application fails")
            self.taken.append(name)

    async def logged_on(self) -> None:
        """See Application."""

    async def logged_out(self, reason: str) -> None:
        """See Application."""
        self.reasons.append(reason)


class Stand:
    """A venue that listens, and a desk that connects to it."""

    def __init__(self, desk_store: Store | None = None, venue_store: Store | None = None, **how: Any) -> None:
        rules = how.pop("rules", {})
        self.venue, self.desk, self.port, self.stopping = Venue(), Desk(), free_port(), asyncio.Event()
        clock = how.pop("now_ns", time.time_ns)
        schedule = how.pop("schedule", None)
        self.venue_end = Endpoint(
            Rules("VENUE", "DESK", role="acceptor", reset="never", **rules),
            venue_store or MemoryStore(),
            self.venue,
            NOTE,
            decode=Decoder([NewOrderSingle], strict=True),
            now_ns=clock,
            schedule=schedule,
        )
        self.desk_end = Endpoint(
            Rules("DESK", "VENUE", reset="never", heartbeat_s=5, username=how.pop("username", ""), **rules),
            desk_store or MemoryStore(),
            self.desk,
            NOTE,
            password=how.pop("password", ""),
            decode=Decoder([ExecutionReport, BusinessMessageReject], strict=True),
            now_ns=clock,
            schedule=schedule,
        )
        self.acceptor = Acceptor([self.venue_end], NOTE, authenticate=how.pop("authenticate", None))
        self.server_tls = how.pop("server_tls", None)
        self.client_tls = how.pop("client_tls", None)
        self.running: asyncio.Task[None] | None = None
        assert not how, how

    async def trade(self, name: str, **how: Any) -> None:
        """Sends an order."""
        async with self.desk_end.unit() as unit:
            unit.send(order(name), **how)

    def reported(self) -> list[str | None]:
        """The orders of which a report came."""
        return [each.cl_ord_id for each in self.desk.reports]


@contextlib.asynccontextmanager
async def stand(*, desk: bool = True, **how: Any) -> AsyncIterator[Stand]:
    """Both sides, the desk logged on; both end at the end."""
    made = Stand(**how)
    await made.acceptor.start("127.0.0.1", made.port, made.server_tls)
    try:
        if desk:
            initiator = Initiator(
                made.desk_end, "127.0.0.1", made.port, NOTE, tls=made.client_tls, pause_s=0.02, pause_s_max=0.1
            )
            made.running = asyncio.create_task(initiator.run(made.stopping))
        yield made
    finally:
        made.stopping.set()
        if made.running is not None:
            await within(made.running, "the end of the initiator")
        await made.acceptor.stop()
