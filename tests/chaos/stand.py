"""Two instances of marketdata, a pipeline, and all that uses them, while a nemesis is at work; and what is checked.

log feed ───append───▶ NATS ──▶ marketdata-a, -b ──▶ history ◀── pipeline-a ◀── jobs
replay, simulated ─────▲             │                  ▲
                                     ▼                  └── two writers, one that compacts
                            quote readers, history readers
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import grpc

from crossrate.api.pipeline.v1 import job_pb2
from crossrate.events.events import Events, StreamEnds
from crossrate.history.store import TickStore
from crossrate.runtime import topology
from services.marketdata.quote_log import LogUnavailable, QuoteLog
from tests.chaos import writers
from tests.chaos.checker import Broken, Problem
from tests.chaos.history import History
from tests.chaos.kept import Kept
from tests.chaos.log_feed import LogFeed
from tests.chaos.nemesis import Blow, strike
from tests.chaos.readers import QuoteReader, history
from tests.chaos.supervisor import Supervisor
from tests.ending import ended
from tests.integration.conftest import Servers, eventually
from tests.integration.feeds_stand import write
from tests.integration.pipelines import MONDAY, SETTINGS, Pipeline, job, text

T = TypeVar("T")

UNANSWERED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
MARKETDATA = ("marketdata-a", "marketdata-b")
VICTIMS = (*MARKETDATA, "pipeline-a", "nats", "postgres")
WRITERS_EVERY = 4
"""Rounds from one with writers beside the services to the next: they compact all the time, which leaves little."""
FILES, ROWS = 3, 4_000
REPLAYED = 200_000
SETTLED_S_MAX = 120.0
CONVERGED_S_MAX = 120.0
LOG_FEED, REPLAY = "chaos", "rerun"
FOLLOWED = ("EUR/USD", "USD/JPY", "GBP/USD")
FEEDS = f"""
[feeds.simulated]
kind = "simulated"

[feeds.{REPLAY}]
kind = "replay"
paths = ["EURUSD.csv"]
shape = "generic"
times = "kept"
speed = 0.1
outliers = {{ enabled = false }}
disorder_ms = 86_400_000
"""


class Stuck(Exception):
    """A round does not come to its end; what follows would say nothing."""


class LoadClient(Pipeline):
    """Asks whoever stands in for the pipeline, again and again until there is an answer."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor

    @property
    def processes(self) -> Servers:  # type: ignore[override]
        """What has the place."""
        return self.supervisor.servers

    @property
    def instance(self) -> str:  # type: ignore[override]
        """Whoever it is now."""
        return self.supervisor.instances["pipeline-a"]

    async def answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """One question, asked again while nobody answers; a write has one request id for all attempts."""
        async with asyncio.timeout(SETTLED_S_MAX):
            while True:
                try:
                    return await ask()
                except grpc.aio.AioRpcError as error:
                    if error.code() not in UNANSWERED:
                        raise
                    await asyncio.sleep(0.05)

    async def accepted(self, specification: dict[str, Any]) -> str:
        """The id of a job, once it is accepted."""
        request_id = str(uuid.uuid4())
        return (await self.answered(lambda: self.start_job(specification, request_id=request_id))).id

    async def at_end(self, job_id: str) -> job_pb2.Job:
        """A job, once it has ended by itself."""
        return await self.answered(lambda: self.ended(job_id))

    async def delete(self, dataset: str) -> None:
        """Takes a dataset out."""
        request_id = str(uuid.uuid4())
        await self.answered(
            lambda: self.call("DeleteDataset", dataset=dataset, comment="the round is over", request_id=request_id)
        )


