"""The assembly of one instance, top to bottom."""

from __future__ import annotations

import asyncio
from typing import Any

from crossrate.events.events import Events
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.live_config import LiveConfig
from crossrate.runtime.process import Runtime
from services.marketdata import ecb, feeds
from services.marketdata.board import Board
from services.marketdata.books.instance import Books
from services.marketdata.catalogue import Catalogue
from services.marketdata.consumer import StatusChanges
from services.marketdata.daily.sources import DailySources
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.history import History
from services.marketdata.domain.simulation import Market
from services.marketdata.feed import Feed, Source
from services.marketdata.follower import Follower
from services.marketdata.health import HealthBoard
from services.marketdata.history.instance import History as TickHistory
from services.marketdata.latest import Latest
from services.marketdata.peers import Reference
from services.marketdata.quote_log import QuoteLog
from services.marketdata.service import MarketDataService, register
from services.marketdata.settings import FeedConfig, Settings
from services.marketdata.simulated import FEED
from services.marketdata.sources import ages, kinds, sources
from services.marketdata.upkeep import has_instruments, has_quotes, keep_stale, part


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the process is told to stop."""
    settings, note = Settings(), runtime.log
    path = settings.feeds or feeds.DEFAULT_PATH
    declared = feeds.load(path)
    history = ecb.load()
    market = calibrated(history, settings, note)
    events = await Events.open(runtime)
    channel = channel_to_mesh(runtime)
    config = LiveConfig(FeedConfig)
    catalogue = Catalogue(open_unless_told=settings.always_open)
    board = Board(settings.ring_capacity, settings.stale_after_ms / 1000, ages(declared))
    log = QuoteLog(events)
    silent_after_s = settings.takeover_ms / 1000 + settings.silence_ms / 1000
    health = HealthBoard(kinds(declared), board, lambda: follower.feeds, silent_after_s)
    follower = Follower(log, board, list(declared.feeds), settings.log_entries_read, note, applied=health.applied)
    stored = str(runtime.place.state / "history")
    ticks = TickHistory(log, stored, lambda: {*declared.feeds, *follower.feeds}, settings, note, ages(declared))
    books = Books(events, list(declared.feeds), settings, note, ages(declared))
    changes = StatusChanges(events, catalogue, note)
    reference = Reference(channel, catalogue, note)
    daily = DailySources(history, ecb.FILE, declared.daily, path.parent, note)

    made = sources(
        declared,
        path.parent,
        market=market,
        catalogue=catalogue,
        settings=settings,
        config=lambda: config.current,
        events=events,
        books=books,
        quotes=board,
        instance=runtime.instance,
        note=note,
    )
    written = [feed_of(source, catalogue, log, follower, board, events, settings, note) for source in made]

    server = Server(runtime, streams_max=settings.streams_max)
    server.config = config
    server.add(register, MarketDataService(board, catalogue, daily, health, follower.look))
    ticks.add_to(server, board, catalogue)
    books.add_to(server, catalogue)
    server.health.depends_on("nats", events.check)
    server.health.depends_on("reference", lambda: has_instruments(catalogue))
    server.health.depends_on("feed", lambda: has_quotes(catalogue, follower, board, expected=FEED in declared.feeds))

    closed = asyncio.Event()
    try:
        await config.watch(events)
        await changes.begin()
        await daily.look()
        parts = [follower.run(closed), books.run(closed), changes.run(closed), keep_stale(board, health, closed)]
        parts += [reference.keep_instruments(closed), ticks.run(closed), daily.run(closed, settings.daily_poll_s)]
        parts += [] if settings.always_open else [reference.keep_sessions(closed)]
        # Feeds are handed over as soon as the process should stop; everything else lives until the last stream ended.
        parts += [feed.run(runtime.stopping) for feed in written]
        async with asyncio.TaskGroup() as tasks:
            for each in parts:
                tasks.create_task(part(runtime, closed, each))
            try:
                await server.serve()
            finally:
                runtime.stopping.set()
                closed.set()
    finally:
        await config.close()
        await channel.close()
        await events.close()


def feed_of(
    source: Source,
    catalogue: Catalogue,
    log: QuoteLog,
    follower: Follower,
    board: Board,
    events: Events,
    settings: Settings,
    note: Any,
) -> Feed:
    """This instance's share in writing one feed."""
    return Feed(
        source=source,
        catalogue=catalogue,
        log=log,
        follower=follower,
        board=board,
        publish=Latest(events, board, source.name).publish,
        settings=settings,
        note=note,
    )


def calibrated(history: History, settings: Settings, note: Any) -> Market:
    """The simulated market, by the published rates."""
    made = calibrate(
        history, history.current(), window_days=settings.window_days, half_life_days=settings.half_life_days
    )
    note.info("calibrated", currencies=len(made.currencies), days=len(history.dates), until=str(history.dates[-1]))
    return Market(made, settings.seed)
