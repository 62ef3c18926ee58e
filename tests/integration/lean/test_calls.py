"""Calls over the lean transport, seen frame by frame."""

from __future__ import annotations

import gzip
import os
import random

import pytest
from hpack import Encoder

from crossrate.rpc.lean import messages
from crossrate.rpc.lean.frames import END_HEADERS, HEADERS, PREFACE, Code
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

WIDE = ((4, (1 << 31) - 1),)
OPENED = window(0, (1 << 31) - 1 - 65_535)


async def test_a_call_is_answered(server) -> None:
    """Headers, one message, trailers with status 0; the stream is over on both sides."""
    path, _, transport = server
    async with connected(path) as peer:
        peer.send(call(1, "/t/echo", b"hello"))
        (answer,) = await peer.finished(1)
        assert answer.headers == {":status": "200", "content-type": "application/grpc"}
        assert (answer.messages, answer.trailers, answer.reset) == ([b"hello"], {"grpc-status": "0"}, None)
        assert [len(connection.streams) for connection in transport.connections] == [0]


async def test_what_the_server_announces(server) -> None:
    """No header table, its windows, the longest header list and the most calls at once are said first."""
    async with connected(server[0]) as peer:
        assert peer.settings == {1: 0, 3: 4096, 4: 64 << 10, 6: 64 << 10}
        assert peer.windows == {0: (16 << 20) - 65_535}


async def test_everything_at_once_and_byte_by_byte(server) -> None:
    """A connection's beginning and its calls may come in one piece or in single bytes, before any answer is read."""
    said = PREFACE + settings() + call(1, "/t/echo", b"a" * 300) + call(3, "/t/now", b"b")
    for pieces in ([said], [said[i : i + 1] for i in range(len(said))]):
        async with connected(server[0], greets=False) as peer:
            for piece in pieces:
                peer.send(piece)
                await peer.drain()
            first, second = await peer.finished(1, 3)
            assert (first.messages, second.messages) == ([b"a" * 300], [b"b"])


async def test_many_calls_at_once(server) -> None:
    """Some thousand calls sent in one piece are each answered with what they asked."""
    async with connected(server[0], *WIDE) as peer:
        peer.send(OPENED)
        streams = range(1, 4001, 2)
        peer.send(*(call(s, "/t/echo" if s % 4 == 1 else "/t/now", str(s).encode()) for s in streams))
        answers = await peer.finished(*streams)
        assert [a.messages for a in answers] == [[str(s).encode()] for s in streams]


async def test_a_header_table_may_be_used_before_it_is_given_up(server) -> None:
    """Blocks that refer to a table are read until our settings are acknowledged, and fields without it after."""
    async with connected(server[0], acknowledges=False, greets=False) as peer:
        peer.send(PREFACE, settings())
        await peer.until(lambda: peer.settings)
        encoder = Encoder()
        for stream in (1, 3, 5):
            fields = [(n.encode(), v.encode()) for n, v in request("/t/now", ("x-kept", "in the table"))]
            peer.send(frame(HEADERS, END_HEADERS, stream, encoder.encode(fields)), data(stream, message(b"x"), True))
        await peer.finished(1, 3, 5)
        peer.send(frame(4, 1), call(7, "/t/now", b"y"))
        (answer,) = await peer.finished(7)
        assert answer.messages == [b"y"]
        assert len({id(c) for c in server[1].contexts}) == 4
        assert [c.headers.get("x-kept") for c in server[1].contexts] == ["in the table"] * 3 + [None]


@pytest.mark.parametrize("size", [0, 16_379, 16_380, 65_530, 65_531, 8 << 20])
async def test_messages_of_any_size_go_both_ways(server, size: int) -> None:
    """From nothing to eight MiB, around the lengths of frames and windows."""
    raw = random.Random(size).randbytes(size)
    async with connected(server[0], *WIDE) as peer:
        peer.send(OPENED, call(1, "/t/echo", raw))
        (answer,) = await peer.finished(1)
        assert (answer.messages, answer.status) == ([raw], "0")


