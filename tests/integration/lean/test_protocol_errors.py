"""What a peer may not say: each rule broken ends the stream or the connection, with the standard's code."""

from __future__ import annotations

import pytest

from crossrate.rpc.lean.frames import PREFACE, Code
from tests.integration.lean.peer import (
    Peer,
    block,
    call,
    connected,
    data,
    frame,
    headers,
    message,
    request,
    reset,
    settings,
    window,
)

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONT = range(10)
P, F, W, Z, S, C, E = (
    Code.PROTOCOL_ERROR,
    Code.FLOW_CONTROL_ERROR,
    Code.FLOW_CONTROL_ERROR,
    Code.FRAME_SIZE_ERROR,
    Code.STREAM_CLOSED,
    Code.COMPRESSION_ERROR,
    Code.ENHANCE_YOUR_CALM,
)
OPEN = headers(1, request("/t/chat"))
DONE = call(1, "/t/now")
GOOD = block(request("/t/now"))

FATAL = {
    "an oversize frame": (Z, frame(DATA, 0, 1, bytes(16_385))),
    "an oversize length alone": (Z, b"\xff\xff\xff\x00\x00\x00\x00\x00\x01"),
    "PUSH_PROMISE": (P, frame(PUSH, 4, 1, bytes(4) + GOOD)),
    "an even stream": (P, headers(2, request("/t/now"))),
    "stream 0 opened": (P, headers(0, request("/t/now"))),
    "a lower stream": (S, call(3, "/t/now") + call(1, "/t/now")),
    "a stream again": (S, DONE + headers(1, request("/t/now"))),
    "DATA on stream 0": (P, data(0, b"x")),
    "DATA on an idle stream": (P, data(1, b"x")),
    "DATA on an even stream": (P, data(2, b"x")),
    "WINDOW_UPDATE on an idle stream": (P, window(1, 1)),
    "WINDOW_UPDATE of nothing": (P, window(0, 0)),
    "WINDOW_UPDATE of nothing but the reserved bit": (P, window(0, 1 << 31)),
    "WINDOW_UPDATE over the connection's most": (F, window(0, (1 << 31) - 1)),
    "WINDOW_UPDATE of three bytes": (Z, frame(WINDOW, 0, 0, bytes(3))),
    "WINDOW_UPDATE of five bytes on a stream": (Z, OPEN + frame(WINDOW, 0, 1, bytes(5))),
    "RST_STREAM on an idle stream": (P, reset(1)),
    "RST_STREAM on stream 0": (P, reset(0)),
    "RST_STREAM of five bytes": (Z, OPEN + frame(RST, 0, 1, bytes(5))),
    "SETTINGS of five bytes": (Z, frame(SETTINGS, 0, 0, bytes(5))),
    "SETTINGS of a stream": (P, frame(SETTINGS, 0, 1)),
    "SETTINGS acknowledged with a payload": (Z, frame(SETTINGS, 1, 0, bytes(6))),
    "a window over the most": (F, settings((4, 1 << 31))),
    "a change of windows over the most": (F, OPEN + window(1, (1 << 31) - 1 - 65_535) + settings((4, 65_536))),
    "frames shorter than the least": (P, settings((5, 16_383))),
    "frames longer than the most": (P, settings((5, 1 << 24))),
    "ENABLE_PUSH 2": (P, settings((2, 2))),
    "PING of seven bytes": (Z, frame(PING, 0, 0, bytes(7))),
    "PING of a stream": (P, frame(PING, 0, 1, bytes(8))),
    "GOAWAY of a stream": (P, frame(GOAWAY, 0, 1, bytes(8))),
    "GOAWAY of seven bytes": (Z, frame(GOAWAY, 0, 0, bytes(7))),
    "PRIORITY of stream 0": (P, frame(PRIORITY, 0, 0, bytes(5))),
    "PRIORITY of four bytes on an idle stream": (Z, frame(PRIORITY, 0, 9, bytes(4))),
    "PRIORITY of an idle stream on itself": (P, frame(PRIORITY, 0, 9, b"\0\0\0\x09\0")),
    "CONTINUATION without HEADERS": (P, frame(CONT, 4, 1, b"")),
    "CONTINUATION of another stream": (P, frame(HEADERS, 0, 1, GOOD) + frame(CONT, 4, 3, b"")),
    "a frame inside of a header block": (P, frame(HEADERS, 0, 1, GOOD) + frame(PING, 0, 0, bytes(8))),
    "an unknown frame inside of a header block": (P, frame(HEADERS, 0, 1, GOOD) + frame(0xEE, 0, 0, b"")),
    "HEADERS inside of a header block": (P, frame(HEADERS, 0, 1, GOOD) * 2),
    "many CONTINUATIONs of nothing": (E, frame(HEADERS, 0, 1, b"") + frame(CONT, 0, 1, b"") * 70),
    "an endless header block": (E, frame(HEADERS, 0, 1, b"") + frame(CONT, 0, 1, bytes(16_384)) * 9),
    "DATA padded with all of it": (P, OPEN + frame(DATA, 8, 1, b"\x04abc")),
    "DATA padded without a length": (P, OPEN + frame(DATA, 8, 1, b"")),
    "HEADERS padded with more than it has": (P, frame(HEADERS, 0x0C, 1, bytes((len(GOOD) + 1,)) + GOOD)),
    "HEADERS padded without a length": (P, frame(HEADERS, 0x0C, 1, b"")),
    "HEADERS with half a priority": (P, frame(HEADERS, 0x24, 1, bytes(4))),
    "HEADERS that depends on itself": (P, frame(HEADERS, 0x24, 1, b"\0\0\0\1\0" + GOOD)),
    "a header block that refers to a table": (C, frame(HEADERS, 4, 1, b"\xbe")),
    "a header block that is cut off": (C, frame(HEADERS, 4, 1, GOOD[:-1])),
    "a header block in trailers that is cut off": (C, OPEN + frame(HEADERS, 5, 1, b"\x00\x05a")),
}


