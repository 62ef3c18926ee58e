"""The assembly of one instance, top to bottom."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.events.events import Events
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.live_config import LiveConfig
from crossrate.runtime.process import Runtime
from services.marketdata import ecb
from services.marketdata.board import Board
from services.marketdata.books.instance import Books
from services.marketdata.catalogue import Catalogue
from services.marketdata.consumer import StatusChanges
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.simulation import Market
from services.marketdata.feed import Feed
from services.marketdata.follower import Follower
from services.marketdata.peers import Reference
from services.marketdata.quote_log import QuoteLog, pause
from services.marketdata.service import MarketDataService, register
from services.marketdata.settings import FeedConfig, Settings
from services.marketdata.simulated import FEED, Simulated

STALE_CHECK_S = 0.5
HEALTH_WAIT_S = 1.5


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the process is told to stop."""
    settings, note = Settings(), runtime.log
    history = ecb.load()
    calibration = calibrate(
        history, history.current(), window_days=settings.window_days, half_life_days=settings.half_life_days
    )
    note.info("calibrated", currencies=len(calibration.currencies), until=str(history.dates[-1]))
    market = Market(calibration, settings.seed)
    events = await Events.open(runtime)
    channel = channel_to_mesh(runtime)
    config = LiveConfig(FeedConfig)
    catalogue = Catalogue(open_unless_told=settings.always_open)
    board = Board(settings.ring_capacity, settings.stale_after_ms / 1000)
    log = QuoteLog(events)
    follower = Follower(log, board, [FEED], settings.log_entries_read, note)
    books = Books(events, [FEED], settings, note)
    changes = StatusChanges(events, catalogue, note)
    reference = Reference(channel, catalogue, note)

    feed = Feed(
        source=Simulated(market, catalogue, lambda: config.current, books.simulated(FEED, board, catalogue)),
        catalogue=catalogue,
        log=log,
        follower=follower,
        board=board,
        publish=lambda published: publish(events, published),
        settings=settings,
        note=note,
    )

    server = Server(runtime, streams_max=settings.streams_max)
    server.config = config
    server.add(register, MarketDataService(board, catalogue, history))
    books.add_to(server, catalogue)
    server.health.depends_on("nats", events.check)
    server.health.depends_on("reference", lambda: has_instruments(catalogue))
    server.health.depends_on("feed", lambda: has_quotes(catalogue, follower, board))

    closed = asyncio.Event()

    try:
        await config.watch(events)
        await changes.begin()
        async with asyncio.TaskGroup() as tasks:
            # The feed is handed over as soon as the process should stop; everything else lives until the last stream
            # has ended.
            tasks.create_task(part(runtime, closed, feed.run(runtime.stopping)))
            tasks.create_task(part(runtime, closed, follower.run(closed)))
            tasks.create_task(part(runtime, closed, books.run(closed)))
            tasks.create_task(part(runtime, closed, changes.run(closed)))
            tasks.create_task(part(runtime, closed, reference.keep_instruments(closed)))
            tasks.create_task(part(runtime, closed, keep_stale(board, closed)))
            if not settings.always_open:
                tasks.create_task(part(runtime, closed, reference.keep_sessions(closed)))
            try:
                await server.serve()
            finally:
                runtime.stopping.set()
                closed.set()
    finally:
        await config.close()
        await channel.close()
        await events.close()


async def part(runtime: Runtime, closed: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Runs one part of the process; one that fails ends the process, in order."""
    # Cancelling the others alone is not enough, because asyncio.wait_for of Python 3.11, within the NATS client, loses
    # a cancellation that comes with its result.
    try:
        await work
    except Exception:
        runtime.stopping.set()
        closed.set()
        raise


async def publish(events: Events, published: events_pb.QuotesPublished) -> None:
    """Sends each quote to its instrument's subject."""
    for quote in published.quotes:
        subject = f"crossrate.marketdata.v1.quote.{quote.instrument.replace('/', '-')}"
        await events.publish_core(subject, quote.SerializeToString())


# Health asks once a second; an answer that waits a little says "yes" as soon as it is true.
async def has_instruments(catalogue: Catalogue) -> None:
    """Returns when the instruments are known.

    Raises:
        TimeoutError: they are not yet.
    """
    async with asyncio.timeout(HEALTH_WAIT_S):
        await catalogue.ready.wait()


async def has_quotes(catalogue: Catalogue, follower: Follower, board: Board) -> None:
    """Returns when the log has been read and, if anything is quoted, the first quote is there.

    Raises:
        TimeoutError: it is not so yet.
    """
    async with asyncio.timeout(HEALTH_WAIT_S):
        await catalogue.ready.wait()
        while not follower.complete or (board.empty and any(i.quoted for i in catalogue.direct())):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(board.changed().wait(), 0.1)


async def keep_stale(board: Board, stopping: asyncio.Event) -> None:
    """Marks quotes as they grow too old, until the process stops."""
    while not await pause(stopping, STALE_CHECK_S):
        board.mark_stale(time.time_ns())
