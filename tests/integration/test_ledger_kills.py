"""The ledger killed while it books, and its database killed under it: every report is booked once, none is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import grpc
import pytest

from crossrate.api.ledger.v1 import ledger_service_pb2 as pb
from crossrate.api.ledger.v1 import movement_service_pb2 as moves
from services.ledger.store.books import lock_books
from tests.integration.conftest import eventually
from tests.integration.ledger_stand import Stand, Stubs, deposit, opened, stand_in

pytestmark = pytest.mark.integration

KILLS = 6
REPORTS = 100
"""Between two kills."""


@pytest.fixture
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """Everything around the ledger."""
    async with stand_in(folder) as made:
        yield made


async def _applied(stubs: Stubs) -> int:
    """How many reports of alpha are in the books; -1 while nobody answers."""
    try:
        answer = await stubs.ledger.GetBalances(pb.GetBalancesRequest(account="alpha"), timeout=5)
    except grpc.aio.AioRpcError:
        return -1
    return answer.balances.execution_sequence


async def _deposited(stubs: Stubs, request: moves.DepositRequest) -> None:
    """A deposit, repeated under its id until it is answered."""
    while True:
        try:
            await stubs.movements.Deposit(request, timeout=5)
            return
        except grpc.aio.AioRpcError:
            await asyncio.sleep(0.05)


async def test_kills_lose_and_repeat_nothing(stand: Stand) -> None:
    """After kills of the process amid fills and deposits, books and journal hold each fill and each deposit once."""
    chance, published = random.Random(7), 0
    for kill in range(KILLS):
        process = stand.process(CROSSRATE_LEDGER_POLL_S="0.05")
        try:
            async with stand.stubs("ledger-1") as stubs:
                await eventually(lambda stubs=stubs: _answers(stubs))
                if kill == 0:
                    await opened(stubs, "alpha")
                reports = [stand.trade("alpha", 1, "1.1") for _ in range(REPORTS)]
                published += REPORTS
                target = published - chance.randint(1, REPORTS - 1)
                paying = asyncio.create_task(_deposited(stubs, deposit("alpha", "USD", "1")))
                await stand.publish(*reports)
                await eventually(lambda stubs=stubs, target=target: _reached(stubs, target))
                process.kill()
                process.wait(timeout=60)
                paying.cancel()
        finally:
            process.kill()
            process.wait(timeout=60)
    async with stand.assembled() as stubs:
        await eventually(lambda: _answers(stubs))
        await stubs.movements.Deposit(deposit("alpha", "USD", "1"), timeout=10)
        await eventually(lambda: _reached(stubs, published))
        (position,) = (await stubs.ledger.ListPositions(pb.ListPositionsRequest(account="alpha"), timeout=10)).positions
        assert position.quantity == str(published)
        proof = await stubs.movements.VerifyBooks(moves.VerifyBooksRequest(), timeout=60)
        assert list(proof.differences) == []
        assert published < proof.entries <= published + KILLS + 1
        assert stand.trading.asked == 0


async def _answers(stubs: Stubs) -> bool:
    try:
        await stubs.ledger.ListEquity(pb.ListEquityRequest(), timeout=5)
    except grpc.aio.AioRpcError:
        return False
    return True


async def _reached(stubs: Stubs, target: int) -> bool:
    return await _applied(stubs) >= target


async def test_a_kill_between_the_inbox_and_the_commit_undoes_both(stand: Stand) -> None:
    """Killed within the transaction that has moved the inbox, the ledger begins again where it stood before."""
    process = stand.process()
    connection = await asyncpg.connect(stand.servers.secret("ledger")["postgres"]["dsn"])
    try:
        async with stand.stubs("ledger-1") as stubs:
            await eventually(lambda: _answers(stubs))
            await opened(stubs, "alpha")
        async with connection.transaction():
            await lock_books(connection)
            await stand.publish(stand.trade("alpha", 3, "1.1"), stand.trade("alpha", 4, "1.1"))
            await eventually(lambda: _waits_for_the_books(connection))
            process.kill()
            process.wait(timeout=60)
        await eventually(lambda: _nobody_waits(connection))
        assert await connection.fetchval("SELECT coalesce(max(last_seq), 0) FROM inbox") == 0
        assert await connection.fetchval("SELECT count(*) FROM entry") == 0
    finally:
        process.kill()
        process.wait(timeout=60)
        await connection.close()
    async with stand.assembled() as stubs:
        await eventually(lambda: _answers(stubs))
        await eventually(lambda: _reached(stubs, 2))
        proof = await stubs.movements.VerifyBooks(moves.VerifyBooksRequest(), timeout=60)
        assert (proof.entries, list(proof.differences)) == (2, [])


async def _waits_for_the_books(connection: asyncpg.Connection) -> bool:
    return await connection.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") > 0


async def _nobody_waits(connection: asyncpg.Connection) -> bool:
    return not await connection.fetchval(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    )


async def test_the_database_may_die_while_it_books(stand: Stand) -> None:
    """PostgreSQL killed amid a stream of fills and a deposit: when it is back, both are in the books once."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        reports = [stand.trade("alpha", 1, "1.1") for _ in range(200)]
        await stand.publish(*reports[:100])
        await eventually(lambda: _reached(stubs, 1))
        request = deposit("alpha", "USD", "5")
        paying = asyncio.create_task(_deposited(stubs, request))
        await stand.publish(*reports[100:])
        await asyncio.to_thread(stand.servers.kill, "postgres")
        await stand.servers.start_postgres()
        await asyncio.wait_for(paying, 60)
        await eventually(lambda: _reached(stubs, 200))
        proof = await stubs.movements.VerifyBooks(moves.VerifyBooksRequest(), timeout=60)
        assert list(proof.differences) == []
        assert proof.entries == 201
