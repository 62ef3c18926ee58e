"""The source of each declared feed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.events.events import Events
from crossrate.fix.rules import Numbers
from services.marketdata.adapter import Adapter
from services.marketdata.adapters.fix import Fix
from services.marketdata.adapters.from_nats import FromNats
from services.marketdata.board import Board
from services.marketdata.books.instance import Books
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.simulation import Market
from services.marketdata.external import External
from services.marketdata.feed import Source
from services.marketdata.feeds import External as ExternalSpec
from services.marketdata.feeds import Feeds, FixFeed, NatsFeed, Outside, ReplayFeed, SimulatedFeed
from services.marketdata.settings import FeedConfig, Settings
from services.marketdata.simulated import Simulated
from services.marketdata.told import Told


def sources(
    feeds: Feeds,
    folder: Path,
    *,
    market: Market,
    catalogue: Catalogue,
    settings: Settings,
    config: Callable[[], FeedConfig],
    events: Events,
    books: Books | None = None,
    quotes: Board | None = None,
    instance: str,
    note: Any,
) -> list[Source]:
    """One source a feed; paths in the file are relative to `folder`.

    With `books` the feeds have order books: the simulated one depth behind `quotes`, those outside what venues send.
    """
    made: list[Source] = []
    for name, spec in feeds.feeds.items():
        if isinstance(spec, SimulatedFeed):
            depth = books.simulated(name, quotes, catalogue) if books is not None and quotes is not None else None
            tick_s_min, weekends = settings.tick_ms_min / 1000, not settings.always_open
            simulated = Simulated(market, catalogue, config, depth, tick_s_min=tick_s_min, weekends=weekends)
            made.append(Told(simulated, feed_pb2.FEED_KIND_SIMULATED, instance))
        else:
            bound = note.bind(feed=name)
            adapter = _adapter(name, spec, folder, events, bound)
            writes = books.feed(name) if books is not None else None
            made.append(External(name, spec, adapter, catalogue, instance, note, books=writes))
    return made


def _adapter(
    name: str, spec: Outside, folder: Path, events: Events, note: Any
) -> Callable[[events_pb.FeedState], Adapter]:
    if isinstance(spec, FixFeed):
        numbers = Numbers()
        return lambda _state: Fix(name, spec, folder, numbers, note)
    if isinstance(spec, NatsFeed):
        return lambda _state: FromNats(spec, events)
    return lambda state: _replay(spec, folder, state, note)


def _replay(spec: ReplayFeed, folder: Path, state: events_pb.FeedState, note: Any) -> Adapter:
    # Not at import: readers of files come with pyarrow, which no other feed needs.
    from services.marketdata.adapters.replay import Replay

    return Replay(spec, folder, state.replay, note)


def kinds(feeds: Feeds) -> dict[str, int]:
    """The contract's kind of every feed."""
    return {name: feed_pb2.FeedKind.Value(f"FEED_KIND_{spec.kind.upper()}") for name, spec in feeds.feeds.items()}


def ages(feeds: Feeds) -> dict[str, float]:
    """When quotes grow too old, seconds, of every feed with a rule of its own."""
    return {name: spec.quote_stale_after_s for name, spec in feeds.feeds.items() if isinstance(spec, ExternalSpec)}