async def test_many_messages_on_one_stream(server) -> None:
    """Hundreds of messages, some in one frame, some across frames, come back in order."""
    sent = [str(i).encode() * (i % 40) for i in range(800)]
    assert sum(len(m) + 5 for m in sent) < 64 << 10, "as much as the window takes"
    async with connected(server[0], *WIDE) as peer:
        peer.send(OPENED, headers(1, request("/t/chat")))
        chance, rest = random.Random(1), b"".join(map(message, sent))
        while rest:
            cut = chance.randrange(1, 9000)
            peer.send(data(1, rest[:cut], end=cut >= len(rest)))
            rest = rest[cut:]
        (answer,) = await peer.finished(1)
        assert (answer.messages, answer.status) == (sent, "0")


async def test_half_closed_streams(server) -> None:
    """A client that has said its last still gets the rest; an end may come with DATA, alone, or with trailers."""
    ends = [
        (data(1, b"", True), b"1 5"),
        (headers(1, [("x-trailer", "1")], True), b"1 5"),
        (data(1, message(b"last"), True), b"2 9"),
    ]
    for end, total in ends:
        async with connected(server[0]) as peer:
            peer.send(headers(1, request("/t/collect")), data(1, message(b"first")))
            await peer.settle()
            assert not peer.answer(1).ended
            peer.send(end)
            (answer,) = await peer.finished(1)
            assert (answer.messages, answer.reset) == ([total], None)


async def test_requests_that_are_not_one_message(server) -> None:
    """A method that takes one message refuses none and two, and one that is cut off."""
    path, handlers, _ = server
    start = [headers(stream, request("/t/echo")) for stream in (1, 3, 5, 7)]
    async with connected(path) as peer:
        peer.send(start[0], data(1, b"", True), start[1], data(3, message(b"a") + message(b"b"), True))
        peer.send(start[2], data(5, message(b"abc")[:-1], True), headers(7, request("/t/echo"), True))
        answers = await peer.finished(1, 3, 5, 7)
        assert [a.status for a in answers] == ["12", "12", "13", "12"]
        assert handlers.begun == []


async def test_a_request_over_the_limit(server) -> None:
    """It is refused by its prefix, before it is sent; what the client still sends is ignored."""
    path, _, _ = server
    async with connected(path) as peer:
        peer.send(headers(1, request("/t/echo")), data(1, b"\0" + ((9 << 20) + 1).to_bytes(4, "big")))
        (answer,) = await peer.finished(1)
        assert answer.status == "8"
        await peer.until(lambda: answer.reset is not None)
        assert answer.reset == Code.NO_ERROR
        peer.send(data(1, bytes(50_000)), headers(1, [("x", "y")], True), call(3, "/t/now", b"next"))
        (following,) = await peer.finished(3)
        assert following.messages == [b"next"]
        assert peer.goaways == []


async def test_an_answer_before_the_request_has_ended(server) -> None:
    """Trailers, then RST_STREAM without an error; late DATA, trailers and resets are ignored."""
    async with connected(server[0]) as peer:
        peer.send(headers(1, request("/t/early")), data(1, message(b"enough")))
        (answer,) = await peer.finished(1)
        await peer.until(lambda: answer.reset is not None)
        assert (answer.messages, answer.status, answer.reset) == ([b"enough"], "0", Code.NO_ERROR)
        peer.send(data(1, message(b"late") * 3), window(1, 5), headers(1, [("late", "1")], True), reset(1))
        await peer.settle()
        assert (answer.reset, peer.goaways) == (Code.NO_ERROR, [])


async def test_an_unknown_method(server) -> None:
    """Every other path is answered by the handler for unknown ones."""
    async with connected(server[0]) as peer:
        peer.send(call(1, "/t/none"), headers(3, request("/")), data(3, message(b"x")))
        for answer in await peer.finished(1, 3):
            assert (answer.status, answer.words, answer.messages) == ("12", "there is no such method", [])


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([(":method", "GET"), *request("/t/now", without=":method")], "405"),
        ([(":method", "PUT"), *request("/t/now", without=":method")], "405"),
        (request("/t/now", without="content-type"), "415"),
        (request("/t/now", ("content-type", "application/json"), without="content-type"), "415"),
        (request("/t/now", ("content-type", "application/grpc-web"), without="content-type"), "415"),
        (request("/t/now", ("content-type", "application/grpcx"), without="content-type"), "415"),
    ],
)
async def test_what_is_no_grpc(server, fields: list[tuple[str, str]], status: str) -> None:
    """It is answered in HTTP's words when it has been said, with and without a body to come."""
    async with connected(server[0]) as peer:
        peer.send(headers(1, fields, True), headers(3, fields), data(3, b"anything", True))
        for answer in await peer.finished(1, 3):
            assert answer.ended
            assert answer.headers[":status"] == status
            assert (answer.body[:1].isalpha(), "grpc-status" in answer.headers) == (True, False)


