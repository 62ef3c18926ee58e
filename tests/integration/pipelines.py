"""A pipeline as a process beside a real NATS and PostgreSQL, with a history in a folder; and files for it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from crossrate.api.pipeline.v1 import dataset_pb2, job_pb2
from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
from crossrate.api.pipeline.v1.pipeline_service_pb2_grpc import PipelineServiceStub
from crossrate.history.store import TickStore
from crossrate.rpc.errors import Failure, failure_of
from crossrate.runtime import topology
from crossrate.ticks.columns import COLUMNS, Ticks
from tests.integration.conftest import Servers
from tests.integration.test_marketdata_process import Processes

MONDAY = datetime(2024, 3, 4, 10)
ALL_TIME = (0, 4_000_000_000 * 10**9)
SETTINGS = {
    "CROSSRATE_SETTLE_S": "0",
    "CROSSRATE_PIPELINE_LEASE_S": "3",
    "CROSSRATE_PIPELINE_POLL_INTERVAL_S": "0.1",
    "CROSSRATE_PIPELINE_PROGRESS_INTERVAL_S": "0.05",
}


def line(row: int, begin: datetime = MONDAY, step_s: float = 1.0) -> str:
    """One quote of a generic file."""
    time = begin + timedelta(seconds=row * step_s)
    bid = 1.08 + 0.00001 * (row * 7 % 50)
    return f"{time.isoformat(timespec='milliseconds')}Z,{bid:.5f},{bid + 0.0001:.5f}"


def text(rows: int, begin: datetime = MONDAY, step_s: float = 1.0) -> str:
    """A generic file of quotes."""
    return "\n".join(["time,bid,ask", *(line(row, begin, step_s) for row in range(rows))]) + "\n"


def job(dataset: str, *paths: Path | str, **parts: Any) -> dict[str, Any]:
    """A job that loads generic files of EUR/USD."""
    return {
        "name": f"load-{dataset}",
        "source": {"kind": "files", "paths": [str(path) for path in paths]},
        "shape": "generic",
        "map": {"instrument": "EUR/USD"},
        "target": {"dataset": dataset, "venue": "TEST"},
        **parts,
    }


class Pipeline:
    """What tests ask of a running pipeline."""

    def __init__(self, processes: Processes, settings: Mapping[str, str] | None = None) -> None:
        self.processes = processes
        self._settings = {**SETTINGS, **(settings or {})}
        self.instance = ""

    @property
    def history(self) -> TickStore:
        """The store that it loads into."""
        return TickStore.open(str(self.processes.place.state / "history"))

    async def start(self, instance: str = "pipeline-1") -> None:
        """Starts an instance, which is asked from now on."""
        await self.processes.start(instance, **self._settings)
        self.instance = instance

    def kill(self) -> None:
        """Ends the instance with SIGKILL."""
        process = self.processes._running.pop(self.instance)
        process.kill()
        process.wait(60)

    @contextlib.asynccontextmanager
    async def stub(self) -> AsyncIterator[PipelineServiceStub]:
        """A stub to the instance, as the local operator."""
        async with grpc.aio.insecure_channel(f"unix:{self.processes.place.service_socket(self.instance)}") as channel:
            yield PipelineServiceStub(channel)

    async def call(self, name: str, **fields: Any) -> Any:
        """One unary call."""
        request = getattr(pb, f"{name}Request")(**fields)
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = str(uuid.uuid4())
        async with self.stub() as stub:
            return await getattr(stub, name)(request)

    async def start_job(self, specification: dict[str, Any], **fields: Any) -> job_pb2.Job:
        """The job of a specification, accepted."""
        said = json.dumps(specification)
        answer = await self.call("StartJob", specification=said, format=pb.SPECIFICATION_FORMAT_JSON, **fields)
        return answer.job

    async def refusal(self, specification: dict[str, Any] | str, form: int = pb.SPECIFICATION_FORMAT_JSON) -> Failure:
        """Why a specification is refused."""
        said = specification if isinstance(specification, str) else json.dumps(specification)
        try:
            await self.call("StartJob", specification=said, format=form)
        except grpc.aio.AioRpcError as error:
            found = failure_of(error)
            assert found is not None
            return found
        raise AssertionError("it was accepted")

    async def watch(self, job_id: str, cursor: str = "") -> list[pb.WatchJobResponse]:
        """The messages of a job until it has ended."""
        async with self.stub() as stub:
            request = pb.WatchJobRequest(job_id=job_id, resume_cursor=cursor)
            return [message async for message in stub.WatchJob(request, timeout=60)]

    async def ended(self, job_id: str) -> job_pb2.Job:
        """A job, once it has ended."""
        await self.watch(job_id)
        return (await self.call("GetJob", job_id=job_id)).job

    async def run(self, specification: dict[str, Any], **fields: Any) -> job_pb2.Job:
        """Starts a job and waits for its end."""
        return await self.ended((await self.start_job(specification, **fields)).id)

    async def files(self, job_id: str) -> list[job_pb2.JobFile]:
        """The files of a job."""
        return list((await self.call("ListJobFiles", job_id=job_id)).files)

    async def reports(self, job_id: str) -> list[dataset_pb2.QualityReport]:
        """The reports of a job."""
        return list((await self.call("GetQualityReport", job_id=job_id)).reports)

    async def rejected(self, job_id: str) -> list[dataset_pb2.RejectedRow]:
        """The rejected rows of a job."""
        return list((await self.call("ListRejectedRows", job_id=job_id)).rows)

    async def dataset(self, name: str) -> dataset_pb2.Dataset | None:
        """A dataset; None if there is none."""
        found = (await self.call("ListDatasets", page_size=1000)).datasets
        return next((each for each in found if each.name == name), None)

    def quotes(self, venue: str = "TEST", instrument: str = "EUR/USD") -> Ticks:
        """Everything that the store has of a venue."""
        pages = self.history.ticks(instrument, *ALL_TIME, venue)
        found = [page.batch for page in pages]
        columns = {name: [batch.column(name).to_numpy(zero_copy_only=False) for batch in found] for name in COLUMNS}
        return Ticks(**{name: np.concatenate(parts).astype(COLUMNS[name]) for name, parts in columns.items()})

    def rows(self, dataset: str) -> int:
        """How many rows the store has of a dataset."""
        return self.history.datasets().get(dataset, 0)


@contextlib.asynccontextmanager
async def pipeline(folder: Path, mesh: topology.Topology | None = None, **settings: str) -> AsyncIterator[Pipeline]:
    """A pipeline with NATS and PostgreSQL of its own."""
    servers = Servers(folder, mesh or topology.load())
    processes = Processes(servers)
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        await servers.start_postgres()
        await servers.postgres.provision(servers.topology)
        made = Pipeline(processes, settings)
        await made.start()
        yield made
    finally:
        try:
            await asyncio.to_thread(processes.remove)
        finally:
            await asyncio.to_thread(servers.remove)


def zipped(path: Path, content: str) -> Path:
    """A gzip file."""
    path.write_bytes(gzip.compress(content.encode()))
    return path
