"""What LeanChannel makes of a server that says exactly what the test wants said."""

from __future__ import annotations

import base64
from typing import Any

import grpc
import pytest

from crossrate.rpc.lean import LeanChannel, messages
from crossrate.rpc.lean.frames import Code
from tests.integration.lean.peer import Peer, data, frame, headers, message, reset
from tests.integration.lean.scripted import BEGIN, OK, answered, saying, scripted

C = grpc.StatusCode


async def status_of(call: Any) -> tuple[grpc.StatusCode, str]:
    """How a call ended."""
    return await call.code(), await call.details()


def unary(channel: LeanChannel, **more: Any) -> Any:
    """A call with one request and one answer."""
    return channel.unary_unary("/t/x")(b"request", **more)


async def test_what_a_call_sends() -> None:
    """The fields of a gRPC request, the message, and the end; no header table, no push, large windows."""
    seen: list[Peer] = []

    async def script(peer: Peer) -> None:
        seen.append(peer)
        await peer.finished(1)
        peer.send(answered(1))
        await peer.ended()

    async with scripted(script) as channel:
        assert await unary(channel, timeout=60, metadata=(("k", "v"),)) == b"x"
    (peer,) = seen
    found = dict(peer.answer(1).headers)
    assert found.pop("grpc-timeout").endswith("u")
    assert found.pop("user-agent").startswith("crossrate/")
    assert found == {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/t/x",
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
        "grpc-accept-encoding": "identity,deflate,gzip",
        "k": "v",
    }
    assert peer.answer(1).messages == [b"request"]
    assert (peer.settings[1], peer.settings[2]) == (0, 0)


STATUSES = {
    "trailers only": (
        C.NOT_FOUND, "gone", [headers(1, [*BEGIN, ("grpc-status", "5"), ("grpc-message", "gone")], True)]),
    "trailers only without a content type": (C.NOT_FOUND, "", [headers(1, [BEGIN[0], ("grpc-status", "5")], True)]),
    "a percent-encoded message": (
        C.ABORTED, "é%", [headers(1, [*BEGIN, ("grpc-status", "10"), ("grpc-message", "%C3%A9%")], True)]),
    "an unknown status": (C.UNKNOWN, "", [headers(1, [*BEGIN, ("grpc-status", "99")], True)]),
    "a status that is no number": (C.UNKNOWN, "", [headers(1, [*BEGIN, ("grpc-status", "x")], True)]),
    "no status": (C.UNKNOWN, None, [headers(1, BEGIN), headers(1, [("a", "b")], True)]),
    "no status in trailers only": (C.UNKNOWN, None, [headers(1, BEGIN, True)]),
    "an end in DATA": (C.INTERNAL, None, [headers(1, BEGIN), data(1, message(b"x"), True)]),
    "OK without an answer": (C.INTERNAL, None, [headers(1, BEGIN), headers(1, OK, True)]),
    "two answers": (C.INTERNAL, None, [headers(1, BEGIN), data(1, message(b"x") * 2), headers(1, OK, True)]),
    "half an answer": (C.INTERNAL, None, [headers(1, BEGIN), data(1, message(b"xy")[:-1]), headers(1, OK, True)]),
    "an unknown flag": (C.INTERNAL, None, [headers(1, BEGIN), data(1, message(b"x", 7)), headers(1, OK, True)]),
    "packed without an encoding": (C.INTERNAL, None, [headers(1, BEGIN), data(1, message(b"x", 1))]),
    "too large an answer": (C.RESOURCE_EXHAUSTED, None, [headers(1, BEGIN), data(1, b"\0\x7f\xff\xff\xff")]),
    "HTTP 400": (C.INTERNAL, None, [headers(1, [(":status", "400")], True)]),
    "HTTP 401": (C.UNAUTHENTICATED, None, [headers(1, [(":status", "401")], True)]),
    "HTTP 403": (C.PERMISSION_DENIED, None, [headers(1, [(":status", "403")], True)]),
    "HTTP 404": (C.UNIMPLEMENTED, None, [headers(1, [(":status", "404")], True)]),
    "HTTP 429": (C.UNAVAILABLE, None, [headers(1, [(":status", "429")], True)]),
    "HTTP 502": (C.UNAVAILABLE, None, [headers(1, [(":status", "502")], True)]),
    "HTTP 503 with a body": (
        C.UNAVAILABLE, None, [headers(1, [(":status", "503"), ("content-type", "text/plain")]), data(1, b"no", True)]),
    "HTTP 504": (C.UNAVAILABLE, None, [headers(1, [(":status", "504")], True)]),
    "HTTP 500": (C.UNKNOWN, None, [headers(1, [(":status", "500")], True)]),
    "HTTP 200 that is no gRPC": (
        C.UNKNOWN, None, [headers(1, [BEGIN[0], ("content-type", "text/html")]), data(1, b"<")]),
    "an HTTP status and a gRPC one": (
        C.NOT_FOUND, "", [headers(1, [(":status", "503"), ("grpc-status", "5")], True)]),
    "headers without a status": (C.INTERNAL, None, [headers(1, [("a", "b")], True)]),
    "a request's pseudo-header": (C.INTERNAL, None, [headers(1, [*BEGIN, (":path", "/")], True)]),
    "DATA before headers": (C.INTERNAL, None, [data(1, message(b"x")), answered(1)]),
    "trailers without an end": (C.INTERNAL, None, [headers(1, BEGIN), headers(1, OK)]),
    "a pseudo-header in trailers": (C.INTERNAL, None, [headers(1, BEGIN), headers(1, [(":status", "200"), *OK], True)]),
    "malformed headers": (C.INTERNAL, None, [headers(1, [*BEGIN, ("A", "b")], True)]),
    "reset: CANCEL": (C.CANCELLED, None, [reset(1, Code.CANCEL)]),
    "reset: INTERNAL_ERROR": (C.INTERNAL, None, [reset(1, Code.INTERNAL_ERROR)]),
    "reset: NO_ERROR": (C.INTERNAL, None, [reset(1, Code.NO_ERROR)]),
    "reset: ENHANCE_YOUR_CALM": (C.RESOURCE_EXHAUSTED, None, [reset(1, Code.ENHANCE_YOUR_CALM)]),
    "reset: INADEQUATE_SECURITY": (C.PERMISSION_DENIED, None, [reset(1, Code.INADEQUATE_SECURITY)]),
    "reset: a code of its own": (C.INTERNAL, None, [reset(1, 0x99)]),
    "reset in the middle": (C.INTERNAL, None, [headers(1, BEGIN), reset(1, Code.PROTOCOL_ERROR)]),
    "a broken connection": (None, None, [frame(5, 4, 1, bytes(4))]),
}  # fmt: skip


