"""A desk that sends orders over FIX 4.4 from a store in a file, so that it can be killed at any time.

    python -m tests.venues.fix_desk --port 9880 --store orders.fix --orders 100

prints "sent" once so many orders are in the store, over all runs, and ends when the venue has answered its Logout.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from decimal import Decimal
from pathlib import Path

import structlog

from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import OrdType, Side
from crossrate.fix.file_store import FileStore
from crossrate.fix.initiator import Initiator
from crossrate.fix.message import Message
from crossrate.fix.orders import NewOrderSingle
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import BusinessMessageReject, ExecutionReport
from crossrate.fix.rules import Rules

PAUSE_S = 0.002


def order(name: str) -> NewOrderSingle:
    """A limit order of one million."""
    return NewOrderSingle(
        cl_ord_id=name,
        symbol="EUR/USD",
        side=Side.BUY,
        transact_time=time.time_ns() // 1_000_000 * 1_000_000,
        ord_type=OrdType.LIMIT,
        order_qty=Decimal(1_000_000),
        price=Decimal("1.08505"),
    )


class Desk:
    """What is behind the session: it counts the reports that come."""

    def __init__(self) -> None:
        self.reports: list[ExecutionReport] = []
        self.others: list[Message] = []
        self.standing = asyncio.Event()
        self.reasons: list[str] = []

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        if isinstance(message.value, ExecutionReport):
            self.reports.append(message.value)
        else:
            self.others.append(message)

    async def logged_on(self) -> None:
        """See Application."""
        self.standing.set()

    async def logged_out(self, reason: str) -> None:
        """See Application."""
        self.standing.clear()
        self.reasons.append(reason)


async def main() -> None:
    """Sends until the store has as many orders as it shall."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--store", type=Path, required=True)
    arguments.add_argument("--orders", type=int, default=100)
    given = arguments.parse_args()
    store, desk, stopping = FileStore(given.store), Desk(), asyncio.Event()
    note = structlog.get_logger()
    rules = Rules("DESK", "VENUE", reset="never", heartbeat_s=5)
    decode = Decoder([ExecutionReport, BusinessMessageReject])
    endpoint = Endpoint(rules, store, desk, note, decode=decode)
    running = asyncio.create_task(
        Initiator(endpoint, "127.0.0.1", given.port, note, pause_s=0.05, pause_s_max=0.2).run(stopping)
    )
    count = len(await store.sent(1, 1 << 60, given.orders))
    while count < given.orders:
        await desk.standing.wait()
        count += 1
        async with endpoint.unit() as unit:
            unit.send(order(f"order-{count}"), offline=True)
        await asyncio.sleep(PAUSE_S)
    print("sent", flush=True)
    stopping.set()
    await running
    store.close()


if __name__ == "__main__":
    asyncio.run(main())
