"""The simulated venue: turns time into the next entry of its feed. No clock, no network: both are given.

A quoter belongs to one term of one writer, and is thrown away when the term ends; the next one begins from the log.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.catalogue import Catalogue, Listed
from services.marketdata.domain import liquidity
from services.marketdata.domain.simulation import Market, MarketState
from services.marketdata.entry import NANOSECONDS
from services.marketdata.settings import FeedConfig
from services.marketdata.term import QUOTES_PER_ENTRY_MAX, Term


def _state(market: Market, state: events_pb.FeedState) -> MarketState:
    """The state that a log tells, or the calibration's own if it was another calibration's."""
    if state.calibration != market.calibration.digest:
        return market.start()
    rates = np.array(state.log_rates, dtype=np.float64)
    if rates.shape != market.calibration.rates.shape or not np.isfinite(rates).all():
        return market.start()
    return MarketState(state.step, rates)


class Quoter:
    """One term's venue."""

    def __init__(self, market: Market, catalogue: Catalogue, config: Callable[[], FeedConfig], term: Term) -> None:
        self._market = market
        self._catalogue = catalogue
        self._config = config
        self._term = term
        self._state = _state(market, term.begun_at)
        # Quotes are kept by the writer itself, because its own entries come back from the log only later.
        self._last = dict(term.newest)
        self._all_quoted = False
        self._credit = 0.0
        self._revision = -1
        self._listed: dict[str, Listed] = {}
        self._rotation = liquidity.Rotation({})

    def tick(self, elapsed_s: float, now_ns: int, *, always: bool) -> events_pb.QuotesPublished | None:
        """The entry of the log for the time that passed, with quotes in proportion to it.

        None if no quote is due, unless an entry is `always` wanted. Whoever calls it appends the entry before the next
        call, or drops the quoter: entries are numbered one after the other.
        """
        config = self._config()
        quotes = self._closures(now_ns)
        # An instrument that was never quoted does not wait for its turn.
        fresh = [self._quote(self._listed[n], now_ns, config.spread_multiplier) for n in self._unquoted()]
        quotes += fresh
        self._credit = min(self._credit + elapsed_s * config.quotes_per_s, max(config.quotes_per_s, 1.0))
        self._credit = max(self._credit - len(fresh), 0.0)
        count = min(int(self._credit), QUOTES_PER_ENTRY_MAX - len(quotes)) if len(self._rotation) else 0
        self._credit -= count
        # When more quotes than instruments are due the market moves in between, so that no price is said twice.
        rounds = max(-(-count // max(len(self._rotation), 1)), 1)
        for _ in range(rounds):
            self._state = self._market.step(self._state, elapsed_s / rounds, config.volatility_multiplier)
            for name in self._rotation.take(count):
                quotes.append(self._quote(self._listed[name], now_ns, config.spread_multiplier))
            count -= len(self._rotation)
        return self._entry(now_ns, quotes) if quotes or always else None

    def _entry(self, now_ns: int, quotes: list[pb.Quote]) -> events_pb.QuotesPublished:
        entry = self._term.entry(now_ns, quotes)
        entry.state.calibration = self._market.calibration.digest
        entry.state.step = self._state.step
        entry.state.log_rates.extend(self._state.log_rates.tolist())
        return entry

    def _unquoted(self) -> list[str]:
        if self._all_quoted:
            return []
        self._all_quoted = True
        return [name for name, i in self._listed.items() if i.quoted and name not in self._last]

    def _closures(self, now_ns: int) -> list[pb.Quote]:
        """One CLOSED quote at the last prices for every instrument that stopped being quoted; and a new rotation."""
        if self._revision == self._catalogue.revision:
            return []
        self._revision = self._catalogue.revision
        direct = [i for i in self._catalogue.direct() if self._market.trades(i.base, i.counter)]
        self._listed = {i.name: i for i in direct}
        weights = {i.name: liquidity.terms(i.base, i.counter).weight for i in direct if i.quoted}
        self._rotation = liquidity.Rotation(weights)
        self._all_quoted = False
        closures = []
        for name, last in self._last.items():
            if name not in weights and last.health != pb.QUOTE_HEALTH_CLOSED:
                closed = pb.Quote()
                closed.CopyFrom(last)
                closed.sequence += 1
                closed.health = pb.QUOTE_HEALTH_CLOSED
                _stamp(closed, now_ns)
                closures.append(closed)
        self._last.update((q.instrument, q) for q in closures)
        return closures

    def _quote(self, listed: Listed, now_ns: int, spread_multiplier: float) -> pb.Quote:
        terms = liquidity.terms(listed.base, listed.counter)
        mid = self._market.mid(self._state, listed.base, listed.counter)
        bid, ask = liquidity.two_sided(mid, terms.spread_bp * spread_multiplier, listed.precision)
        size = liquidity.round_size(terms.notional * self._market.rate(self._state, listed.base))
        last = self._last.get(listed.name)
        quote = pb.Quote(
            instrument=listed.name,
            bid=bid,
            ask=ask,
            bid_quantity=size,
            ask_quantity=size,
            sequence=last.sequence + 1 if last else 1,
            health=pb.QUOTE_HEALTH_LIVE,
            source=self._term.feed,
        )
        _stamp(quote, now_ns)
        self._last[listed.name] = quote
        return quote


def _stamp(quote: pb.Quote, now_ns: int) -> None:
    """Venue and platform are one process here, and so are their clocks."""
    seconds, nanos = divmod(now_ns, NANOSECONDS)
    quote.venue_time.seconds, quote.venue_time.nanos = seconds, nanos
    quote.receive_time.seconds, quote.receive_time.nanos = seconds, nanos
