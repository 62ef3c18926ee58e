"""Any adapter as a source: supervised, bounded, batched; and which topologies let a publisher in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import structlog

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.node.nats import permissions
from crossrate.runtime.topology import Topology, load
from services.marketdata.adapter import Disconnected, Sink
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.normalise import Raw
from services.marketdata.external import BATCH_MAX, Connection, External
from services.marketdata.feeds import NatsFeed
from services.marketdata.term import QUOTES_PER_ENTRY_MAX, Term

NOW = 1_767_366_245_000_000_000
SPEC = NatsFeed(
    kind="nats",
    subject="crossrate.marketdata.v1.quotes_in.x",
    pending_max=100,
    reconnect={"first_s": 0.01, "cap_s": 0.01},
    late_after_s=0,
)


class Scripted:
    """An adapter whose every connection is a coroutine of the test."""

    def __init__(self, *connections) -> None:
        self._connections = list(connections)
        self.runs = 0

    async def run(self, sink: Sink) -> None:
        """Plays the next connection."""
        self.runs += 1
        await self._connections.pop(0)(sink)


async def forever(_sink: Sink) -> None:
    """Stays connected."""
    await asyncio.get_running_loop().create_future()


@asynccontextmanager
async def opened(adapter: Scripted, term: Term | None = None) -> AsyncIterator[Connection]:
    """A connection that has had its first entry, with its clock standing still."""
    catalogue = Catalogue()
    listed = reference_pb.Instrument(name="EUR/USD", base="EUR", counter="USD", version=1)
    listed.status = reference_pb.INSTRUMENT_STATUS_TRADING
    catalogue.take([listed])
    source = External("x", SPEC, lambda _: adapter, catalogue, "m-1", structlog.get_logger(), now_ns=lambda: NOW)
    async with source.open(term or Term("x", 5)) as connection:
        assert adapter.runs == 0
        assert connection.tick(0.1, NOW, always=True) is not None
        yield connection


def eur(count: int = 1) -> Sequence[Raw]:
    return [Raw("EURUSD", 1.1, 1.2)] * count


async def entries(connection: Connection, until, now_ns: int = NOW) -> list[events_pb.QuotesPublished]:
    """What it writes until something holds."""
    stopping, made = asyncio.Event(), []
    async with asyncio.timeout(60):
        while not until(made):
            await connection.pause(stopping, 0.01)
            if (entry := connection.tick(0.0, now_ns, always=False)) is not None:
                made.append(entry)
    return made


def healths(made: list[events_pb.QuotesPublished]) -> list[int]:
    """The healths that were told."""
    return [entry.feed.health for entry in made if entry.HasField("feed")]


async def test_an_adapter_that_fails_is_run_again() -> None:
    """With its words as the reason, whether it was the venue's fault or its own; what it had sent is written first."""

    async def refused(_sink: Sink) -> None:
        raise Disconnected("the venue is closed")

    async def faulty(sink: Sink) -> None:
        sink.up("hello")
        sink.put(eur())
        raise KeyError("a fault")

    async def lives(sink: Sink) -> None:
        sink.up("hello again")
        sink.put(eur())
        await forever(sink)

    adapter = Scripted(refused, faulty, lives)
    async with opened(adapter) as connection:
        made = await entries(
            connection, lambda made: healths(made)[-1:] == [feed_pb2.FEED_HEALTH_LIVE] and adapter.runs == 3
        )
        reasons = [entry.feed.reason for entry in made if entry.HasField("feed")]
        assert "the venue is closed" in reasons
        assert any("the adapter failed: KeyError('a fault')" in reason for reason in reasons)
        quotes = [(q.sequence, q.health) for entry in made for q in entry.quotes]
        assert quotes == [(1, pb.QUOTE_HEALTH_LIVE), (2, pb.QUOTE_HEALTH_STALE), (3, pb.QUOTE_HEALTH_LIVE)]
        assert made[-1].feed.disconnect_count == 1


async def test_what_waits_is_bounded_and_nothing_is_left_out() -> None:
    """An adapter that asks for room waits until the log has taken enough; a burst becomes entries of bounded size."""
    sent = 3 * QUOTES_PER_ENTRY_MAX

    async def burst(sink: Sink) -> None:
        sink.up("hello")
        sink.put(eur(sent))
        assert sink.full
        await sink.room()
        sink.put(eur())
        await forever(sink)

    async with opened(Scripted(burst)) as connection:
        made = await entries(connection, lambda made: sum(len(e.quotes) for e in made) == sent + 1)
        sizes = [len(entry.quotes) for entry in made if entry.quotes]
        assert max(sizes) <= QUOTES_PER_ENTRY_MAX
        assert len(sizes) <= sent / (QUOTES_PER_ENTRY_MAX - BATCH_MAX) + 2
        numbers = [quote.sequence for entry in made for quote in entry.quotes]
        assert numbers == list(range(1, sent + 2))


async def test_a_writer_that_does_not_connect_takes_its_predecessors_quotes_back() -> None:
    """After a second without a connection they are STALE; within it they stand."""
    newest = pb.Quote(instrument="EUR/USD", bid=1.1, ask=1.2, sequence=41, health=pb.QUOTE_HEALTH_LIVE)
    before = feed_pb2.Feed(name="x", quote_count=41, disconnect_count=3)
    async with opened(Scripted(forever), Term("x", 5, 42, {"EUR/USD": newest}, feed_before=before)) as connection:
        assert connection.tick(0.1, NOW + 900_000_000, always=False) is None
        entry = connection.tick(0.1, NOW + 1_100_000_000, always=False)
        assert [(q.sequence, q.health, q.bid) for q in entry.quotes] == [(42, pb.QUOTE_HEALTH_STALE, 1.1)]
        assert (entry.feed.quote_count, entry.feed.disconnect_count) == (42, 3)


async def test_the_end_of_a_process_wakes_the_feed() -> None:
    """A pause ends when the process should stop, long before its time."""
    async with opened(Scripted(forever)) as connection:
        stopping = asyncio.Event()
        pausing = asyncio.ensure_future(connection.pause(stopping, 3600.0))
        await asyncio.sleep(0)
        stopping.set()
        assert await asyncio.wait_for(pausing, 60) is True


def test_a_publisher_from_outside_may_send_to_what_a_service_listens_to_and_nowhere_else() -> None:
    """Only below a subject that says so; no service's name, and no service gains anything by it."""
    mesh = load().model_dump()
    subject = "crossrate.marketdata.v1.quotes_in.desk.>"
    allowed = Topology.model_validate(mesh | {"publishers": {"desk": {"publishes": [subject]}}})
    assert permissions(allowed, "risk") == permissions(load(), "risk")
    for name, subjects, words in (
        ("risk", [subject], "no service's"),
        ("Desk", [subject], "a-z, 0-9 and -"),
        ("desk", ["crossrate.marketdata.v1.quotes_published.desk"], "is not below crossrate.<service>.v1.<noun>_in"),
        ("desk", ["crossrate.marketdata.v1.quotes_in.>", ">"], "'>' is not below"),
        ("desk", ["crossrate.nobody.v1.quotes_in.x"], "is not below"),
    ):
        with pytest.raises(ValueError, match=words):
            Topology.model_validate(mesh | {"publishers": {name: {"publishes": subjects}}})
