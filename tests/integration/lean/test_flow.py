"""Windows of streams and of the connection: who may send how much, and who waits for whom."""

from __future__ import annotations

import random

import pytest

from tests.integration.lean.peer import (
    Peer,
    call,
    connected,
    data,
    eventually,
    headers,
    message,
    request,
    reset,
    settings,
    window,
)

WINDOW = 65_535
STREAM_WINDOW = 64 << 10
CONNECTION_WINDOW = 16 << 20


async def _quiet(peer: Peer) -> int:
    """Lets the server say all that it may; the bytes of DATA that it has sent."""
    await peer.settle()
    return sum(len(answer.body) for answer in peer.answers.values())


async def test_a_stream_window_holds_back_the_handler(server) -> None:
    """A handler that yields without an end stops when the client's window is shut, and goes on as it opens."""
    path, handlers, _ = server
    async with connected(path) as peer:
        peer.send(window(0, 1 << 24), call(1, "/t/count", b"1000 1000"))
        assert await _quiet(peer) == WINDOW
        stopped = handlers.yielded
        assert WINDOW // 1005 <= stopped <= WINDOW // 1005 + 2
        assert await _quiet(peer) == WINDOW
        assert handlers.yielded == stopped
        for extra in (1, 2, 1003, 50_000):
            before = await _quiet(peer)
            peer.send(window(1, extra))
            assert await _quiet(peer) == before + extra
        peer.send(window(1, 1 << 24))
        (answer,) = await peer.finished(1)
        assert [int.from_bytes(m[:4], "big") for m in answer.messages] == list(range(1000))
        assert answer.status == "0"


async def test_the_connection_window_holds_back_all(server) -> None:
    """Streams with windows of their own wait for the connection's, and share it when it opens."""
    path, handlers, _ = server
    async with connected(path, (4, 1 << 24)) as peer:
        peer.send(*(call(s, "/t/count", b"1000 1000") for s in (1, 3, 5)))
        assert await _quiet(peer) == WINDOW
        assert handlers.yielded <= WINDOW // 1005 + 6
        peer.send(window(0, 100_000))
        assert await _quiet(peer) == WINDOW + 100_000
        peer.send(window(0, 1 << 24))
        assert [len(a.messages) for a in await peer.finished(1, 3, 5)] == [1000] * 3


async def test_the_connection_window_is_shared_in_turns(server) -> None:
    """While many wait, none sends a second turn before every other one has had its first."""
    async with connected(server[0], (4, 1 << 24)) as peer:
        streams = range(1, 17, 2)
        peer.send(*(call(s, "/t/big", str(4 << 20).encode()) for s in streams))
        await peer.settle()
        before = {s: len(peer.answer(s).body) for s in streams}
        peer.send(window(0, len(streams) * (64 << 10)))
        await peer.settle()
        gained = [len(peer.answer(s).body) - before[s] for s in streams]
        assert min(gained) > 0
        assert max(gained) <= 2 * (64 << 10)
        for _ in range(40):
            peer.send(window(0, 1 << 20))
            await peer.settle()
        assert [len(a.messages[0]) for a in await peer.finished(*streams)] == [4 << 20] * 8


async def test_a_small_answer_passes_a_big_one_that_waits_for_its_own_window(server) -> None:
    """A stream whose window is shut does not hold back the others."""
    async with connected(server[0]) as peer:
        peer.send(window(0, 1 << 24), call(1, "/t/big", str(1 << 20).encode()), call(3, "/t/echo", b"small"))
        (small,) = await peer.finished(3)
        assert small.messages == [b"small"]
        assert not peer.answer(1).ended


async def test_windows_may_change_while_streams_are_open(server) -> None:
    """SETTINGS opens and shuts the windows of streams that are open, below zero as well; later updates start there."""
    async with connected(server[0]) as peer:
        peer.send(window(0, 1 << 24), call(1, "/t/count", b"200 1000"))
        assert await _quiet(peer) == WINDOW
        peer.send(settings((4, WINDOW + 10_000)))
        assert await _quiet(peer) == WINDOW + 10_000
        # 65 535 + 10 000 are used; with a window of 0 the stream stands at minus that.
        peer.send(settings((4, 0)), window(1, WINDOW + 10_000))
        assert await _quiet(peer) == WINDOW + 10_000
        peer.send(window(1, 7))
        assert await _quiet(peer) == WINDOW + 10_007
        peer.send(call(3, "/t/now", b"x"))
        await peer.settle()
        assert peer.answer(3).body == b""
        peer.send(settings((4, 1 << 24)))
        first, second = await peer.finished(1, 3)
        assert (len(first.messages), second.messages) == (200, [b"x"])


@pytest.mark.parametrize("path", ["/t/now", "/t/echo", "/t/fail", "/t/none"])
async def test_an_answer_without_a_window(server, path: str) -> None:
    """Headers and trailers need no window; an answer waits for one, and its trailers wait with it."""
    async with connected(server[0], (4, 0)) as peer:
        peer.send(call(1, path, b"12345"))
        await peer.settle()
        answer = peer.answer(1)
        assert answer.headers is not None
        if path in ("/t/fail", "/t/none"):
            assert answer.ended
            return
        assert (answer.body, answer.ended) == (b"", False)
        for size in range(1, 11):
            peer.send(window(1, 1))
            await peer.settle()
            assert (len(answer.body), answer.ended) == (size, size == 10)
        assert (answer.messages, answer.status) == ([b"12345"], "0")


