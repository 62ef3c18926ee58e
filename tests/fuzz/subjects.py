"""What is fuzzed, and what has to hold: a server's connection, a client's, the reader of fields, the messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import grpc
import structlog

from crossrate.rpc.lean import LeanChannel, LeanTransport, frames, messages
from crossrate.rpc.lean.client_connection import ClientConnection
from crossrate.rpc.lean.connection import Connection
from crossrate.rpc.lean.fields import FieldReader
from crossrate.rpc.lean.frames import Broken, Malformed
from crossrate.rpc.lean.server import ServerConnection
from tests.fuzz import shapes
from tests.fuzz.watch import Wire
from tests.integration.lean.serving import Handlers

TURNS_AT_THE_END = 40
REQUEST_BYTES_MAX = 1 << 20


class Mild(Handlers):
    """The handlers of the integration tests, with sizes that stay small whatever is asked."""

    async def big(self, request: bytes, context: Any) -> bytes:
        """An answer of several frames."""
        return bytes(40_000)

    async def count(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """Some answers."""
        for _ in range(len(request) % 100):
            yield bytes(2000)


async def turns(count: int) -> None:
    """Lets everything that is ready run, some times over."""
    for _ in range(count):
        await asyncio.sleep(0)


def check_open(connection: Connection) -> None:
    """What holds between any two things that happen to a connection."""
    window = connection.stream_window
    for stream in connection.streams.values():
        # A message that was let in and then refused leaves its window open.
        assert 0 <= stream.window_in <= max(window, stream.bytes_max), stream.window_in
        assert stream.queue_bytes <= 2 * window + stream.bytes_max
    given, wanted = connection._room_given, connection._room_wanted
    assert connection.room_used == sum(given.values())
    assert given.keys() | wanted.keys() <= connection.streams.keys()
    assert not wanted or given
    assert connection.window_out >= 0
    assert len(connection._rest) <= frames.FRAME_BYTES_MAX + 64
    assert sum(map(len, connection._out)) <= 8 << 20


def check_over(connection: Connection) -> None:
    """What holds once a connection has ended and everybody has had a turn."""
    assert not connection.streams, connection.streams
    assert not connection._waiting
    assert connection.room_used == 0
    assert not connection._room_given
    assert not connection._room_wanted
    assert not connection._out
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not others, others


async def follow(connection: Connection, wire: Wire, happening: Iterable[shapes.Action], act: Callable) -> None:
    """Lets things happen to a connection until it is closed or there are no more."""
    for action in happening:
        if wire.closed:
            break
        if isinstance(action, str):
            act(action)
            await turns(1)
        elif action and wire.takes_bytes:
            wire.heard(action)
            connection.data_received(action)
        wire.check()
        if not connection.closed and not wire.closed:
            check_open(connection)


async def _serve(happening: Iterable[shapes.Action], with_error: bool) -> None:
    transport = LeanTransport()
    handlers = Mild()
    transport.methods, transport.unknown = handlers.methods(), handlers.unknown()
    transport.bytes_max = REQUEST_BYTES_MAX
    transport.reason_to_refuse = lambda _transport: ""
    connection = ServerConnection(transport)
    wire = Wire(connection, from_client=True)
    connection.connection_made(wire)
    background: list[asyncio.Task] = []

    def act(action: str) -> None:
        if action == shapes.LEAVE and not background:
            background.append(asyncio.get_running_loop().create_task(connection.drain()))
        elif action == shapes.CALL:
            handlers.go_on.set()
        else:
            wire.act(action)

    try:
        await follow(connection, wire, happening, act)
        wire.lose(with_error)
        await turns(TURNS_AT_THE_END)
        await asyncio.gather(*background)
        wire.check()
        assert connection.lingering == 0
        check_over(connection)
        assert not transport.connections
    finally:
        _disarm(transport.alarms)


def _disarm(alarms: Any) -> None:
    if alarms._timer is not None:
        alarms._timer.cancel()


_EXPECTED = (grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError, messages.Refused)


class _Callers:
    """Calls of all four kinds, each with whoever reads and writes it."""

    def __init__(self, channel: LeanChannel) -> None:
        self._channel = channel
        self.calls: list[Any] = []
        self.tasks: list[asyncio.Task] = []

    def begin(self, kind: int) -> None:
        """One more call."""
        channel, more = self._channel, {"wait_for_ready": bool(kind & 4), "timeout": 3600.0 if kind & 8 else None}
        if kind & 3 == 0:
            call = channel.unary_unary("/t/x")(b"x" * 100, **more)
            self._run(self._one(call))
        elif kind & 3 == 1:
            call = channel.unary_stream("/t/x")(b"x" * 20_000, **more)
            self._run(self._read(call))
        elif kind & 3 == 2:
            call = channel.stream_unary("/t/x")(iter([b"y" * 9000] * 20), **more)
            self._run(self._one(call))
        else:
            call = channel.stream_stream("/t/x")(compression=grpc.Compression.Gzip, **more)
            self._run(self._read(call))
            self._run(self._write(call))
        self.calls.append(call)

    def _run(self, work: Any) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def _one(self, call: Any) -> None:
        with contextlib.suppress(*_EXPECTED):
            assert isinstance(await call, bytes)
            await call.initial_metadata()

    async def _read(self, call: Any) -> None:
        with contextlib.suppress(*_EXPECTED):
            async for message in call:
                assert isinstance(message, bytes)
            await call.trailing_metadata()

    async def _write(self, call: Any) -> None:
        with contextlib.suppress(*_EXPECTED):
            for size in (0, 1, 1000, 70_000):
                await call.write(bytes(size))
            await call.done_writing()


async def _call(happening: Iterable[shapes.Action], with_error: bool) -> None:
    channel = LeanChannel("/nowhere")
    channel._connect = lambda: None
    connection = ClientConnection(channel)
    wire = Wire(connection, from_client=False)
    connection.connection_made(wire)
    channel._connection = connection
    callers = _Callers(channel)

    def act(action: str) -> None:
        if action == shapes.CALL:
            callers.begin(len(callers.calls))
        elif action in (shapes.CANCEL, shapes.LEAVE) and callers.calls:
            callers.calls[len(wire.said) % len(callers.calls)].cancel()
        else:
            wire.act(action)

    try:
        for kind in range(5):
            callers.begin(kind)
        await follow(connection, wire, happening, act)
        wire.lose(with_error)
        await turns(TURNS_AT_THE_END)
        for call in callers.calls:
            call.cancel()
            assert call.done()
        await turns(TURNS_AT_THE_END)
        await channel.close()
        for task in callers.tasks:
            assert task.done(), task
            assert task.cancelled() or task.exception() is None
        assert not channel.calls
        assert not channel.waiting
        check_over(connection)
        assert not channel._leaving
    finally:
        _disarm(channel.alarms)


def _read_fields(raw: bytes) -> None:
    reader = FieldReader()
    if raw[:1] < b"\xc0":
        reader.table_is_gone()
    size = raw[0] % 64 + 1 if raw else 1
    for at in range(1, len(raw), size):
        try:
            found = reader.read(raw[at : at + size])
        except Malformed:
            continue
        except Broken:
            break
        for name, value in found:
            assert name
            assert name == name.lower()
            assert not set(name + value) & set("\0\r\n")


def _read_messages(raw: bytes) -> None:
    text = raw[1:].decode("latin-1")
    assert isinstance(messages.percent_decoded(text), str)
    for read in (
        messages.seconds_of,
        lambda value: messages.metadata_of([("k-bin", value)]),
        lambda value: messages.metadata_block([("k", value), ("k-bin", value)]),
        lambda _: messages.decompress(raw[1:], "gzip" if raw[:1] < b"\x80" else "deflate", 5000),
    ):
        with contextlib.suppress(messages.Refused, ValueError):
            read(text)
    assert messages.percent_decoded(messages.percent_encoded(text)) == text


def happening(target: str, raw: bytes) -> Iterable[shapes.Action]:
    """What an input lets happen to a connection."""
    return shapes.actions(raw[1:], target == "server") if raw[:1] < b"\x80" else shapes.pieces(raw[1:])


class Failed(AssertionError):
    """Something was told to the event loop's handler of exceptions, which is for what nobody expected."""


class Bench:
    """Runs inputs one after the other on an event loop of its own."""

    def __init__(self) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        self._loop = asyncio.new_event_loop()
        self._told: list[dict[str, Any]] = []
        self._loop.set_exception_handler(lambda _loop, context: self._told.append(context))

    def run(self, target: str, raw: bytes) -> None:
        """Gives one input to a target; raises if something does not hold."""
        if target in ("server", "client"):
            self.replay(target, happening(target, raw), bool(raw) and bool(raw[0] & 1))
        elif target == "fields":
            _read_fields(raw)
        else:
            _read_messages(raw)

    def replay(self, target: str, actions: Iterable[shapes.Action], with_error: bool = False) -> None:
        """Lets things happen to a connection; raises if something does not hold."""
        self._loop.run_until_complete((_serve if target == "server" else _call)(actions, with_error))
        if self._told:
            told, self._told = self._told, []
            raise Failed(told[0].get("message")) from told[0].get("exception")

    def close(self) -> None:
        """Ends the event loop."""
        self._loop.close()
        structlog.reset_defaults()


TARGETS = ("server", "client", "fields", "messages")
