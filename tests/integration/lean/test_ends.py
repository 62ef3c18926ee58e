"""How calls and connections end before their time: cancelled, late, lost, or because the server stops."""

from __future__ import annotations

import asyncio
import gc

import pytest

from crossrate.rpc.alarms import EARLY_S
from crossrate.rpc.lean import LeanTransport
from crossrate.rpc.lean.frames import PREFACE, STREAM_ID_MAX, Code
from tests.integration.lean.peer import (
    call,
    connected,
    data,
    eventually,
    frame,
    headers,
    message,
    request,
    reset,
    settings,
    window,
)
from tests.integration.lean.serving import serving

WAITING = {
    "wait": call(1, "/t/wait"),
    "forever": call(1, "/t/forever"),
    "collect": headers(1, request("/t/collect")),
    "chat": headers(1, request("/t/chat")) + data(1, message(b"x")),
    "flood": headers(1, request("/t/flood")),
    "count": call(1, "/t/count", b"1000 1000"),
}


@pytest.mark.parametrize("name", WAITING)
@pytest.mark.parametrize("by", ["reset", "loss", "end of file", "error"])
async def test_a_client_that_goes_away_cancels_its_handler(server, name: str, by: str) -> None:
    """The handler is cancelled wherever it waits, its finally blocks run, and it can ask whether it was."""
    path, handlers, transport = server
    async with connected(path) as peer:
        peer.send(WAITING[name])
        await peer.settle()
        assert (handlers.begun, handlers.ended) == ([name], [])
        (connection,) = transport.connections
        if by == "reset":
            peer.send(reset(1))
        elif by == "loss":
            peer._writer.transport.abort()
        elif by == "end of file":
            peer._writer.write_eof()
        else:
            peer.send(window(0, 0))
        await eventually(lambda: handlers.ended)
        # One that has just yielded is closed there.
        assert handlers.ended == [f"{name} {'GeneratorExit' if name in ('flood', 'count') else 'CancelledError'}"]
        assert handlers.contexts[0].cancelled()
        await eventually(lambda: handlers.tasks[0].done())
        await eventually(lambda: (len(connection.streams), connection.lingering, connection.room_used) == (0, 0, 0))
        if by == "reset":
            assert peer.goaways == []
    await eventually(lambda: not transport.connections)


async def test_a_call_that_is_over_is_not_cancelled(server) -> None:
    """A reset that comes after the answer changes nothing."""
    path, handlers, _ = server
    async with connected(path) as peer:
        peer.send(call(1, "/t/echo", b"x"))
        await peer.finished(1)
        peer.send(reset(1))
        await peer.settle()
        assert handlers.ended == ["echo"]
        assert not handlers.contexts[0].cancelled()


@pytest.mark.parametrize("name", ["wait", "forever", "collect", "deaf"])
async def test_a_handler_that_ignores_its_deadline(server, name: str) -> None:
    """It is cancelled when the client's time is over, and the status says so."""
    path, handlers, _ = server
    async with connected(path) as peer:
        more = request(f"/t/{name}", ("grpc-timeout", "30m"))
        peer.send(headers(1, more))
        if name in ("wait", "forever"):
            peer.send(data(1, message(b""), True))
        (answer,) = await peer.finished(1)
        assert answer.status == "4"
        assert handlers.ended == [f"{name} CancelledError"]
        assert not handlers.contexts[0].cancelled()
        assert handlers.contexts[0].time_remaining() <= EARLY_S


async def test_deadlines_of_many_calls(server) -> None:
    """Each rings in its own time, whichever order they came in, and an answer in time is not disturbed."""
    path, handlers, transport = server
    async with connected(path) as peer:
        late = (1, 5, 9)
        for stream in (1, 3, 5, 7, 9):
            timeout = f"{40 - stream}m" if stream in late else "60S"
            peer.send(call(stream, "/t/wait", b"x", ("grpc-timeout", timeout)))
        assert [a.status for a in await peer.finished(*late)] == ["4"] * 3
        handlers.go_on.set()
        assert [a.status for a in await peer.finished(3, 7)] == ["0"] * 2
        assert not any(connection.streams for connection in transport.connections)


async def test_context_callbacks_are_called_at_the_end(server) -> None:
    """With the context, for a handler with a task and for one without."""
    path, handlers, _ = server
    ended: list[object] = []
    methods = server[2].methods
    for name in ("echo", "now"):
        wrapped = methods[f"/t/{name}"]

        async def handle(raw: bytes, context, inner=wrapped.handle) -> bytes:
            context.add_done_callback(ended.append)
            return await inner(raw, context)

        object.__setattr__(wrapped, "handle", handle)
    async with connected(path) as peer:
        peer.send(call(1, "/t/echo") + call(3, "/t/now"))
        await peer.finished(1, 3)
        await peer.settle()
        assert set(ended) == set(handlers.contexts)
        assert len(ended) == 2


