"""Checks written down as bytes of the contract's messages.

An order has twenty checks, and most of a check is the same every time: its scope, kind, limit and unit are encoded once
for each limit, and the answer is put together from them. A test compares the bytes with what the generated classes
make.
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.common.v1 import check_pb2
from crossrate.api.trading.v1 import execution_pb2
from services.risk.domain.pretrade.amounts import price_text, text_of
from services.risk.domain.pretrade.authorise import Outcome
from services.risk.domain.pretrade.checks import Found, Row
from services.risk.domain.pretrade.market import Instrument

_AUTHORISED = b"\x08\x01"
_CHECKS, _QUOTE, _CURRENCY, _EQUITY, _BEFORE, _AFTER = b"\x12", b"\x1a", b"\x22", b"\x2a", b"\x32", b"\x3a"
"""Tags of Authorisation's fields."""
_VALUE, _HEADROOM = b"\x2a", b"\x32"
"""Tags of Check's fields."""


def varint(number: int) -> bytes:
    """A number as protobuf writes it (protobuf, "Encoding")."""
    if number < 128:
        return _SMALL[number]
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)


_SMALL = tuple(bytes([n]) for n in range(128))


def _fixed(row: Row, version: int) -> tuple[bytes, bytes]:
    """What is the same in every passed check of a row: with and without numbers."""
    message = check_pb2.Check(
        kind=int(row.kind), scope=row.scope, passed=True, unit=row.unit, text=row.words, limits_version=version
    )
    bare = message.SerializeToString()
    whole = bare
    if row.limit is not None:
        message.limit = text_of(row.limit)
        whole = message.SerializeToString()
    return whole, bare


def _check(found: Found, version: int) -> bytes:
    row, passed, limit, value, text = found
    encoded = row.encoded
    if encoded is None:
        encoded = row.encoded = _fixed(row, version)
    if passed:
        if value is None:
            body = encoded[1]
        else:
            value_text = text_of(value)
            left_text = text_of(limit - value)
            if limit == row.limit:
                head = encoded[0]
            else:
                limit_text = text_of(limit).encode()
                head = encoded[1] + b"\x22" + varint(len(limit_text)) + limit_text
            body = b"%b\x2a%c%b\x32%c%b" % (
                head,
                len(value_text),
                value_text.encode(),
                len(left_text),
                left_text.encode(),
            )
    else:
        message = check_pb2.Check(
            kind=int(row.kind), scope=row.scope, unit=row.unit, text=text[:1000], limits_version=version
        )
        if value is not None:
            message.limit, message.value = text_of(limit), text_of(value)
            message.headroom = text_of(limit - value)
        body = message.SerializeToString()
    return _CHECKS + varint(len(body)) + body


def _text(tag: bytes, text: str) -> bytes:
    return tag + _SMALL[len(text)] + text.encode()


class Quotes:
    """Quotes as they were seen, encoded once for each."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, int, int, bytes]] = {}

    def encoded(self, instrument: Instrument) -> bytes:
        """The quote of an instrument as a field of Authorisation; empty if there was none."""
        if not instrument.mid:
            return b""
        key = instrument.sequence, instrument.bid, instrument.ask
        kept = self._kept.get(instrument.name)
        if kept is not None and kept[:3] == key:
            return kept[3]
        received = Timestamp()
        received.FromNanoseconds(instrument.receive_ns)
        body = execution_pb2.QuoteSeen(
            bid=price_text(instrument.bid),
            ask=price_text(instrument.ask),
            source=instrument.source,
            sequence=instrument.sequence,
            receive_time=received,
        ).SerializeToString()
        made = _QUOTE + varint(len(body)) + body
        self._kept[instrument.name] = (*key, made)
        return made


def authorisation(outcome: Outcome, version: int, quotes: Quotes) -> bytes:
    """An Authorisation as bytes."""
    parts = [_AUTHORISED] if outcome.authorised else []
    parts += [_check(found, version) for found in outcome.checks]
    if outcome.instrument is not None:
        parts.append(quotes.encoded(outcome.instrument))
    if outcome.equity is not None:
        parts.append(_text(_EQUITY, text_of(outcome.equity)))
    if outcome.currency:
        parts.append(_text(_CURRENCY, outcome.currency))
        parts.append(_text(_BEFORE, text_of(outcome.margin_before)))
        parts.append(_text(_AFTER, text_of(outcome.margin_after)))
    return b"".join(parts)


def response(outcomes: Iterable[Outcome], limits_version: int, gate_version: int, quotes: Quotes) -> bytes:
    """An AuthoriseResponse as bytes."""
    parts = []
    for outcome in outcomes:
        body = authorisation(outcome, limits_version, quotes)
        parts.append(b"\x0a" + varint(len(body)) + body)
    if gate_version:
        parts.append(b"\x18" + varint(gate_version))
    return b"".join(parts)
