"""Questions about history whose clients go away or run out of time, and questions behind a long log."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from crossrate.api.marketdata.v1 import bar_service_pb2 as bar_pb
from crossrate.api.marketdata.v1 import history_pb2
from crossrate.api.marketdata.v1 import history_service_pb2 as pb
from crossrate.events.events import READ_MAX
from crossrate.history.bars import PRICES, BarBatch, BarStore, beside
from crossrate.history.keys import Batch
from crossrate.history.places import Folder
from crossrate.history.store import TickStore
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import DAY
from services.marketdata.history.messages import timestamp
from tests.integration.conftest import Servers, eventually
from tests.integration.history_mesh import MONDAY, Feed, Recording, log_of, nats
from tests.integration.test_marketdata_bars import EURUSD, Served, served

pytestmark = pytest.mark.integration

FILES = 12
ROWS = 500


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    async with nats(folder) as servers:
        yield servers


def fill(url: Path) -> None:
    """A file for each of some days."""
    store = TickStore.open(str(url))
    for day in range(FILES):
        times = MONDAY + day * DAY + np.arange(ROWS) * 1_000_000_000
        ticks = Ticks.of(times, np.full(ROWS, 1.1), np.full(ROWS, 1.2), sequence=np.arange(ROWS) + day * ROWS + 1)
        store.append_all([Batch("broker", "EUR/USD", ticks)], {"broker": day})


def fill_bars(url: Path) -> None:
    """A file of a venue's own bars of an hour for each of some days."""
    store = BarStore.open(beside(str(url)))
    for day in range(FILES):
        begin = MONDAY + day * DAY + np.arange(24) * (DAY // 24)
        block = {
            "venue_time": begin,
            "close_time": begin + DAY // 24,
            **dict.fromkeys(PRICES, np.full(24, 1.1)),
            "volume": np.ones(24),
            "flags": np.zeros(24, np.int16),
        }
        load = store.begin("hours", {f"day.{day}": 1})
        load.add(BarBatch("venue", "EUR/USD", block))
        load.commit()


class Gate:
    """Lets files be opened one by one: the first one waits for leave, and each is counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = 0
        self.leave = threading.Event()
        opens = Folder.open

        def gated(folder: Folder, path: str) -> Any:
            self.opened += 1
            assert self.leave.wait(20), "nobody gave leave"
            return opens(folder, path)

        monkeypatch.setattr(Folder, "open", gated)


def question(source: str = "broker") -> bar_pb.QueryBarsRequest:
    """Bars of a month out of all files: there is no bar before the last of them has been read."""
    begin = timestamp(MONDAY - 35 * DAY)
    return bar_pb.QueryBarsRequest(**EURUSD, source=source, period="1M", start_time=begin)


async def stops(server: Served, asked: bar_pb.QueryBarsRequest, monkeypatch: pytest.MonkeyPatch, ended_by: str) -> None:
    """Asks, ends the question in the first file, and sees that no further one is opened."""
    with monkeypatch.context() as patch:
        gate = Gate(patch)
        call = server.bars.QueryBars(asked, timeout=20 if ended_by == "cancel" else 0.5)
        await eventually(lambda: gate.opened == 1)
        if ended_by == "cancel":
            call.cancel()
        else:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await eventually(lambda: not server.history.reader.awaited)
        await given_up(server, gate)


async def given_up(server: Served, gate: Gate) -> None:
    """Waits until nobody waits for the question any more, gives leave, and waits until the threads rest."""
    reader = server.history.reader
    gate.leave.set()
    await eventually(lambda: reader.working == 0)
    assert reader.given_up == 1
    assert gate.opened == 1, f"{gate.opened} of {FILES} files were opened for nobody"


@pytest.mark.parametrize("ended_by", ["cancel", "deadline"])
async def test_a_question_that_nobody_waits_for_stops(
    mesh: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended_by: str
) -> None:
    """A cancel, and a deadline, stop QueryBars in the file that it is at; asked again it reads all of them."""
    url = tmp_path / "ticks"
    fill(url)
    async with served(mesh, url) as server:
        begin = timestamp(MONDAY - 35 * DAY)
        whole = await server.bars.QueryBars(question(), timeout=20)
        assert sum(bar.tick_count for bar in whole.bars) == FILES * ROWS
        await eventually(lambda: server.history.reader.working == 0)
        await stops(server, question(), monkeypatch, ended_by)
        assert await server.bars.QueryBars(question(), timeout=20) == whole
        ticks = pb.QueryTicksRequest(**EURUSD, source="broker", start_time=begin)
        assert len((await server.stub.QueryTicks(ticks, timeout=20)).ticks.venue_time_ns) == FILES * ROWS


@pytest.mark.parametrize("ended_by", ["cancel", "deadline"])
async def test_a_question_for_a_venues_bars_stops(
    mesh: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended_by: str
) -> None:
    """The same of bars that a venue has made itself: no file is read for somebody who has gone."""
    url = tmp_path / "ticks"
    fill(url)
    fill_bars(url)
    async with served(mesh, url) as server:
        whole = await server.bars.QueryBars(question("venue"), timeout=20)
        assert whole.origin == history_pb2.BAR_ORIGIN_VENUE
        assert sum(bar.volume for bar in whole.bars) == FILES * 24
        await eventually(lambda: server.history.reader.working == 0)
        await stops(server, question("venue"), monkeypatch, ended_by)
        assert await server.bars.QueryBars(question("venue"), timeout=20) == whole


async def test_a_question_reads_all_that_is_not_stored(mesh: Servers, tmp_path: Path) -> None:
    """However many answers of NATS the log behind the store fills, none of its quotes is left out."""
    async with log_of(mesh) as log:
        feed = Feed(log)
        recording = Recording(log, tmp_path / "ticks")
        await feed.write(entries=3 * READ_MAX + 7, quotes=1)
        for pair in feed.written:
            assert (await recording.ticks(pair)).sequence.tolist() == feed.sequences(pair)
