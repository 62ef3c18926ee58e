"""Faults for drills, in real proxies: who meets them, who does not, and that each ends."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from crossrate.api.control.v1 import fault_service_pb2 as pb
from crossrate.api.control.v1.fault_service_pb2_grpc import FaultServiceStub
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
from tests.integration.envoys import SmallMesh, small_mesh, until

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
Code = grpc.StatusCode


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[SmallMesh]:
    """Control, an edge, a node proxy, one instance of reference and of marketdata."""
    async with small_mesh() as small:
        yield small


@pytest_asyncio.fixture(loop_scope="module")
async def faults(mesh: SmallMesh) -> AsyncIterator[FaultServiceStub]:
    """The operator's calls; no fault is left afterwards."""
    async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket('control-1')}") as channel:
        stub = FaultServiceStub(channel)
        yield stub
        await stub.RemoveFault(pb.RemoveFaultRequest(request_id=str(uuid.uuid4())))
        async with mesh.edge_channel() as edge, mesh.outbound_channel("marketdata") as other:
            await becomes(edge, Code.OK)
            await becomes(other, Code.OK)


def asked(lifetime_s: int = 600, delay_s: int = 0, **fields: Any) -> pb.AddFaultRequest:
    """A fault in reference."""
    request = pb.AddFaultRequest(request_id=str(uuid.uuid4()), fault=pb.Fault(**{"service": "reference"} | fields))
    request.lifetime.seconds = lifetime_s
    if delay_s:
        request.fault.delay.seconds = delay_s
    return request


