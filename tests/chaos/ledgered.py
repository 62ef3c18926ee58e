"""What the ledger has booked: every execution report applied, each fill one trade, and its own proof of the books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import asyncpg
import grpc

from crossrate.api.ledger.v1 import movement_service_pb2 as movements
from crossrate.api.ledger.v1.movement_service_pb2_grpc import MovementServiceStub
from tests.chaos.books import Book
from tests.chaos.checker import Broken, Problem

APPLIED = "SELECT account, execution_sequence, fault FROM ledger.book"
PROOF_S_MAX = 60.0
TRADES = "SELECT count(*), count(DISTINCT trade_id) FROM ledger.trade WHERE account = $1"


async def unapplied(connection: asyncpg.Connection, books: Iterable[Book]) -> list[str]:
    """Accounts whose reports have not all been applied, and why."""
    there = {row[0]: (row[1], row[2]) for row in await connection.fetch(APPLIED)}
    found = []
    for book in books:
        applied, fault = there.get(book.account, (0, ""))
        if applied < book.last or fault:
            found.append(f"{book.account} at {applied} of {book.last} {fault}".rstrip())
    return found


async def trades(connection: asyncpg.Connection, books: Iterable[Book]) -> list[Problem]:
    """Every fill is one trade, and every trade a fill."""
    problems = []
    for book in books:
        count, distinct = await connection.fetchrow(TRADES, book.account)
        if count != distinct:
            problems.append(Problem(Broken.TWICE, f"ledger of {book.account}", f"{count} trades, {distinct} ids"))
        if distinct != len(book.fills):
            broken = Broken.LOST if distinct < len(book.fills) else Broken.PHANTOM
            words = f"{distinct} trades of {len(book.fills)} fills"
            problems.append(Problem(broken, f"ledger of {book.account}", words))
    return problems


async def proof(open_channel: Callable[[], grpc.aio.Channel]) -> list[Problem]:
    """The ledger's own: everything added up and booked again."""
    said, end = "", time.monotonic() + PROOF_S_MAX
    while time.monotonic() < end:
        async with open_channel() as channel:
            try:
                answer = await MovementServiceStub(channel).VerifyBooks(movements.VerifyBooksRequest(), timeout=60)
            except grpc.aio.AioRpcError as error:
                # It may just be on its way back: the database was away a moment ago.
                said = str(error.details())
                await asyncio.sleep(0.2)
            else:
                return [Problem(Broken.DIFFERS, "proof of the ledger", each) for each in answer.differences]
    return [Problem(Broken.STUCK, "proof of the ledger", said)]
