"""A candidate that repeats the calls of the stable version on a real mesh: what differs is found and named, and nothing
is done twice."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from crossrate.api.control.v1 import release_service_pb2 as release_pb
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from tests.integration.envoys import until
from tests.mesh import Mesh
from tests.releasing import releasing
from tests.system.release_steps import TOPOLOGY, aborted_cause, become, command, gone, pid_of

pytestmark = pytest.mark.system

PAIRS = (("EUR", "USD"), ("USD", "JPY"), ("GBP", "USD"), ("EUR", "XXX"))
"""The last is none: failures are compared as well."""
WRITES = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where specifications are written."""
    return tmp_path_factory.mktemp("shadows")


@pytest.fixture(scope="module")
def mesh(folder: Path) -> Iterator[Mesh]:
    """One mesh for all of these tests."""
    with releasing(folder, TOPOLOGY) as own:
        yield own


def specify(folder: Path, name: str, fault: str, shadow: str, more: str = 'strategy = "shadow"') -> str:
    """Writes a specification; its version is its name."""
    (folder / "releases" / f"{name}.toml").write_text(
        f'service = "reference"\n{more}\n'
        f'[candidate]\nversion = "{name}"\ncommand = ["python", "-m", "tests.candidate"]\n'
        f'environment = {{ CROSSRATE_REFERENCE_FAULT = "{fault}" }}\n[shadow]\n{shadow}'
    )
    return name


@asynccontextmanager
async def reading(mesh: Mesh) -> AsyncIterator[None]:
    """A client of the edge reads, one call after the other, until the block is left."""
    leaving = False

    async def read() -> None:
        async with mesh.edge_channel() as channel:
            stub = reference_grpc.ReferenceServiceStub(channel)
            while not leaving:
                for base, counter in PAIRS:
                    asked = reference.GetInstrumentRequest(base=base, counter=counter)
                    call = stub.GetInstrument(asked, timeout=20)
                    assert await call.code() in (grpc.StatusCode.OK, grpc.StatusCode.NOT_FOUND), await call.details()
                await stub.ListCurrencies(reference.ListCurrenciesRequest(), timeout=20)

    task = asyncio.create_task(read())
    try:
        yield
    finally:
        leaving = True
        await task


async def report(mesh: Mesh, name: str) -> dict[str, Any]:
    """What is found so far; nothing before the shadow begins."""
    asked = release_pb.GetShadowReportRequest(release=name)
    async with mesh.control_channel() as channel:
        try:
            told = await release_grpc.ReleaseServiceStub(channel).GetShadowReport(asked, timeout=20)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return {"methods": []}
    return json_format.MessageToDict(told.report, always_print_fields_with_no_presence=True)


