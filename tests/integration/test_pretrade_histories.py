"""Limits and the kill switch are registers: every recorded history of concurrent calls can be put into one order.

python -m tests.integration.test_pretrade_histories SEED ROUNDS [OPERATIONS]     many rounds from a seed on, with kills
of the process; so many operations in a history
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import sys
import time
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from crossrate.api.common.v1 import check_pb2, gate_pb2
from crossrate.api.risk.v1 import kill_switch_service_pb2 as kill_pb
from crossrate.api.risk.v1 import limit_pb2
from crossrate.api.risk.v1 import limit_service_pb2 as limit_pb
from tests.integration.envoys import until
from tests.integration.pretrade_mesh import PreTradeMesh, pretrade_mesh
from tests.integration.stand_in_trading import StaleGate, order
from tests.integration.test_pretrade import BOSS, SECOND, as_, limits_of, new_id, switch_of
from tests.unit.risk.pretrade.linearizable import Operation, linearizable, register, switch

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

OPERATIONS = 24
"""Operations of one recorded history."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[PreTradeMesh]:
    """One mesh for all of it."""
    async with pretrade_mesh(lease_s=1.0) as made:
        yield made


async def answered(method, request, person: str):
    """The answer to a call, repeated under its id while nobody decides: after a kill, or on a machine that stalls."""

    async def ask():
        with contextlib.suppress(grpc.aio.AioRpcError):
            return await method(request, **as_(person))

    return await until(ask)


class Recorder:
    """Histories of one round. Times are of one clock, that of this process."""

    def __init__(self, mesh: PreTradeMesh, seed: int) -> None:
        self.mesh = mesh
        self.draw = random.Random(seed)
        self.history: list[Operation] = []
        self.turn = asyncio.Lock()

    async def orders(self, count: int) -> None:
        """Orders that trading commits, or that are refused, one after the other as one writer enters them."""
        for _ in range(count):
            begin = time.monotonic()
            entered = order("buy", "1000", "1.1600", account="beta")
            with contextlib.suppress(grpc.aio.AioRpcError, StaleGate):
                async with self.turn:
                    answer = await self.mesh.trading.authorise([entered])
                    self.mesh.trading.commit([entered], answer)
                (found,) = answer.authorisations
                self.history.append(Operation("order", found.authorised, begin, time.monotonic()))
            await asyncio.sleep(self.draw.random() * 0.02)

    async def kills(self, count: int) -> None:
        """The account is stopped and let go on, again and again."""
        stub = switch_of(self.mesh)
        for _ in range(count):
            await asyncio.sleep(self.draw.random() * 0.03)
            request = kill_pb.EngageRequest(
                request_id=new_id(),
                scope=gate_pb2.KillScope(kind="account", name="beta"),
                mode=gate_pb2.KILL_MODE_CANCEL_ONLY,
                comment="a test",
            )
            kill = (await self.call("engage", stub.Engage, request, BOSS)).kill
            await asyncio.sleep(self.draw.random() * 0.03)
            propose = kill_pb.ProposeResumeRequest(request_id=new_id(), kill_id=kill.kill_id, comment="x")
            proposal = (await answered(stub.ProposeResume, propose, BOSS)).proposal
            approve = kill_pb.ApproveResumeRequest(request_id=new_id(), proposal_id=proposal.proposal_id)
            await self.call("resume", stub.ApproveResume, approve, SECOND)

    async def call(self, what: str, method, request, person: str):
        """An operation without a value; without an answer it may have happened at any time."""
        begin, end = time.monotonic(), math.inf
        try:
            answer = await answered(method, request, person)
            end = time.monotonic()
            return answer
        finally:
            self.history.append(Operation(what, None, begin, end))

    async def limits(self, count: int) -> None:
        """A limit is changed; its value is what was written."""
        stub = limits_of(self.mesh)
        for _ in range(count):
            value = str(self.draw.randrange(1, 9) * 1000)
            limit = limit_pb2.Limit(scope="account:gamma", kind=check_pb2.CHECK_KIND_ORDER_QUANTITY, value=value)
            propose = limit_pb.ProposeLimitsRequest(request_id=new_id(), put=[limit], comment="x")
            proposal = (await answered(stub.ProposeLimits, propose, BOSS)).proposal
            approve = limit_pb.ApproveLimitsRequest(request_id=new_id(), proposal_id=proposal.proposal_id)
            begin = time.monotonic()
            await answered(stub.ApproveLimits, approve, SECOND)
            self.history.append(Operation("write", value, begin, time.monotonic()))
            await asyncio.sleep(self.draw.random() * 0.02)

    async def looks(self, count: int) -> None:
        """Which limit an order is checked by."""
        for _ in range(count):
            begin = time.monotonic()
            looked = order("buy", "1000", "1.1600", account="gamma")
            try:
                async with self.turn:
                    answer = await self.mesh.trading.authorise([looked], validate_only=True)
            except grpc.aio.AioRpcError:
                continue
            for check in answer.authorisations[0].checks:
                if check.kind == check_pb2.CHECK_KIND_ORDER_QUANTITY and check.scope == "account:gamma":
                    self.history.append(Operation("read", check.limit, begin, time.monotonic()))
            await asyncio.sleep(self.draw.random() * 0.01)


