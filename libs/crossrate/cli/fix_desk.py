"""A client of the day that speaks FIX 4.4: what lets it in, and its orders."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog

from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import OrdStatus, OrdType, Side, TimeInForce
from crossrate.fix.initiator import Initiator
from crossrate.fix.message import Message
from crossrate.fix.orders import NewOrderSingle
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import ExecutionReport
from crossrate.fix.rules import Rules
from crossrate.fix.store import MemoryStore
from crossrate.node.ports import Ports
from crossrate.runtime.place import Place

PLATFORM = "CROSSRATE"
OVER = frozenset({OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED})
LOGON_S_MAX = 15.0
ORDER_S_MAX = 15.0


@dataclass(frozen=True, slots=True)
class Access:
    """How one client reaches the gateway."""

    account: str
    comp_id: str
    port: int
    password: str

    @classmethod
    def declare(cls, place: Place, account: str) -> tuple[Access, dict[str, str]]:
        """Writes what lets a client of one account in, before the mesh starts; also the settings that name it.

        What earlier days were let in by goes.
        """
        folder = place.state / "fix"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.glob("fix-*.password"):
            old.unlink()
        ports = Ports()
        try:
            access = cls(account, account.upper(), ports.take("fix"), secrets.token_urlsafe(24))
        finally:
            ports.close()
        password = folder / f"{account}.password"
        password.touch(mode=0o600)
        password.write_text(access.password)
        declared = folder / "clients.toml"
        declared.write_text(
            f'[gateway]\nport = {access.port}\ncomp_id = "{PLATFORM}"\n\n'
            f'[clients.{account}]\ncomp_id = "{access.comp_id}"\naccounts = ["{account}"]\n'
        )
        return access, {"CROSSRATE_BROKER_FIX_CLIENTS": str(declared)}


class _Desk:
    """What comes to the session: reports, in their order."""

    def __init__(self) -> None:
        self.standing = asyncio.Event()
        self.reports: asyncio.Queue[Any] = asyncio.Queue()

    async def received(self, message: Message, unit: Unit) -> None:
        """A report."""
        self.reports.put_nowait(message.value)

    async def logged_on(self) -> None:
        """The session stands."""
        self.standing.set()

    async def logged_out(self, reason: str) -> None:
        """The session has ended."""
        self.standing.clear()


async def deal(access: Access, orders: list[NewOrderSingle]) -> list[ExecutionReport]:
    """Logs on, enters orders, and returns the last report of each when all are over.

    Raises:
        TimeoutError: the gateway does not answer in time.
    """
    desk, stopping = _Desk(), asyncio.Event()
    note = structlog.wrap_logger(None, processors=[_untold])
    rules = Rules(access.comp_id, PLATFORM, heartbeat_s=5, reset="never")
    endpoint = Endpoint(rules, MemoryStore(), desk, note, decode=Decoder([ExecutionReport]), password=access.password)
    running = asyncio.create_task(Initiator(endpoint, "127.0.0.1", access.port, note, pause_s=0.2).run(stopping))
    try:
        async with asyncio.timeout(LOGON_S_MAX):
            await desk.standing.wait()
        async with endpoint.unit() as unit:
            for order in orders:
                unit.send(order)
        last: dict[str | None, Any] = {order.cl_ord_id: None for order in orders}
        async with asyncio.timeout(ORDER_S_MAX):
            while any(each is None or each.ord_status not in OVER for each in last.values()):
                report = await desk.reports.get()
                if not isinstance(report, ExecutionReport):
                    raise ValueError(f"the gateway rejected a message: {report}")
                last[report.cl_ord_id] = report
        return list(last.values())
    finally:
        stopping.set()
        await running


def _untold(logger: Any, method: str, event: Any) -> Any:
    """Standard output is the day's; what goes wrong is told by the exception."""
    raise structlog.DropEvent


def market_order(identity: str, side: Side, symbol: str, quantity: int) -> NewOrderSingle:
    """An order at the market, over at once (FIX D)."""
    return NewOrderSingle(
        cl_ord_id=identity,
        symbol=symbol,
        side=side,
        transact_time=time.time_ns(),
        order_qty=Decimal(quantity),
        ord_type=OrdType.MARKET,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
    )
