"""Whoever owns the database can change the log, and is found out, with the place."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from crossrate.api.audit.v1 import audit_service_pb2 as pb
from crossrate.api.audit.v1 import export_pb2
from crossrate.transparency.verify import LogVerifier, Report
from services.audit.store.reading import Reading
from tests.integration.audit_stand import Stand, checked, covered, exported, stand_in
from tests.integration.audit_tampering import TABLES, TAMPERINGS, Held, Log
from tests.integration.conftest import eventually

pytestmark = pytest.mark.integration

ROUNDS = int(os.environ.get("CROSSRATE_AUDIT_ROUNDS", "52"))
"""Two of each kind; 1,040 were run for the record."""
STEPS = (90, 120, 60, 150)


@pytest.fixture
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """PostgreSQL, NATS and the neighbours."""
    async with stand_in(folder) as made:
        yield made


async def report_on(connection: asyncpg.Connection, stand: Stand) -> Report:
    """The check of what the tables hold now, from what an export would be."""
    reading: Any = Reading(Held(connection))  # type: ignore[arg-type]
    newest = await reading.checkpoint()
    header = export_pb2.ExportHeader(origin="crossrate/audit", size=newest["size"], keys=await reading.keys())
    verifier = LogVerifier([stand.key], stand.witnessed)
    verifier.header(header)
    async for _, batch in reading.export(0, newest["size"], without_payloads=False):
        for record in batch.records:
            verifier.record(record)
    return verifier.end()


async def test_every_change_is_found_with_its_place(stand: Stand) -> None:
    """Edits, deletions, insertions, reorderings, truncations and old copies: each is found, with its place."""
    async with stand.assembled() as audit:
        first, size = 1, 1
        for count in STEPS:
            await stand.executions("alpha", first, count)
            await stand.executions("beta", first, count // 2)
            await stand.executions("beta", first + count // 2, count - count // 2)
            first, size = first + count, size + 2 * count
            await covered(audit, size)
    connection = await stand.connect()
    seed = random.randrange(1 << 32)
    told = random.Random(seed)
    found: Counter[str] = Counter()
    try:
        untouched = await report_on(connection, stand)
        assert untouched.ok, untouched.faults
        assert untouched.size == size
        for number in range(ROUNDS):
            tampering = TAMPERINGS[number % len(TAMPERINGS)]
            change = connection.transaction()
            await change.start()
            for table in TABLES:
                await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            low, high = await tampering(Log(connection, told, size))
            report = await report_on(connection, stand)
            await change.rollback()
            where = f"round {number}, seed {seed}: {tampering.__name__} at {low} to {high}: {report.faults[:3]}"
            assert not report.ok, where
            assert any(fault.first <= high and low <= fault.last for fault in report.faults), where
            assert report.faults[0].first <= high, where
            found[tampering.__name__] += 1
        assert (await report_on(connection, stand)).ok
    finally:
        await connection.close()
    assert found.total() == ROUNDS
    assert set(found) == {each.__name__ for each in TAMPERINGS}


async def test_a_log_that_was_put_back_and_goes_on_is_a_fork(stand: Stand) -> None:
    """An old copy is put back, and the service goes on with its real key: it raises the alarm, and a check fails."""
    async with stand.assembled() as audit:
        await stand.executions("alpha", 1, 50)
        early = await covered(audit, 51)
        await stand.executions("alpha", 51, 50)
        await covered(audit, 101)
    connection = await stand.connect()
    for table in TABLES:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    log = Log(connection, random.Random(1), 101)
    await log.cut(early.checkpoint.size)
    await connection.execute("UPDATE inbox SET last_seq = 50 WHERE stream LIKE 'trading@%'")
    await connection.close()
    async with stand.assembled() as audit:
        await stand.kill(1, "client:mallory")

        async def alarmed() -> bool:
            found = await audit.GetAuditStatus(pb.GetAuditStatusRequest(), timeout=10)
            return any(alarm.startswith("WITNESS_REFUSES") for alarm in found.alarms)

        async def noted() -> bool:
            found = await audit.SearchFacts(pb.SearchFactsRequest(type="LogAlarmRaised"), timeout=10)
            return any(fact.body["kind"] == "WITNESS_REFUSES" for fact in found.facts)

        await eventually(alarmed)
        await eventually(noted)
        header, records = await exported(audit)
    report = checked(header, records, stand.key, stand.witnessed)
    assert not report.ok
    assert report.faults[0].first <= early.checkpoint.size <= report.faults[0].last