async def code(channel: grpc.aio.Channel, timeout_s: float = 30.0) -> Code:
    """How a call of a channel's end goes."""
    request = reference.GetInstrumentRequest(base="EUR", counter="USD")
    try:
        await ReferenceServiceStub(channel).GetInstrument(request, timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return Code.OK


async def becomes(channel: grpc.aio.Channel, expected: Code, timeout_s: float = 30.0) -> None:
    """Waits until calls go so: the worker of a proxy hears of its routes after the proxy has acknowledged them."""

    async def so() -> bool:
        return await code(channel, timeout_s) is expected

    await until(so)


async def test_a_partition_cuts_one_caller_off(mesh: SmallMesh, faults: FaultServiceStub) -> None:
    """marketdata does not reach reference any more, clients do; and the other way round, also over REST."""
    async with mesh.edge_channel() as edge, mesh.outbound_channel("marketdata") as other:
        cut = (await faults.AddFault(asked(caller="marketdata", abort_code="UNAVAILABLE"))).fault
        await becomes(other, Code.UNAVAILABLE)
        assert await code(edge) is Code.OK
        await faults.RemoveFault(pb.RemoveFaultRequest(request_id=str(uuid.uuid4()), fault=cut.fault))
        await faults.AddFault(asked(caller="edge", abort_code="UNAVAILABLE"))
        await becomes(edge, Code.UNAVAILABLE)
        await becomes(other, Code.OK)
        assert await code(edge) is Code.UNAVAILABLE
        status, headers, body = await mesh.rest("GET", "/v1/instruments/EUR/USD")
        assert (status, json.loads(body)["code"]) == (503, 14)
        # `crossrate why` can be asked about it.
        assert uuid.UUID({name.lower(): value for name, value in headers.items()}["x-request-id"])


async def test_only_the_method_that_is_named_fails(mesh: SmallMesh, faults: FaultServiceStub) -> None:
    """Another method of the service is served, here refused by it as not implemented."""
    await faults.AddFault(asked(method="ReferenceService/GetInstrument", abort_code="DATA_LOSS"))
    async with mesh.edge_channel() as edge:
        await becomes(edge, Code.DATA_LOSS)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ReferenceServiceStub(edge).ListInstruments(reference.ListInstrumentsRequest(), timeout=30)
        assert caught.value.code() is Code.UNIMPLEMENTED


async def test_a_delay_runs_against_the_deadline(mesh: SmallMesh, faults: FaultServiceStub) -> None:
    """Who waits less than the delay gets nothing, and the service never hears of it."""
    await faults.AddFault(asked(delay_s=60))
    served = mesh.backends["reference-1"].servicer
    async with mesh.edge_channel() as edge:
        await becomes(edge, Code.DEADLINE_EXCEEDED, 1.0)
        before = served.calls
        assert await code(edge, 1.0) is Code.DEADLINE_EXCEEDED
    assert served.calls == before


async def test_a_share_of_the_calls_fails(mesh: SmallMesh, faults: FaultServiceStub) -> None:
    """Half of 400 calls, give or take six standard deviations."""
    await faults.AddFault(asked(percent=50, abort_code="INTERNAL"))
    async with mesh.edge_channel() as edge:
        await becomes(edge, Code.INTERNAL)
        seen = [await code(edge) for _ in range(400)]
    assert set(seen) == {Code.OK, Code.INTERNAL}
    assert 140 < seen.count(Code.INTERNAL) < 260


async def test_the_newest_counts_and_each_ends_by_itself(mesh: SmallMesh, faults: FaultServiceStub) -> None:
    """A short fault before a long one, until its time is over; what is listed is what is in force."""
    long = (await faults.AddFault(asked(abort_code="INTERNAL", comment="the drill"))).fault
    short = (await faults.AddFault(asked(lifetime_s=1, abort_code="ABORTED"))).fault
    assert (short.expire_time.ToNanoseconds() - short.create_time.ToNanoseconds()) == 10**9
    assert long.author
    async with mesh.edge_channel() as edge:

        async def first_over() -> bool:
            return [each.fault for each in (await faults.ListFaults(pb.ListFaultsRequest())).faults] == [long.fault]

        await until(first_over)

        async def falls_back() -> bool:
            return await code(edge) is Code.INTERNAL

        await until(falls_back)


async def test_a_change_is_made_once_and_a_check_changes_nothing(faults: FaultServiceStub) -> None:
    """A request that comes again is the same fault; `validate_only` answers as if done."""
    request = asked(abort_code="INTERNAL")
    first, again = await faults.AddFault(request), await faults.AddFault(request)
    assert first.fault.fault == again.fault.fault
    check = asked(abort_code="INTERNAL")
    check.validate_only = True
    await faults.AddFault(check)
    assert len((await faults.ListFaults(pb.ListFaultsRequest())).faults) == 1
    gone = pb.RemoveFaultRequest(request_id=str(uuid.uuid4()), fault="nothing")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await faults.RemoveFault(gone)
    assert caught.value.code() is Code.NOT_FOUND


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "neither a delay nor an abort code"),
        ({"abort_code": "OK"}, "abort_code"),
        ({"abort_code": "INTERNAL", "service": "nobody"}, "no service 'nobody'"),
        ({"abort_code": "INTERNAL", "method": "GetQuote"}, "no method 'GetQuote'"),
        ({"abort_code": "INTERNAL", "caller": "reference"}, "must be one of"),
        ({"abort_code": "INTERNAL", "percent": float("nan")}, "percent"),
        ({"abort_code": "INTERNAL", "lifetime_s": 3601}, "lifetime"),
        ({"delay_s": 301}, "delay"),
    ],
)
async def test_what_makes_no_sense_is_refused(faults: FaultServiceStub, fields: dict[str, Any], words: str) -> None:
    """The error names the field, and no fault is there."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await faults.AddFault(asked(**fields))
    assert caught.value.code() is Code.INVALID_ARGUMENT
    assert words in str(caught.value)
    assert not (await faults.ListFaults(pb.ListFaultsRequest())).faults


async def test_no_fault_outlives_the_control_plane(mesh: SmallMesh, faults: FaultServiceStub) -> None:
    """Control is killed in the middle of a drill: the one after it has none, and the proxies forget theirs."""
    await faults.AddFault(asked(abort_code="INTERNAL"))
    async with mesh.edge_channel() as edge:
        await becomes(edge, Code.INTERNAL)
        await mesh.kill("control-1")
        assert await code(edge) is Code.INTERNAL
        await mesh.start_control()

        async def serves() -> bool:
            return await code(edge) is Code.OK

        await until(serves)


async def test_calls_without_a_fault_do_not_pay_for_it(mesh: SmallMesh, faults: FaultServiceStub) -> None:
    """The filter is in no call's chain but theirs: its statistics count the calls of the fault alone."""
    async with mesh.edge_channel() as edge:
        before = await injected(mesh)
        await asyncio.gather(*(code(edge) for _ in range(20)))
        assert await injected(mesh) == before
        await faults.AddFault(asked(abort_code="INTERNAL"))
        await becomes(edge, Code.INTERNAL)
        assert await injected(mesh) == before + 1


async def injected(mesh: SmallMesh) -> int:
    """Aborts that reference's proxy has counted."""
    text = await mesh.admin("node", "/stats?filter=fault.aborts_injected&format=json")
    found = json.loads(text[text.index("{") : text.rindex("}") + 1])["stats"]
    return sum(int(each.get("value", 0)) for each in found if "in_reference" in each["name"])