def methods(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is told of each method, by its name."""
    return {each["method"].rpartition("/")[2]: each for each in told["methods"]}


def kept(mesh: Mesh) -> int:
    """How many writes' comparisons control has written down."""
    for path in (mesh.place.state / "control" / "evidence").glob("*.json"):
        for method, state in json.loads(path.read_text()).get("shadow", {}).get("methods", {}).items():
            if method.endswith("/SetInstrumentStatus"):
                return state["report"]["counts"][0]
    return 0


async def test_an_equal_candidate_passes_and_the_service_stays_what_it_is(mesh: Mesh, folder: Path) -> None:
    """Answers and failures of an equal candidate do not differ in any field; the release completes, and tells so."""
    name = specify(folder, "equal", "none", 'duration = "2s"\ncalls = 50\n')
    async with reading(mesh):
        await command(mesh, "start", name)
        release = await become(mesh, name, "completed")
    assert release["weightBp"] == 0
    told = await report(mesh, name)
    assert told["outcome"] == "RELEASE_OUTCOME_PASS", told
    seen = methods(told)
    assert {"GetInstrument", "ListCurrencies"} <= seen.keys()
    assert int(told["calls"]) >= 50
    assert all(not each.get("fields") for each in seen.values())
    # Answers that were under way at the decision still come into the report.
    assert re.sub(r"\d+", "N", release["cause"]) == re.sub(r"\d+", "N", told["explanation"])
    assert await command(mesh, "shadow", name) == told
    await until(lambda: gone(mesh))


async def test_a_field_that_differs_is_found_and_named(mesh: Mesh, folder: Path) -> None:
    """A canary with a shadow before its first step is taken back for one field of one method, with an example and the
    id of its call, before it gets any call."""
    steps = '[[steps]]\nweight_percent = 50\nduration = "1s"\n'
    fault = "field:swap_point_unit=0.5"
    name = specify(folder, "differs", fault, 'duration = "1h"\n' + steps, 'strategy = "canary"')
    async with reading(mesh):
        await command(mesh, "start", name)
        release = await become(mesh, name, "aborted")
    cause = aborted_cause(release)
    assert cause.startswith("GetInstrument: instrument.swap_point_unit differs in "), cause
    assert "became '0.5'" in cause
    assert [d["weightBp"] for d in release["decisions"]] == [0] * len(release["decisions"])
    shown = await asyncio.to_thread(mesh.command, "release", "shadow", name)
    assert "GetInstrument instrument.swap_point_unit differs in" in " ".join(shown.split())
    told = await report(mesh, name)
    (field,) = methods(told)["GetInstrument"]["fields"]
    assert field["field"] == "instrument.swap_point_unit"
    assert field["outcome"] == "RELEASE_OUTCOME_FAIL"
    assert field.get("noiseDiffering", "0") == "0"
    assert uuid.UUID(field["examples"][0]["requestId"])
    assert not methods(told)["ListCurrencies"].get("fields")
    await until(lambda: gone(mesh))


async def test_a_write_is_only_checked_and_recorded_reads_fill_up(mesh: Mesh, folder: Path) -> None:
    """Writes reach both versions as what is only to be checked: the instrument has changed as often as its client
    asked. One read of a client is repeated until there are enough. What was found outlives a kill of control."""
    # Instances follow each other's writes a moment later; that is not what this is about.
    shadow = 'duration = "1h"\ncalls = 20\nreplay = true\ndiffering_max = 0.9\n'
    name = specify(folder, "writes", "none", shadow)
    await command(mesh, "start", name)
    await become(mesh, name, "stepping")
    async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket('reference-1')}") as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        nzd = reference.GetInstrumentRequest(base="NZD", counter="USD")

        async def followed() -> bool:
            """Whether a call is repeated by now: control reads the instance's calls."""
            await stub.GetInstrument(nzd, timeout=20)
            return int((await report(mesh, name)).get("calls", 0)) > 0

        await until(followed)
        before = (await stub.GetInstrument(nzd, timeout=20)).instrument.version
        for number in range(WRITES):
            status = (instrument_pb2.INSTRUMENT_STATUS_HALTED, instrument_pb2.INSTRUMENT_STATUS_TRADING)[number % 2]
            asked = reference.SetInstrumentStatusRequest(
                request_id=str(uuid.uuid4()), base="NZD", counter="USD", status=status, comment="a drill"
            )
            await stub.SetInstrumentStatus(asked, timeout=20)

        async def repeated() -> bool:
            told = methods(await report(mesh, name)).get("SetInstrumentStatus", {})
            return int(told.get("calls", 0)) == WRITES

        await until(repeated)
        found = await stub.GetInstrument(nzd, timeout=20)
        assert found.instrument.version == before + WRITES
        assert found.instrument.status == instrument_pb2.INSTRUMENT_STATUS_HALTED

    async def filled() -> bool:
        read = methods(await report(mesh, name))["GetInstrument"]
        return int(read.get("replayed", 0)) >= 20

    await until(filled)
    assert methods(await report(mesh, name))["SetInstrumentStatus"]["manner"] == "SHADOW_MANNER_VALIDATE_ONLY"
    await until(lambda: kept(mesh) >= WRITES, 60)
    os.kill(pid_of(mesh, "control"), signal.SIGKILL)

    async def told_again() -> dict[str, Any] | None:
        """What control tells as soon as it is there again."""
        with suppress(grpc.aio.AioRpcError):
            return methods(await report(mesh, name)) or None
        return None

    # Writes are not repeated once more: what is told of them is what was found before the kill.
    told = await until(told_again, 120)
    assert int(told["SetInstrumentStatus"]["calls"]) == WRITES
    assert int(told["GetInstrument"]["replayed"]) > 0
    await command(mesh, "abort", name)
    await become(mesh, name, "aborted")
