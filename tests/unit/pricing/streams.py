"""A port of price streams for tests of everything else: made, never followed."""

from __future__ import annotations

from typing import Any

import structlog

from services.pricing.library import Library
from services.pricing.live_market import LiveMarkets
from services.pricing.live_quotes import LiveQuotes
from services.pricing.price_stream import PriceStreams
from services.pricing.pricer import Clock, Pricer


def idle_streams(library: Library, store: Any, pricer: Pricer, clock: Clock) -> PriceStreams:
    """Streams of which none is opened."""
    note = structlog.get_logger()
    quotes = LiveQuotes(None, note, conflation_s=0.0, silence_s_max=1.0, linger_s=0.0)
    return PriceStreams(LiveMarkets(library, store, quotes, pricer, clock, note, poll_s=1.0))
