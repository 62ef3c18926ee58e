"""Checks written down as bytes of the contract's messages.

An order has twenty checks, and most of a check is the same every time: its scope, kind, limit and unit are encoded once
for each limit, and the answer is put together from them. A test compares the bytes with what the generated classes
make.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.common.v1 import check_pb2
from crossrate.api.trading.v1 import execution_pb2
from services.risk.domain.pretrade.amounts import SCALE, price_text, text_of
from services.risk.domain.pretrade.authorise import Outcome
from services.risk.domain.pretrade.checks import Found, Row
from services.risk.domain.pretrade.market import Instrument
from services.risk.domain.pretrade.sums import WITHOUT_PRICE

_AUTHORISED = b"\x08\x01"
_CHECKS, _QUOTE, _CURRENCY, _EQUITY, _BEFORE, _AFTER = b"\x12", b"\x1a", b"\x22", b"\x2a", b"\x32", b"\x3a"
_FREE, _FIRST_LIMIT = b"\x42", b"\x48"
"""Tags of Authorisation's fields."""


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


def _fixed(row: Row, version: int) -> tuple[bytes, bytes, bytes]:
    """What all passed checks of a row share: with its limit, without it, and as a whole field without numbers."""
    message = check_pb2.Check(
        kind=int(row.kind), scope=row.scope, passed=True, unit=row.unit, text=row.words, limits_version=version
    )
    bare = message.SerializeToString()
    whole = bare
    if row.limit is not None:
        message.limit = text_of(row.limit)
        whole = message.SerializeToString()
    return whole, bare, _CHECKS + varint(len(bare)) + bare


def _checks(checks: Iterable[Found], version: int, parts: list[bytes]) -> int:
    """Every check as a field of Authorisation; returns the place, from 1, of the one that is nearest to its limit."""
    nearest, first = math.inf, 0
    for place, found in enumerate(checks, 1):
        row, passed, limit, value, _ = found
        if limit is not None and value is not None and value < WITHOUT_PRICE:
            # A ranking for people: the amounts themselves are never floats.
            share = (limit - value) / abs(limit) if limit else (limit - value) / SCALE
            if share < nearest:
                nearest, first = share, place
        if not passed:
            parts.append(_failed(found, version))
            continue
        encoded = row.encoded
        if encoded is None:
            encoded = row.encoded = _fixed(row, version)
        if value is None or limit is None:
            parts.append(encoded[2])
            continue
        whole, part = divmod(value, SCALE)
        value_text = b"%d.%04d" % (whole, part) if part else b"%d" % whole
        whole, part = divmod(limit - value, SCALE)
        left_text = b"%d.%04d" % (whole, part) if part else b"%d" % whole
        if value > limit:
            # It passed since it was no smaller before.
            left_text = text_of(limit - value).encode()
        head = encoded[0]
        if limit != row.limit:
            limit_text = text_of(limit).encode()
            head = b"%b\x22%c%b" % (encoded[1], len(limit_text), limit_text)
        value_length, left_length = len(value_text), len(left_text)
        length = len(head) + value_length + left_length + 4
        if length < 128:
            body = b"\x12%c%b\x2a%c%b\x32%c%b"
            parts.append(body % (length, head, value_length, value_text, left_length, left_text))
        else:
            body = b"\x12%b%b\x2a%c%b\x32%c%b"
            parts.append(body % (varint(length), head, value_length, value_text, left_length, left_text))
    return first


def _failed(found: Found, version: int) -> bytes:
    row, _, limit, value, text = found
    message = check_pb2.Check(
        kind=int(row.kind), scope=row.scope, unit=row.unit, text=text[:1000], limits_version=version
    )
    if value is not None and limit is not None:
        message.limit = text_of(limit)
        # A value without a price is above any limit and no number.
        if value < WITHOUT_PRICE:
            message.value, message.headroom = text_of(value), text_of(limit - value)
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
    first_limit = _checks(outcome.checks, version, parts)
    if first_limit:
        parts.append(_FIRST_LIMIT + varint(first_limit))
    if outcome.instrument is not None:
        parts.append(quotes.encoded(outcome.instrument))
    if outcome.equity is not None:
        parts.append(_text(_EQUITY, text_of(outcome.equity)))
    if outcome.currency:
        parts.append(_text(_CURRENCY, outcome.currency))
        parts.append(_text(_BEFORE, text_of(outcome.margin_before)))
        parts.append(_text(_AFTER, text_of(outcome.margin_after)))
        parts.append(_text(_FREE, text_of((outcome.equity or 0) - outcome.margin_after)))
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
