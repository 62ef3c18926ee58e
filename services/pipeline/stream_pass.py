"""One pass over a stretch of a stream: its messages as quotes by instrument."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from crossrate.api.marketdata.v1.quote_pb2 import Quote
from crossrate.events import Event
from crossrate.files.chunk import Chunk
from crossrate.files.failure import TEXT_MAX, FileFailure, Rejected
from crossrate.files.shape import Container, Header, Role, Shape
from crossrate.ticks.columns import Ticks
from services.pipeline.domain.specification import Nats, Specification
from services.pipeline.file_pass import Pass, Quarantined
from services.pipeline.work import Work

YEARS_NS = (-2_208_988_800 * 10**9, 7_258_118_400 * 10**9)
"""From 1900 to before 2200: other times are no times of quotes."""


class StreamPass(Pass):
    """Messages that follow on each other. What is no quote is told by the number of its message in the stream."""

    def __init__(self, uri: str, messages: Sequence[Event], spec: Specification, work: Work) -> None:
        """For one stretch.

        Args:
            uri: what it is called.
            messages: in their order.
            spec: the job; its source is a stream.
            work: what is shared with the loop.
        """
        # Stretches follow on each other as they were published: what is late at the end of one is no overlap.
        super().__init__(Path(uri), spec, work, (), lambda: True)
        self._uri, self._messages = uri, messages

    @property
    def _size(self) -> int:
        return sum(len(each.payload) for each in self._messages)

    def _chunks(self) -> Iterator[Chunk]:
        assert isinstance(self._spec.source, Nats)
        if self._spec.source.encoding == "quotes":
            yield from quotes(self._uri, self._messages, self._spec.effective_shape)
        else:
            yield from lines(self._uri, self._messages, self._spec.effective_shape, self._spec.map.instrument)

    def _judge(self) -> None:
        if not self._inspectors and self.reading.rejected:
            raise Quarantined(f"no message is a quote; the first {self.reading.kept[0][1].reason}")
        super()._judge()

    def _overlaps(self, span: object, problems: list[str]) -> list:
        return []


def lines(uri: str, messages: Sequence[Event], shape: Shape, instrument: str | None) -> Iterator[Chunk]:
    """Quotes of messages that are lines of a shape, one or several each, without a header."""
    # Not at import: pyarrow starts threads, and a process that has any cannot be forked.
    from crossrate.files.reader import read

    shape = shape.model_copy(update={"header": Header.NONE, "file_name": "", "container": Container.TEXT})
    place = shape.roles.index(Role.INSTRUMENT) if Role.INSTRUMENT in shape.roles else None
    texts: dict[bytes, list[bytes]] = {}
    numbers: dict[bytes, list[int]] = {}
    delimiter = shape.delimiter.encode()
    for message in messages:
        for line in message.payload.splitlines():
            cells = line.split(delimiter) if place is not None else ()
            symbol = cells[place] if place is not None and place < len(cells) else b""
            texts.setdefault(symbol, []).append(line)
            numbers.setdefault(symbol, []).append(message.sequence)
    with TemporaryDirectory(prefix="xr-") as folder:
        for number, (symbol, group) in enumerate(texts.items()):
            path = Path(folder, str(number))
            path.write_bytes(b"\n".join(group) + b"\n")
            try:
                for chunk in read(path, shape, instrument=instrument):
                    told = tuple(replace(each, line=numbers[symbol][each.line - 1]) for each in chunk.rejected)
                    yield replace(chunk, member=uri, rejected=told, place=None)
            except FileFailure as wrong:
                # None of them is a quote of anything: the others are.
                yield _refused(uri, group, numbers[symbol], wrong.reason)


def _refused(uri: str, group: Sequence[bytes], numbers: Sequence[int], reason: str) -> Chunk:
    rejected = tuple(Rejected.of(number, text, reason) for number, text in zip(numbers, group, strict=True))
    return Chunk(uri, "", Ticks.concatenated([]), None, rejected, len(group), 1, None)


def quotes(uri: str, messages: Sequence[Event], shape: Shape) -> Iterator[Chunk]:
    """Quotes of messages that are each a `Quote` of the platform's contract, in protobuf or in JSON."""
    found: dict[str, list[Quote]] = {}
    rejected: list[Rejected] = []
    for message in messages:
        try:
            quote = _decoded(message.payload)
            name = shape.instrument(quote.instrument)
            _check(quote)
        except ValueError as wrong:
            text = message.payload[: 4 * TEXT_MAX]
            rejected.append(Rejected.of(message.sequence, text, str(wrong)))
            continue
        found.setdefault(name, []).append(quote)
    first = True
    for name, group in found.items():
        told = tuple(rejected) if first else ()
        yield Chunk(uri, name, _ticks(group), None, told, len(group) + len(told), 1, None)
        first = False
    if rejected and not found:
        yield Chunk(uri, "", Ticks.concatenated([]), None, tuple(rejected), len(rejected), 1, None)


def _decoded(payload: bytes) -> Quote:
    """The quote of a message.

    Raises:
        ValueError: it is none.
    """
    try:
        if payload[:1] == b"{":
            return json_format.Parse(payload, Quote())
        return Quote.FromString(payload)
    except json_format.ParseError as wrong:
        raise ValueError(f"is no Quote in JSON: {wrong}") from None
    except (DecodeError, UnicodeDecodeError):
        raise ValueError("is no Quote in protobuf") from None


def _check(quote: Quote) -> None:
    for name in ("bid", "ask"):
        price = getattr(quote, name)
        if not (price > 0 and math.isfinite(price)):
            raise ValueError(f"{name} is {price:g}, not above 0")
    if not quote.HasField("venue_time"):
        raise ValueError("venue_time is not there")
    if not YEARS_NS[0] <= _ns(quote.venue_time) < YEARS_NS[1]:
        raise ValueError("venue_time is not within 1900 and 2200")
    if quote.bid_quantity < 0 or quote.ask_quantity < 0:
        raise ValueError("a quantity is below 0")


def _ns(time: object) -> int:
    return time.seconds * 10**9 + time.nanos  # type: ignore[attr-defined]


def _ticks(group: Sequence[Quote]) -> Ticks:
    """Quotes of one instrument; a quantity of 0 is one that is not known."""

    def amounts(name: str) -> np.ndarray:
        values = np.array([getattr(each, name) for each in group], np.float64)
        return np.where(values > 0, values, np.nan)

    return Ticks.of(
        np.array([_ns(each.venue_time) for each in group], np.int64),
        np.array([each.bid for each in group], np.float64),
        np.array([each.ask for each in group], np.float64),
        bid_quantity=amounts("bid_quantity"),
        ask_quantity=amounts("ask_quantity"),
        receive_time=np.array([_ns(each.receive_time) for each in group], np.int64),
        sequence=np.array([each.sequence for each in group], np.uint64),
    )
