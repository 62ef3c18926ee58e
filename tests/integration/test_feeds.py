"""Feeds from outside over a real NATS: connected once, replaced when they die, healed, and told by every instance."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import nats
import nats.errors
import pytest

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import feed_list_pb2 as list_pb
from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.rpc.server import Server
from crossrate.runtime.process import RuntimeSettings, open_runtime
from services.marketdata import ecb
from services.marketdata.daily.sources import DailySources
from services.marketdata.domain.normalise import UNKNOWN_SYMBOL
from services.marketdata.health import UNWRITTEN
from services.marketdata.service import MarketDataService, register
from tests.ending import ended, within
from tests.integration.conftest import Servers, eventually
from tests.integration.feeds_stand import EUR, JPY, Instance, fix, mesh, quotes, running, venue, whole_log
from tests.ports import free_port

pytestmark = pytest.mark.integration

__all__ = ["mesh"]


async def test_one_instance_connects_and_all_serve(mesh: Servers, folder: Path) -> None:
    """Of three instances one has the venue's session; each has the quotes, and tells the feed's health alike."""
    port = free_port()
    async with venue(port) as acceptor, running(mesh, fix(port), folder, 3) as instances:
        await eventually(lambda: all(i.feed().health == feed_pb2.FEED_HEALTH_LIVE for i in instances))
        for step in range(20):
            acceptor.move(EUR, 1.2 + step / 1e4, 1.3)
        await eventually(lambda: all(i.quote(EUR).bid == 1.2 + 19 / 1e4 for i in instances))
        assert len(acceptor.peers) == 1
        leader = next(i for i in instances if i.leading)
        await eventually(lambda: {i.feed().writer for i in instances} == {leader.name})
        await eventually(lambda: all(i.feed().quote_count == 22 for i in instances))
        told = instances[0].feed()
        assert (told.kind, told.name, told.disconnect_count) == (feed_pb2.FEED_KIND_FIX, "trial", 0)
        assert told.HasField("latency_p50")
        assert told.latency_p99.ToNanoseconds() >= told.latency_p50.ToNanoseconds()
        quote = instances[0].quote(EUR)
        assert (quote.health, quote.source) == (pb.QUOTE_HEALTH_LIVE, "trial")
        assert quote.receive_time.ToNanoseconds() >= quote.venue_time.ToNanoseconds()
        assert all(not peer.violations for peer in acceptor.peers)


async def test_a_venue_that_goes_away_is_told_and_tried_again(mesh: Servers, folder: Path) -> None:
    """Its quotes turn STALE at once, the reason is told; when it comes back they are LIVE under the next numbers."""
    port = free_port()
    async with running(mesh, fix(port), folder) as (instance,):
        await eventually(lambda: "cannot be reached" in instance.feed().reason)
        assert instance.feed().disconnect_count == 0
        async with venue(port) as acceptor:
            await eventually(lambda: instance.quote(EUR).health == pb.QUOTE_HEALTH_LIVE)
            acceptor.move(EUR, 1.5, 1.6)
            await eventually(lambda: instance.quote(EUR).bid == 1.5)
        await eventually(lambda: instance.quote(EUR).health == pb.QUOTE_HEALTH_STALE)
        assert instance.quote(EUR).bid == 1.5
        await eventually(lambda: instance.feed().health != feed_pb2.FEED_HEALTH_LIVE)
        async with venue(port):
            await eventually(lambda: instance.feed().health == feed_pb2.FEED_HEALTH_LIVE)
            await eventually(lambda: instance.quote(EUR).health == pb.QUOTE_HEALTH_LIVE)
            await eventually(lambda: instance.feed().disconnect_count == 1)
            quotes(await whole_log(instance.events))


async def test_a_writer_that_dies_is_replaced_by_another_connection(mesh: Servers, folder: Path) -> None:
    """The heir connects after the silence, and continues every number; handed over in good order it logs out first."""
    port = free_port()
    async with venue(port) as acceptor, running(mesh, fix(port), folder, 3) as instances:
        await eventually(lambda: all(i.quote(EUR).bid for i in instances))
        dead = next(i for i in instances if i.leading)
        await dead.die()
        instances.remove(dead)
        await eventually(lambda: len(acceptor.peers) == 2 and len(acceptor.alive) == 1)
        acceptor.move(EUR, 1.7, 1.8)
        await eventually(lambda: all(i.quote(EUR).bid == 1.7 for i in instances))
        old = next(i for i in instances if i.leading)
        await old.stop()
        instances.remove(old)
        (last,) = instances
        await eventually(lambda: len(acceptor.peers) == 3 and acceptor.alive)
        await eventually(lambda: acceptor.peers[1].count(b"5") == 1)
        acceptor.move(EUR, 1.9, 2.0)
        await eventually(lambda: last.quote(EUR).bid == 1.9)
        await eventually(lambda: last.feed().writer == last.name)
        quotes(await whole_log(last.events))


async def test_a_gap_is_told_and_healed(mesh: Servers, folder: Path) -> None:
    """While messages are missing nothing of the feed is LIVE; the venue's snapshots bring it back; it is counted."""
    port = free_port()
    async with venue(port) as acceptor, running(mesh, fix(port), folder) as (instance,):
        await eventually(lambda: instance.quote(JPY).health == pb.QUOTE_HEALTH_LIVE)
        acceptor.fills_gaps = True
        acceptor.peers[-1].message("X", [])
        acceptor.quotes[EUR] = (1.31, 1.32)
        acceptor.move(JPY, 151.0, 151.1)
        await eventually(lambda: instance.quote(EUR).bid == 1.31)
        await eventually(lambda: instance.quote(EUR).health == instance.quote(JPY).health == pb.QUOTE_HEALTH_LIVE)
        seen = [(q.instrument, q.health) for q in quotes(await whole_log(instance.events))]
        assert (EUR, pb.QUOTE_HEALTH_GAPPED) in seen
        assert (JPY, pb.QUOTE_HEALTH_GAPPED) in seen
        await eventually(lambda: instance.feed().gap_count >= 1)


