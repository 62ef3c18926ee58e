"""The log on a real PostgreSQL and NATS with a real witness, beside services of which only their facts are real."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import grpc

from crossrate.api.audit.v1 import audit_service_pb2 as pb
from crossrate.api.audit.v1 import export_pb2
from crossrate.api.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from crossrate.api.risk.v1 import risk_events_pb2
from crossrate.api.trading.v1 import execution_pb2, trading_events_pb2
from crossrate.events import Events, Message, message_id
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import load
from crossrate.store.database import dsn
from crossrate.transparency.note import Verifier
from crossrate.transparency.verify import LogVerifier, Report
from crossrate.transparency.witness import CHECKPOINTS, Kept, read_witness
from services.audit import main
from tests.ending import within
from tests.integration.conftest import Servers, eventually

TOPOLOGY = """
[services.control]
publishes = ["crossrate.control.v1.>"]

[services.trading]
publishes = ["crossrate.trading.v1.>"]

[services.risk]
publishes = ["crossrate.risk.v1.>"]

[services.audit]
publishes = ["crossrate.audit.v1.>"]
consumes = ["trading", "risk", "denials", "KV_config"]
database = true

[streams.trading]
owner = "trading"
subjects = ["crossrate.trading.v1.>"]
max_mib = 64

[streams.denials]
owner = "audit"
subjects = ["crossrate.denials.v1.*"]
max_mib = 32
forget_oldest = true

[streams.risk]
owner = "risk"
subjects = ["crossrate.risk.v1.>"]
max_mib = 64
"""


@dataclass
class Stand:
    """Everything around the log."""

    servers: Servers
    topology: Path
    trading: Events
    risk: Events
    control: Events

    async def executions(self, account: str, first: int, count: int) -> None:
        """Execution reports of an account with these numbers, as trading's relay publishes them."""
        messages = [
            Message.of(
                f"crossrate.trading.v1.execution_reported.{account}",
                execution(account, number),
                message_id("trading", f"accounts/{account}", number),
                origin=(f"accounts/{account}", number),
                time_ns=1_750_000_000_000_000_000 + number * 1_000_000,
                request_id=str(uuid.UUID(int=number)),
            )
            for number in range(first, first + count)
        ]
        last = (await self.trading.stream_ends("trading")).last
        _, problem = await self.trading.publish_in_order(messages, last, timeout_s=60)
        assert problem is None, problem

    async def joined(self, account: str, first: int, last: int) -> None:
        """The same, joined in one message as trading's relay does it with those that follow each other."""
        payload = b"".join(execution(account, number).SerializeToString() for number in range(first, last + 1))
        message = Message.of(
            f"crossrate.trading.v1.execution_reported.{account}",
            payload,
            message_id("trading", f"accounts/{account}", last),
            type=trading_events_pb2.ExecutionReported.DESCRIPTOR.full_name,
            origin=(f"accounts/{account}", last),
            first=first,
            time_ns=1_750_000_000_000_000_000 + last * 1_000_000,
        )
        await self.trading.publish(message, timeout_s=30)

    async def kill(self, number: int, actor: str) -> None:
        """A change of the kill switch, as risk's relay publishes it."""
        event = risk_events_pb2.KillSwitchChanged(change="engaged", actor=actor)
        event.state.kills.add(engaged_by=actor, comment="a test").scope.kind = "platform"
        await self.risk.publish(
            Message.of(
                "crossrate.risk.v1.kill_switch_changed",
                event,
                message_id("risk", "kills", number),
                origin=("kills", number),
            )
        )

    @asynccontextmanager
    async def assembled(self, instance: str = "audit-1") -> AsyncIterator[AuditServiceStub]:
        """One instance as its main assembles it, up to its drain at the end."""
        place = self.servers.place
        settings = RuntimeSettings(service="audit", instance=instance, settle_s=0, topology=self.topology)
        runtime = open_runtime(settings, place)
        running = asyncio.create_task(main.serve(runtime))
        try:
            await eventually(lambda: running.done() or place.registration(instance).exists())
            async with grpc.aio.insecure_channel(f"unix:{place.service_socket(instance)}") as channel:
                yield AuditServiceStub(channel)
        finally:
            runtime.stopping.set()
            await within(running, "the end of audit")

    async def connect(self) -> asyncpg.Connection:
        """A connection to the log's schema as its owner, who can do everything to it."""
        return await asyncpg.connect(dsn(self.servers.runtime("audit")))

    @property
    def key(self) -> Verifier:
        """The log's first public key."""
        return Verifier.parse((self.servers.place.state / "audit" / "1.pub").read_text())

    @property
    def witnessed(self) -> list[Kept]:
        """What the witness has kept."""
        return list(read_witness(self.servers.place.state / "witness" / CHECKPOINTS)[1])


async def covered(audit: AuditServiceStub, size: int) -> pb.GetAuditStatusResponse:
    """The status, once a checkpoint covers at least so many facts and the witness has it."""

    async def there() -> bool:
        found = await audit.GetAuditStatus(pb.GetAuditStatusRequest(), timeout=10)
        return found.checkpoint.size >= size and found.witness.size == found.checkpoint.size

    await eventually(there)
    return await audit.GetAuditStatus(pb.GetAuditStatusRequest(), timeout=10)


async def exported(
    audit: AuditServiceStub, **request: object
) -> tuple[export_pb2.ExportHeader, list[export_pb2.ExportRecord]]:
    """The whole export."""
    header, records, ended = export_pb2.ExportHeader(), [], False
    async for answer in audit.ExportLog(pb.ExportLogRequest(**request), timeout=60):
        match answer.WhichOneof("event"):
            case "header":
                header = answer.header
            case "batch":
                records += answer.batch.records
            case "end":
                ended = True
    assert ended
    return header, records


def checked(
    header: export_pb2.ExportHeader, records: list[export_pb2.ExportRecord], key: Verifier, kept: list[Kept]
) -> Report:
    """The report on an export; what is given stays as it is."""
    verifier = LogVerifier([key], kept)
    verifier.header(header)
    for record in records:
        fresh = export_pb2.ExportRecord()
        fresh.CopyFrom(record)
        verifier.record(fresh)
    return verifier.end()


def execution(account: str, number: int) -> trading_events_pb2.ExecutionReported:
    """A step of an order."""
    report = execution_pb2.ExecutionReport(
        sequence=number, exec_id=f"{account}:{number}", exec_type=execution_pb2.EXEC_TYPE_NEW
    )
    report.time.FromNanoseconds(1_750_000_000_000_000_000 + number * 1_000_000)
    report.order.terms.account = account
    report.order.terms.client_order_id = f"{account}-c{number // 3}"
    report.order.order_id = f"{account}-o{number // 3}"
    report.order.entered_by = "client:local"
    return trading_events_pb2.ExecutionReported(report=report)


@asynccontextmanager
async def stand_in(folder: Path) -> AsyncIterator[Stand]:
    """PostgreSQL, NATS and the neighbours."""
    path = folder / "topology.toml"
    path.write_text(TOPOLOGY)
    topology = load(path)
    servers = Servers(folder, topology)
    try:
        servers.issue()
        await servers.start_postgres()
        await servers.postgres.provision(topology)
        await servers.start_nats()
        await servers.nats.provision(topology)
        events = [await Events.open(servers.runtime(name)) for name in ("trading", "risk", "control")]
        try:
            yield Stand(servers, path, *events)
        finally:
            for each in events:
                await each.close()
    finally:
        await asyncio.to_thread(servers.remove)
