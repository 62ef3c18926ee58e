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
from services.marketdata.catalogue import Catalogue
from services.marketdata.consumer import StatusChanges
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.simulation import Market
from services.marketdata.feed import FEED, Feed
from services.marketdata.follower import Follower
from services.marketdata.peers import Reference
from services.marketdata.quote_log import QuoteLog, pause
from services.marketdata.service import MarketDataService, register
from services.marketdata.settings import FeedConfig, Settings

STALE_CHECK_S = 0.5
HEALTH_WAIT_S = 1.5


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the process is told to stop."""
    settings, note = Settings(), runtime.log
    history = ecb.load()
    calibration = calibrate(
        history, history.current(), window_days=settings.window_days, half_life_days=settings.half_life_days
    )
    note.info(
        "calibrated", currencies=len(calibration.currencies), days=len(history.dates), until=str(history.dates[-1])
    )

    events = await Events.open(runtime)
    channel = channel_to_mesh(runtime)
    config = LiveConfig(FeedConfig)
    catalogue = Catalogue(open_unless_told=settings.always_open)
    board = Board(settings.ring_capacity, settings.stale_after_ms / 1000)
    log = QuoteLog(events, FEED)
    follower = Follower(log, board, settings.log_entries_read, note)
    changes = StatusChanges(events, catalogue, note)
    reference = Reference(channel, catalogue, note)

    async def publish(published: events_pb.QuotesPublished) -> None:
        for quote in published.quotes:
            subject = f"crossrate.marketdata.v1.quote.{quote.instrument.replace('/', '-')}"
            await events.publish_core(subject, quote.SerializeToString())

    feed = Feed(
        market=Market(calibration, settings.seed),
        catalogue=catalogue,
        log=log,
        follower=follower,
        board=board,
        publish=publish,
        config=lambda: config.current,
        settings=settings,
        note=note,
    )

    # Health asks once a second; an answer that waits a little says "yes" as soon as it is true.
    async def has_instruments() -> None:
        async with asyncio.timeout(HEALTH_WAIT_S):
            await catalogue.ready.wait()

    async def has_quotes() -> None:
        async with asyncio.timeout(HEALTH_WAIT_S):
            await catalogue.ready.wait()
            while not follower.complete or (not board.newest and any(i.quoted for i in catalogue.direct())):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(board.changed().wait(), 0.1)

    server = Server(runtime, streams_max=settings.streams_max)
    server.config = config
    server.add(register, MarketDataService(board, catalogue, history))
    server.health.depends_on("nats", events.check)
    server.health.depends_on("reference", has_instruments)
    server.health.depends_on("feed", has_quotes)

    closed = asyncio.Event()

    async def part(work: Coroutine[Any, Any, None]) -> None:
        # One part that fails ends the process, in order: cancelling the others alone is not enough, because
        # asyncio.wait_for of Python 3.11, within the NATS client, loses a cancellation that comes with its result.
        try:
            await work
        except Exception:
            runtime.stopping.set()
            closed.set()
            raise

    try:
        await config.watch(events)
        await changes.begin()
        async with asyncio.TaskGroup() as tasks:
            # The feed is handed over as soon as the process should stop; everything else lives until the last stream
            # has ended.
            tasks.create_task(part(feed.run(runtime.stopping)))
            tasks.create_task(part(follower.run(closed)))
            tasks.create_task(part(changes.run(closed)))
            tasks.create_task(part(reference.keep_instruments(closed)))
            tasks.create_task(part(keep_stale(board, closed)))
            if not settings.always_open:
                tasks.create_task(part(reference.keep_sessions(closed)))
            try:
                await server.serve()
            finally:
                runtime.stopping.set()
                closed.set()
    finally:
        await config.close()
        await channel.close()
        await events.close()


async def keep_stale(board: Board, stopping: asyncio.Event) -> None:
    """Marks quotes as they grow too old, until the process stops."""
    while not await pause(stopping, STALE_CHECK_S):
        board.mark_stale(time.time_ns())
