"""The simulated venue: turns time into the next entry of its feed. No clock, no network: both are given.

A quoter belongs to one term of one writer, and is thrown away when the term ends; the next one begins from the log.

All quotes of an entry are computed at once, as arrays, and then written into one message per instrument that stays: a
quote costs a microsecond.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.catalogue import Catalogue, Listed
from services.marketdata.domain import liquidity
from services.marketdata.domain.seasonality import FLAT, Moment, Seasonality
from services.marketdata.domain.simulation import Market, MarketState
from services.marketdata.entry import NANOSECONDS
from services.marketdata.settings import FeedConfig
from services.marketdata.term import QUOTES_PER_ENTRY_MAX, Term

WEIGHT_UNITS = 4
"""Steps of a pair's share of quotes in one of its liquidity class's weight."""


def _state(market: Market, state: events_pb.FeedState) -> MarketState:
    """The state that a log tells, or the calibration's own if it was another calibration's."""
    if state.calibration != market.calibration.digest:
        return market.start()
    rates = np.array(state.log_rates, dtype=np.float64)
    if rates.shape != market.calibration.rates.shape or not np.isfinite(rates).all():
        return market.start()
    return MarketState(state.step, rates)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """The quoted pairs, ascending by name; arrays of shape (pairs,), and each pair's message, which is written anew."""

    listed: tuple[Listed, ...]
    base: NDArray[np.intp]
    counter: NDArray[np.intp]
    scale: NDArray[np.float64]
    spread_bp: NDArray[np.float64]
    notional: NDArray[np.float64]
    quotes: tuple[pb.Quote, ...]
    times: tuple[tuple[object, object], ...]


