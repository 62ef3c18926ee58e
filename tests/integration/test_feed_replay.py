"""Replays over a real NATS: every row once, whoever dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.feed_status import COMPLETE
from services.marketdata.feeds import parse
from tests.integration.conftest import Servers, eventually
from tests.integration.feeds_stand import EUR, JPY, Instance, mesh, quotes, replay, running, whole_log, write

pytestmark = pytest.mark.integration

__all__ = ["mesh"]


async def test_a_replay_gives_exactly_its_quotes_whoever_dies(mesh: Servers, folder: Path) -> None:
    """Writers are killed and stopped in the middle: the log has each row of both files once, in order, nothing else."""
    expected = [(time, EUR, bid, ask) for time, bid, ask in write(folder / "EURUSD.csv", 1, 30_000, 1.1)]
    expected += [(time, JPY, bid, ask) for time, bid, ask in write(folder / "USDJPY.csv", 2, 30_000, 150.0)]
    expected.sort(key=lambda row: (row[0], row[1]))
    text = replay("speed = 12.0\npending_max = 500")
    async with running(mesh, text, folder, 3) as instances:
        for killed in (True, False):
            # Each has written in its own term, and none nearly all of it: what is due waits for the log in small parts.
            await eventually(lambda: any(i.has_written(8_000) for i in instances))
            leader = next(i for i in instances if i.has_written(8_000))
            instances.remove(leader)
            await (leader.die() if killed else leader.stop())
        (last,) = instances
        await eventually(lambda: last.feed().reason == COMPLETE)
        entries = await whole_log(last.events)
        # A machine that stands still for longer than the silence adds terms of its own.
        assert len({entry.epoch for entry in entries}) >= 3
        found = [q for q in quotes(entries) if q.health == pb.QUOTE_HEALTH_LIVE]
        assert [(q.venue_time.ToNanoseconds(), q.instrument, q.bid, q.ask) for q in found] == expected
        told = [q for q in quotes(entries) if q.health != pb.QUOTE_HEALTH_LIVE]
        assert {q.health for q in told} == {pb.QUOTE_HEALTH_STALE}
        assert last.feed().health == feed_pb2.FEED_HEALTH_DISCONNECTED
        assert entries[-1].state.replay.passes == 1
        late = await Instance(mesh, parse(text, "x"), folder, "marketdata-9").start()
        instances.append(late)
        await eventually(lambda: late.follower.complete and late.feed().reason == COMPLETE)
        await last.stop()
        instances.remove(last)
        await eventually(lambda: late.leading and late.feed().writer == late.name and late.feed().reason == COMPLETE)
        assert sum(q.health == pb.QUOTE_HEALTH_LIVE for q in quotes(await whole_log(late.events))) == len(expected)


async def test_a_replay_as_fast_as_possible_waits_for_the_log_and_may_loop(mesh: Servers, folder: Path) -> None:
    """Nothing is left out, whatever the speed; with `loop` it begins anew, and its times are those of now."""
    rows = write(folder / "EURUSD.csv", 3, 2_000, 1.1)
    text = replay("speed = 0\nloop = true\npending_max = 300").replace('"kept"', '"shifted"')
    async with running(mesh, text, folder) as (instance,):
        await eventually(lambda: instance.board.head > 5_000)
        found = [q for q in quotes(await whole_log(instance.events)) if q.health == pb.QUOTE_HEALTH_LIVE]
        bids = [bid for _, bid, _ in rows]
        assert [q.bid for q in found[:5_000]] == (bids * 3)[:5_000]
        times = [q.venue_time.ToNanoseconds() for q in found]
        assert times == sorted(times)
        # The file's own times are months away; how long a quote waits on a busy machine is not the question.
        assert abs(times[-1] - found[-1].receive_time.ToNanoseconds()) < 60_000_000_000


async def test_a_replay_of_nothing_is_told(mesh: Servers, folder: Path) -> None:
    """No file, and a file that is none, are reasons in words."""
    async with running(mesh, replay("reconnect = { first_s = 0.05, cap_s = 0.1 }"), folder) as (instance,):
        await eventually(lambda: "no file is called *.csv" in instance.feed().reason)
        (folder / "EURUSD.csv").write_text("time,bid,ask\nrubbish\n")
        await eventually(lambda: "none of the first lines is a row" in instance.feed().reason)
        write(folder / "EURUSD.csv", 4, 100, 1.1)
        await eventually(lambda: instance.board.head >= 100)
