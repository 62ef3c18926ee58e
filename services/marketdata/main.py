"""The assembly of one instance, top to bottom."""

from __future__ import annotations

import asyncio

from crossrate.events.events import Events
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.live_config import LiveConfig
from crossrate.runtime.process import Runtime
from services.marketdata import ecb, feeds
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.consumer import StatusChanges
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.simulation import Market
from services.marketdata.feed import Feed
from services.marketdata.follower import Follower
from services.marketdata.health import HealthBoard
from services.marketdata.peers import Reference
from services.marketdata.quote_log import QuoteLog
from services.marketdata.service import MarketDataService, register
from services.marketdata.settings import FeedConfig, Settings
from services.marketdata.simulated import FEED
from services.marketdata.sources import ages, kinds, sources
from services.marketdata.upkeep import has_instruments, has_quotes, keep_stale, part, publish


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the process is told to stop."""
    settings, note = Settings(), runtime.log
    path = settings.feeds or feeds.DEFAULT_PATH
    declared = feeds.load(path)
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
    board = Board(settings.ring_capacity, settings.stale_after_ms / 1000, ages(declared))
    log = QuoteLog(events)
    silent_after_s = settings.takeover_ms / 1000 + settings.silence_ms / 1000
    health = HealthBoard(kinds(declared), board, lambda: follower.feeds, silent_after_s)
    follower = Follower(log, board, list(declared.feeds), settings.log_entries_read, note, applied=health.applied)
    changes = StatusChanges(events, catalogue, note)
    reference = Reference(channel, catalogue, note)

    leading = [
        Feed(
            source=source,
            catalogue=catalogue,
            log=log,
            follower=follower,
            board=board,
            publish=lambda published: publish(events, published),
            settings=settings,
            note=note,
        )
        for source in sources(
            declared,
            path.parent,
            market=Market(calibration, settings.seed),
            catalogue=catalogue,
            config=lambda: config.current,
            events=events,
            instance=runtime.instance,
            note=note,
        )
    ]

    server = Server(runtime, streams_max=settings.streams_max)
    server.config = config
    server.add(register, MarketDataService(board, catalogue, history, health))
    server.health.depends_on("nats", events.check)
    server.health.depends_on("reference", lambda: has_instruments(catalogue))
    server.health.depends_on("feed", lambda: has_quotes(catalogue, follower, board, expected=FEED in declared.feeds))

    closed = asyncio.Event()

    try:
        await config.watch(events)
        await changes.begin()
        async with asyncio.TaskGroup() as tasks:
            # The feeds are handed over as soon as the process should stop; everything else lives until the last stream
            # has ended.
            for feed in leading:
                tasks.create_task(part(runtime, closed, feed.run(runtime.stopping)))
            tasks.create_task(part(runtime, closed, follower.run(closed)))
            tasks.create_task(part(runtime, closed, changes.run(closed)))
            tasks.create_task(part(runtime, closed, reference.keep_instruments(closed)))
            tasks.create_task(part(runtime, closed, keep_stale(board, health, closed)))
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
