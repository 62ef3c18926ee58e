"""What a fact costs the log: processor time of its process, of PostgreSQL and NATS; what checking it again takes.

    uv run python tests/bench/audit.py [--facts N]

Facts are execution reports as trading publishes them, with the checks of an order, eight joined in a message. They are
in their stream before the log begins to read. Processor time says the same on a busy machine as on a quiet one, nearly.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from pathlib import Path

import grpc

from crossrate.api.audit.v1 import audit_service_pb2 as pb
from crossrate.api.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from crossrate.api.common.v1 import check_pb2
from crossrate.api.trading.v1 import trading_events_pb2
from crossrate.events import Message, message_id
from tests.bench.figures import report
from tests.bench.processes import cpu_us
from tests.integration.audit_stand import Stand, checked, covered, execution, exported, stand_in
from tests.integration.conftest import children, eventually
from tests.integration.test_audit_recovery import process

ACCOUNTS = 20
JOINED = 8
CHECKS = 12


def realistic(account: str, number: int) -> trading_events_pb2.ExecutionReported:
    """A report with what a real one has."""
    event = execution(account, number)
    step = event.reports[0]
    step.order.terms.instrument, step.order.terms.quantity, step.order.terms.limit_price = "EUR/USD", "100000", "1.0801"
    step.cause = step.order.terms.client_order_id
    for kind in range(1, CHECKS + 1):
        step.checks.append(
            check_pb2.Check(
                kind=kind,  # type: ignore[arg-type]
                scope=f"account:{account}",
                passed=True,
                limit="25000000",
                value="108010",
                headroom="24891990",
                unit="USD",
                limits_version=7,
            )
        )
    return event


async def fill(stand: Stand, count: int) -> int:
    """Puts facts into trading's stream; the bytes of their payloads."""
    messages, size = [], 0
    for number in range(1, count // ACCOUNTS + 1, JOINED):
        for account in (f"account-{n}" for n in range(ACCOUNTS)):
            parts = [realistic(account, number + n).SerializeToString() for n in range(JOINED)]
            size += sum(map(len, parts))
            messages.append(
                Message.of(
                    f"crossrate.trading.v1.execution_reported.{account}",
                    b"".join(parts),
                    message_id("trading", f"accounts/{account}", number + JOINED - 1),
                    type=trading_events_pb2.ExecutionReported.DESCRIPTOR.full_name,
                    origin=(f"accounts/{account}", number + JOINED - 1),
                    first=number,
                    time_ns=time.time_ns(),
                )
            )
    _, problem = await stand.trading.publish_in_order(messages, 0, timeout_s=60)
    assert problem is None, problem
    return size


def used(*pids: int) -> float:
    """Microseconds of processor time of processes and their children, those that have ended left out."""
    every = {pid for parent in pids for pid in (parent, *(child for child, _ in children(parent)))}
    return sum(cpu_us(pid) for pid in every)


async def measure(count: int) -> dict[str, float]:
    """Figures by name."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    results: dict[str, float] = {}
    try:
        async with stand_in(folder) as stand:
            size = await fill(stand, count)
            servers = {name: running.pid for name, running in stand.servers.processes.items()}
            before = {name: used(pid) for name, pid in servers.items()}
            began = time.monotonic()
            running = process(stand, "0.5", "1")
            try:
                await eventually(lambda: stand.servers.place.registration("audit-1").exists())
                start_us = used(running.pid)
                channel = grpc.aio.insecure_channel(f"unix:{stand.servers.place.service_socket('audit-1')}")
                audit = AuditServiceStub(channel)
                await covered(audit, count + 1)
                results["facts a second, from the start of the process on"] = count / (time.monotonic() - began)
                results["audit, µs a fact, its start left out"] = (used(running.pid) - start_us) / count
                for name, pid in servers.items():
                    results[f"{name}, µs a fact"] = (used(pid) - before[name]) / count
                results["payload, bytes a fact"] = size / count
                rows = await (await stand.connect()).fetchval(
                    "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c "
                    "WHERE relname IN ('leaf', 'fact_key', 'tile') AND relnamespace = current_schema()::regnamespace"
                )
                results["tables, bytes a fact"] = float(rows) / count
                await _idle(running.pid, results)
                await _read(audit, stand, count, results)
                await channel.close()
            finally:
                running.terminate()
                running.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


async def _idle(pid: int, results: dict[str, float]) -> None:
    before, began = used(pid), time.monotonic()
    await asyncio.sleep(5.0)
    results["audit idle, share of a core"] = (used(pid) - before) / 1e6 / (time.monotonic() - began)


async def _read(audit: AuditServiceStub, stand: Stand, count: int, results: dict[str, float]) -> None:
    async def each_ms(work, rounds: int) -> float:
        began = time.monotonic()
        for _ in range(rounds):
            await work()
        return (time.monotonic() - began) / rounds * 1000

    results["inclusion proof, ms"] = await each_ms(
        lambda: audit.GetInclusionProof(pb.GetInclusionProofRequest(index=count // 3)), 50
    )
    results["search by order, ms"] = await each_ms(
        lambda: audit.SearchFacts(pb.SearchFactsRequest(order="account-7-o40")), 50
    )
    results["search by account and person, page of 50, ms"] = await each_ms(
        lambda: audit.SearchFacts(pb.SearchFactsRequest(account="account-7", person="client:local")), 20
    )
    began = time.monotonic()
    header, records = await exported(audit)
    results["export, facts a second"] = count / (time.monotonic() - began)
    kept, began = stand.witnessed, time.process_time()
    found = checked(header, records, stand.key, kept)
    results["check, µs a fact"] = (time.process_time() - began) / count * 1e6
    assert found.ok, found.faults


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--facts", type=int, default=40_000)
    count = parser.parse_args().facts // (ACCOUNTS * JOINED) * ACCOUNTS * JOINED
    report("audit", asyncio.run(measure(count)))


if __name__ == "__main__":
    main()
