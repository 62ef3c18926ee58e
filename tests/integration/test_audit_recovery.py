"""The log when something is missing, comes twice, dies, or is changed by those who may."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from crossrate.api.audit.v1 import audit_service_pb2 as pb
from crossrate.api.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from crossrate.events import Message
from crossrate.runtime.live_config import ConfigStore
from crossrate.store import Database
from services.audit.domain import Retention
from services.audit.retention import Retaining
from services.audit.store.log import Log
from tests.integration import audit_tampering as tampering
from tests.integration.audit_stand import Stand, checked, covered, execution, exported, stand_in
from tests.integration.conftest import eventually

pytestmark = pytest.mark.integration

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.fixture
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """PostgreSQL, NATS and the neighbours."""
    async with stand_in(folder) as made:
        yield made


async def publish(stand: Stand, account: str, *numbers: int) -> None:
    """Execution reports in this order, with message ids of their own, so that JetStream takes them all."""
    for number in numbers:
        await stand.trading.publish(
            Message.of(
                f"crossrate.trading.v1.execution_reported.{account}",
                execution(account, number),
                str(uuid.uuid4()),
                origin=(f"accounts/{account}", number),
            ),
            timeout_s=30,
        )


async def sequences(audit: AuditServiceStub, account: str) -> list[int]:
    """Numbers of an account's facts, in the order of the log."""
    numbers: list[int] = []
    request = pb.SearchFactsRequest(account=account, page_size=500)
    while not numbers or request.page_token:
        found = await audit.SearchFacts(request, timeout=60)
        numbers += [fact.leaf.sequence for fact in found.facts]
        request.page_token = found.next_page_token
        if not found.facts:
            break
    return numbers[::-1]


async def test_what_comes_twice_is_there_once_and_what_is_missing_is_told(stand: Stand) -> None:
    """Repetitions are left out; a hole whose facts stand later in the stream is filled; another is declared, and closes
    when the facts come after all."""
    async with stand.assembled() as audit:
        await publish(stand, "twice", 1, 2, 1, 2, 3)
        await publish(stand, "late", 1, 4, 2, 3, 5)
        await publish(stand, "lost", 1, 5)
        status = await covered(audit, 12)
        assert await sequences(audit, "twice") == [1, 2, 3]
        assert sorted(await sequences(audit, "late")) == [1, 2, 3, 4, 5]
        assert await sequences(audit, "lost") == [1, 5]
        status = await covered(audit, status.size)
        assert status.missing == 3
        gaps = await audit.SearchFacts(pb.SearchFactsRequest(type="GapFound", service="audit"), timeout=10)
        told = [fact.body for fact in gaps.facts if fact.body["stream"] == "accounts/lost"]
        assert [(each["firstSequence"], each["lastSequence"]) for each in told] == [("2", "4")]
        report = checked(*await exported(audit), stand.key, stand.witnessed)
        assert report.ok, report.faults
        assert "facts 2 to 4" in report.notes[0]
    async with stand.assembled() as audit:
        await publish(stand, "lost", 3, 2, 4, 6)
        await covered(audit, status.size + 4)
        assert await sequences(audit, "lost") == [1, 5, 3, 2, 4, 6]
        report = checked(*await exported(audit), stand.key, stand.witnessed)
        assert (report.ok, report.notes) == (True, [])


async def test_joined_facts_are_leaves_each(stand: Stand) -> None:
    """What trading's relay has joined in one message are as many leaves, also where messages overlap."""
    await stand.joined("alpha", 1, 40)
    await stand.executions("alpha", 41, 1)
    await stand.joined("alpha", 38, 60)
    async with stand.assembled() as audit:
        await covered(audit, 61)
        assert await sequences(audit, "alpha") == list(range(1, 61))
        found = await audit.SearchFacts(pb.SearchFactsRequest(order="alpha-c7"), timeout=10)
        assert [fact.leaf.sequence for fact in found.facts] == [23, 22, 21]
        assert found.facts[0].leaf.time.nanos == 23_000_000
        assert [fact.body["report"]["order"]["orderId"] for fact in found.facts] == ["alpha-o7"] * 3
        report = checked(*await exported(audit), stand.key, stand.witnessed)
        assert (report.ok, report.notes) == (True, [])


