"""One client's stream of prices: what it has been sent, and what it is sent next.

Nothing is kept for a client that does not read: when it reads again, the newest price of each product that changed
meanwhile is made then.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import struct
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2
from crossrate.rpc import errors
from services.pricing import messages
from services.pricing.domain.refusal import Refused
from services.pricing.failures import failures
from services.pricing.live_market import LiveMarket, LiveMarkets, Tick
from services.pricing.live_quotes import Listener
from services.pricing.peers import spot_rate

HEARTBEAT_S = 5.0
FIRST_QUOTES_S = 2.0
"""How long the first message waits for instruments that have no quote yet."""
ASK_AGAIN_S = 1.0

_HEAD = struct.Struct(">B8sQ")
_VERSION = 1
_MARK_BYTES = 6
_NONE = bytes(_MARK_BYTES)


class CursorUnknown(ValueError):
    """The text is no cursor of such a stream."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked for. Times in seconds; `conflation_s` 0 for every change, `messages_max` 0 for no end."""

    products: tuple[product_pb2.Product, ...]
    keys: tuple[bytes, ...]
    market: str
    conflation_s: float
    heartbeat_s: float
    messages_max: int
    cursor: str

    @classmethod
    def of(cls, request: pb.StreamPricesRequest) -> Wanted:
        """A request's wishes."""
        return cls(
            products=tuple(request.products),
            keys=tuple(each.SerializeToString(deterministic=True) for each in request.products),
            market=request.market,
            conflation_s=request.conflation_interval.ToNanoseconds() / 1e9,
            heartbeat_s=request.heartbeat_interval.ToNanoseconds() / 1e9 or HEARTBEAT_S,
            messages_max=request.max_messages,
            cursor=request.resume_cursor,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Its instruments, each once, in order."""
        return tuple(dict.fromkeys(each.instrument for each in self.products))

    def mark(self) -> bytes:
        """Eight bytes that tell its products and market from others."""
        return _digest(8, self.market.encode(), *self.keys)


@dataclass(slots=True)
class Sent:
    """What a client has: by instrument the mark of the quote, and the market's version; a cursor is made of it."""

    wanted: Wanted
    version: int = 0
    marks: dict[str, bytes] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)

    def cursor(self) -> str:
        """As text."""
        names = self.wanted.names
        body = _HEAD.pack(_VERSION, self.wanted.mark(), self.version)
        body += b"".join(self.marks.get(name, _NONE) for name in names)
        return base64.urlsafe_b64encode(body + _digest(4, body)).decode()

    @classmethod
    def of(cls, wanted: Wanted) -> Sent:
        """What a client has by its cursor; nothing without one.

        Raises:
            CursorUnknown: it is none, or one of other products or another market.
        """
        if not wanted.cursor:
            return cls(wanted)
        try:
            raw = base64.b64decode(wanted.cursor, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise CursorUnknown("is no cursor that this stream gave out") from None
        body, check = raw[:-4], raw[-4:]
        if len(body) < _HEAD.size or check != _digest(4, body) or body[0] != _VERSION:
            raise CursorUnknown("is no cursor that this stream gave out")
        _, mark, version = _HEAD.unpack_from(body)
        if mark != wanted.mark():
            raise CursorUnknown("is of a stream of other products or of another market: begin anew without it")
        marks = {name: body[_HEAD.size + i * _MARK_BYTES :][:_MARK_BYTES] for i, name in enumerate(wanted.names)}
        return cls(wanted, version, marks)


def _digest(size: int, *parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(struct.pack(">I", len(p)) + p for p in parts), digest_size=size).digest()


def mark_of(quote: quote_pb2.Quote | None) -> bytes:
    """Six bytes that tell a quote from others; a quote that grows stale is another."""
    return _NONE if quote is None else _digest(_MARK_BYTES, quote.SerializeToString(deterministic=True))


class PriceStreams:
    """Serves streams of prices."""

    def __init__(self, markets: LiveMarkets, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._markets = markets
        self._monotonic = monotonic

    async def messages(self, wanted: Wanted, ending: asyncio.Event) -> AsyncIterator[pb.StreamPricesResponse]:
        """The stream's messages until it is complete or should end; the server adds the message that says why.

        Raises:
            Missing: there is no such market.
            Failure: the cursor is none, or a product cannot be priced at all.
            StoreUnavailable: the market is not in memory, and the database is away.
        """
        for each in wanted.products:
            messages.pair_of(each.instrument)
        try:
            sent = Sent.of(wanted)
        except CursorUnknown as error:
            raise errors.invalid(("resume_cursor", str(error))) from None
        found = await self._markets.market(wanted.market)
        with self._markets.listening(found, frozenset(wanted.names)) as (market, listener):
            stream = _Stream(wanted, sent, market, listener, self._monotonic)
            async for message in stream.messages(ending):
                yield message


class _Stream:
    """One stream's state while it is open."""

    def __init__(
        self, wanted: Wanted, sent: Sent, market: LiveMarket, listener: Listener, monotonic: Callable[[], float]
    ) -> None:
        self._wanted = wanted
        self._sent = sent
        self._market = market
        self._listener = listener
        self._monotonic = monotonic
        self._sequence = 0
        self._checked = False

    async def messages(self, ending: asyncio.Event) -> AsyncIterator[pb.StreamPricesResponse]:
        monotonic, listener, wanted = self._monotonic, self._listener, self._wanted
        await self._first_quotes(ending)
        listener.tick()
        priced, earliest = 0, monotonic()
        heartbeat_at = earliest + wanted.heartbeat_s
        while not ending.is_set():
            now = monotonic()
            update = await self._update() if now >= earliest and listener.pending else None
            if update is None and now < heartbeat_at:
                due = min(heartbeat_at, earliest) if listener.pending else heartbeat_at
                await _pause(listener, due - monotonic(), waits=listener.pending)
                continue
            message = self._message()
            if update is None:
                message.heartbeat.server_time.GetCurrentTime()
            else:
                message.prices.CopyFrom(update)
            yield message
            if update is not None:
                priced += 1
                if priced == wanted.messages_max:
                    return
                earliest = now + wanted.conflation_s
            heartbeat_at = monotonic() + wanted.heartbeat_s

    def _message(self) -> pb.StreamPricesResponse:
        self._sequence += 1
        position = stream_pb2.StreamPosition(sequence=self._sequence, cursor=self._sent.cursor())
        return pb.StreamPricesResponse(position=position)

    async def _first_quotes(self, ending: asyncio.Event) -> None:
        """Waits a little for instruments of which nobody knew until now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_QUOTES_S):
                while any(self._market.tick(name) is None for name in self._wanted.names) and not ending.is_set():
                    self._listener.look()
                    await self._listener.changed()

    async def _update(self) -> pb.PriceUpdate | None:
        """The products that changed since the last message; None if none did. They are then sent."""
        self._listener.look()
        market, sent, wanted = self._market, self._sent, self._wanted
        version = market.version
        ticks = {name: market.tick(name) for name in wanted.names}
        marks = {name: mark_of(tick and tick.quote) for name, tick in ticks.items()}
        # On a stream that begins, the marks of a cursor may be those of instruments without a quote, which are told.
        fresh = version != sent.version
        changed = [
            i
            for i, each in enumerate(wanted.products)
            if fresh or marks[each.instrument] != sent.marks.get(each.instrument)
        ]
        if not changed:
            return None
        prices = await asyncio.gather(*(self._price(i, ticks[wanted.products[i].instrument]) for i in changed))
        self._checked = True
        conflated = 0
        for name, tick in ticks.items():
            if tick is not None:
                sequence = tick.quote.sequence
                conflated += max(sequence - sent.sequences.get(name, sequence) - 1, 0)
                sent.sequences[name] = sequence
        sent.version, sent.marks = version, marks
        return pb.PriceUpdate(market_version=version, prices=prices, conflated_count=conflated)

    async def _price(self, index: int, tick: Tick | None) -> pb.StreamedPrice:
        product = self._wanted.products[index]
        message = pb.StreamedPrice(index=index)
        if tick is None:
            message.problem.CopyFrom(errors.no_quote(product.instrument, "UNSPECIFIED").to_status())
            return message
        message.spot.CopyFrom(spot_rate(tick.quote))
        message.quote_health = tick.quote.health
        message.quote_receive_time.CopyFrom(tick.quote.receive_time)
        try:
            with failures():
                try:
                    message.price.CopyFrom(await tick.price(self._wanted.keys[index], product))
                except Refused as error:
                    field = f"products[{index}]{error.field.removeprefix('product')}"
                    raise Refused(field, error.words) from None
        except errors.Failure as failure:
            # In the beginning it is a mistake of the client's; later it is how the product went.
            if not self._checked:
                raise
            message.problem.CopyFrom(failure.to_status())
        return message


async def _pause(listener: Listener, seconds: float, *, waits: bool) -> None:
    """Until something changes or the time is over; with `waits` only the time counts."""
    if waits:
        await asyncio.sleep(max(seconds, 0.0))
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, 0.0)):
            await listener.changed()
