"""The three ways in of the authorisation matrix: one call by gRPC, REST or gRPC-Web, and the code that it ends with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc

from crossrate.cli.web import decode_frames
from crossrate.rpc.contract import MethodContract
from tests.bench.load_channel import LoadChannel
from tests.integration.matrix import Asked
from tests.integration.raw_http import Answer, RawHttp

CODES = {200: 0, 400: 3, 401: 16, 403: 7}
"""What an HTTP status of REST stands for; what is not here is told by its number."""


def headers_of(token: str | None) -> dict[str, str]:
    """The header that shows a token."""
    return {} if token is None else {"authorization": f"Bearer {token}"}


async def by_grpc(channel: LoadChannel, method: MethodContract, asked: Asked, token: str | None) -> int:
    """How a call of plain gRPC ends; a stream counts as let in with its first message."""
    kind = ("stream" if method.client_streaming else "unary") + ("_stream" if method.server_streaming else "_unary")
    request = asked.raw if not method.client_streaming else one(asked.raw)
    call = getattr(channel, kind)(method.path)(request, metadata=list(headers_of(token).items()), timeout=30)
    try:
        if not method.server_streaming:
            await call
        else:
            await call.read()
            call.cancel()
    except grpc.aio.AioRpcError as error:
        return error.code().value[0]
    return 0


async def one(raw: bytes) -> AsyncIterator[bytes]:
    """A stream of one request."""
    yield raw


async def by_rest(client: RawHttp, method: MethodContract, asked: Asked, token: str | None) -> int:
    """The same over REST."""
    headers = headers_of(token) | ({"content-type": "application/json"} if asked.body else {})
    answer, chunks = await client.begin(asked.verb, asked.path, headers, asked.body)
    await finish(client, answer, chunks, streaming=method.server_streaming)
    return CODES.get(answer.status, answer.status)


async def by_web(client: RawHttp, method: MethodContract, asked: Asked, token: str | None) -> int:
    """The same over gRPC-Web."""
    headers = headers_of(token) | {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    frame = bytes([0]) + len(asked.raw).to_bytes(4, "big") + asked.raw
    answer, chunks = await client.begin("POST", method.path, headers, frame)
    await finish(client, answer, chunks, streaming=method.server_streaming)
    return web_code(answer)


def web_code(answer: Answer) -> int:
    """The code of an answer of gRPC-Web: in its headers, in its last frame, or 0 for a stream that goes on."""
    if answer.status != 200:
        return CODES.get(answer.status, answer.status)
    if "grpc-status" in answer.headers:
        return int(answer.headers["grpc-status"])
    told = [f.payload for f in decode_frames(answer.body) if f.flags & 0x80]
    return int(told[0].split(b"grpc-status:")[1].split(b"\r\n")[0]) if told else 0


async def finish(client: RawHttp, answer: Answer, chunks: Any, *, streaming: bool) -> None:
    """Reads an answer to its end, or a stream to its first piece."""
    if chunks is None:
        return
    async for chunk in chunks:
        answer.body += chunk
        if streaming and answer.status == 200 and b"grpc-status" not in chunk:
            await client.close()
            return
