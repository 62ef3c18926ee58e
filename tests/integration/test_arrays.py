"""Arrays through a real server over its Unix socket, on each transport."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.instance.v1 import instance_service_pb2_grpc as instance_grpc
from crossrate.rpc import arrays, contract
from crossrate.rpc.client import CallError, channel_to_socket
from crossrate.rpc.errors import ErrorReason, failure_of
from crossrate.rpc.server import Server
from crossrate.runtime.place import Place
from crossrate.runtime.process import Runtime, RuntimeSettings, open_runtime
from tests.array_contract import SERVICE, contracts, kind, register

WAIT_S = 60.0
PRICE = f"/{SERVICE}/Price"
STREAM = f"/{SERVICE}/StreamPrices"


class Desk:
    """Prices are spot less strike."""

    async def Price(self, request: Any, context: Any) -> Any:
        """One answer."""
        return self._priced(request, 1.0)

    async def StreamPrices(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Three answers, each with larger prices."""
        for scale in (1.0, 2.0, 3.0):
            yield self._priced(request, scale)

    def _priced(self, request: Any, scale: float) -> Any:
        price = (arrays.get(request, "spot") - arrays.get(request, "strike")) * scale
        answer = kind("PriceResponse")()
        answer.as_of.CopyFrom(request.as_of)
        return arrays.put(answer, price=price)


@pytest.fixture(params=["lean", "grpcio"])
async def socket(request, monkeypatch) -> AsyncIterator[tuple[Path, str]]:
    """Where a desk serves, and on which transport."""
    every = {**contract.contracts(), **contracts()}
    monkeypatch.setattr("crossrate.rpc.server.contracts", lambda: every)
    monkeypatch.setattr("crossrate.rpc.client.contracts", lambda: every)
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    settings = RuntimeSettings(service="reference", settle_s=0.0, grace_s=5.0, transport=request.param)
    runtime: Runtime = open_runtime(settings, Place(folder / "state", folder / "run"))
    server = Server(runtime)
    server.add(register, Desk())
    serving = asyncio.create_task(server.serve())
    registration = runtime.place.registration("reference-1")
    async with asyncio.timeout(WAIT_S):
        while not registration.exists():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.005)
    yield server.socket, request.param
    runtime.stopping.set()
    await asyncio.wait_for(serving, WAIT_S)
    shutil.rmtree(folder)


def stub(channel: grpc.aio.Channel) -> Any:
    """The unary method as generated code has it."""
    return channel.unary_unary(PRICE, kind("PriceRequest").SerializeToString, kind("PriceResponse").FromString)


async def test_arrays_go_in_and_out(socket):
    """Eight hundred kilobytes of doubles reach the handler and come back as arrays, with a timestamp beside them."""
    path, transport = socket
    rng = np.random.default_rng(7)
    spot, strike = rng.uniform(1, 2, 20_000), rng.uniform(1, 2, 20_000)
    request = arrays.put(kind("PriceRequest")(book="desk"), spot=spot, strike=strike)
    request.as_of.FromSeconds(1_700_000_000)
    async with channel_to_socket(path, transport=transport) as channel:
        answer = await stub(channel)(request)
    assert arrays.get(answer, "price").tobytes() == (spot - strike).tobytes()
    assert answer.as_of.seconds == 1_700_000_000


async def test_arrays_stream(socket):
    """Every message of a stream carries its own arrays."""
    path, transport = socket
    request = arrays.put(kind("PriceRequest")(), spot=[3.0, 4.0], strike=[1.0, 1.0])
    async with channel_to_socket(path, transport=transport) as channel:
        call = channel.unary_stream(STREAM, kind("PriceRequest").SerializeToString, kind("PriceResponse").FromString)
        prices = [arrays.get(answer, "price").tolist() async for answer in call(request)]
    assert prices == [[2.0, 3.0], [4.0, 6.0], [6.0, 9.0]]


async def test_a_client_that_packs_nothing_is_served(socket):
    """Elements sent one by one, as a client may, mixed with packed ones, are the same array."""
    path, _ = socket
    double = np.array([3.0]).tobytes()
    raw = b"\x11" + double + b"\x12\x10" + double * 2 + b"\x1a\x18" + np.array([1.0, 2.0, 3.0]).tobytes()
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        answer = kind("PriceResponse").FromString(await channel.unary_unary(PRICE)(raw))
    assert list(answer.price) == [2.0, 1.0, 0.0]


@pytest.mark.parametrize("raw", [b"\x12\x07" + bytes(7), b"\x12\x10" + bytes(8), b"\x12", b"\x11" + bytes(7)])
async def test_bytes_that_are_not_arrays_are_refused(socket, raw):
    """What is cut off or not a multiple of eight bytes is INVALID_ARGUMENT, and the server goes on serving."""
    path, _ = socket
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary(PRICE)(raw)
        failure = failure_of(raised.value)
        assert failure is not None
        assert failure.reason is ErrorReason.INVALID_REQUEST
        assert [v.rule for v in failure.violations] == ["request.encoding"]
        assert await channel.unary_unary(PRICE)(b"") == b"\x12\x00"


async def test_violations_name_the_element(socket):
    """The caller learns which element is wrong, and why; a read that is repeated is refused again."""
    path, transport = socket
    spot = np.ones(50)
    spot[17] = np.nan
    request = arrays.put(kind("PriceRequest")(book="much too long"), spot=spot, strike=spot)
    async with channel_to_socket(path, transport=transport) as channel:
        for _ in range(2):
            with pytest.raises(CallError) as raised:
                await stub(channel)(request)
            assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert {(v.field, v.description) for v in raised.value.violations} == {
                ("book", "must be at most 8 characters"),
                ("spot[17]", "is NaN: must be greater than 0"),
                ("spot[17]", "is NaN: must be finite"),
                ("strike[17]", "is NaN: must be greater than or equal to 0 and less than 1000000000"),
            }


async def test_a_tap_shows_numbers(socket):
    """Who watches a method sees arrays as lists of numbers, both ways."""
    path, transport = socket
    async with (
        grpc.aio.insecure_channel(f"unix:{path}") as watching,
        channel_to_socket(path, transport=transport) as channel,
    ):
        request = arrays.put(kind("PriceRequest")(), spot=[3.0, 4.5], strike=[1.0, 1.0])
        tap = instance_grpc.InstanceServiceStub(watching).TapMessages(instance_pb2.TapMessagesRequest())
        bodies: dict[int, str] = {}

        async def watch() -> None:
            async for shown in tap:
                bodies[shown.direction] = shown.body
                if instance_pb2.TAP_DIRECTION_RESPONSE in bodies:
                    return

        watcher = asyncio.create_task(watch())
        async with asyncio.timeout(WAIT_S):
            while not watcher.done():
                await stub(channel)(request)
                await asyncio.sleep(0.01)
        tap.cancel()
    assert bodies[instance_pb2.TAP_DIRECTION_REQUEST] == '{"spot":[3.0,4.5],"strike":[1.0,1.0]}'
    assert '"price":[2.0,3.5]' in bodies[instance_pb2.TAP_DIRECTION_RESPONSE]