async def kill_round(mesh: PreTradeMesh, seed: int, count: int = OPERATIONS) -> list[Operation]:
    """One history of the kill switch."""
    recorder = Recorder(mesh, seed)
    await asyncio.gather(recorder.orders(count // 2), recorder.kills(count // 8))
    return recorder.history


async def limit_round(mesh: PreTradeMesh, seed: int, count: int = OPERATIONS) -> list[Operation]:
    """One history of a limit, with a value in the beginning."""
    first = Recorder(mesh, seed)
    await first.limits(1)
    (begun,) = first.history
    recorder = Recorder(mesh, seed + 1)
    await asyncio.gather(recorder.limits(count // 4), recorder.looks(count // 2))
    return [begun, *recorder.history]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_kill_switch_is_linearizable(mesh: PreTradeMesh, seed: int) -> None:
    """No order is committed after Engage was answered, none refused before or after the kill."""
    history = await kill_round(mesh, seed)
    assert {each.what for each in history} == {"order", "engage", "resume"}
    assert linearizable(history, False, switch), history


async def test_a_limit_is_linearizable(mesh: PreTradeMesh) -> None:
    """From the approval's answer on no order is checked by the limit before; and none by one before and then by one
    after."""
    history = await limit_round(mesh, 1)
    assert {each.what for each in history} == {"read", "write"}
    assert linearizable(history, None, register), history


async def is_heard(mesh: PreTradeMesh) -> bool:
    """Whether the way of people to risk is open again: it is another one than trading's."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        await switch_of(mesh).GetState(kill_pb.GetStateRequest(), **as_(BOSS))
        return True
    return False


async def rounds(first: int, count: int, size: int = OPERATIONS) -> None:
    """Many rounds; the process is killed between some of them."""
    operations = kills = 0
    async with pretrade_mesh(lease_s=1.0) as mesh:
        for seed in range(first, first + count):
            for name, history, initial, step in (
                ("kill switch", await kill_round(mesh, seed, size), False, switch),
                ("limit", await limit_round(mesh, seed, size), None, register),
            ):
                assert linearizable(history, initial, step), (name, seed, history)
                operations += len(history)
            if seed % 10 == 9:
                await mesh.kill_risk("risk-1")
                await mesh.start_risk("risk-1")
                await until(mesh.authorises)
                await until(lambda: is_heard(mesh))
                kills += 1
    print(f"{2 * count} histories from seed {first}, {operations} operations, {kills} kills: each has an order")


if __name__ == "__main__":
    asyncio.run(rounds(*map(int, sys.argv[1:])))
