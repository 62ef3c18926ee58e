"""Prices and candles in the words of the v20 API."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from decimal import Decimal
from typing import Any

from crossrate.api.marketdata.v1 import bar_service_pb2 as bars
from crossrate.api.marketdata.v1 import history_pb2 as hist
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as market
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.bar_service_pb2_grpc import BarServiceStub
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.client.quotes import Gap, QuoteStream, Resumption
from crossrate.rpc.call_error import CallError
from services.broker.oanda import words
from services.broker.oanda.book import Json
from services.broker.oanda.faults import Fault, bad_value, unavailable
from services.broker.oanda.following import Rates
from services.broker.oanda.params import bounded, moment

FRESH_S = 0.05
STREAM_S = 0.25
"""At most one price of an instrument in this time: four a second, as the API says."""
CANDLES_MAX = 5000
CANDLES_DEFAULT = 500
_GRANULARITIES = {
    "S5": ("5s", 5), "S10": ("10s", 10), "S30": ("30s", 30), "M1": ("1m", 60), "M5": ("5m", 300), "M10": ("10m", 600),
    "M15": ("15m", 900), "M30": ("30m", 1800), "H1": ("1h", 3600), "H2": ("2h", 7200), "H4": ("4h", 14400),
    "H8": ("8h", 28800), "H12": ("12h", 43200), "D": ("1d", 86400), "W": ("1w", 604800), "M": ("1M", 2678400),
}  # fmt: skip
_SIDES = {"B": hist.PRICE_SIDE_BID, "A": hist.PRICE_SIDE_ASK, "M": hist.PRICE_SIDE_MID}


class Prices:
    """The newest composite quotes, asked for when they are wanted."""

    def __init__(self, stub: MarketDataServiceStub, bars_stub: BarServiceStub, rates: Rates) -> None:
        self._stub = stub
        self._bars = bars_stub
        self.rates = rates
        self._known: dict[str, tuple[float, quote_pb2.Quote | None]] = {}

    async def quotes(self, names: Iterable[str]) -> dict[str, quote_pb2.Quote]:
        """Quotes of v20 instruments; an instrument without one is left out."""
        wanted = list(dict.fromkeys(names))
        found = await asyncio.gather(*(self._quote(each) for each in wanted))
        return {name: quote for name, quote in zip(wanted, found, strict=True) if quote is not None}

    async def _quote(self, name: str) -> quote_pb2.Quote | None:
        at, known = self._known.get(name, (-math.inf, None))
        if time.monotonic() - at < FRESH_S:
            return known
        try:
            quote = (await self._stub.GetQuote(market.GetQuoteRequest(base=name[:3], counter=name[4:]))).quote
        except CallError as error:
            if error.reason not in ("NO_QUOTE", "NOT_FOUND"):
                raise unavailable(f"prices: {error.message}") from error
            quote = None
        self._known[name] = (time.monotonic(), quote)
        return quote

    async def shown(self, quote: quote_pb2.Quote, home: str) -> Json:
        """A quote as a ClientPrice, with what converts profit and loss of it into the account's currency."""
        made = price_of(quote)
        rate = await self.rates.rate(quote.instrument[4:], home)
        if rate is not None:
            text = words.number(round(rate, 10))
            made["quoteHomeConversionFactors"] = {"positiveUnits": text, "negativeUnits": text}
        return made

    async def stream(self, names: list[str], snapshot: bool) -> AsyncIterator[quote_pb2.Quote]:
        """Quotes as they change, at most four a second of an instrument; at first the newest of each.

        Raises:
            Fault: marketdata refuses.
        """
        instruments = [words.instrument_of(each) or "" for each in names]
        stream = QuoteStream(instruments, STREAM_S, "", Resumption(pause_s_max=0.5, unreachable_s_max=math.inf))
        told: dict[str, int] = {}
        try:
            async for event in stream.events(self._stub):
                if isinstance(event, Gap) or told.get(event.instrument) == event.sequence:
                    continue
                first = event.instrument not in told
                told[event.instrument] = event.sequence
                if snapshot or not first:
                    yield event
        except CallError as error:
            raise unavailable(error.message) from error

    async def candles(self, name: str, params: Mapping[str, str]) -> Json:
        """Candles of an instrument.

        Raises:
            Fault: the parameters are not what the API takes, or there is no history.
        """
        granularity = params.get("granularity", "S5")
        if granularity not in _GRANULARITIES:
            raise bad_value("granularity", f"here are {', '.join(_GRANULARITIES)}")
        sides = params.get("price", "M")
        if not sides or set(sides) - set(_SIDES) or len(set(sides)) != len(sides):
            raise bad_value("price", "letters of M, B and A")
        count = bounded(params, "count", CANDLES_DEFAULT, CANDLES_MAX)
        start, end = moment(params, "from"), moment(params, "to")
        if start is not None and end is not None and "count" in params:
            raise bad_value("count", "give from and to, or one of them and count")
        found = await self._found(name, granularity, sides, count, start, end)
        if start is not None and params.get("includeFirst", "true").lower() == "false":
            found = [each for each in found if each.open_time.ToNanoseconds() > start]
        candles = [_candle(each, sides, name) for each in found]
        return {"instrument": name, "granularity": granularity, "candles": candles}

    async def _found(
        self, name: str, granularity: str, sides: str, count: int, start: int | None, end: int | None
    ) -> list[hist.Bar]:
        period, length_s = _GRANULARITIES[granularity]
        now = time.time_ns()
        from_the_end = start is None
        request = bars.QueryBarsRequest(
            base=name[:3], counter=name[4:], source="composite", period=period, sides=[_SIDES[each] for each in sides]
        )
        found: list[hist.Bar] = []
        # Backwards by growing steps, as a market that was closed has no bars; forwards in one range.
        reach = 3 * count * length_s
        for _ in range(4 if from_the_end else 1):
            begin = start if start is not None else max(0, (end or now) - reach * 1_000_000_000)
            request.start_time.FromNanoseconds(begin)
            if end is not None:
                request.end_time.FromNanoseconds(end)
            found = await self._pages(
                request, CANDLES_MAX + 1 if end is not None and start is not None else count, from_the_end
            )
            if len(found) >= count or begin == 0:
                break
            reach *= 8
        if start is not None and end is not None and len(found) > CANDLES_MAX:
            raise Fault(400, f"Maximum value for 'count' exceeded: the range has more than {CANDLES_MAX} candles")
        return found[-count:] if from_the_end else found

    async def _pages(self, request: bars.QueryBarsRequest, most: int, from_the_end: bool) -> list[hist.Bar]:
        found: list[hist.Bar] = []
        request.page_token, request.page_size = "", 5000
        while True:
            try:
                page = await self._bars.QueryBars(request)
            except CallError as error:
                if error.reason == "NOT_FOUND":
                    return []
                if error.reason == "INVALID_REQUEST":
                    raise Fault(400, error.message) from error
                raise unavailable(error.message) from error
            found += page.bars
            if from_the_end:
                found = found[-most:]
            elif len(found) >= most:
                return found[:most]
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token


