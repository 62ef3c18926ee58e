"""Instances of marketdata that are killed while they record."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.conftest import Servers
from tests.integration.history_mesh import PAIRS, Feed, Recording, log_of, nats

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 4
RECORD = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import structlog
from crossrate.events.events import Events
from crossrate.history.store import TickStore
from crossrate.runtime import topology
from crossrate.runtime.place import place
from services.marketdata.history.recorder import Recorder
from services.marketdata.quote_log import QuoteLog
from services.marketdata.settings import Settings
from tests.integration.conftest import Runtime

async def main(url):
    events = await Events.open(Runtime("marketdata", place(), topology.load(), sys.argv[2]))
    recorder = Recorder(QuoteLog(events), lambda: TickStore.open(url), ThreadPoolExecutor(1),
                        Settings(history_interval_s=0.1), structlog.get_logger())
    await recorder.run(asyncio.Event())

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    async with nats(folder) as servers:
        yield servers


def recorder(mesh: Servers, url: Path, instance: str) -> subprocess.Popen:
    """A process that does nothing but record."""
    places = {"CROSSRATE_STATE": str(mesh.place.state), "CROSSRATE_RUN": str(mesh.place.run)}
    environment = os.environ | places | {"PYTHONPATH": f"{ROOT / 'libs'}{os.pathsep}{ROOT}"}
    with mesh.place.log(instance).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", RECORD, str(url), instance], cwd=ROOT, env=environment, stdout=log, stderr=log
        )


def count(watch: Recording) -> int:
    """How many quotes are stored."""
    return sum(len(watch.stored(pair)) for pair in PAIRS)


async def test_killed_recorders_lose_nothing_and_store_nothing_twice(mesh: Servers, tmp_path: Path) -> None:
    """Two record at once and are killed at any moment: in the end every quote is stored once."""
    url, chance = tmp_path / "ticks", random.Random(11)
    async with log_of(mesh, "marketdata-9") as log:
        feed = Feed(log)
        watch = Recording(log, url)
        for _ in range(ROUNDS):
            running = [recorder(mesh, url, f"marketdata-{number}") for number in (1, 2)]
            try:
                before = count(watch)
                await feed.write(entries=4)
                written = 4
                async with asyncio.timeout(120):
                    while await asyncio.to_thread(count, watch) == before:
                        # The log forgets what is beyond a MiB, and a process may take its time to start.
                        if written < 400:
                            await feed.write(entries=4)
                            written += 4
                await feed.write(entries=chance.randrange(1, 40))
            finally:
                chance.shuffle(running)
                for process in running:
                    process.send_signal(signal.SIGKILL)
                    process.wait(60)
            for pair in PAIRS:
                found = await watch.ticks(pair)
                assert found.sequence.tolist() == feed.sequences(pair)
        await watch.record()
        await watch.record()
        assert [watch.stored(pair) for pair in PAIRS] == [feed.sequences(pair) for pair in PAIRS]
