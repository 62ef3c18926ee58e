"""ControlService with a real NATS and a real instance of a service: live configuration, routes kept, taps."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from pydantic import BaseModel, ConfigDict, Field

from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc
from crossrate.api.control.v1 import tap_pb2
from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime.live_config import LiveConfig
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import DEFAULT_PATH
from services.control.mesh import CONTROL_FOLDER
from tests.ending import within
from tests.integration.conftest import Servers
from tests.integration.envoys import SmallMesh, until
from tests.integration.rpc_service import Instruments

pytestmark = pytest.mark.integration


class Values(BaseModel):
    """Live values of the instance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page_size: int = Field(default=100, ge=1, le=1000)
    note: str = ""


@contextlib.asynccontextmanager
async def instance_of_reference(mesh: SmallMesh) -> AsyncIterator[LiveConfig[Values]]:
    """A real server of the reference service with live values."""
    settings = RuntimeSettings(service="reference", instance="reference-1", settle_s=0.05, grace_s=1)
    runtime = open_runtime(settings, mesh.place)
    events = await Events.open(runtime)
    config = LiveConfig(Values)
    await config.watch(events)
    server = Server(runtime)
    server.config = config
    server.add(reference_grpc.add_ReferenceServiceServicer_to_server, Instruments())
    serving = asyncio.create_task(server.serve())
    try:
        await until(runtime.place.registration("reference-1").exists)
        yield config
    finally:
        runtime.stopping.set()
        await within(serving, "the end of the server")
        await config.close()
        await events.close()


@pytest.fixture
async def mesh() -> AsyncIterator[SmallMesh]:
    """Control with NATS, and no proxies."""
    mesh = SmallMesh(DEFAULT_PATH)
    servers = Servers(mesh.folder, mesh.topology)
    try:
        servers.issue()
        await mesh.start_control()
        # NATS comes after control: it serves without, and finds it.
        await servers.start_nats()
        await servers.nats.provision(mesh.topology)
        yield mesh
    finally:
        await asyncio.to_thread(servers.remove)
        await mesh.stop()


def new_id() -> str:
    """A request id."""
    return str(uuid.uuid4())


def change(request_id: str = "", **fields) -> control.SetConfigRequest:
    """A change of reference's values."""
    values = fields.pop("values", None)
    request = control.SetConfigRequest(request_id=request_id or new_id(), service="reference", **fields)
    if values is not None:
        request.values.CopyFrom(json_format.ParseDict(values, struct_pb2.Struct()))
    return request


