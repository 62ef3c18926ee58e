"""An instance's reader of the log, with a real NATS: whatever is heard of an entry, it is read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from services.marketdata.board import Board
from services.marketdata.follower import Follower
from services.marketdata.quote_log import LogEntry, QuoteLog
from tests.integration.conftest import Servers, eventually
from tests.integration.history_mesh import Feed, log_of, nats

pytestmark = pytest.mark.integration


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    async with nats(folder) as servers:
        yield servers


@contextlib.asynccontextmanager
async def following(log: QuoteLog) -> AsyncIterator[Follower]:
    """A follower that has read what there is."""
    follower, stopping = Follower(log, Board(1 << 14, 10.0), ["one"], 2_000, structlog.get_logger()), asyncio.Event()
    task = asyncio.create_task(follower.run(stopping))
    try:
        await eventually(lambda: follower.complete)
        yield follower
    finally:
        stopping.set()
        await task


async def test_an_entry_that_nobody_announces_is_read(mesh: Servers) -> None:
    """Its writer's NATS was away when it would have announced it, and no other entry follows."""
    async with log_of(mesh, "marketdata-9") as log, following(log) as follower:
        one = Feed(log, 3, "one")
        payload = events_pb.QuotesPublished(epoch=1, first_sequence=1, quotes=[one.quote("EUR/USD")])
        number = await log.append("one", payload.SerializeToString(), 0)
        await eventually(lambda: follower.applied == number)
        number = await log.append("one", payload.SerializeToString(), number)
        await eventually(lambda: follower.applied == number)


async def test_an_entry_is_taken_when_it_is_announced(mesh: Servers) -> None:
    """It is not looked for in the log: whoever announces it carries it."""
    async with log_of(mesh, "marketdata-9") as log, following(log) as follower:
        one = Feed(log, 3, "one")
        payload = events_pb.QuotesPublished(epoch=1, first_sequence=1, quotes=[one.quote("EUR/USD")])
        number = await log.append("one", payload.SerializeToString(), 0)
        await log.announce(LogEntry(number, "one", payload.SerializeToString()))
        await eventually(lambda: follower.applied == number)