async def test_configuration_is_audited_with_its_author(stand: Stand) -> None:
    """Each version of live configuration is a fact, found by who set it."""
    store = ConfigStore(stand.control)
    for version in range(1, 4):
        await store.set("trading", {"a": version}, author="client:operator", comment="a test", now=NOW)
    async with stand.assembled() as audit:
        await covered(audit, 4)
        found = await audit.SearchFacts(pb.SearchFactsRequest(person="client:operator", type="config"), timeout=10)
        assert [fact.body["version"] for fact in found.facts] == [3, 2, 1]
        assert {fact.leaf.subject for fact in found.facts} == {"$KV.config.trading"}


async def test_payloads_are_dropped_by_policy_and_the_log_stays_provable(stand: Stand) -> None:
    """Old payloads of a type go with a fact that says so; headers, search and proofs stay; younger ones stay whole."""
    await stand.executions("alpha", 1, 30)
    await stand.kill(1, "client:second")
    async with stand.assembled() as audit:
        await covered(audit, 32)
    runtime = stand.servers.runtime("audit")
    database = await Database.open(runtime)
    log = Log(database)
    policy = Retention.parse({"crossrate.api.trading.v1.ExecutionReported": 1})
    dropped = await Retaining(log, policy, runtime.log, interval_s=1.0).apply()
    assert dropped == 30
    assert await Retaining(log, policy, runtime.log, interval_s=1.0).apply() == 0
    await database.close()
    async with stand.assembled() as audit:
        await covered(audit, 33)
        found = await audit.SearchFacts(pb.SearchFactsRequest(account="alpha"), timeout=10)
        assert {(fact.dropped, fact.payload, fact.HasField("body")) for fact in found.facts} == {(True, b"", False)}
        await audit.GetInclusionProof(pb.GetInclusionProofRequest(index=found.facts[0].index), timeout=10)
        killed = await audit.SearchFacts(pb.SearchFactsRequest(person="client:second"), timeout=10)
        assert killed.facts[0].body["actor"] == "client:second"
        report = checked(*await exported(audit), stand.key, stand.witnessed)
        assert (report.ok, report.dropped) == (True, 30)


async def test_the_key_is_changed_and_the_first_one_still_suffices(stand: Stand) -> None:
    """After a rotation the log verifies with the first public key; the same request changes it once."""
    async with stand.assembled() as audit:
        await stand.executions("alpha", 1, 3)
        await covered(audit, 4)
        request = pb.RotateSigningKeyRequest(request_id=str(uuid.uuid4()), comment="a test")
        key = (await audit.RotateSigningKey(request, timeout=10)).key
        assert (key.number, (await audit.RotateSigningKey(request, timeout=10)).key) == (2, key)
        await covered(audit, 5)
        await stand.executions("alpha", 4, 3)
        status = await covered(audit, 8)
        assert status.checkpoint.note.count("— crossrate/audit ") == 1
        assert not status.alarms
        report = checked(*await exported(audit), stand.key, stand.witnessed)
        assert report.ok, report.faults
        found = await audit.GetCheckpoint(pb.GetCheckpointRequest(), timeout=10)
        assert [each.number for each in found.keys] == [1, 2]
    secret = stand.servers.place.state / "audit" / "2.key"
    assert secret.stat().st_mode & 0o777 == 0o600


async def test_a_part_of_the_log_is_provable_by_itself(stand: Stand) -> None:
    """An export from the middle verifies with the hashes of what stands before it, and without payloads."""
    await stand.executions("alpha", 1, 600)
    async with stand.assembled() as audit:
        await covered(audit, 601)
        header, records = await exported(audit, first_index=301, without_payloads=True)
        report = checked(header, records, stand.key, stand.witnessed)
        assert (report.ok, report.leaves) == (True, 300), report.faults
        assert {record.leaf.payload for record in records if record.HasField("leaf")} == {b""}


async def test_checkpoints_are_watched(stand: Stand) -> None:
    """The newest comes at once and each newer one as it is signed; a cursor goes on behind the last."""
    async with stand.assembled() as audit:
        await covered(audit, 1)
        stream = audit.WatchCheckpoints(pb.WatchCheckpointsRequest(), timeout=60)
        first = await stream.read()
        assert first.checkpoint.size == 1
        await stand.executions("alpha", 1, 5)
        later = await stream.read()
        while not later.HasField("checkpoint"):
            later = await stream.read()
        stream.cancel()
        assert later.checkpoint.size > 1
        await covered(audit, 6)
        resumed = audit.WatchCheckpoints(pb.WatchCheckpointsRequest(resume_cursor="1"), timeout=60)
        assert (await resumed.read()).checkpoint.size == 6
        resumed.cancel()