@pytest.mark.parametrize("kind", ["application/grpc+proto", "application/grpc;charset=utf-8", "application/grpc+json"])
async def test_formats_of_messages(server, kind: str) -> None:
    """The content type may name the format of the messages."""
    async with connected(server[0]) as peer:
        peer.send(headers(1, request("/t/now", ("content-type", kind), without="content-type")))
        peer.send(data(1, message(b"x"), True))
        (answer,) = await peer.finished(1)
        assert answer.status == "0"


@pytest.mark.parametrize("timeout", ["1", "x", "123456789S", "-1S"])
async def test_a_malformed_timeout(server, timeout: str) -> None:
    """It ends the call with INTERNAL before any handler runs."""
    path, handlers, _ = server
    async with connected(path) as peer:
        peer.send(call(1, "/t/echo", b"x", ("grpc-timeout", timeout)))
        (answer,) = await peer.finished(1)
        assert (answer.status, handlers.begun) == ("13", [])


async def test_an_unknown_encoding(server) -> None:
    """UNIMPLEMENTED, and the encodings that would be read."""
    async with connected(server[0]) as peer:
        peer.send(call(1, "/t/echo", b"x", ("grpc-encoding", "br")))
        (answer,) = await peer.finished(1)
        assert answer.status == "12"
        assert answer.headers["grpc-accept-encoding"] == "identity,deflate,gzip"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity", ""])
async def test_compressed_requests(server, encoding: str) -> None:
    """A message is unpacked by the announced encoding; one that claims to be packed without one is INTERNAL."""
    known = encoding in ("gzip", "deflate")
    raw = messages.compress(b"abc" * 1000, encoding) if known else b"abc"
    async with connected(server[0]) as peer:
        more = [("grpc-encoding", encoding)] if encoding else []
        peer.send(headers(1, request("/t/echo", *more)), data(1, message(raw, 1), True))
        peer.send(headers(3, request("/t/echo", *more)), data(3, message(b"plain", 0), True))
        first, second = await peer.finished(1, 3)
        assert (first.status, first.messages) == (("0", [b"abc" * 1000]) if known else ("13", []))
        assert (second.status, second.messages) == ("0", [b"plain"])


async def test_a_request_that_swells_over_the_limit(server) -> None:
    """Unpacking stops at the limit with RESOURCE_EXHAUSTED."""
    async with connected(server[0]) as peer:
        packed = gzip.compress(bytes((9 << 20) + 1))
        peer.send(headers(1, request("/t/echo", ("grpc-encoding", "gzip"))), data(1, message(packed, 1), True))
        (answer,) = await peer.finished(1)
        assert answer.status == "8"


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        (b"", "5", "not there: 5%25 %C3%A9"),
        (b"abort", "5", "not there: 5%25 %C3%A9"),
        (b"raise", "2", "the handler failed: ValueError"),
    ],
)
async def test_statuses_of_handlers(server, asked: bytes, status: str, words: str) -> None:
    """Metadata before and after, binary ones in base64, the message percent-encoded; of an exception only its kind."""
    async with connected(server[0]) as peer:
        peer.send(call(1, "/t/fail", asked))
        (answer,) = await peer.finished(1)
        assert (answer.headers["a"], answer.headers["b-bin"]) == ("1", "AAE")
        assert (answer.status, answer.words, answer.messages) == (status, words, [])
        assert (answer.trailers.get("d-bin"), answer.trailers.get("c")) == (
            (None, None) if asked == b"raise" else ("//4", "2")
        )


async def test_metadata_of_requests(server) -> None:
    """A handler sees the application's metadata, and gRPC's own not among them."""
    path, handlers, _ = server
    async with connected(path) as peer:
        peer.send(call(1, "/t/now", b"", ("a", "1"), ("b-bin", "AP8="), ("a", "2"), ("grpc-timeout", "5S")))
        await peer.finished(1)
        (context,) = handlers.contexts
        assert context.invocation_metadata() == (("a", "1"), ("b-bin", b"\x00\xff"), ("a", "2"))
        assert context.headers["a"] == "2"
        assert 4 < context.time_remaining() <= 5


