"""A venue that speaks FIX and broker's adapter of it, on a real PostgreSQL in one process: every step by hand.

The naive model is the venue's own book: what it has filled, and how its orders ended. When everything has arrived,
broker must have told exactly that, once.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.fix.application import Disconnected, Unit
from crossrate.fix.enums import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus
from crossrate.fix.message import Message
from crossrate.fix.orders import OrderCancelReplaceRequest
from crossrate.fix.reports import OrderCancelReject
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.store import Database
from services.broker import main
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk
from services.broker.engine.holders import Holder
from services.broker.engine.hub import Hub
from services.broker.engine.router import Router
from services.broker.engine.session import Sessions
from services.broker.service.routing import RoutingService
from services.broker.store import Reading, Store
from services.broker.venues import declared
from services.broker.venues.fix import PREFIX, FixAdapter
from tests.ending import ended
from tests.integration.broker_stand import CANCEL, NEW, REPLACE, TOPOLOGY, instruct, kind_of, order
from tests.integration.conftest import Servers
from tests.integration.test_broker_fix_venue import Prime
from tests.ports import free_port

ENDS = ("REJECTED", "CANCELLED", "EXPIRED")
QUIET_S_MAX = 60.0


class House(Prime):
    """A venue that remembers its fills, takes no amendment below them, and whose line can be cut."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.fills: dict[str, dict[str, int]] = {}
        self.breaks_at: type | None = None
        """The next message of this kind is lost with the line."""
        self.silent_at: type | None = None
        """What the next message of this kind leads to is done, and told by a report that never comes: it is lost, with
        the line or without, and passed over when it is asked for."""
        self.keeps_line = False
        self.drops: type | None = None
        """The next message of this kind comes under numbers that no longer count, and nothing is done."""
        self.again = 0
        """How many messages came as PossResend."""
        self.amended = 0
        """How many amendments came."""
        self._loses = self._passes_over = False
        self.endpoint._given["may_resend"] = lambda sent: b"\x01150=5\x01" not in sent.body or not self._passes_over
        written = self.endpoint._write

        async def write(session: Any, items: list[Any]) -> None:
            lost, self._loses = self._loses, False
            await written(session, [] if lost else items)

        self.endpoint._write = write  # type: ignore[method-assign]

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        value = message.value
        self.amended += isinstance(value, OrderCancelReplaceRequest)
        self.again += message.possible_resend
        if self.drops is not None and isinstance(value, self.drops):
            self.drops = None
            return
        if self.breaks_at is not None and isinstance(value, self.breaks_at):
            self.breaks_at = None
            raise Disconnected("the line breaks")
        if self.silent_at is not None and isinstance(value, self.silent_at):
            self.silent_at = None
            await super().received(message, unit)
            self.lose()
            return
        if isinstance(value, OrderCancelReplaceRequest):
            held = next((h for h in self.orders.values() if h["cl"] == value.orig_cl_ord_id), None)
            if held is not None and value.order_qty <= held["cum"]:
                unit.send(
                    OrderCancelReject(
                        order_id=held["id"],
                        cl_ord_id=value.cl_ord_id,
                        orig_cl_ord_id=value.orig_cl_ord_id,
                        ord_status=held["status"],
                        cxl_rej_response_to=CxlRejResponseTo.CANCEL_REPLACE,
                        cxl_rej_reason=CxlRejReason.TOO_LATE_TO_CANCEL,
                    )
                )
                return
        await super().received(message, unit)

    async def deal(self, held: dict[str, Any], quantity: int) -> None:
        """Fills so much of an order, as far as it works."""
        quantity = min(quantity, int(held["qty"] - held["cum"]))
        if held["status"] is OrdStatus.NEW and quantity > 0:
            report = await self.fill(held, quantity, "1.08")
            self.fills.setdefault(held["id"], {})[report.exec_id] = quantity

    async def drop_order(self, held: dict[str, Any]) -> None:
        """Cancels an order by itself."""
        if held["status"] is OrdStatus.NEW:
            held["status"] = OrdStatus.CANCELED
            report = self.report(held, ExecType.CANCELED)
            async with self.endpoint.unit() as unit:
                unit.send(report, offline=True)

    async def tell(self, held: dict[str, Any], kind: ExecType) -> None:
        """A report of an order as it stands."""
        report = self.report(held, kind)
        async with self.endpoint.unit() as unit:
            unit.send(report, offline=True)

    async def renew(self) -> None:
        """Has the numbers begin at 1 while the session stands, by a Logon with ResetSeqNumFlag."""
        async with self.endpoint._lock:
            session = self.endpoint._session
            assert session is not None
            # What comes next with that flag is the answer, and asks for nothing.
            session._logon = lambda message, number: None  # type: ignore[method-assign]
            session._outbox.reset()
            session._outbox.administrative(b"A", [(98, 0), (108, 5), (141, "Y")])
            await self.endpoint._save_and_write(session)

    def lose(self) -> None:
        """The messages of the transaction under way are lost on the line."""
        self._loses = self._passes_over = True
        if not self.keeps_line:
            self.cut()

    def cut(self) -> None:
        """The line breaks, with whatever is on it."""
        if (writer := self.endpoint._writer) is not None:
            writer.transport.abort()