class Stand:
    """See the module."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.history = History()
        self.chance = random.Random(seed)
        marketdata = {
            "CROSSRATE_SETTLE_S": "0",
            "CROSSRATE_MARKETDATA_FEEDS": str(folder / "feeds.toml"),
            "CROSSRATE_MARKETDATA_HISTORY_INTERVAL_S": "1",
            "CROSSRATE_MARKETDATA_HISTORY_RETENTION_DAYS": "0",
            "CROSSRATE_MARKETDATA_HISTORY_UPKEEP_S": "10",
            "CROSSRATE_MARKETDATA_TAKEOVER_MS": "800",
            "CROSSRATE_MARKETDATA_SILENCE_MS": "200",
        }
        self.supervisor = Supervisor(
            Servers(folder, topology.load()),
            {"marketdata": marketdata, "pipeline": SETTINGS, "reference": {"CROSSRATE_SETTLE_S": "0"}},
        )
        self.loads = LoadClient(self.supervisor)
        self.readers: list[QuoteReader] = []
        self.told_writers: dict[str, int] = {}
        self.tasks: list[asyncio.Task] = []

    @property
    def url(self) -> str:
        """Of the store of quotes."""
        return str(self.supervisor.servers.place.state / "history")

    async def start(self) -> None:
        """Starts everything."""
        replayed = write(self.folder / "EURUSD.csv", 1, REPLAYED, 1.1)
        (self.folder / "feeds.toml").write_text(FEEDS)
        for hour in range(FILES):
            (self.folder / f"load-{hour}.csv").write_text(text(ROWS, MONDAY + timedelta(hours=hour), 0.5))
        supervisor, servers = self.supervisor, self.supervisor.servers
        servers.issue()
        for name in ("nats", "postgres"):
            await supervisor.spawn(name)
            await supervisor.ready(name)
        await servers.postgres.provision(servers.topology)
        await supervisor.spawn("reference-a")
        reference = servers.place.service_socket(supervisor.instances["reference-a"])
        servers.place.outbound_socket("marketdata").symlink_to(reference)
        await supervisor.ready("reference-a")
        for name in (*MARKETDATA, "pipeline-a"):
            await supervisor.spawn(name)
        await supervisor.all_ready()
        self.events = await Events.open(servers.runtime("marketdata", "marketdata-900"))
        self.log = QuoteLog(self.events)
        self.log_feed = LogFeed(LOG_FEED, self.log, self.history[f"feed {LOG_FEED}"])
        self.kept = Kept(self.log, self.url, {(REPLAY, "EUR/USD"): replayed})
        a, b = (lambda: supervisor.ready_socket(MARKETDATA[0])), (lambda: supervisor.ready_socket(MARKETDATA[1]))
        for name, source, pairs, addresses in (
            ("one", "simulated", FOLLOWED, (a, b)),
            ("two", "simulated", FOLLOWED, (b, a)),
            ("three", REPLAY, ("EUR/USD",), (a, b)),
            ("composite", "", ("EUR/USD",), (b, a)),
        ):
            told = self.history[f"reader {name}"]
            self.readers.append(QuoteReader(name, source, pairs, addresses, told))
        self.tasks += [asyncio.create_task(reader.run()) for reader in self.readers]
        self.addresses = (a, b)

    async def remove(self) -> None:
        """Ends everything."""
        try:
            await ended(self.tasks, "readers")
        finally:
            if hasattr(self, "events"):
                await self.events.close()
            await self.supervisor.remove()

    async def round(self, number: int, plan: Sequence[Blow], feeds: Sequence[LogFeed] = ()) -> list[Problem]:
        """One round: disturbed, healed, settled, checked. Returns what is wrong.

        Raises:
            Stuck: somebody never came back, or never answered; with what the logs say at last.
        """
        try:
            return await self._round(number, plan, feeds)
        except* (TimeoutError, AssertionError, OSError) as errors:
            raise Stuck(f"{errors.exceptions[0]!r}\n{self.supervisor.last_words()}") from errors

    async def _round(self, number: int, plan: Sequence[Blow], feeds: Sequence[LogFeed]) -> list[Problem]:
        done = asyncio.Event()
        dataset = f"round-{number}-{uuid.uuid4().hex[:6]}"
        feeding = [asyncio.create_task(feed.run(done)) for feed in feeds or (self.log_feed,)]
        try:
            async with asyncio.TaskGroup() as together:
                loading = together.create_task(self._load(dataset))
                reading = together.create_task(self._read_history())
                together.create_task(self._disturb(plan))
                if number % WRITERS_EVERY == 0:
                    together.create_task(asyncio.to_thread(self._write_and_kill))
            await self.supervisor.all_ready()
        finally:
            done.set()
            async with asyncio.timeout(SETTLED_S_MAX):
                await asyncio.gather(*feeding)
        problems = [*loading.result(), *reading.result()]
        problems += await self._settle()
        return problems + await self._check(dataset, number)

    async def _disturb(self, plan: Sequence[Blow]) -> None:
        await strike(self.supervisor, plan)
        await self.supervisor.all_ready()

    def _write_and_kill(self) -> None:
        """Two writers and one that compacts, each killed at a moment of its own. Blocks."""
        self.told_writers |= writers.round_of_kills(self.url, self.chance)

    async def _load(self, dataset: str) -> list[Problem]:
        """A job over some files, from its acceptance to its end."""
        told = self.history["loads"]
        specification = job(dataset, self.folder / "load-*.csv", target={"dataset": dataset, "venue": dataset.upper()})
        await asyncio.sleep(self.chance.uniform(0.0, 0.5))
        accepted = await self.loads.accepted(specification)
        ended = await self.loads.at_end(accepted)
        told.acknowledge(dataset, ended.progress.rows_loaded)
        if ended.state != job_pb2.JOB_STATE_SUCCEEDED:
            return [Problem(Broken.STUCK, f"job {dataset}", f"{job_pb2.JobState.Name(ended.state)}: {ended.error}")]
        return []

    async def _read_history(self) -> list[Problem]:
        """A reader of history that is disturbed: what it reads has no gap and no repeat, whoever answers."""
        told = self.history["history reader"]
        before = self.kept.count(LOG_FEED, "EUR/USD")
        numbers = await history(LOG_FEED, "EUR/USD", self.addresses, told, max(before // 20, 10))
        return self.kept.read(numbers, before)

    async def _settle(self) -> list[Problem]:
        """Waits until the store has what the log has now, and every reader what was newest now."""
        ends = await self._asked_until_answered()
        try:
            await eventually(lambda: self.kept.stored_up_to(ends.last), SETTLED_S_MAX)
        except TimeoutError:
            return [Problem(Broken.STUCK, "recorder", f"entry {ends.last} of the log is not stored")]
        await self.kept.read_log()
        problems = []
        for reader in self.readers:
            newest = {pair: self.kept.newest(reader.source, pair) for pair in reader.instruments}
            if not reader.source:
                newest = {pair: self.kept.newest_of_all(pair) for pair in reader.instruments}
            try:
                await eventually(lambda r=reader, n=newest: has(r, n), CONVERGED_S_MAX)
            except TimeoutError:
                there = {pair: quote.sequence for pair, quote in reader.last.items()}
                problems.append(Problem(Broken.APART, f"reader {reader.name}", f"it has {there}, not {newest}"))
        return problems

    async def _asked_until_answered(self) -> StreamEnds:
        async with asyncio.timeout(SETTLED_S_MAX):
            while True:
                with contextlib.suppress(LogUnavailable):
                    return await self.log.ends()
                await asyncio.sleep(0.05)

    async def _check(self, dataset: str, number: int) -> list[Problem]:
        problems = await self.kept.check(self.history, self.readers)
        problems += await asyncio.to_thread(self._check_store, dataset)
        if number % 2:
            await self.loads.delete(dataset)
            self.history["loads"].acknowledged[dataset] = 0
        return problems

    def _check_store(self, dataset: str) -> list[Problem]:
        store = TickStore.open(self.url)
        problems = writers.problems(self.url, self.told_writers)
        rows = store.datasets()
        for name, expected in self.history["loads"].acknowledged.items():
            if (there := rows.get(name, 0)) != expected:
                broken = Broken.LOST if there < expected else Broken.TWICE
                problems.append(Problem(broken, f"dataset {name}", f"{expected} rows were told, {there} are there"))
        times = self.loads.quotes(dataset.upper()).venue_time.tolist()
        if len(times) != FILES * ROWS or len(set(times)) != len(times):
            problems.append(
                Problem(Broken.DIFFERS, f"dataset {dataset}", f"{len(times)} rows, {len(set(times))} times")
            )
        return problems


def has(reader: QuoteReader, newest: dict[str, int]) -> bool:
    """Whether a reader has come as far."""
    return all(pair in reader.last and reader.last[pair].sequence >= number for pair, number in newest.items())


@contextlib.asynccontextmanager
async def standing(seed: int) -> AsyncIterator[Stand]:
    """A stand in a folder of its own."""
    # Short: a Unix socket's path is at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="xr-", ignore_cleanup_errors=True) as folder:
        stand = Stand(Path(folder), seed)
        try:
            await stand.start()
            yield stand
        finally:
            await stand.remove()


async def timed(stand: Stand, number: int, plan: Sequence[Blow]) -> tuple[list[Problem], float]:
    """A round, and how many seconds it took."""
    begun = time.monotonic()
    return await stand.round(number, plan), time.monotonic() - begun