@pytest.mark.parametrize("name", STATUSES)
async def test_what_ends_mean(name: str) -> None:
    """Each way in which an answer can end is a status; none leaves a call or its bytes behind."""
    code, words, frames = STATUSES[name]
    async with scripted(saying(*frames)) as channel:
        call = unary(channel)
        found = await status_of(call)
        assert found[0] is (code or C.INTERNAL)
        assert words is None or found[1] == words
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is found[0]
        assert (channel.calls, channel.waiting) == (set(), {})
        assert channel._connection is None or (channel._connection.streams, channel._connection.room_used) == ({}, 0)


async def test_an_answer_after_informational_ones() -> None:
    """Headers with a status of 1xx are passed over."""
    async with scripted(saying(headers(1, [(":status", "103"), ("a", "b")]), answered(1))) as channel:
        call = unary(channel)
        assert await call == b"x"
        assert dict(await call.initial_metadata()) == {}


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_answer(encoding: str) -> None:
    """It is unpacked by the encoding that the headers announce."""
    packed = message(messages.compress(b"y" * 5000, encoding), 1)
    begin = headers(1, [*BEGIN, ("grpc-encoding", encoding)])
    async with scripted(saying(begin, data(1, packed), headers(1, OK, True))) as channel:
        assert await unary(channel) == b"y" * 5000


@pytest.mark.parametrize("where", ["initial", "trailing"])
async def test_metadata_that_are_no_base64(where: str) -> None:
    """A status that comes with them is still a status."""
    bad = [("k-bin", "!")]
    first, last = (bad, []) if where == "initial" else ([], bad)
    said = [headers(1, BEGIN + first), headers(1, [("grpc-status", "5"), ("grpc-message", "gone"), *last], True)]
    async with scripted(saying(*said)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary(channel)
        assert caught.value.code() is C.NOT_FOUND
        assert caught.value.details().startswith("gone")


async def test_a_details_message() -> None:
    """Rich details come as bytes, whether they were padded or not."""
    raw = bytes(range(50))
    for value in (base64.b64encode(raw).decode(), base64.b64encode(raw).decode().rstrip("=")):
        trailers = headers(1, [*BEGIN, ("grpc-status", "3"), ("grpc-status-details-bin", value)], True)
        async with scripted(saying(trailers)) as channel:
            call = unary(channel)
            assert dict(await call.trailing_metadata()) == {"grpc-status-details-bin": raw}
