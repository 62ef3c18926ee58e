"""What no client's API shows: whether messages are compressed on the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.interop.cases import (
    client_compressed_streaming,
    client_compressed_unary,
    large_unary,
    server_compressed_streaming,
    server_compressed_unary,
)
from tests.interop.relay import compressed_flags, unix_relay
from tests.interop.stand import CLIENTS, TRANSPORTS, stand

pytestmark = pytest.mark.integration

COMPRESSING_CLIENTS = ["grpc.aio", "lean"]
"""Clients that compress when they are told to."""
COMPRESSING_TRANSPORTS = ["grpc.aio", "lean"]
"""Transports whose context has `set_compression`."""
SWITCHING_TRANSPORTS = ["grpc.aio", "lean"]
"""Transports whose context has `disable_next_message_compression`; the others compress all of a stream or nothing."""


async def flags(transport: str, client: str, case: Callable[[Any], Awaitable[None]]) -> tuple[list, list]:
    """Of every request and of every answer of a case whether it was compressed, in the order of the calls."""
    async with (
        stand(transport, envoy=False) as made,
        unix_relay(made.socket, made.folder / "relay.sock") as relay,
    ):
        async with CLIENTS[client][0](f"unix:{made.folder / 'relay.sock'}") as channel:
            await case(channel)
        directions = (compressed_flags(bytes(passed)) for passed in (relay.requests, relay.answers))
        requests, answers = ([found[stream] for stream in sorted(found)] for found in directions)
        return requests, answers


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_nothing_is_compressed_unasked(transport, client):
    """Large messages travel as they are."""
    assert await flags(transport, client, large_unary) == ([[False]], [[False]])


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("client", COMPRESSING_CLIENTS)
async def test_a_client_compresses_the_requests_of_one_call(transport, client):
    """Compression is asked for call by call, and every request of the call is compressed."""
    requests, _ = await flags(transport, client, client_compressed_unary)
    assert requests == [[True], [False]]
    requests, _ = await flags(transport, client, client_compressed_streaming)
    assert requests == [[True, True]]


@pytest.mark.parametrize("transport", COMPRESSING_TRANSPORTS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_server_compresses_the_answer_of_a_call(transport, client):
    """A single answer is compressed if its request said so, and the first of a stream."""
    _, answers = await flags(transport, client, server_compressed_unary)
    assert answers == [[True], [False]]
    _, answers = await flags(transport, client, server_compressed_streaming)
    assert [found[0] for found in answers] == [True]


@pytest.mark.parametrize("transport", SWITCHING_TRANSPORTS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_server_leaves_one_answer_plain(transport, client):
    """In a stream of compressed answers the one that is to be plain is."""
    _, answers = await flags(transport, client, server_compressed_streaming)
    assert answers == [[True, False]]
