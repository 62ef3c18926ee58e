"""Declared feeds in processes of their own, beside the real reference: kill -9, a venue, and files that are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossrate.api.marketdata.v1 import feed_list_pb2 as list_pb
from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.events import Events
from tests.integration.conftest import eventually
from tests.integration.feeds_stand import fix, quotes, replay, venue, whole_log, write
from tests.integration.test_marketdata_process import ROOT, Processes, processes
from tests.ports import free_port

pytestmark = pytest.mark.integration

__all__ = ["processes"]

EURUSD = marketdata.GetQuoteRequest(base="EUR", counter="USD")


async def test_two_feeds_beside_each_other(processes: Processes, folder: Path) -> None:
    """The simulated feed and a venue: each is listed and can be asked for alone; together they are a composite."""
    port = free_port()
    path = folder / "feeds.toml"
    path.write_text(fix(port) + '\n[feeds.simulated]\nkind = "simulated"\n')
    async with venue(port) as acceptor:
        await processes.start("marketdata-1", CROSSRATE_MARKETDATA_FEEDS=str(path))
        async with processes.stub("marketdata-1") as stub:

            async def live() -> bool:
                feeds = (await stub.ListFeeds(list_pb.ListFeedsRequest())).feeds
                assert [(f.name, f.kind) for f in feeds] == [
                    ("simulated", feed_pb2.FEED_KIND_SIMULATED),
                    ("trial", feed_pb2.FEED_KIND_FIX),
                ]
                return all(f.health == feed_pb2.FEED_HEALTH_LIVE and f.writer == "marketdata-1" for f in feeds)

            await eventually(live)
            simulated = (
                await stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD", source="simulated"))
            ).quote
            acceptor.move("EUR/USD", simulated.bid + 0.5, simulated.bid + 0.6)

            async def composite() -> bool:
                quote = (await stub.GetQuote(EURUSD)).quote
                return quote.source == "composite" and quote.bid == simulated.bid + 0.5

            await eventually(composite)
        await processes.stop("marketdata-1")
        await eventually(lambda: acceptor.peers[-1].count(b"5") == 1)


async def test_a_replay_survives_kill_9(processes: Processes, folder: Path) -> None:
    """Three times the writer is killed: the log has each row of the file once, in order, as far as it has come."""
    rows = write(folder / "EURUSD.csv", 7, 200_000, 1.1)
    path = folder / "feeds.toml"
    path.write_text(replay("speed = 2.0\npending_max = 500"))
    settings = {
        "CROSSRATE_MARKETDATA_FEEDS": str(path),
        "CROSSRATE_MARKETDATA_TAKEOVER_MS": "400",
        "CROSSRATE_MARKETDATA_SILENCE_MS": "50",
    }
    left = [f"marketdata-{number}" for number in range(1, 5)]
    reader = await Events.open(processes.servers.runtime("marketdata", "marketdata-99"))
    try:
        for name in left:
            await processes.start(name, **settings)
        for _ in range(3):
            writer = await writing(processes, left)
            processes.kill(writer)
            left.remove(writer)
        assert await writing(processes, left) == left[0]
        entries = await whole_log(reader)
        assert len({entry.epoch for entry in entries}) == 4
        found = [q for q in quotes(entries) if q.health == pb.QUOTE_HEALTH_LIVE]
        assert len(found) > 100
        assert [(q.venue_time.ToNanoseconds(), q.bid, q.ask) for q in found] == rows[: len(found)]
    finally:
        await reader.close()


async def writing(processes: Processes, instances: list[str]) -> str:
    """Waits until one of some instances writes the only feed and all of them know, and returns which."""
    told: list[feed_pb2.Feed] = []

    async def same() -> bool:
        told.clear()
        for instance in instances:
            async with processes.stub(instance) as stub:
                told.extend((await stub.ListFeeds(list_pb.ListFeedsRequest())).feeds)
        live = all(feed.health == feed_pb2.FEED_HEALTH_LIVE for feed in told)
        return live and len({feed.writer for feed in told}) == 1 and told[0].writer in instances

    await eventually(same)
    return told[0].writer


def test_a_wrong_file_is_refused_at_start(tmp_path: Path) -> None:
    """The process ends at once, and says which field of which file is wrong and what would be right."""
    path = tmp_path / "feeds.toml"
    path.write_text('[feeds.lmax]\nkind = "fix"\nhost = "127.0.0.1"\nprot = 1')
    environment = os.environ | {
        "CROSSRATE_SERVICE": "marketdata",
        "CROSSRATE_STATE": str(tmp_path / "state"),
        "CROSSRATE_RUN": str(tmp_path / "run"),
        "CROSSRATE_MARKETDATA_FEEDS": str(path),
        "PYTHONPATH": f"{ROOT / 'libs'}{os.pathsep}{ROOT}",
    }
    program = [sys.executable, "-m", "services.marketdata"]
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "feeds.lmax.prot: there is no such field; did you mean 'port'?" in said
    assert "feeds.lmax.sender_comp_id: is missing" in said
