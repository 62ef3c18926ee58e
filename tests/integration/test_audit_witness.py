"""The witness that another runs, and one that is away for a while."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crossrate.api.audit.v1 import audit_service_pb2 as pb
from crossrate.api.audit.v1 import checkpoint_pb2
from crossrate.api.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from crossrate.transparency.witness import CHECKPOINTS, read_witness
from tests.integration.audit_stand import Stand, checked, covered, exported, stand_in
from tests.integration.conftest import children, eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """PostgreSQL, NATS and the neighbours."""
    async with stand_in(folder) as made:
        yield made


def their_witness(folder: Path, socket: Path, key: str) -> subprocess.Popen:
    """A witness as another party starts it."""
    options = ("--folder", str(folder), "--socket", str(socket), "--origin", "crossrate/audit", "--key", key)
    command = [sys.executable, "-m", "crossrate.transparency.witness_server", *options]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


async def test_a_witness_that_another_runs_is_shown_each_checkpoint(
    stand: Stand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any witness of the protocol takes the place of our own, and begins with the log as it finds it."""
    monkeypatch.setenv("CROSSRATE_AUDIT_WITNESS", "none")
    await stand.executions("alpha", 1, 10)
    async with stand.assembled() as audit:
        await eventually(lambda: _signed(audit, 11))
        status = await audit.GetAuditStatus(pb.GetAuditStatusRequest(), timeout=10)
        assert status.witness.state == checkpoint_pb2.WITNESS_STATE_NONE
    socket, theirs = folder / "theirs.sock", folder / "theirs"
    running = their_witness(theirs, socket, str(stand.key))
    try:
        await eventually(socket.exists)
        key = read_witness(theirs / CHECKPOINTS)[0]
        monkeypatch.setenv("CROSSRATE_AUDIT_WITNESS", f"unix:{socket}")
        monkeypatch.setenv("CROSSRATE_AUDIT_WITNESS_KEY", key)
        async with stand.assembled() as audit:
            await stand.executions("alpha", 11, 10)
            status = await covered(audit, 21)
            assert status.witness.state == checkpoint_pb2.WITNESS_STATE_AGREES
            kept = list(read_witness(theirs / CHECKPOINTS)[1])
            report = checked(*await exported(audit), stand.key, kept)
            assert report.ok, report.faults
            assert report.witnessed == len(kept)
        assert not (stand.servers.place.state / "witness").exists()
    finally:
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(timeout=60) == 0
    assert not socket.exists()


async def test_a_witness_that_dies_is_started_again_and_misses_nothing(stand: Stand) -> None:
    """Killed between two checkpoints, it cosigns the next one as the continuation of what its file has."""
    before = {pid for pid, _ in children(os.getpid())}
    async with stand.assembled() as audit:
        await stand.executions("alpha", 1, 5)
        await covered(audit, 6)
        (witness,) = {pid for pid, _ in children(os.getpid())} - before
        os.kill(witness, signal.SIGKILL)
        await stand.executions("alpha", 6, 5)
        status = await covered(audit, 11)
        assert not status.alarms
        sizes = [each.checkpoint.size for each in stand.witnessed]
        assert sizes == sorted(set(sizes))
        report = checked(*await exported(audit), stand.key, stand.witnessed)
        assert report.ok, report.faults
    assert {pid for pid, _ in children(os.getpid())} <= before


async def _signed(audit: AuditServiceStub, size: int) -> bool:
    status = await audit.GetAuditStatus(pb.GetAuditStatusRequest(), timeout=10)
    return status.checkpoint.size >= size