@pytest.mark.parametrize("name", FATAL)
async def test_what_ends_the_connection(server, name: str) -> None:
    """GOAWAY has the code and the last stream that was looked at, the connection is closed and counted, and the server
    goes on."""
    path, handlers, transport = server
    code, said = FATAL[name]
    async with connected(path) as peer:
        peer.send(said)
        await peer.ended()
        assert [(found, last in (0, 1, 3)) for last, found, _ in peer.goaways] == [(code, True)]
    assert transport.broken == {code.name: 1}
    await _still_served(server)
    assert handlers.ended == [] or handlers.ended == ["chat CancelledError"]


async def _still_served(server) -> None:
    path, _, transport = server
    async with connected(path) as peer:
        peer.send(call(1, "/t/now", b"still here"))
        (answer,) = await peer.finished(1)
        assert answer.messages == [b"still here"]
        assert all(connection.room_used == 0 for connection in transport.connections)


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX" + bytes(20),
        b"\x16\x03\x01\x02\x00",
        PREFACE + frame(PING, 0, 0, bytes(8)),
        PREFACE + frame(SETTINGS, 1, 0),
        PREFACE + frame(HEADERS, 5, 1, GOOD),
        PREFACE + frame(SETTINGS, 0, 3),
    ],
    ids=lambda said: said[-12:].hex(),
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_how_a_connection_may_not_begin(server, said: bytes, at_once: bool) -> None:
    """Without the preface and SETTINGS first, whole or byte by byte, it ends with PROTOCOL_ERROR."""
    async with connected(server[0], greets=False) as peer:
        for part in [said] if at_once else [said[i : i + 1] for i in range(len(said))]:
            peer.send(part)
            await peer.drain()
        await peer.ended()
        assert [code for _, code, _ in peer.goaways] == [P]
    await _still_served(server)


