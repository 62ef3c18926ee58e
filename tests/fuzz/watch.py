"""A transport that goes nowhere: it keeps what is written, and knows what may be."""

from __future__ import annotations

import asyncio
from typing import Any

from hpack import Decoder

from crossrate.rpc.lean import frames
from crossrate.rpc.lean.connection import Connection
from tests.fuzz import shapes

HIGH_BYTES = 64 << 10


class Grants:
    """How many bytes of DATA may have been written, by what was heard. It counts generously, never too little."""

    def __init__(self, from_client: bool) -> None:
        self._rest = b""
        self._preface = len(frames.PREFACE) if from_client else 0
        self._initial = frames.WINDOW_BYTES_DEFAULT
        self._initial_most = frames.WINDOW_BYTES_DEFAULT
        self._updates: dict[int, int] = {0: frames.WINDOW_BYTES_DEFAULT}

    def hear(self, raw: bytes) -> None:
        """Takes note of windows in what a peer says."""
        skipped = min(self._preface, len(raw))
        self._preface -= skipped
        raw = self._rest + raw[skipped:]
        at = 0
        while len(raw) - at >= 9:
            word, flags, stream = frames.HEAD.unpack_from(raw, at)
            end = at + 9 + (word >> 8)
            if end > len(raw):
                break
            payload, kind, stream = raw[at + 9 : end], word & 0xFF, stream & frames.STREAM_ID_MAX
            at = end
            if kind == frames.WINDOW_UPDATE and len(payload) == 4:
                credit = int.from_bytes(payload, "big") & frames.WINDOW_BYTES_MAX
                self._updates[stream] = self._updates.get(stream, 0) + credit
            elif kind == frames.SETTINGS and not flags & frames.ACK and len(payload) % 6 == 0:
                for name, value in frames.SETTING.iter_unpack(payload):
                    if name == frames.INITIAL_WINDOW_SIZE:
                        self._initial_most = max(self._initial_most, value)
        self._rest = raw[at:]

    def most(self, stream: int) -> int:
        """The most bytes of a stream, or of the connection."""
        return self._updates.get(stream, 0) + (self._initial_most if stream else 0)


class Wire:
    """The transport of one connection, and the checks of what is written to it."""

    def __init__(self, connection: Connection, from_client: bool) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._grants = Grants(from_client)
        self._decoder = Decoder(max_header_list_size=1 << 20)
        self._from_client = from_client
        self._unread = 0
        self._hears = True
        self._reading = True
        self._rest = b""
        self._block: bytes | None = None
        self._sent: dict[int, int] = {0: 0}
        self._ended: set[int] = set()
        self._reset: set[int] = set()
        self._begun: set[int] = set()
        self._preface = 0 if from_client else len(frames.PREFACE)
        self._closing = False
        self.closed = False
        self.said: list[int] = []
        """The kinds of frames written."""

    # What a connection uses.

    def write(self, raw: bytes) -> None:
        """See asyncio.Transport."""
        assert raw, "nothing was written"
        if self._closing:
            return
        self._rest += raw
        if not self._hears:
            self._unread += len(raw)
            if self._unread > HIGH_BYTES and not self._connection.paused:
                self._connection.pause_writing()

    def get_extra_info(self, _name: str) -> Any:
        """See asyncio.Transport."""
        return None

    def is_closing(self) -> bool:
        """See asyncio.Transport."""
        return self._closing

    def pause_reading(self) -> None:
        """See asyncio.Transport."""
        self._reading = False

    def resume_reading(self) -> None:
        """See asyncio.Transport."""
        self._reading = True

    def close(self) -> None:
        """See asyncio.Transport."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lost, None)

    def abort(self) -> None:
        """See asyncio.Transport."""
        self.close()

    def _lost(self, error: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self._connection.connection_lost(error)

    # What the peer does.

    @property
    def takes_bytes(self) -> bool:
        """Whether what the peer says is read."""
        return self._reading and not self._closing

    def heard(self, raw: bytes) -> None:
        """The peer says something."""
        self._grants.hear(raw)

    def act(self, action: str) -> None:
        """The peer stops reading, or reads again."""
        if action == shapes.DEAF:
            self._hears = False
        elif action == shapes.HEARING and not self._hears:
            self._hears, self._unread = True, 0
            if self._connection.paused:
                self._connection.resume_writing()

    def lose(self, with_error: bool) -> None:
        """The peer goes away."""
        self._closing = True
        self._lost(ConnectionResetError() if with_error else None)

    # What has to hold.

    def check(self) -> None:
        """All that was written so far is frames, in an order that HTTP/2 allows, within the peer's windows."""
        raw, at = self._rest[self._preface :], 0
        if self._preface:
            assert self._rest[: self._preface] == frames.PREFACE
            self._preface = 0
        while at < len(raw):
            word, flags, stream = frames.HEAD.unpack_from(raw, at)
            size = word >> 8
            assert size <= frames.FRAME_BYTES_MAX
            payload = raw[at + 9 : at + 9 + size]
            assert len(payload) == size, "a frame was cut off"
            at += 9 + size
            self._frame(word & 0xFF, flags, stream, payload)
        self._rest = b""

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self.said.append(kind)
        assert self._block is None or kind == frames.CONTINUATION
        if kind in (frames.DATA, frames.HEADERS, frames.CONTINUATION):
            assert stream & 1
            assert stream not in self._ended, "something after the end"
            assert stream not in self._reset, "something after a reset"
        if kind == frames.DATA:
            assert stream in self._begun
            for counted in (0, stream):
                self._sent[counted] = self._sent.get(counted, 0) + len(payload)
                assert self._sent[counted] <= self._grants.most(counted), "more than the window"
        elif kind in (frames.HEADERS, frames.CONTINUATION):
            self._begun.add(stream)
            self._block = (self._block or b"") + payload
            if flags & frames.END_HEADERS:
                assert self._decoder.decode(self._block)
                self._block = None
        elif kind == frames.RST_STREAM:
            assert len(payload) == 4
            self._reset.add(stream)
        elif kind == frames.WINDOW_UPDATE:
            assert 0 < int.from_bytes(payload, "big") <= frames.WINDOW_BYTES_MAX
        elif kind == frames.GOAWAY:
            assert not stream
        else:
            assert (kind in (frames.SETTINGS, frames.PING), stream) == (True, 0)
        if kind in (frames.DATA, frames.HEADERS) and flags & frames.END_STREAM:
            self._ended.add(stream)