async def test_a_search_without_criteria_is_refused(stand: Stand) -> None:
    """It would read the whole log; the error names what to give."""
    async with stand.assembled() as audit:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await audit.SearchFacts(pb.SearchFactsRequest(), timeout=10)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await audit.GetFact(pb.GetFactRequest(index=99), timeout=10)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_instances_side_by_side_write_one_log(stand: Stand) -> None:
    """Two instances read the same streams at once, and each fact is there once, in one tree."""
    async with stand.assembled("audit-1") as one, stand.assembled("audit-2") as other:
        for first in range(1, 200, 20):
            await stand.executions("alpha", first, 20)
        status = await covered(one, 201)
        assert not status.alarms
        await covered(other, 201)
        assert await sequences(other, "alpha") == list(range(1, 201))
        report = checked(*await exported(other), stand.key, stand.witnessed)
        assert (report.ok, report.leaves) == (True, 201), report.faults


def process(stand: Stand, poll_s: str = "0.02", checkpoint_s: str = "0.05") -> subprocess.Popen:
    """One instance as a process of its own."""
    place = stand.servers.place
    surroundings = os.environ | {
        "CROSSRATE_SERVICE": "audit",
        "CROSSRATE_INSTANCE": "audit-1",
        "CROSSRATE_STATE": str(place.state),
        "CROSSRATE_RUN": str(place.run),
        "CROSSRATE_TOPOLOGY": str(stand.topology),
        "CROSSRATE_AUDIT_POLL_S": poll_s,
        "CROSSRATE_AUDIT_CHECKPOINT_S": checkpoint_s,
    }
    with place.log("audit-1").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "services.audit"], stdout=log, stderr=log, env=surroundings)


@pytest.mark.parametrize("rounds", [3, pytest.param(10, marks=pytest.mark.long)])
async def test_kills_lose_and_repeat_nothing(stand: Stand, rounds: int) -> None:
    """Killed again and again while facts come, with PostgreSQL and NATS once each, the log has every fact once, and
    everything that the witness has seen is its beginning."""
    place, number = stand.servers.place, 1
    for round_ in range(rounds):
        running = process(stand)
        try:
            await eventually(lambda: place.registration("audit-1").exists())
            for _ in range(3):
                await stand.executions("alpha", number, 25)
                number += 25
            if round_ == 1:
                stand.servers.kill("postgres")
                await stand.servers.start_postgres()
            if round_ == 2:
                stand.servers.kill("nats")
                await stand.servers.start_nats()
            await asyncio.to_thread(os.kill, running.pid, signal.SIGKILL)
        finally:
            running.kill()
            running.wait(timeout=60)
        place.registration("audit-1").unlink(missing_ok=True)
    async with stand.assembled() as audit:
        await covered(audit, number)
        status = await covered(audit, number)
        assert (status.size, list(status.alarms)) == (number, [])
        assert await sequences(audit, "alpha") == list(range(1, number))
        report = checked(*await exported(audit), stand.key, stand.witnessed)
        assert report.ok, report.faults
        assert report.witnessed == len(stand.witnessed)


async def test_what_a_crash_takes_is_never_signed(stand: Stand) -> None:
    """Appends do not wait for the disk. A crash that takes the last of them, here by hand while a checkpoint waits for
    its turn, leaves the service with a tree in memory that the tables have not: it reads the facts again."""
    async with stand.assembled() as audit:
        await stand.executions("alpha", 1, 50)
        early = (await covered(audit, 51)).checkpoint.size
        connection = await stand.connect()
        try:
            turn = connection.transaction()
            await turn.start()
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || '/checkpoint'))")
            before = await connection.fetch("SELECT * FROM inbox")
            await stand.executions("alpha", 51, 50)

            async def appended() -> bool:
                return await connection.fetchval("SELECT size FROM log_head") == early + 50

            await eventually(appended)
            for table in tampering.TABLES:
                await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            await tampering.Log(connection, random.Random(1), early + 50).cut(early)
            for row in before:
                await connection.execute(
                    "UPDATE inbox SET last_seq = $3 WHERE consumer = $1 AND stream = $2", *list(row.values())[:3]
                )
            await turn.commit()
        finally:
            await connection.close()
        status = await covered(audit, early + 50)
        assert (status.size, list(status.alarms)) == (early + 50, [])
        assert await sequences(audit, "alpha") == list(range(1, 101))
        report = checked(*await exported(audit), stand.key, stand.witnessed)
        assert report.ok, report.faults