async def test_a_handler_that_never_waits_needs_no_task(server) -> None:
    """It runs where its request was read, and what it sets in its context variables ends with it."""
    path, handlers, _ = server
    async with connected(path) as peer:
        peer.send(call(1, "/t/now") + call(3, "/t/now") + call(5, "/t/echo"))
        await peer.finished(1, 3, 5)
        assert handlers.begun == ["untouched", "untouched", "echo"]
        assert [task is None for task in handlers.tasks] == [True, True, False]


async def test_a_handler_that_waits_although_it_was_said_not_to(server) -> None:
    """The call ends with an error, the handler is closed where it stands, and the connection goes on."""
    path, handlers, _ = server
    async with connected(path) as peer:
        peer.send(call(1, "/t/deceive") + call(3, "/t/now", b"x"))
        first, second = await peer.finished(1, 3)
        assert (first.status, second.status) == ("2", "0")
        await peer.settle()
        assert (handlers.begun[0], handlers.ended) == ("deceive", ["deceive"])
        assert "deceive went on" not in handlers.begun


@pytest.mark.parametrize(("asked", "status"), [(b"", "2"), (b"nothing", "2"), (b"cancelled", "1"), (b"metadata", "13")])
async def test_a_handler_without_a_task_that_fails(server, asked: bytes, status: str) -> None:
    """Whatever it does, its own call ends and no other."""
    async with connected(server[0]) as peer:
        peer.send(headers(1, request("/t/chat")), call(3, "/t/raise", asked), data(1, message(b"x"), True))
        other, answer = await peer.finished(1, 3)
        # What cannot be said about an answer is found out behind it.
        assert (answer.status, answer.messages) == (status, [b"x"] if asked == b"metadata" else [])
        assert (other.status, other.messages) == ("0", [b"x"])


async def test_pings_are_answered(server) -> None:
    """With the same eight bytes, in order."""
    async with connected(server[0]) as peer:
        sent = [os.urandom(8) for _ in range(100)]
        peer.send(*(frame(6, 0, 0, payload) for payload in sent))
        await peer.until(lambda: len(peer.pongs) == 100)
        assert peer.pongs == sent


async def test_settings_are_acknowledged(server) -> None:
    """Each of them, also an empty one."""
    async with connected(server[0]) as peer:
        peer.send(settings(), settings((4, 1000), (4, 2000)), settings((2, 1)))
        await peer.until(lambda: peer.settings_acknowledged == 4)


async def test_too_many_calls_at_once_are_refused(server, monkeypatch: pytest.MonkeyPatch) -> None:
    """REFUSED_STREAM for those over the most, whose DATA are ignored; the others go on."""
    monkeypatch.setattr("crossrate.rpc.lean.server.STREAMS_MAX", 3)
    path, handlers, _ = server
    async with connected(path) as peer:
        peer.send(*(call(s, "/t/wait", b"x") for s in (1, 3, 5)), headers(7, request("/t/chat")))
        peer.send(data(7, message(b"x")), headers(7, [("a", "b")], True))
        (refused,) = await peer.finished(7)
        assert (refused.reset, refused.headers) == (Code.REFUSED_STREAM, None)
        handlers.go_on.set()
        assert [a.status for a in await peer.finished(1, 3, 5)] == ["0"] * 3
        peer.send(call(9, "/t/now", b"again"))
        (answer,) = await peer.finished(9)
        assert answer.messages == [b"again"]
        assert (refused.reset, peer.goaways) == (Code.REFUSED_STREAM, [])


async def test_handlers_that_outlive_their_calls_count(server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening and resetting does not start more handlers than may run at once."""
    monkeypatch.setattr("crossrate.rpc.lean.server.STREAMS_MAX", 5)
    path, handlers, transport = server
    async with connected(path) as peer:
        peer.send(*(call(s, "/t/wait") + reset(s) for s in range(1, 201, 2)))
        await peer.settle()
        assert peer.goaways == []
        (connection,) = transport.connections
        assert len(handlers.begun) <= 5
        await eventually(lambda: connection.lingering == 0)
        peer.send(call(201, "/t/now", b"x"))
        (answer,) = await peer.finished(201)
        assert answer.status == "0"
