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
import numpy as np
import pytest
import structlog

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import feed_list_pb2 as list_pb
from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.events.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime import topology
from crossrate.runtime.process import RuntimeSettings, open_runtime
from services.marketdata import ecb
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.normalise import UNKNOWN_SYMBOL
from services.marketdata.feed import Feed
from services.marketdata.feed_status import COMPLETE
from services.marketdata.feeds import Feeds, parse
from services.marketdata.follower import Follower
from services.marketdata.health import UNWRITTEN, HealthBoard
from services.marketdata.quote_log import QuoteLog
from services.marketdata.service import MarketDataService, register
from services.marketdata.settings import Settings
from services.marketdata.sources import ages, kinds, sources
from tests.integration.conftest import Servers, eventually, free_port
from tests.venues.fix_acceptor import Acceptor

pytestmark = pytest.mark.integration

SETTINGS = Settings(tick_ms=20, silence_ms=50, takeover_ms=400, ring_capacity=4096)
EUR, JPY = "EUR/USD", "USD/JPY"
PUBLISHER = topology.Publisher(publishes=("crossrate.marketdata.v1.quotes_in.desk.>",))


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    """NATS with the platform's own topology, and a publisher from outside."""
    servers = Servers(folder, topology.load().model_copy(update={"publishers": {"desk": PUBLISHER}}))
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


