"""Quotes that a program outside of the mesh publishes on NATS, as our `Quote` in protobuf or in JSON.

A message is one quote. What begins with "{" is JSON, with the contract's names as in protobuf's JSON mapping
(bidQuantity or bid_quantity; numbers or strings of them); a field that the contract does not have is refused, not
dropped. Of the message's own fields count: instrument, bid, ask, their quantities, venue_time, sequence (the
publisher's own, 1, 2, 3 … an instrument; gaps in it are seen) and health, of which anything but LIVE withdraws the
instrument. A time is in UTC, as the contract says, but one in JSON that names no zone: that is on the feed's `clock`.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any

import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.events.events import Events
from services.marketdata.adapter import Disconnected, Sink
from services.marketdata.domain.normalise import IN_UTC, WITHDRAWN, Raw
from services.marketdata.feeds import NatsFeed

MALFORMED = "the message is neither a Quote in protobuf nor one in JSON"
UNKNOWN_FIELD = "the JSON message has a field that Quote does not have"
NO_INSTRUMENT = "the message names no instrument"
WAITING_MAX = 8_192
NANOSECONDS = 1_000_000_000

_FIELDS = {field.json_name: field.name for field in pb.Quote.DESCRIPTOR.fields} | {
    field.name: field.name for field in pb.Quote.DESCRIPTOR.fields
}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LIVE = (0, pb.QUOTE_HEALTH_LIVE)


class FromNats:
    """One subscription."""

    def __init__(self, spec: NatsFeed, events: Events) -> None:
        self._spec = spec
        self._events = events

    async def run(self, sink: Sink) -> None:
        """See Adapter."""

        async def heard(message: Msg) -> None:
            raw = read(message.data)
            if isinstance(raw, str):
                sink.reject(raw)
                return
            sink.put((raw,))
            if sink.full:
                # Further messages wait in the client; what it cannot keep shows as a gap in the publisher's numbers.
                await sink.room()

        try:
            subscription = await self._events.subscribe_core(self._spec.subject, heard, pending_max=WAITING_MAX)
        except (nats.errors.Error, OSError) as error:
            raise Disconnected(f"NATS does not take the subscription: {error!r}") from error
        try:
            sink.up(f"listening to {self._spec.subject}")
            # When NATS goes the log goes with it, and that ends the term.
            await asyncio.get_running_loop().create_future()
        finally:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()


def read(payload: bytes) -> Raw | str:
    """The quote that a message is, or why it is none."""
    try:
        if payload[:1] == b"{":
            return _from_json(json.loads(payload))
        quote = pb.Quote.FromString(payload)
    except (DecodeError, ValueError, TypeError, OverflowError):
        return MALFORMED
    if not quote.instrument:
        return NO_INSTRUMENT
    time = quote.venue_time
    return Raw(
        quote.instrument,
        quote.bid,
        quote.ask,
        quote.bid_quantity,
        quote.ask_quantity,
        time.seconds * NANOSECONDS + time.nanos,
        quote.sequence,
        IN_UTC if quote.health in _LIVE else WITHDRAWN,
    )


def _from_json(document: Mapping[str, Any]) -> Raw | str:
    if not document.keys() <= _FIELDS.keys():
        return UNKNOWN_FIELD
    given = {_FIELDS[name]: value for name, value in document.items()}
    if not isinstance(given.get("instrument"), str) or not given["instrument"]:
        return NO_INSTRUMENT
    health = given.get("health", "QUOTE_HEALTH_LIVE")
    health = pb.QuoteHealth.Value(health) if isinstance(health, str) else int(health)
    time_ns, utc = _time(given.get("venue_time"))
    sequence = int(given.get("sequence", 0))
    if not 0 <= sequence < 1 << 64:
        raise ValueError(f"{sequence} is no sequence")
    return Raw(
        given["instrument"],
        _number(given.get("bid")),
        _number(given.get("ask")),
        _number(given.get("bid_quantity", 0)),
        _number(given.get("ask_quantity", 0)),
        time_ns,
        sequence,
        (IN_UTC if utc else 0) if health in _LIVE else WITHDRAWN,
    )


def _number(value: object) -> float:
    """A number of JSON, or a string of one; NaN if there is none.

    Raises:
        ValueError: it is neither.
    """
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or "_" in str(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _time(value: object) -> tuple[int, bool]:
    """Nanoseconds since 1970 of an RFC 3339 time and whether it is in UTC; 0 if there is none.

    Raises:
        ValueError: it is none.
    """
    if value is None:
        return 0, True
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no time")
    whole, dot, rest = value.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if dot else ""
    moment = dt.datetime.fromisoformat(whole + rest[len(digits) :])
    passed = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - _EPOCH
    nanoseconds = (passed.days * 86_400 + passed.seconds) * NANOSECONDS + int(digits[:9].ljust(9, "0"))
    return nanoseconds, moment.tzinfo is not None