async def test_bytes_of_answers_never_exceed_the_windows(server) -> None:
    """Whatever windows are granted, in random order and size, exactly that much may come, and in the end all comes."""
    chance = random.Random(3)
    async with connected(server[0], (4, 100)) as peer:
        granted = dict.fromkeys((0, 1, 3, 5, 7), 0) | {0: WINDOW - 4 * 100}
        peer.send(*(call(s, "/t/count", b"40 3000") for s in (1, 3, 5, 7)))
        for _ in range(60):
            stream, credit = chance.choice((0, 0, 1, 3, 5, 7)), chance.randrange(1, 9000)
            granted[stream] += credit
            peer.send(window(stream, credit))
            await peer.settle()
            sent = {s: len(peer.answer(s).body) for s in (1, 3, 5, 7)}
            assert all(sent[s] <= granted[s] + 100 for s in sent)
            assert sum(sent.values()) <= granted[0] + 400
            if sum(sent.values()) < granted[0] + 400:
                assert all(sent[s] == min(granted[s] + 100, 40 * 3005) for s in sent)
        peer.send(*(window(s, 1 << 20) for s in granted))
        assert [len(a.messages) for a in await peer.finished(1, 3, 5, 7)] == [40] * 4


async def test_a_handler_that_does_not_read_holds_back_its_client(server) -> None:
    """The client may fill its window and gets no more until its messages are read."""
    path, handlers, _ = server
    async with connected(path) as peer:
        chunk = message(bytes(1019))
        count = STREAM_WINDOW // len(chunk)
        peer.send(headers(1, request("/t/deaf")), data(1, chunk * count))
        await peer.settle()
        assert peer.windows.get(1, 0) == 0
        peer.send(call(3, "/t/now", b"others go on"))
        await peer.finished(3)
        handlers.go_on.set()
        await peer.until(lambda: peer.windows.get(1, 0))
        peer.send(data(1, chunk, True))
        (answer,) = await peer.finished(1)
        assert answer.messages == [str((count + 1) * 1019).encode()]


async def test_a_message_larger_than_the_window_is_let_in(server) -> None:
    """As long as a message is not whole its window opens again, up to the largest message."""
    async with connected(server[0]) as peer:
        raw, sent, credit = message(bytes(3 << 20)), 0, STREAM_WINDOW
        peer.send(headers(1, request("/t/deaf")))
        while sent < len(raw):
            part = raw[sent : sent + credit - (sent - peer.windows.get(1, 0))]
            peer.send(data(1, part))
            sent += len(part)
            await peer.settle()
        assert peer.windows[1] >= len(raw) - STREAM_WINDOW
        server[1].go_on.set()
        peer.send(data(1, b"", True))
        (answer,) = await peer.finished(1)
        assert answer.messages == [str(3 << 20).encode()]


async def test_the_connection_window_is_given_back_for_all_that_came(server) -> None:
    """Also for padding, for streams that are over and for what nobody reads: one stream never starves the others."""
    async with connected(server[0]) as peer:
        chunk, stream = message(bytes(60_000)), 1
        for stream in range(1, 2 * 160, 2):
            peer.send(headers(stream, request("/t/deaf")), data(stream, chunk), reset(stream), data(stream, b"late"))
            await peer.drain()
        await peer.settle()
        assert peer.windows[0] - (CONNECTION_WINDOW - WINDOW) >= CONNECTION_WINDOW // 2
        assert all(connection.room_used == 0 for connection in server[2].connections)


async def test_large_messages_are_let_in_one_after_the_other(server) -> None:
    """Of several that are larger than the room for them the first is let in; the next when that one is over."""
    _, handlers, transport = server
    async with connected(server[0]) as peer:
        (connection,) = transport.connections
        connection.room_max = 1 << 20
        raw = message(bytes(1 << 20))
        peer.send(*(headers(s, request("/t/deaf")) + data(s, raw[:50_000]) for s in (1, 3, 5)))
        await peer.settle()
        assert connection.room_used == 1 << 20
        assert {s: peer.windows.get(s) for s in (1, 3, 5)} == {1: len(raw) - STREAM_WINDOW, 3: None, 5: None}
        peer.send(reset(1))
        await peer.settle()
        assert {s: peer.windows.get(s) for s in (3, 5)} == {3: len(raw) - STREAM_WINDOW, 5: None}
        peer.send(data(3, raw[50_000:], True))
        await peer.settle()
        assert peer.windows.get(5) == len(raw) - STREAM_WINDOW
        handlers.go_on.set()
        peer.send(data(5, raw[50_000:], True))
        for answer in await peer.finished(3, 5):
            assert answer.messages == [str(1 << 20).encode()]
        assert connection.room_used == 0


async def test_a_peer_that_does_not_read_is_not_read_from(server) -> None:
    """Answers do not pile up: the handler stops, and so does reading, until the peer reads again."""
    path, handlers, transport = server
    async with connected(path, (4, (1 << 31) - 1)) as peer:
        peer.send(window(0, (1 << 31) - 1 - WINDOW), headers(1, request("/t/flood")))
        (connection,) = transport.connections
        await eventually(lambda: connection.paused)
        stopped = handlers.yielded
        peer.send(*(call(s, "/t/now", b"x") for s in range(3, 203, 2)))
        await peer.drain()
        for _ in range(20):
            async with connected(path) as other:
                other.send(call(1, "/t/echo", b"x"))
                await other.finished(1)
        assert handlers.yielded == stopped
        assert "untouched" not in handlers.begun
        assert connection.transport.get_write_buffer_size() + sum(map(len, connection._out)) < 10 << 20
        await peer.until(lambda: len(peer.answer(1).body) > 5 << 20)
        assert [a.messages for a in await peer.finished(3, 201)] == [[b"x"], [b"x"]]
        assert handlers.yielded > stopped
