"""gRPC's interoperability cases: every transport with every client, straight and through a real Envoy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.interop import stand as stands
from tests.interop.cases import CASES, channel_soak
from tests.interop.stand import CLIENTS, TRANSPORTS, Stand

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

CASE_S_MAX = 90.0
NOT_OFFERED: dict[tuple[str, str], str] = {}
"""Cases that must fail, by client or transport and case, and why."""

GO_CASES = (
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    "pick_first_unary",
    "rpc_soak",
    "channel_soak",
)
"""What grpc-go's client knows, but for authentication, which needs a cloud, and load reports, which nobody sends."""
GO_WAYS = ("straight", "envoy-tcp")

WAYS = [(client, way) for client, (_, ways) in CLIENTS.items() for way in ways]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=TRANSPORTS)
async def stand(request) -> AsyncIterator[Stand]:
    """One transport and one Envoy for all cases."""
    async with stands.stand(request.param) as made:
        yield made


def _expect(request: pytest.FixtureRequest, client: str, case: str) -> None:
    """Marks a case that is known to fail, and fails when it does not any more."""
    for name in (client, request.node.callspec.params["stand"]):
        if reason := NOT_OFFERED.get((name, case)):
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.mark.parametrize(("client", "way"), WAYS)
@pytest.mark.parametrize("case", [*CASES, "channel_soak"])
async def test_case(request, stand, client, way, case):
    """The case's assertions hold, and it leaves no call behind on the server."""
    _expect(request, client, case)
    connect, target = CLIENTS[client][0], stand.target(way)
    async with asyncio.timeout(CASE_S_MAX):
        if case == "channel_soak":
            await channel_soak(lambda: connect(target))
        else:
            async with connect(target) as channel:
                await CASES[case](channel)
        await stand.settled()


@pytest.mark.parametrize("way", GO_WAYS)
@pytest.mark.parametrize("case", GO_CASES)
async def test_case_by_grpc_go(request, grpc_go, stand, way, case):
    """grpc-go's own client finds nothing wrong, and it leaves no call behind on the server."""
    _expect(request, "grpc-go", case)
    host, port = ("127.0.0.1", stand.envoy_port) if way == "envoy-tcp" else (f"unix://{stand.socket}", 0)
    arguments = ["--use_tls=false", f"--test_case={case}", f"--server_host={host}", f"--server_port={port}"]
    process = await asyncio.create_subprocess_exec(
        grpc_go, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(CASE_S_MAX):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    async with asyncio.timeout(CASE_S_MAX):
        await stand.settled()