class Instance:
    """Everything of one instance but its gRPC server."""

    def __init__(self, mesh: Servers, feeds: Feeds, folder: Path, name: str) -> None:
        self._mesh, self._feeds, self._folder, self.name = mesh, feeds, folder, name
        self.board = Board(SETTINGS.ring_capacity, 10, ages(feeds))
        self.catalogue = Catalogue()
        for pair in (EUR, JPY, "GBP/USD", "EUR/JPY"):
            base, counter = pair.split("/")
            listed = reference_pb.Instrument(name=pair, base=base, counter=counter, price_precision=5, version=1)
            listed.status = reference_pb.INSTRUMENT_STATUS_TRADING
            self.catalogue.take([listed])
        self.catalogue.ready.set()
        self.stopping, self.closed = asyncio.Event(), asyncio.Event()

    async def start(self) -> Instance:
        """Connects and begins."""
        self.events = await Events.open(self._mesh.runtime("marketdata", self.name))
        note = structlog.get_logger()
        self.log = QuoteLog(self.events)
        self.health = HealthBoard(kinds(self._feeds), self.board, lambda: self.follower.feeds, 0.5)
        self.follower = Follower(
            self.log,
            self.board,
            list(self._feeds.feeds),
            SETTINGS.log_entries_read,
            note,
            applied=self.health.applied,
        )
        made = sources(
            self._feeds,
            self._folder,
            market=None,  # type: ignore[arg-type]
            catalogue=self.catalogue,
            config=None,  # type: ignore[arg-type]
            events=self.events,
            instance=self.name,
            note=note,
        )
        self.feeds = [
            Feed(
                source=source,
                catalogue=self.catalogue,
                log=self.log,
                follower=self.follower,
                board=self.board,
                publish=self._publish,
                settings=SETTINGS,
                note=note,
            )
            for source in made
        ]
        self.tasks = [asyncio.create_task(self.follower.run(self.closed)), asyncio.create_task(self._check())]
        self.tasks += [asyncio.create_task(feed.run(self.stopping)) for feed in self.feeds]
        return self

    async def _publish(self, published: events_pb.QuotesPublished) -> None:
        """Nobody listens."""

    async def _check(self) -> None:
        while not self.closed.is_set():
            self.health.check()
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stops in good order."""
        self.stopping.set()
        self.closed.set()
        await asyncio.gather(*self.tasks)
        await self.events.close()

    async def die(self) -> None:
        """Stops as a killed process does: without a word to the log."""
        pending = set(self.tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.5)
        await self.events.close()

    @property
    def leading(self) -> bool:
        """Whether it writes its only feed."""
        return self.feeds[0].leading

    def feed(self) -> feed_pb2.Feed:
        """How its only feed is."""
        return self.health.feeds()[0]

    def quote(self, name: str) -> pb.Quote:
        """The newest quote of an instrument; empty while there is none."""
        entry = self.board.last(name)
        return pb.Quote() if entry is None else entry.quote


@contextlib.asynccontextmanager
async def running(mesh: Servers, text: str, folder: Path, count: int = 1) -> AsyncIterator[list[Instance]]:
    """Some instances of declared feeds; what is left of them at the end dies."""
    instances: list[Instance] = []
    try:
        for number in range(count):
            made = Instance(mesh, parse(text, "feeds.toml"), folder, f"marketdata-{number + 1}")
            instances.append(await made.start())
        yield instances
    finally:
        for instance in instances:
            await instance.die()


@contextlib.asynccontextmanager
async def venue(port: int) -> AsyncIterator[Acceptor]:
    """A venue that listens."""
    acceptor = await Acceptor().start(port)
    try:
        yield acceptor
    finally:
        await acceptor.stop()


def fix(port: int, more: str = "") -> str:
    """A declared FIX feed."""
    return f"""
        [feeds.trial]
        kind = "fix"
        host = "127.0.0.1"
        port = {port}
        sender_comp_id = "HOUSE"
        target_comp_id = "VENUE"
        instruments = ["EUR/USD", "USD/JPY"]
        reconnect = {{ first_s = 0.05, cap_s = 0.2 }}
        outliers = {{ enabled = false }}
        {more}
        """


async def whole_log(events: Events) -> list[events_pb.QuotesPublished]:
    """Every entry of the log."""
    log, after, entries = QuoteLog(events), 0, []
    while batch := await log.read(after):
        entries += [events_pb.QuotesPublished.FromString(e.payload) for e in batch]
        after = batch[-1].number
    return entries


def quotes(entries: list[events_pb.QuotesPublished]) -> list[pb.Quote]:
    """The quotes of a log, after a check that their numbers have neither gap nor repetition."""
    following, sequences = 1, {}
    for entry in entries:
        assert entry.first_sequence == following
        following += len(entry.quotes)
        for quote in entry.quotes:
            assert quote.sequence == sequences.get(quote.instrument, 0) + 1
            sequences[quote.instrument] = quote.sequence
    return [quote for entry in entries for quote in entry.quotes]


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
        assert instance.feed().health != feed_pb2.FEED_HEALTH_LIVE
        async with venue(port):
            await eventually(lambda: instance.feed().health == feed_pb2.FEED_HEALTH_LIVE)
            await eventually(lambda: instance.quote(EUR).health == pb.QUOTE_HEALTH_LIVE)
            assert instance.feed().disconnect_count == 1
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
        assert acceptor.peers[1].count(b"5") == 1
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
        seen = [(q.instrument, q.health) for q in quotes(await whole_log(instance.events))]
        assert (EUR, pb.QUOTE_HEALTH_GAPPED) in seen
        assert (JPY, pb.QUOTE_HEALTH_GAPPED) in seen
        assert instance.quote(EUR).health == pb.QUOTE_HEALTH_LIVE
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


def write(path: Path, seed: int, count: int, start: float) -> list[tuple[int, float, float]]:
    """A file of quotes; returns time, bid and ask of each."""
    chance = np.random.default_rng(seed)
    times = 1_767_312_000_000 + np.cumsum(chance.integers(0, 5, count))
    bids = np.round(start + np.cumsum(chance.normal(0, 1e-5, count)), 5)
    lines = [f"{np.datetime64(int(t), 'ms')}Z,{bid:.5f},{bid + 0.0002:.5f}" for t, bid in zip(times, bids, strict=True)]
    path.write_text("time,bid,ask\n" + "\n".join(lines) + "\n")
    return [
        (int(t) * 1_000_000, float(f"{bid:.5f}"), float(f"{bid + 0.0002:.5f}"))
        for t, bid in zip(times, bids, strict=True)
    ]


def replay(more: str) -> str:
    """A declared replay."""
    return f"""
        [feeds.rerun]
        kind = "replay"
        paths = ["*.csv"]
        shape = "generic"
        times = "kept"
        outliers = {{ enabled = false }}
        disorder_ms = 86_400_000
        {more}
        """


async def test_a_replay_gives_exactly_its_quotes_whoever_dies(mesh: Servers, folder: Path) -> None:
    """Writers are killed and stopped in the middle: the log has each row of both files once, in order, nothing else."""
    expected = [(time, EUR, bid, ask) for time, bid, ask in write(folder / "EURUSD.csv", 1, 30_000, 1.1)]
    expected += [(time, JPY, bid, ask) for time, bid, ask in write(folder / "USDJPY.csv", 2, 30_000, 150.0)]
    expected.sort(key=lambda row: (row[0], row[1]))
    text = replay("speed = 12.0\npending_max = 500")
    async with running(mesh, text, folder, 3) as instances:
        for at in (10_000, 25_000):
            await eventually(lambda limit=at: any(i.leading and i.board.head > limit for i in instances))
            leader = next(i for i in instances if i.leading)
            instances.remove(leader)
            await (leader.die() if at == 10_000 else leader.stop())
        (last,) = instances
        await eventually(lambda: last.feed().reason == COMPLETE, 60)
        entries = await whole_log(last.events)
        assert len({entry.epoch for entry in entries}) == 3
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
        assert abs(times[-1] - found[-1].receive_time.ToNanoseconds()) < 1_000_000_000


async def test_a_replay_of_nothing_is_told(mesh: Servers, folder: Path) -> None:
    """No file, and a file that is none, are reasons in words."""
    async with running(mesh, replay("reconnect = { first_s = 0.05, cap_s = 0.1 }"), folder) as (instance,):
        await eventually(lambda: "no file is called *.csv" in instance.feed().reason)
        (folder / "EURUSD.csv").write_text("time,bid,ask\nrubbish\n")
        await eventually(lambda: "none of the first lines is a row" in instance.feed().reason)
        write(folder / "EURUSD.csv", 4, 100, 1.1)
        await eventually(lambda: instance.board.head >= 100)


@contextlib.asynccontextmanager
async def served(mesh: Servers, instance: Instance) -> AsyncIterator[marketdata_grpc.MarketDataServiceStub]:
    """An instance's gRPC server on its socket."""
    runtime = open_runtime(RuntimeSettings(service="marketdata", instance=instance.name, settle_s=0.0), mesh.place)
    server = Server(runtime)
    server.add(register, MarketDataService(instance.board, instance.catalogue, ecb.load(), instance.health))
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: mesh.place.registration(instance.name).exists())
        async with grpc.aio.insecure_channel(f"unix:{server.socket}") as channel:
            yield marketdata_grpc.MarketDataServiceStub(channel)
    finally:
        runtime.stopping.set()
        await serving


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
        assert [m.position.sequence for m in got] == list(range(1, len(got) + 1))
        healths = [f.health for m in got for f in m.changes.feeds]
        assert feed_pb2.FEED_HEALTH_LIVE in healths
        assert healths.index(feed_pb2.FEED_HEALTH_DISCONNECTED, healths.index(feed_pb2.FEED_HEALTH_LIVE))
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
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


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