async def refused(call) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def knows_nats(stub: control_grpc.ControlServiceStub) -> bool:
    """Whether control has found NATS."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        await stub.GetConfig(control.GetConfigRequest(service="reference"), timeout=2)
        return True
    return False


async def test_live_configuration_is_checked_applied_and_taken_back(mesh: SmallMesh) -> None:
    """A running instance judges every change; versions grow, a rollback is a new version, and a stale one conflicts."""
    async with mesh.operator() as stub:
        await until(lambda: knows_nats(stub))
        error = await refused(stub.SetConfig(change(values={"page_size": 5}), timeout=60))
        assert error.code() is grpc.StatusCode.UNAVAILABLE, "no instance runs that could judge"
        async with instance_of_reference(mesh) as config:
            await until(mesh.status)

            async def registered() -> bool:
                return any(i.name == "reference-1" and i.health == 1 for i in (await mesh.status()).instances)

            await until(registered)
            first = change(values={"page_size": 7}, comment="smaller pages")
            answer = (await stub.SetConfig(first, timeout=60)).config
            assert (answer.version, answer.author, answer.comment) == (1, "local", "smaller pages")
            assert json_format.MessageToDict(answer.values) == {"page_size": 7.0, "note": ""}
            assert (await stub.SetConfig(first, timeout=60)).config == answer, "the same request is answered the same"
            await until(lambda: config.version == 1)
            assert config.current == Values(page_size=7)

            reused = change(first.request_id, values={"page_size": 8})
            assert (await refused(stub.SetConfig(reused, timeout=60))).code() is grpc.StatusCode.ALREADY_EXISTS
            wrong = await refused(stub.SetConfig(change(values={"page_size": 0, "colour": "red"}), timeout=60))
            assert wrong.code() is grpc.StatusCode.INVALID_ARGUMENT
            stale = change(values={"note": "x"}, expected_version=9)
            assert (await refused(stub.SetConfig(stale, timeout=60))).code() is grpc.StatusCode.ABORTED
            await stub.SetConfig(change(values={"page_size": 9}, validate_only=True), timeout=60)

            await stub.SetConfig(change(values={"note": "hello"}), timeout=60)
            back = (await stub.SetConfig(change(rollback_to_version=1), timeout=60)).config
            assert (back.version, back.comment) == (3, "back to version 1")
            await until(lambda: config.version == 3)
            assert config.current == Values(page_size=7)
            request = control.ListConfigVersionsRequest(service="reference")
            versions = (await stub.ListConfigVersions(request, timeout=60)).versions
            assert [v.version for v in versions] == [3, 2, 1]
            shown = (await stub.GetConfig(control.GetConfigRequest(service="reference"), timeout=60)).config
            assert shown.version == 3
            assert json_format.MessageToDict(shown.values)["note"] == ""

            await stub.SetConfig(change(rollback_to_version=0), timeout=60)
            await until(lambda: config.version == 4)
            assert config.current == Values(), "version 0 is what the program comes with"


async def test_a_route_outlives_control_and_its_disk(mesh: SmallMesh) -> None:
    """A route that was applied is in force again after a restart, from disk, or from NATS when the disk was lost."""
    async with mesh.operator() as stub:
        await until(lambda: knows_nats(stub))
        routes = (await stub.ListRoutes(control.ListRoutesRequest(), timeout=60)).routes
        document = json_format.MessageToDict(next(r for r in routes if r.service == "reference").grpc_route)
        document["spec"]["rules"][0]["backendRefs"][0]["weight"] = 42
        request = control.ApplyRouteRequest(request_id=new_id())
        request.grpc_route.CopyFrom(json_format.ParseDict(document, struct_pb2.Struct()))
        await stub.ApplyRoute(request, timeout=60)

    async def weight() -> float:
        async with mesh.operator() as stub:
            routes = (await stub.ListRoutes(control.ListRoutesRequest(), timeout=60)).routes
        route = json_format.MessageToDict(next(r for r in routes if r.service == "reference").grpc_route)
        return route["spec"]["rules"][0]["backendRefs"][0]["weight"]

    await mesh.kill("control-1")
    await mesh.start_control()
    assert await weight() == 42
    await mesh.kill("control-1")
    (mesh.place.state / CONTROL_FOLDER / "kept.json").unlink()
    await mesh.start_control()

    async def returned() -> bool:
        return await weight() == 42

    await until(returned)


async def test_a_tap_shows_what_passes(mesh: SmallMesh) -> None:
    """Requests, answers and the status of a call are seen while they pass through an instance."""
    async with mesh.operator() as stub, instance_of_reference(mesh):
        name = "crossrate.api.reference.v1.ReferenceService/GetInstrument"
        seen: list[instance_pb2.TapMessagesResponse] = []

        async def read() -> None:
            while not seen:
                try:
                    async for answer in stub.Tap(tap_pb2.TapRequest(method=name, max_messages=3), timeout=60):
                        seen.append(answer.message)
                except grpc.aio.AioRpcError as error:
                    # Control may not have reached NATS yet, where taps are written down.
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise
                    await asyncio.sleep(0.1)

        reading = asyncio.create_task(read())
        async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket('reference-1')}") as channel:
            call = reference_grpc.ReferenceServiceStub(channel).GetInstrument

            async def passed() -> bool:
                await call(reference.GetInstrumentRequest(base="EUR", counter="USD"), timeout=60)
                return reading.done()

            await until(passed)
        assert [m.direction for m in seen] == [1, 2, 3]
        assert "EUR" in seen[0].body
        unknown = stub.Tap(tap_pb2.TapRequest(method="Nothing/AtAll"), timeout=60)
        assert (await refused(unknown.read())).code() is grpc.StatusCode.INVALID_ARGUMENT