ONE_STREAM = {
    "WINDOW_UPDATE of nothing": (P, OPEN + window(1, 0)),
    "WINDOW_UPDATE over the most": (F, OPEN + window(1, (1 << 31) - 1)),
    "PRIORITY of four bytes": (Z, OPEN + frame(PRIORITY, 0, 1, bytes(4))),
    "a stream that depends on itself": (P, OPEN + frame(PRIORITY, 0, 1, b"\0\0\0\1\0")),
    "more than the window": (F, headers(1, request("/t/deaf")) + data(1, message(bytes(1000)) * 450)),
    "DATA after the end": (S, call(1, "/t/wait") + data(1, b"")),
    "HEADERS after the end": (S, call(1, "/t/wait") + headers(1, [("a", "b")], True)),
    "DATA after all is over": (S, DONE + data(1, b"")),
    "trailers without an end": (P, OPEN + headers(1, [("a", "b")])),
    "trailers with a field of a beginning": (P, OPEN + headers(1, [(":path", "/")], True)),
    "trailers with a malformed name": (P, OPEN + headers(1, [("A", "b")], True)),
    "headers over the limit": (E, headers(1, request("/t/now", *[("a", "b" * 5000)] * 3), True)[:0]
        + b"".join(
            frame(kind, flags, 1, part)
            for kind, flags, part in (
                (HEADERS, 1, GOOD),
                *((CONT, 0, block([("a", "b" * 15_000)])[1:]),) * 4,
                (CONT, 4, block([("a", "b" * 15_000)])[1:]),
            )
        )),
    "no path": (P, headers(1, request("/t/now", without=":path"))),
    "an empty path": (P, headers(1, [(n, v if n != ":path" else "") for n, v in request("/t/now")])),
    "no method": (P, headers(1, request("/t/now", without=":method"))),
    "no scheme": (P, headers(1, request("/t/now", without=":scheme"))),
    "a path twice": (P, headers(1, [(":path", "/t/now"), *request("/t/now")])),
    "a method twice": (P, headers(1, [(":method", "POST"), *request("/t/now")])),
    "a path twice without an authority": (
        P, headers(1, [(":path", "/t/now"), *request("/t/now", without=":authority")])),
    "an unknown pseudo-header": (P, headers(1, [(":protocol", "x"), *request("/t/now")])),
    "an answer's pseudo-header": (P, headers(1, [(":status", "200"), *request("/t/now")])),
    "an answer's pseudo-header at the end": (P, headers(1, [*request("/t/now"), (":status", "200")])),
    "a pseudo-header after a field": (P, headers(1, [("a", "b"), *request("/t/now")])),
    "a pseudo-header at the end": (P, headers(1, [*request("/t/now", without=":path"), (":path", "/t/now")])),
    "an authority at the end": (P, headers(1, [*request("/t/now", without=":authority"), (":authority", "x")])),
    "no fields at all": (P, headers(1, [])),
    "an upper-case name": (P, headers(1, [*request("/t/now"), ("Accept", "x")])),
    "a name with a space": (P, headers(1, [*request("/t/now"), ("a b", "x")])),
    "a value with a line break": (P, headers(1, [*request("/t/now"), ("a", "x\ny")])),
    "connection": (P, headers(1, [*request("/t/now"), ("connection", "close")])),
    "transfer-encoding": (P, headers(1, [*request("/t/now"), ("transfer-encoding", "chunked")])),
    "an indexed transfer-encoding": (P, frame(HEADERS, 4, 1, GOOD + b"\xb9")),
    "te that is not trailers": (P, headers(1, [*request("/t/now", without="te"), ("te", "gzip")])),
    "content-length no number": (P, headers(1, request("/t/now", ("content-length", "x")))),
    "content-length with a sign": (P, headers(1, request("/t/now", ("content-length", "+5")))),
    "content-length with a bar": (P, headers(1, request("/t/now", ("content-length", "1_0")))),
    "content-length too small": (P, call(1, "/t/now", b"", ("content-length", "4"))),
    "content-length too large": (P, call(1, "/t/now", b"", ("content-length", "6"))),
    "content-length without a body": (P, headers(1, request("/t/collect", ("content-length", "5")), True)),
    "content-length with trailers": (
        P, headers(1, request("/t/chat", ("content-length", "5"))) + headers(1, [("a", "b")], True)),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_STREAM)
async def test_what_ends_one_stream(server, name: str) -> None:
    """RST_STREAM has the code, a handler that has begun is cancelled, and the connection goes on."""
    path, handlers, _ = server
    code, said = ONE_STREAM[name]
    async with connected(path) as peer:
        peer.send(said)
        await peer.until(lambda: peer.answer(1).reset is not None)
        assert peer.answer(1).reset == code
        await _goes_on(peer, 3)
    assert all(ended.endswith("CancelledError") for ended in handlers.ended)
    assert len(handlers.ended) == len([name for name in handlers.begun if name != "untouched"])


async def _goes_on(peer: Peer, stream: int) -> None:
    peer.send(call(stream, "/t/now", b"goes on"))
    (answer,) = await peer.finished(stream)
    assert (answer.messages, answer.status) == ([b"goes on"], "0")
    assert peer.goaways == []


IGNORED = {
    "an unknown frame": frame(0xEE, 0xFF, 1, b"anything"),
    "an unknown setting": settings((0x99, 7)),
    "unknown flags": frame(PING, 0xFE, 0, bytes(8)),
    "a priority": frame(PRIORITY, 0, 9, b"\0\0\0\3\x10"),
    "an update of a stream that is over": DONE + window(1, 5),
    "a reset of a stream that is over": DONE + reset(1),
    "a reset twice": OPEN + reset(1) + reset(1),
    "a farewell": frame(GOAWAY, 0, 0, bytes(8) + b"bye"),
    "settings acknowledged twice": frame(SETTINGS, 1, 0),
    "a pong for no ping": frame(PING, 1, 0, bytes(8)),
    "padding and a priority": frame(HEADERS, 0x2D, 1, b"\x03" + b"\0\0\0\3\x10" + GOOD + bytes(3)),
    "padded DATA": headers(1, request("/t/now")) + frame(DATA, 9, 1, b"\x04" + message(b"x") + bytes(4)),
    "the reserved bit of a stream": (lambda f: f[:5] + bytes((f[5] | 0x80,)) + f[6:])(frame(HEADERS, 5, 1, GOOD)),
    "a table of no size": frame(HEADERS, 5, 1, b"\x20" + GOOD),
}


@pytest.mark.parametrize("name", IGNORED)
async def test_what_is_not_an_error(server, name: str) -> None:
    """What the standard lets a peer say, needed or not, leaves the connection as it is."""
    async with connected(server[0]) as peer:
        peer.send(IGNORED[name])
        await peer.settle()
        await _goes_on(peer, 3)