class Quoter:
    """One term's venue."""

    def __init__(
        self,
        market: Market,
        catalogue: Catalogue,
        config: Callable[[], FeedConfig],
        term: Term,
        seasonality: Seasonality | None = None,
    ) -> None:
        self._market = market
        self._catalogue = catalogue
        self._config = config
        self._term = term
        self._seasonality = seasonality or Seasonality(weekends=False)
        self._state = _state(market, term.begun_at)
        # Quotes are kept by the writer itself, because its own entries come back from the log only later.
        self._last = {name: _copy(quote) for name, quote in term.newest.items()}
        self._told_ns = max((_nanoseconds(q.venue_time) for q in self._last.values()), default=0)
        self._credit = 0.0
        self._revision = -1
        self._moment: Moment | None = None
        self._pace = 1.0
        self._pairs = self._chosen(())
        self._rotation = liquidity.Rotation({})
        self._wider = np.ones(0)

    @property
    def quotes_per_s(self) -> float:
        """How often it quotes at this hour, over all instruments."""
        return self._config().quotes_per_s * self._pace

    def tick(self, elapsed_s: float, now_ns: int, *, always: bool) -> events_pb.QuotesPublished | None:
        """The entry of the log for the time that passed, with quotes in proportion to it.

        None if no quote is due, unless an entry is `always` wanted. Whoever calls it appends the entry before the next
        call, or drops the quoter: entries are numbered one after the other.
        """
        config, made = self._config(), events_pb.QuotesPublished()
        moment = self._seasonality.at(now_ns) if config.hours else FLAT
        if self._revision != self._catalogue.revision:
            self._relist(made, now_ns)
            self._moment = None
        if moment is not self._moment:
            self._reweigh(moment)
        # An instrument that was never quoted does not wait for its turn.
        fresh = np.array([i for i, q in enumerate(self._pairs.quotes) if not q.sequence], dtype=np.intp)
        rate = config.quotes_per_s * self._pace
        self._credit = min(self._credit + elapsed_s * rate, rate + 1.0)
        self._credit = max(self._credit - len(fresh), 0.0)
        count = min(int(self._credit), QUOTES_PER_ENTRY_MAX - len(fresh) - len(made.quotes))
        count = max(count, 0) if len(self._rotation) else 0
        self._credit -= count
        # The market moves between two quotes of a pair, so that no price is said twice.
        gap = self._rotation.gap
        parts = max(-(-count // gap), 1)
        self._state, path = self._market.path(self._state, elapsed_s, parts, config.volatility_multiplier, moment)
        chosen = np.concatenate([fresh, self._rotation.take(count)])
        at = np.concatenate([np.zeros(len(fresh), dtype=np.intp), np.arange(count) // gap])
        self._write(made, chosen, at, path, self._times(elapsed_s, now_ns, parts), now_ns)
        return self._entry(made, now_ns) if made.quotes or always else None

    def _entry(self, made: events_pb.QuotesPublished, now_ns: int) -> events_pb.QuotesPublished:
        entry = self._term.complete(made, now_ns)
        entry.state.calibration = self._market.calibration.digest
        entry.state.step = self._state.step
        entry.state.log_rates.extend(self._state.log_rates.tolist())
        return entry

    def _relist(self, made: events_pb.QuotesPublished, now_ns: int) -> None:
        """Takes the instruments as they are now; what stopped being quoted gets one CLOSED quote at its last prices."""
        self._revision = self._catalogue.revision
        direct = [i for i in self._catalogue.direct() if self._market.trades(i.base, i.counter)]
        quoted = tuple(i for i in direct if i.quoted)
        names = {i.name for i in quoted}
        for name, last in self._last.items():
            if name not in names and last.health != pb.QUOTE_HEALTH_CLOSED:
                last.sequence += 1
                last.health = pb.QUOTE_HEALTH_CLOSED
                for stamp in (last.venue_time, last.receive_time):
                    stamp.seconds, stamp.nanos = divmod(now_ns, NANOSECONDS)
                made.quotes.append(last)
        self._pairs = self._chosen(quoted)

    def _chosen(self, quoted: tuple[Listed, ...]) -> _Pairs:
        column, terms = self._market.column, [liquidity.terms(i.base, i.counter) for i in quoted]
        for listed in quoted:
            quote = self._last.setdefault(listed.name, pb.Quote(instrument=listed.name))
            quote.source, quote.health = self._term.feed, pb.QUOTE_HEALTH_LIVE
        quotes = tuple(self._last[i.name] for i in quoted)
        return _Pairs(
            quoted,
            np.array([column(i.base) for i in quoted], dtype=np.intp),
            np.array([column(i.counter) for i in quoted], dtype=np.intp),
            10.0 ** np.array([i.precision for i in quoted], dtype=np.float64),
            np.array([t.spread_bp for t in terms], dtype=np.float64),
            np.array([t.notional for t in terms], dtype=np.float64),
            quotes,
            tuple((quote.venue_time, quote.receive_time) for quote in quotes),
        )

    def _reweigh(self, moment: Moment) -> None:
        """How often and how wide each pair is quoted at this hour."""
        self._moment, listed = moment, self._pairs.listed
        weights = [liquidity.terms(i.base, i.counter).weight for i in listed]
        activity = [moment.activity_of(i.base, i.counter) for i in listed]
        shares = [w * a for w, a in zip(weights, activity, strict=True)]
        self._pace = sum(shares) / sum(weights) if weights else 1.0
        whole = {i.name: max(round(WEIGHT_UNITS * s), 1) for i, s in zip(listed, shares, strict=True)}
        self._rotation = liquidity.Rotation(whole)
        wider = [liquidity.quiet_spread(i.base, i.counter, a) for i, a in zip(listed, activity, strict=True)]
        self._wider = moment.spread * np.array(wider)

    def _times(self, elapsed_s: float, now_ns: int, parts: int) -> list[tuple[int, int]]:
        """Venue times of the parts of a tick, seconds and nanoseconds: evenly from the tick before to this one."""
        begin = min(max(now_ns - round(elapsed_s * NANOSECONDS), self._told_ns), now_ns)
        self._told_ns = now_ns
        return [divmod(begin + (now_ns - begin) * part // parts, NANOSECONDS) for part in range(1, parts + 1)]

    def _write(
        self,
        made: events_pb.QuotesPublished,
        chosen: NDArray[np.intp],
        at: NDArray[np.intp],
        path: NDArray[np.float64],
        times: list[tuple[int, int]],
        now_ns: int,
    ) -> None:
        """Adds quotes of the chosen pairs to an entry, each at its part of the tick."""
        pairs = self._pairs
        bases = path[at, pairs.base[chosen]]
        mids = np.exp(path[at, pairs.counter[chosen]] - bases)
        spread_bp = (pairs.spread_bp * self._wider * self._config().spread_multiplier)[chosen]
        bids, asks = liquidity.two_sided(mids, spread_bp, pairs.scale[chosen])
        sizes = liquidity.round_size(pairs.notional[chosen] * np.exp(bases))
        quotes, stamps, append = pairs.quotes, pairs.times, made.quotes.append
        now_s, now_nanos = divmod(now_ns, NANOSECONDS)
        values = zip(chosen.tolist(), at.tolist(), bids.tolist(), asks.tolist(), sizes.tolist(), strict=True)
        for index, part, bid, ask, size in values:
            quote, (venue, receive) = quotes[index], stamps[index]
            quote.bid, quote.ask, quote.bid_quantity, quote.ask_quantity = bid, ask, size, size
            quote.sequence += 1
            venue.seconds, venue.nanos = times[part]
            receive.seconds, receive.nanos = now_s, now_nanos
            # Copied as it is now.
            append(quote)


def _copy(quote: pb.Quote) -> pb.Quote:
    made = pb.Quote()
    made.CopyFrom(quote)
    return made


def _nanoseconds(time: object) -> int:
    return time.seconds * NANOSECONDS + time.nanos
