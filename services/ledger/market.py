"""The newest price of every instrument, as marketdata tells it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import structlog
from google.protobuf.message import DecodeError

from crossrate.api.ledger.v1 import balance_pb2
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.events.errors import EventsError
from crossrate.events.events import Events
from crossrate.events.latest import subscribe_latest
from services.ledger.domain.amounts import PRICE_PLACES, price_text
from services.ledger.domain.valuation import Price

STREAM = "quotes_latest"
SUBJECT = "crossrate.marketdata.v1.quote.*"
RETRY_S = 1.0
LIVE_S_MAX = 15.0
"""Every instrument is told again each five seconds: a quote that was not for three times that is not live."""


def _price(value: float) -> int:
    return int((Decimal(repr(value)).scaleb(PRICE_PLACES)).to_integral_value())


class Market:
    """Quotes as they come. What has no live quote is valued at the last one that it had."""

    def __init__(self) -> None:
        self._quotes: dict[str, quote_pb2.Quote] = {}
        self._heard_s: dict[str, float] = {}
        self._prices: dict[str, Price] = {}
        self.changed = asyncio.Event()

    async def run(self, events: Events, stopping: asyncio.Event) -> None:
        """Listens until `stopping` is set."""
        log = structlog.get_logger()
        while not stopping.is_set():
            try:
                subscription = await subscribe_latest(events, STREAM, SUBJECT, self._heard)
            except EventsError as error:
                log.warning("quotes cannot be heard; trying again", reason=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            await stopping.wait()
            await subscription.unsubscribe()

    async def _heard(self, _: str, payload: bytes) -> None:
        try:
            quote = quote_pb2.Quote.FromString(payload)
        except DecodeError:
            return
        self.take(quote)

    def take(self, quote: quote_pb2.Quote) -> None:
        """Keeps a quote. One that has no two sides is not worth anything."""
        if not 0 < quote.bid <= quote.ask:
            return
        self._heard_s[quote.instrument] = asyncio.get_running_loop().time()
        known = self._quotes.get(quote.instrument)
        self._quotes[quote.instrument] = quote
        if known is None or (known.bid, known.ask) != (quote.bid, quote.ask):
            self._prices.pop(quote.instrument, None)
            self.changed.set()

    def price(self, instrument: str) -> Price | None:
        """The newest price of an instrument, or None."""
        price = self._prices.get(instrument)
        if price is None and (quote := self._quotes.get(instrument)) is not None:
            price = self._prices[instrument] = Price(_price(quote.bid), _price(quote.ask))
        return price

    def mid(self, instrument: str) -> int | None:
        """The middle of it, or None."""
        price = self.price(instrument)
        return price.mid if price is not None else None

    def live(self, instrument: str) -> bool:
        """Whether the newest price is one that may be traded on."""
        quote = self._quotes.get(instrument)
        if quote is None or quote.health != quote_pb2.QUOTE_HEALTH_LIVE:
            return False
        return asyncio.get_running_loop().time() - self._heard_s[instrument] <= LIVE_S_MAX

    def mark(self, instrument: str) -> balance_pb2.Mark | None:
        """The price at which something is valued, as a message."""
        price = self.price(instrument)
        if price is None:
            return None
        mark = balance_pb2.Mark(
            instrument=instrument, bid=price_text(price.bid), ask=price_text(price.ask), live=self.live(instrument)
        )
        mark.receive_time.CopyFrom(self._quotes[instrument].receive_time)
        return mark


class Seen:
    """Prices that a valuation looks at, remembered by name."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self.names: set[str] = set()

    def __call__(self, instrument: str) -> Price | None:
        """A price, noted if there is one."""
        price = self._market.price(instrument)
        if price is not None:
            self.names.add(instrument)
        return price

    def marks(self) -> list[balance_pb2.Mark]:
        """All that were looked at, by instrument."""
        return [mark for name in sorted(self.names) if (mark := self._market.mark(name)) is not None]