async def test_a_silent_venue_is_stale(mesh: Servers, folder: Path) -> None:
    """Connected, but without quotes: the feed says so, and so does every instrument."""
    port = free_port()
    async with venue(port) as acceptor, running(mesh, fix(port, "stale_after_s = 0.3"), folder) as (instance,):
        await eventually(lambda: instance.feed().health == feed_pb2.FEED_HEALTH_STALE)
        assert instance.feed().reason == "no quote for 0.3 s"
        await eventually(lambda: instance.quote(EUR).health == pb.QUOTE_HEALTH_STALE)
        acceptor.move(EUR, 1.4, 1.5)
        await eventually(lambda: instance.quote(EUR).bid == 1.4)
        assert len(acceptor.peers) == 1


async def test_quotes_come_from_nats_with_a_permission_of_their_own(mesh: Servers, folder: Path) -> None:
    """A publisher may send to its subject and do nothing else; what it sends wrong is counted with the reason."""
    text = '[feeds.desk]\nkind = "nats"\nsubject = "crossrate.marketdata.v1.quotes_in.desk.>"\nlate_after_s = 0'
    subject = "crossrate.marketdata.v1.quotes_in.desk.fx"
    secret = json.loads(mesh.place.credentials("desk").read_text())["nats"]
    errors: list[str] = []

    async def heard(error: Exception) -> None:
        errors.append(str(error).lower())

    async with running(mesh, text, folder, 2) as instances:
        client = await nats.connect(secret["url"], nkeys_seed_str=secret["seed"], error_cb=heard)
        try:
            await eventually(lambda: any("listening" in i.feed().reason for i in instances))
            quote = pb.Quote(instrument=EUR, bid=1.1, ask=1.2, sequence=1)
            quote.venue_time.GetCurrentTime()
            await client.publish(subject, quote.SerializeToString())
            await client.publish(subject, b'{"instrument": "USDJPY", "bid": "150.1", "ask": 150.2}')
            await client.publish(subject, b'{"instrument": "USDJPY", "bid": 0, "ask": 150.2}')
            await client.publish(subject, b"nonsense")
            await client.publish(subject, b'{"instrument": "DOGUSD", "bid": 1, "ask": 2}')
            quote.sequence, quote.bid = 4, 1.15
            quote.venue_time.GetCurrentTime()
            await client.publish(subject, quote.SerializeToString())
            await eventually(lambda: all(i.quote(EUR).bid == 1.15 for i in instances))
            assert instances[0].quote(EUR).health == pb.QUOTE_HEALTH_GAPPED
            assert list(instances[1].quote(EUR).flags) == [pb.QUOTE_FLAG_AFTER_GAP]
            assert instances[1].quote(EUR).venue_sequence == 4
            assert instances[1].quote(JPY).bid == 150.1
            await eventually(lambda: all(i.feed().quote_count == 3 for i in instances))
            feed = instances[1].feed()
            assert (feed.gap_count, list(feed.unknown_symbols)) == (2, ["DOGUSD"])
            assert {r.reason: r.count for r in feed.rejected} == {
                UNKNOWN_SYMBOL: 1,
                "a price is zero or negative": 1,
                "the message is neither a Quote in protobuf nor one in JSON": 1,
            }
            for forbidden in ("crossrate.marketdata.v1.quotes_published.desk", "crossrate.marketdata.v1.quote.EUR-USD"):
                await client.publish(forbidden, b"x")
            await client.flush()
            await eventually(lambda: sum("permissions violation" in error for error in errors) == 2)
            await client.subscribe("crossrate.>")
            await client.flush()
            await eventually(lambda: sum("permissions violation" in error for error in errors) == 3)
        finally:
            await client.close()


@contextlib.asynccontextmanager
async def served(mesh: Servers, instance: Instance) -> AsyncIterator[marketdata_grpc.MarketDataServiceStub]:
    """An instance's gRPC server on its socket."""
    runtime = open_runtime(RuntimeSettings(service="marketdata", instance=instance.name, settle_s=0.0), mesh.place)
    server = Server(runtime)
    rates = DailySources(ecb.load(), ecb.FILE, {}, mesh.place.state, runtime.log)
    server.add(
        register, MarketDataService(instance.board, instance.catalogue, rates, instance.health, instance.follower.look)
    )
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: mesh.place.registration(instance.name).exists())
        async with grpc.aio.insecure_channel(f"unix:{server.socket}") as channel:
            yield marketdata_grpc.MarketDataServiceStub(channel)
    finally:
        runtime.stopping.set()
        await within(serving, "the end of the server")