def price_of(quote: quote_pb2.Quote) -> Json:
    """A quote as a ClientPrice."""
    tradeable = quote.health == quote_pb2.QUOTE_HEALTH_LIVE
    bid, ask = (words.price(Decimal(str(each)), quote.instrument) for each in (quote.bid, quote.ask))
    return {
        "type": "PRICE",
        "instrument": words.name_of(quote.instrument),
        "time": words.time_text(quote.receive_time.ToNanoseconds()),
        "tradeable": tradeable,
        "status": "tradeable" if tradeable else "non-tradeable",
        "bids": [{"price": bid, "liquidity": round(quote.bid_quantity)}],
        "asks": [{"price": ask, "liquidity": round(quote.ask_quantity)}],
        "closeoutBid": bid,
        "closeoutAsk": ask,
    }


def _candle(bar: hist.Bar, sides: str, name: str) -> Json:
    made: Json = {
        "complete": bar.complete,
        "volume": bar.tick_count,
        "time": words.time_text(bar.open_time.ToNanoseconds()),
    }
    for letter, word in (("M", "mid"), ("B", "bid"), ("A", "ask")):
        if letter in sides:
            values: Any = getattr(bar, word)
            places = words.places_of(name.replace("_", "/")) + (word == "mid")
            texts = [f"{getattr(values, key):.{places}f}" for key in ("open", "high", "low", "close")]
            made[word] = dict(zip("ohlc", texts, strict=True))
    return made
