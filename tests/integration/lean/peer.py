"""A client of frames: it says exactly what a test wants said, and shows exactly what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hpack import Decoder, Encoder

from crossrate.rpc.lean.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
)

PATIENCE_S = 60.0


async def eventually(condition: Callable[[], object]) -> None:
    """Returns once the condition holds; fails when it does not in time."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what it asks about tells nobody when it changes
            await asyncio.sleep(0.001)


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Any frame, sensible or not."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def settings(*values: tuple[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(n.to_bytes(2, "big") + v.to_bytes(4, "big") for n, v in values))


def window(stream: int, credit: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, 0, stream, credit.to_bytes(4, "big"))


def reset(stream: int, code: int = 8) -> bytes:
    """A RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def message(raw: bytes, packed: int = 0) -> bytes:
    """A gRPC message with its prefix."""
    return bytes((packed,)) + len(raw).to_bytes(4, "big") + raw


def data(stream: int, payload: bytes, end: bool = False) -> bytes:
    """DATA frames with some bytes, none longer than a frame may be."""
    parts = [payload[at : at + 16_384] for at in range(0, len(payload), 16_384)] or [b""]
    last = len(parts) - 1
    return b"".join(frame(DATA, END_STREAM if end and i == last else 0, stream, p) for i, p in enumerate(parts))


def block(fields: list[tuple[str, str]]) -> bytes:
    """A header block that uses no table."""
    encoder = Encoder()
    encoder.header_table_size = 0
    return encoder.encode([(n.encode("latin-1"), v.encode("latin-1")) for n, v in fields])


def request(path: str, *more: tuple[str, str], without: str = "") -> list[tuple[str, str]]:
    """The headers of a gRPC request, without one of its own, with some more."""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    return [(name, value) for name, value in fields if name != without] + list(more)


def headers(stream: int, fields: list[tuple[str, str]], end: bool = False) -> bytes:
    """A HEADERS frame."""
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block(fields))


def call(stream: int, path: str, raw: bytes = b"", *more: tuple[str, str]) -> bytes:
    """A whole call with one request."""
    return headers(stream, request(path, *more)) + data(stream, message(raw), True)


@dataclass
class Answer:
    """What came on one stream."""

    headers: dict[str, str] | None = None
    body: bytearray = field(default_factory=bytearray)
    trailers: dict[str, str] | None = None
    ended: bool = False
    reset: int | None = None

    @property
    def messages(self) -> list[bytes]:
        """The whole messages so far."""
        found, at = [], 0
        while at + 5 <= len(self.body):
            size = int.from_bytes(self.body[at + 1 : at + 5], "big")
            if at + 5 + size > len(self.body):
                break
            found.append(bytes(self.body[at + 5 : at + 5 + size]))
            at += 5 + size
        return found

    @property
    def status(self) -> str | None:
        """The gRPC status."""
        found = self.trailers if self.trailers is not None else self.headers
        return found.get("grpc-status") if found is not None and self.ended else None

    @property
    def words(self) -> str:
        """The message beside the status."""
        found = self.trailers if self.trailers is not None else self.headers
        return (found or {}).get("grpc-message", "")


class Peer:
    """A connection to the server. It acknowledges settings unless told not to, and opens no window by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, acknowledges: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._acknowledges = acknowledges
        self._decoder = Decoder(max_header_list_size=1 << 20)
        self._part: bytearray | None = None
        self._pings = 0
        self.answers_pings = True
        self.settings: dict[int, int] = {}
        self.answers: dict[int, Answer] = {}
        self.windows: dict[int, int] = {}
        self.goaways: list[tuple[int, int, str]] = []
        self.pongs: list[bytes] = []
        self.pings: list[bytes] = []
        self.settings_acknowledged = 0
        self.eof = False

    def send(self, *frames: bytes) -> None:
        """Says something."""
        self._writer.write(b"".join(frames))

    async def drain(self) -> None:
        """Waits until the other side has read most of what was said."""
        await self._writer.drain()

    def answer(self, stream: int) -> Answer:
        """What has come on a stream so far."""
        return self.answers.setdefault(stream, Answer())

    async def step(self) -> None:
        """Reads one frame."""
        try:
            head = await self._reader.readexactly(9)
            payload = await self._reader.readexactly(int.from_bytes(head[:3], "big"))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.eof = True
            return
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == DATA:
            self.answer(stream).body += payload
        elif kind in (HEADERS, CONTINUATION):
            self._fields(kind, flags, stream, payload)
        elif kind == RST_STREAM:
            self.answer(stream).reset = int.from_bytes(payload, "big")
        elif kind == SETTINGS and flags & ACK:
            self.settings_acknowledged += 1
        elif kind == SETTINGS:
            pairs = (payload[at : at + 6] for at in range(0, len(payload), 6))
            self.settings |= {int.from_bytes(p[:2], "big"): int.from_bytes(p[2:], "big") for p in pairs}
            if self._acknowledges:
                self.send(frame(SETTINGS, ACK))
        elif kind == PING and flags & ACK:
            self.pongs.append(payload)
        elif kind == PING:
            self.pings.append(payload)
            if self.answers_pings:
                self.send(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            last, code = int.from_bytes(payload[:4], "big"), int.from_bytes(payload[4:8], "big")
            self.goaways.append((last, code, payload[8:].decode()))
        elif kind == WINDOW_UPDATE:
            self.windows[stream] = self.windows.get(stream, 0) + int.from_bytes(payload, "big")
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.answer(stream).ended = True

    def _fields(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self._part = bytearray(payload) if kind == HEADERS else self._part + payload
        if not flags & END_HEADERS:
            return
        fields = dict(self._decoder.decode(bytes(self._part)))
        answer = self.answer(stream)
        if answer.headers is None:
            answer.headers = fields
        else:
            answer.trailers = fields

    async def until(self, condition: Callable[[], object]) -> None:
        """Reads until the condition holds; fails if the connection ends before, or nothing comes."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                assert not self.eof, f"the connection ended: {self.goaways}"
                await self.step()

    async def finished(self, *streams: int) -> list[Answer]:
        """Reads until these streams are answered or reset."""
        answers = [self.answer(stream) for stream in streams]
        await self.until(lambda: all(a.ended or a.reset is not None for a in answers))
        return answers

    async def ended(self) -> None:
        """Reads to the end of the connection."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.eof:
                await self.step()

    async def settle(self) -> None:
        """Returns when the server has acted on all that was said, and has said all that it wants to for now."""
        for _ in range(4):
            self._pings += 1
            wanted = self._pings.to_bytes(8, "big")
            self.send(frame(PING, 0, 0, wanted))
            await self.until(lambda wanted=wanted: wanted in self.pongs)


@asynccontextmanager
async def connected(
    path: Path, *values: tuple[int, int], acknowledges: bool = True, greets: bool = True
) -> AsyncIterator[Peer]:
    """A connection with these settings, closed at the end."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    peer = Peer(reader, writer, acknowledges)
    try:
        if greets:
            peer.send(PREFACE, settings(*values))
            await peer.until(lambda: peer.settings and peer.settings_acknowledged)
        yield peer
    finally:
        writer.transport.abort()