@pytest.mark.parametrize("says", [b"", PREFACE[:10], PREFACE, PREFACE + settings()])
async def test_a_peer_that_never_settles_is_given_up(says: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its settings, or without a word on ours, the connection ends with SETTINGS_TIMEOUT."""
    monkeypatch.setattr("crossrate.rpc.lean.connection.GREETING_S_MAX", 0.02)
    async with serving() as (path, _, _), connected(path, greets=False, acknowledges=False) as peer:
        peer.send(says)
        await peer.ended()
        assert [code for _, code, _ in peer.goaways] == [Code.SETTINGS_TIMEOUT]


async def test_a_peer_that_settles_is_not_given_up() -> None:
    """The same limit does not touch a connection that has begun: its alarm is off, however long a peer may take."""
    async with serving() as (path, _, transport), connected(path) as peer:
        peer.send(call(1, "/t/now", b"x"))
        (answer,) = await peer.finished(1)
        assert answer.status == "0"
        (connection,) = transport.connections
        await peer.until(lambda: connection._greeting.cancelled())


async def test_a_server_that_stops_answers_what_it_took() -> None:
    """First a GOAWAY that refuses nothing yet, then one that names the last call; later ones are REFUSED_STREAM."""
    async with serving() as (path, handlers, transport), connected(path) as peer:
        peer.answers_pings = False
        peer.send(call(1, "/t/wait", b"before"))
        await peer.settle()
        stopping = asyncio.create_task(transport.stop(10.0))
        await peer.until(lambda: peer.goaways and peer.pings)
        assert peer.goaways == [(STREAM_ID_MAX, Code.NO_ERROR, "draining")]
        # Sent before the client has noticed: still taken.
        peer.send(call(3, "/t/echo", b"on its way"), frame(6, 1, 0, peer.pings[0]))
        await peer.until(lambda: len(peer.goaways) == 2)
        assert peer.goaways[1] == (3, Code.NO_ERROR, "draining")
        peer.send(call(5, "/t/echo", b"too late"), headers(7, request("/t/chat")), data(7, message(b"x")))
        await peer.until(lambda: peer.answer(7).reset is not None)
        assert [peer.answer(s).reset for s in (5, 7)] == [Code.REFUSED_STREAM] * 2
        handlers.go_on.set()
        first, second = await peer.finished(1, 3)
        assert (first.messages, second.messages) == ([b"before"], [b"on its way"])
        # What the client sent before it took note of this is refused, not cut off.
        await peer.settle()
        assert not stopping.done()
        peer.send(frame(6, 1, 0, peer.pings[1]))
        await stopping
        await peer.ended()
        assert handlers.ended == ["echo", "wait"]


async def test_what_outlives_the_grace_is_told_so() -> None:
    """Calls under way end with UNAVAILABLE, their handlers are cancelled, and the connection ends after that."""
    async with serving() as (path, handlers, transport), connected(path) as peer:
        peer.send(call(1, "/t/wait"), call(3, "/t/forever"), headers(5, request("/t/collect")))
        peer.send(headers(7, request("/t/echo")))
        await peer.settle()
        await transport.stop(0.0)
        await peer.ended()
        assert [peer.answer(s).status for s in (1, 3, 5, 7)] == ["14"] * 4
        assert peer.goaways[-1] == (7, Code.NO_ERROR, "closing")
        assert sorted(handlers.ended) == ["collect CancelledError", "forever CancelledError", "wait CancelledError"]


async def test_a_connection_that_is_accepted_while_the_server_stops() -> None:
    """It is closed, and stopping does not wait for it."""
    async with serving() as (path, handlers, transport), connected(path) as peer:
        peer.send(call(1, "/t/wait"))
        await peer.settle()
        opening = asyncio.create_task(asyncio.open_unix_connection(str(path)))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(transport.stop(10.0))
        try:
            reader, writer = await opening
        except OSError:
            reader = None
        await peer.until(lambda: peer.pings)
        handlers.go_on.set()
        await peer.finished(1)
        await peer.ended()
        async with asyncio.timeout(60):
            await stopping
            if reader is not None:
                writer.write(PREFACE + settings() + call(1, "/t/now"))
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await reader.readexactly(1 << 20)
                writer.close()
        assert "untouched" not in handlers.begun


async def test_a_stopped_server_can_be_followed_by_another() -> None:
    """On the same path, in the same process; nothing of the first is left."""
    async with serving() as (path, handlers, first):
        async with connected(path) as peer:
            peer.send(call(1, "/t/now", b"x"))
            await peer.finished(1)
            stopping = asyncio.create_task(first.stop(1.0))
            await peer.ended()
            await stopping
        await eventually(lambda: not first.connections)
        path.unlink(missing_ok=True)
        second = LeanTransport()
        await second.start(path, handlers.methods(), handlers.unknown(), 1 << 20)
        async with connected(path) as peer:
            peer.send(call(1, "/t/now", b"y"))
            (answer,) = await peer.finished(1)
            assert answer.messages == [b"y"]
        await second.stop(0.0)
        await second.stop(0.0)


async def test_a_connection_leaves_nothing_behind(server) -> None:
    """When it has ended, no task, stream or call of it is left."""
    path, handlers, transport = server

    def existing() -> list[object]:
        gc.collect()
        return [o for o in gc.get_objects() if type(o).__name__ in ("ServerCall", "ServerConnection")]

    others = {id(o): o for o in existing()}  # of servers of other tests, which nobody has let go of
    before = len(asyncio.all_tasks())
    for _ in range(20):
        async with connected(path) as peer:
            peer.send(
                WAITING["wait"],
                call(3, "/t/forever"),
                headers(5, request("/t/chat")),
                data(5, message(bytes(50_000))[:-1]),
            )
            await peer.settle()
    await eventually(lambda: not transport.connections)
    await eventually(lambda: len(asyncio.all_tasks()) == before)
    handlers.contexts.clear()
    handlers.tasks.clear()

    # What a callback that is still to run refers to is let go with it.
    await eventually(lambda: not [o for o in existing() if id(o) not in others])