def known(instance: Instance, name: str, source: str, health: int) -> bool:
    """Whether an instance knows this health of an instrument."""
    return any((i.instrument, i.source, i.health) == (name, source, health) for i in instance.health.instruments())


async def test_health_over_grpc(mesh: Servers, folder: Path) -> None:
    """Everything as it is, then every change in order; another instance continues after the last message."""
    port = free_port()
    wanted = list_pb.StreamHealthRequest(instruments=[EUR], max_messages=1)
    async with (
        running(mesh, fix(port), folder, 2) as (first, second),
        served(mesh, first) as one,
        served(mesh, second) as other,
    ):
        got: list[list_pb.StreamHealthResponse] = []

        async def follow(stub: marketdata_grpc.MarketDataServiceStub) -> None:
            async for message in stub.StreamHealth(list_pb.StreamHealthRequest(instruments=[EUR])):
                got.append(message)

        following = asyncio.create_task(follow(one))
        await eventually(lambda: got)
        assert got[0].changes.complete
        assert [feed.name for feed in got[0].changes.feeds] == ["trial"]
        async with venue(port):
            await eventually(lambda: first.quote(EUR).health == second.quote(EUR).health == pb.QUOTE_HEALTH_LIVE)
            told = [(EUR, "trial", pb.QUOTE_HEALTH_LIVE), (EUR, "composite", pb.QUOTE_HEALTH_LIVE)]
            await eventually(lambda: all(known(i, *each) for i in (first, second) for each in told))
            await eventually(lambda: first.feed().health == feed_pb2.FEED_HEALTH_LIVE)
            complete = [m async for m in other.StreamHealth(wanted)]
            assert [m.WhichOneof("event") for m in complete] == ["changes", "end"]
            assert complete[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
            live = {(i.instrument, i.source): i.health for i in complete[0].changes.instruments}
            assert live == {(EUR, "trial"): pb.QUOTE_HEALTH_LIVE, (EUR, "composite"): pb.QUOTE_HEALTH_LIVE}
            feeds = (await one.ListFeeds(list_pb.ListFeedsRequest())).feeds
            assert [(feed.name, feed.health) for feed in feeds] == [("trial", feed_pb2.FEED_HEALTH_LIVE)]
        await eventually(lambda: first.quote(EUR).health == pb.QUOTE_HEALTH_STALE)

        def seen(source: str) -> list[int]:
            return [i.health for m in got for i in m.changes.instruments if i.source == source]

        await eventually(lambda: seen("trial") == seen("composite") == [pb.QUOTE_HEALTH_LIVE, pb.QUOTE_HEALTH_STALE])

        def went_away() -> bool:
            healths = [f.health for m in got for f in m.changes.feeds]
            live = feed_pb2.FEED_HEALTH_LIVE in healths and healths.index(feed_pb2.FEED_HEALTH_LIVE)
            return live is not False and feed_pb2.FEED_HEALTH_DISCONNECTED in healths[live:]

        await eventually(went_away)
        assert [m.position.sequence for m in got] == list(range(1, len(got) + 1))
        wanted.resume_cursor, wanted.sources[:] = complete[0].position.cursor, ["trial"]
        resumed = [m async for m in one.StreamHealth(wanted)]
        assert not resumed[0].changes.complete
        assert [i.health for i in resumed[0].changes.instruments] in ([pb.QUOTE_HEALTH_STALE], [])
        wanted.resume_cursor = "nonsense"
        with pytest.raises(grpc.aio.AioRpcError, match="not a cursor"):
            [m async for m in one.StreamHealth(wanted)]
        quote_cursor = marketdata.StreamQuotesRequest(instruments=[EUR], max_messages=1)
        wanted.resume_cursor = (await anext(aiter(one.StreamQuotes(quote_cursor)))).position.cursor
        with pytest.raises(grpc.aio.AioRpcError, match="not a cursor"):
            [m async for m in one.StreamHealth(wanted)]
        await ended([following], "the reader of health")


async def test_a_feed_that_nobody_writes_is_told(mesh: Servers, folder: Path) -> None:
    """When the last writer is gone every instance that is left says so by itself."""
    port = free_port()
    async with venue(port), running(mesh, fix(port), folder, 2) as instances:
        await eventually(lambda: all(i.quote(EUR).bid for i in instances))
        for instance in instances:
            # Nobody may lead any more; those who follow go on.
            for task in instance.tasks[2:]:
                task.cancel()
        for instance in instances:
            await eventually(lambda i=instance: i.feed().reason == UNWRITTEN)
            assert instance.feed().health == feed_pb2.FEED_HEALTH_DISCONNECTED
            assert not instance.feed().writer
            assert [each.name for each in instance.health.found() if isinstance(each, feed_pb2.Feed)] == ["trial"]
