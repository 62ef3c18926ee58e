"""One quote on the board, and what the composite makes of it."""

from __future__ import annotations

from dataclasses import replace

from google.protobuf.internal.encoder import _VarintBytes as varint

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as service_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.domain.composite import Health, Shown

NANOSECONDS = 1_000_000_000
COMPOSITE = ""
"""Stands for the composite where a source is named."""
COMPOSITE_SOURCE = "composite"
"""What a composite of several venues says of itself."""

_ELEMENT_TAG = bytes([service_pb.QuoteBatch.QUOTES_FIELD_NUMBER << 3 | 2])
_HEADS = [_ELEMENT_TAG + varint(size) for size in range(512)]
"""What stands before a quote of so many bytes as an element of `QuoteBatch.quotes`."""


class Entry:
    """One quote, encoded once for all who will be sent it.

    Attributes:
        position: how many quotes this instance had seen with it; its place in the ring.
        place: its place in the log, the same on every instance.
        epoch: the term of its feed in which it was written.
        name: its instrument.
        quote: the message; never changed.
        source: its feed; COMPOSITE for one that was made of several.
        composite: whether it is the instrument's composite; with one venue its quotes are both.
    """

    __slots__ = ("_encoded", "_response", "composite", "epoch", "name", "place", "position", "quote", "source")

    def __init__(
        self, position: int, place: int, epoch: int, name: str, quote: pb.Quote, source: str, composite: bool
    ) -> None:
        self.position = position
        self.place = place
        self.epoch = epoch
        self.name = name
        self.quote = quote
        self.source = source
        self.composite = composite
        self._encoded: bytes | None = None
        self._response: service_pb.GetQuoteResponse | None = None

    @property
    def encoded(self) -> bytes:
        """The quote as one element of `QuoteBatch.quotes`, tag and length included; made when first asked for."""
        encoded = self._encoded
        if encoded is None:
            body = self.quote.SerializeToString()
            size = len(body)
            encoded = self._encoded = (_HEADS[size] if size < len(_HEADS) else _ELEMENT_TAG + varint(size)) + body
        return encoded

    def response(self) -> service_pb.GetQuoteResponse:
        """The answer of GetQuote, made when first asked for."""
        if self._response is None:
            self._response = service_pb.GetQuoteResponse(quote=self.quote)
        return self._response

    def of(self, source: str) -> bool:
        """Whether it belongs to what a reader of a source is sent."""
        return self.composite if source == COMPOSITE else self.source == source

    def again(self, quote: pb.Quote) -> Entry:
        """The same place with another quote under the same number."""
        return Entry(self.position, self.place, self.epoch, self.name, quote, self.source, self.composite)


def shown(quote: pb.Quote) -> Shown:
    """A quote as the composite looks at it."""
    venue, receive = quote.venue_time, quote.receive_time
    return Shown(
        quote.bid,
        quote.ask,
        quote.bid_quantity,
        quote.ask_quantity,
        Health(quote.health),
        quote.sequence,
        venue.seconds * NANOSECONDS + venue.nanos,
        receive.seconds * NANOSECONDS + receive.nanos,
    )


def aged(seen: Shown) -> Shown:
    """The same, too old to be traded on."""
    return replace(seen, health=Health.STALE)


def quote_of(name: str, made: Shown) -> pb.Quote:
    """A composite as a quote, with the flags that its prices and its health say by themselves."""
    flags = [pb.QUOTE_FLAG_LOCKED] if made.bid == made.ask else []
    if made.health == Health.GAPPED:
        flags.append(pb.QUOTE_FLAG_AFTER_GAP)
    quote = pb.Quote(
        instrument=name,
        bid=made.bid,
        ask=made.ask,
        bid_quantity=made.bid_quantity,
        ask_quantity=made.ask_quantity,
        sequence=made.sequence,
        health=int(made.health),
        source=COMPOSITE_SOURCE,
        flags=flags,
    )
    quote.venue_time.FromNanoseconds(made.venue_time)
    quote.receive_time.FromNanoseconds(made.receive_time)
    return quote
