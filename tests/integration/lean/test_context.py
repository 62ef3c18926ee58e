"""What a handler may ask of its call, and set."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from crossrate.rpc.lean import LeanTransport, messages
from crossrate.rpc.transport import Wrapped
from tests.integration.lean.peer import call, connected
from tests.integration.lean.serving import serving


async def answered_by(handle: Any, *more: tuple[str, str], waits: bool = True) -> Any:
    """The answer of a handler to one call."""
    async with serving(LeanTransport()) as (path, _, transport):
        transport.methods = {"/t/it": Wrapped("/t/it", False, False, handle, waits)}
        async with connected(path) as peer:
            peer.send(call(1, "/t/it", b"x", *more))
            (answer,) = await peer.finished(1)
            return answer


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("identity,gzip", "gzip"), ("identity, deflate", None), ("gzip,deflate", "gzip"), ("", None)],
)
async def test_answers_are_compressed_if_the_client_takes_that(accepted: str, encoding: str | None) -> None:
    """The headers name the encoding and the message is in it, or neither."""

    async def handle(request: bytes, context: Any) -> bytes:
        context.set_compression(grpc.Compression.Gzip)
        return b"y" * 5000

    answer = await answered_by(handle, *([("grpc-accept-encoding", accepted)] if accepted else []))
    assert answer.headers.get("grpc-encoding") == encoding
    (raw,) = answer.messages
    assert answer.body[0] == int(encoding is not None)
    assert (messages.decompress(raw, encoding, 5000) if encoding else raw) == b"y" * 5000


async def test_headers_are_sent_once() -> None:
    """Once they are out, neither they nor the compression can be said again."""
    raised: list[str] = []

    async def handle(request: bytes, context: Any) -> bytes:
        with pytest.raises(ValueError, match="metadata"):
            await context.send_initial_metadata((("Bad", "1"),))
        await context.send_initial_metadata((("a", "1"),))
        for again in (
            lambda: context.send_initial_metadata((("a", "2"),)),
            lambda: asyncio.sleep(0, context.set_compression(grpc.Compression.Gzip)),
        ):
            try:
                await again()
            except RuntimeError as error:
                raised.append(str(error))
        return request

    answer = await answered_by(handle)
    assert (answer.headers["a"], answer.messages, answer.status) == ("1", [b"x"], "0")
    assert raised == ["the answer's headers have been sent already"] * 2


async def test_aborts() -> None:
    """abort() ends the call with a code, which is not OK."""

    async def handle(request: bytes, context: Any) -> bytes:
        with pytest.raises(ValueError, match="OK"):
            await context.abort(grpc.StatusCode.OK)
        await context.abort(grpc.StatusCode.ABORTED, "so", (("k", "v"),))
        return b""

    answer = await answered_by(handle)
    assert (answer.status, answer.words, answer.headers["k"]) == ("10", "so", "v")


async def test_what_a_context_says() -> None:
    """The code, words and metadata set so far; that there is no deadline, no peer beside the socket, and no end yet."""
    said: list[Any] = []

    async def handle(request: bytes, context: Any) -> bytes:
        said.extend((context.code(), context.details(), context.trailing_metadata(), context.time_remaining()))
        said.extend((context.peer(), context.auth_context(), context.peer_identities(), context.peer_identity_key()))
        said.extend((context.done(), context.cancelled()))
        context.set_code(5)
        context.set_details("d")
        context.set_trailing_metadata([("k", "v")])
        said.extend((context.code(), context.details(), context.trailing_metadata()))
        return b""

    answer = await answered_by(handle, waits=False)
    assert said == [0, "", (), None, "unix:", {}, None, None, False, False, 5, "d", (("k", "v"),)]
    assert answer.status == "5"


async def test_a_request_whose_metadata_are_no_base64() -> None:
    """A handler that asks for them ends with INTERNAL, as the client's fault."""

    async def handle(request: bytes, context: Any) -> bytes:
        context.invocation_metadata()
        return b""

    answer = await answered_by(handle, ("k-bin", "!"))
    assert (answer.status, "k-bin" in answer.words) == ("13", True)
