"""Rounds in which the pipeline, PostgreSQL or NATS is killed while jobs are under way, for tests and for soaking.

After each round the job has come to its end by itself, every file that was told as loaded before the kill is loaded,
the store has every quote exactly once and no file that is half-written, and the books say the same as the store.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from pathlib import Path

import grpc
import numpy as np

from crossrate.api.pipeline.v1 import job_pb2
from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
from tests.integration.pipelines import MONDAY, Pipeline, job, text

FILES = 8
ROWS = 10_000
VICTIMS = ("pipeline", "pipeline", "nats", "pipeline", "postgres")
DELAY_S_MAX = 0.8


async def rounds(made: Pipeline, folder: Path, seed: int, count: int, victims: Sequence[str] = VICTIMS) -> list[str]:
    """Plays some rounds; returns who was killed in each and after how many files.

    Raises:
        AssertionError: something was lost, doubled, or half-written.
    """
    chance = random.Random(seed)
    for number in range(FILES):
        begin = MONDAY + timedelta(hours=number)
        (folder / f"{number}.csv").write_text(text(ROWS, begin, 0.3))
    told = []
    for number in range(count):
        victim = victims[number % len(victims)]
        told.append(f"{victim} after {await _round(made, folder, f'round-{number}', victim, number, chance)}")
    return told


async def _round(made: Pipeline, folder: Path, name: str, victim: str, number: int, chance: random.Random) -> int:
    spec = job(name, folder, target={"dataset": name, "venue": name.upper()})
    begun = await made.start_job(spec)
    loaded = 0
    with suppress(grpc.aio.AioRpcError, TimeoutError):
        async with asyncio.timeout(chance.uniform(0.02, DELAY_S_MAX)), aclosing(_watched(made, begun.id)) as jobs:
            async for each in jobs:
                loaded = each.progress.files_loaded
    servers = made.processes.servers
    if victim == "pipeline":
        made.kill()
        await made.start(f"pipeline-{number + 2}")
    elif victim == "postgres":
        await asyncio.to_thread(servers.kill, "postgres", orphans_wait=False)
        await servers.start_postgres()
    else:
        await asyncio.to_thread(servers.kill, "nats")
        await servers.start_nats()
    found = await _ended(made, begun.id)
    files = [(each.state, each.message) for each in await made.files(begun.id)]
    assert (found.state, found.error, files) == (job_pb2.JOB_STATE_SUCCEEDED, "", files)
    progress = found.progress
    assert progress.files_loaded + progress.files_unchanged == FILES
    assert progress.files_loaded >= loaded
    assert made.rows(name) == progress.rows_loaded == FILES * ROWS, (made.rows(name), progress)
    times = made.quotes(name.upper()).venue_time
    assert len(np.unique(times)) == len(times) == FILES * ROWS
    assert list(made.history.verify(venue=name.upper())) == []
    dataset = await made.dataset(name)
    assert dataset is not None
    assert (dataset.rows_out, dataset.files) == (FILES * ROWS, FILES)
    await made.call("DeleteDataset", dataset=name, comment="the round is over")
    assert made.rows(name) == 0
    return loaded


async def _watched(made: Pipeline, job_id: str) -> AsyncIterator[job_pb2.Job]:
    async with made.stub() as stub:
        async for message in stub.WatchJob(pb.WatchJobRequest(job_id=job_id), timeout=60):
            if message.HasField("job"):
                yield message.job


async def _ended(made: Pipeline, job_id: str) -> job_pb2.Job:
    """The job at its end; calls that fail while a server comes back are made again."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await made.ended(job_id)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                await asyncio.sleep(0.1)