class _NoComparison:
    """Books are compared here, and by nobody else."""

    async def run(self) -> None:
        """Does nothing, until it is cancelled."""
        await asyncio.Event().wait()


class World:
    """See the module."""

    def __init__(self, resend_s_max: float = 0.02) -> None:
        self.resend_s_max = resend_s_max
        self.folder = Path(tempfile.mkdtemp(prefix="xr-"))
        self.servers = Servers(self.folder, TOPOLOGY)
        self.port = free_port()
        self.house = House(self.port)
        self.orders: dict[str, order_pb2.Order] = {}
        self.reports: dict[str, list[pb.VenueReport]] = {}
        self.steps = self.kills = self.cuts = self.version = 0
        self._last = self._count = 0
        self._checked: set[str] = set()

    async def start(self) -> World:
        """Everything, with a session that stands."""
        self.servers.issue()
        await self.servers.start_postgres()
        await self.servers.postgres.provision(TOPOLOGY)
        runtime = open_runtime(RuntimeSettings(service="broker", instance="broker-1"), self.servers.place)
        runtime.topology = TOPOLOGY
        self.database = await Database.open(runtime, main.MIGRATIONS, connections_max=8)
        path = self.folder / "venues.toml"
        path.write_text(
            f'[venues.prime]\nkind = "fix"\nhost = "127.0.0.1"\nport = {self.port}\nsender_comp_id = "HOUSE"\n'
            'target_comp_id = "PRIME"\nheartbeat_s = 5\nunsent_s_max = 300.0\n'
            f"resend_s_max = {self.resend_s_max}\n"
            'reconnect = { first_s = 0.01, cap_s = 0.05 }\n[[routes]]\nvenues = ["prime"]\n'
        )
        self.venues = declared.load(path)
        note = structlog.get_logger()
        self.reading, self.sessions = Reading(self.database), Sessions(self.database)
        self.hub = Hub(self.database, self.reading, note)
        self.store = Store(self.database, self.hub.told, self.hub.name)
        await self.sessions.ensure(["prime"])
        router = Router(self.venues, self.sessions, self.reading, 60.0)
        self.routing = RoutingService(router, self.store, self.reading, self.hub, 5.0, lambda venue: None)
        self._hearing = asyncio.create_task(self.hub.run())
        await self.house.start()
        self.begin()
        return self

    def begin(self) -> None:
        """An adapter, as after a start of its process."""
        calendar, note = Calendar(), structlog.get_logger()

        async def nowhere(_: Any) -> str | None:
            return None

        def adapter(desk: Desk) -> FixAdapter:
            spec = self.venues.venues["prime"]
            assert isinstance(spec, declared.FixVenue)
            return FixAdapter(desk, spec, self.folder, self.database, calendar, nowhere, note)

        holder = Holder(
            "prime",
            adapter,
            self.database,
            self.store,
            self.reading,
            self.sessions,
            self.hub,
            "broker-1",
            note,
            lambda *_: _NoComparison(),
        )
        self._holding = asyncio.create_task(holder.run())

    # Steps.

    async def instruct(self, kind: int, about: order_pb2.Order) -> None:
        """An instruction of trading."""
        self._count += 1
        made = routing.Instruction(instruction_id=f"i{self._count}", kind=kind, order=about)
        await self.routing.Instruct(instruct(made), None)

    async def enter(self, quantity: int) -> str:
        """A new order; its id."""
        made = order(venue="prime", quantity=str(quantity))
        self.orders[made.order_id] = made
        await self.instruct(NEW, made)
        return made.order_id

    async def amend(self, order_id: str, quantity: int) -> None:
        """Another quantity."""
        amended = order_pb2.Order()
        amended.CopyFrom(self.orders[order_id])
        amended.version = self.version = self._count + 2
        amended.terms.quantity = str(quantity)
        await self.instruct(REPLACE, amended)

    async def cancel(self, order_id: str) -> None:
        """A cancel."""
        await self.instruct(CANCEL, self.orders[order_id])

    async def kill(self) -> None:
        """The adapter ends wherever it is, and another one begins."""
        self.kills += 1
        await ended([self._holding], "the adapter")
        self.begin()

    def cut(self) -> None:
        """The line breaks."""
        self.cuts += 1
        self.house.cut()

    # What has to hold.

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits for what is told."""
        end = time.monotonic() + QUIET_S_MAX
        while not holds():
            assert time.monotonic() < end, self.reports
            await asyncio.sleep(0.01)
            await self._read()

    async def settle(self) -> None:
        """Everything arrives; then both sides agree about every order."""
        self.house.mute = False
        self.house.cut()
        end = time.monotonic() + QUIET_S_MAX
        while problems := await self._unfinished():
            assert time.monotonic() < end, problems
            await asyncio.sleep(0.01)
        for order_id in self.orders.keys() - self._checked:
            self._check(order_id)
        # What works may go on after this; what has ended is settled for good.
        self._checked |= {each for each in self.orders if any(k in ENDS for k in self.kinds(each))}

    def kinds(self, order_id: str) -> list[str]:
        """What was told of an order."""
        return [kind_of(each) for each in self.reports.get(order_id, ())]

    async def _read(self) -> None:
        for report in await self.reading.reports(self._last, 10_000):
            assert report.sequence == self._last + 1, "the reports have a gap"
            self._last = report.sequence
            self.reports.setdefault(report.order_id, []).append(report)

    async def _unfinished(self) -> list[str]:
        await self._read()
        async with self.database.connection() as connection:
            waits = await connection.fetch(
                "SELECT i.kind, i.state, i.order_id, o.status FROM instruction i LEFT JOIN venue_order o "
                "USING (order_id) WHERE i.state < 2"
            )
            doubtful = await connection.fetchval("SELECT count(*) FROM venue_order WHERE status IN (0, 1, 3)")
            rows = await connection.fetch("SELECT number, order_id FROM instruction WHERE kind = $1", int(NEW))
        self._of = {f"{PREFIX}{row[0]}": row[1] for row in rows}
        found = [
            f"an instruction of kind {kind} in state {state}: {order_id} is {status}, told {self.kinds(order_id)}"
            for kind, state, order_id, status in waits
        ]
        found += [f"{doubtful} orders are in doubt"] if doubtful else []
        for held in self.house.orders.values():
            told = self._held_reports(held)
            if held["status"] is OrdStatus.CANCELED and not any(kind_of(each) == "CANCELLED" for each in told):
                found.append(f"{held['id']} is cancelled, which was not told")
            if len(self.house.fills.get(held["id"], ())) != sum(kind_of(each) == "FILLED" for each in told):
                found.append(f"{held['id']} has fills that were not told")
        return found

    def _held_reports(self, held: dict[str, Any]) -> list[pb.VenueReport]:
        return self.reports.get(self._of[held["first"]], []) if "first" in held else []

    def _check(self, order_id: str) -> None:
        there = [each for each in self.house.orders.values() if self._of.get(each.get("first", "")) == order_id]
        assert len(there) <= 1, f"{order_id} was sent {len(there)} times"
        told, kinds = self.reports.get(order_id, []), self.kinds(order_id)
        ends = [each for each in kinds if each in ENDS]
        fills = {each.fill.venue_exec_id: int(Decimal(each.fill.quantity)) for each in told if each.HasField("fill")}
        assert len(fills) == kinds.count("FILLED"), f"{order_id}: a fill was told twice: {kinds}"
        if not there:
            assert ends in (["REJECTED"], ["CANCELLED"]), f"{order_id} never came to the venue: {kinds}"
            assert not fills
            return
        (held,) = there
        assert fills == self.house.fills.get(held["id"], {}), f"{order_id}: {kinds}"
        expected = ["CANCELLED"] if held["status"] is OrdStatus.CANCELED else []
        assert ends == expected, f"{order_id} is {held['status'].name} at the venue: {kinds}"

    async def stop(self) -> None:
        """Ends everything."""
        try:
            await ended([self._holding, self._hearing], "the adapter and who hears it")
            await self.house.acceptor.stop()
            await self.database.close()
        finally:
            await asyncio.to_thread(self.servers.remove)
            shutil.rmtree(self.folder, ignore_errors=True)
