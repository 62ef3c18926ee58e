"""The newest quote of each instrument over a real NATS, for whoever begins to listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.events import Events, EventsUnavailable, subscribe_latest
from crossrate.runtime import topology
from services.marketdata.domain.simulation import Market
from services.marketdata.latest import STREAM, SUBJECT, Latest, quote_subject
from services.marketdata.quote_log import QuoteLog
from services.marketdata.simulated import FEED
from tests.integration.conftest import Servers, eventually
from tests.integration.test_marketdata import PAIRS, Instance, market

__all__ = ["market"]

pytestmark = pytest.mark.integration


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    """NATS with the platform's own topology, in which pricing consumes the newest quotes."""
    own = topology.load()
    pricing = own.services["pricing"].model_copy(update={"consumes": (STREAM,)})
    servers = Servers(folder, own.model_copy(update={"services": own.services | {"pricing": pricing}}))
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


class Publishing(Instance):
    """An instance that publishes as the assembly does."""

    async def start(self, log: type[QuoteLog] = QuoteLog) -> Publishing:
        """See Instance."""
        await super().start(log)
        self._latest = Latest(self.events, self.board, FEED)
        return self

    async def _publish(self, published: events_pb.QuotesPublished) -> None:
        await self._latest.publish(published)


class Listener:
    """What a service hears."""

    def __init__(self) -> None:
        self.heard: dict[str, list[pb.Quote]] = {}

    async def __call__(self, subject: str, payload: bytes) -> None:
        quote = pb.Quote.FromString(payload)
        assert subject == quote_subject(quote.instrument)
        self.heard.setdefault(quote.instrument, []).append(quote)


async def hears(events: Events, subject: str, expected: dict[str, list[pb.Quote]]) -> bool:
    """Whether somebody who begins to listen now hears this at once."""
    listener = Listener()
    subscription = await subscribe_latest(events, STREAM, subject, listener)
    await subscription.unsubscribe()
    return listener.heard == expected


async def test_whoever_begins_to_listen_hears_the_last_value(mesh: Servers, market: Market) -> None:
    """Nobody publishes any more, and yet the newest quote of every pair is there at once, as the board has it."""
    instance = await Publishing(mesh, market).start()
    await eventually(lambda: len(instance.board.newest()) == len(PAIRS) and instance.board.head > 100)
    await instance.stop()
    pricing = await Events.open(mesh.runtime("pricing"))
    newest = {name: [entry.quote] for name, entry in instance.board.newest().items()}
    # NATS has all of it, and its stream takes it a moment later.
    await eventually(lambda: hears(pricing, f"{SUBJECT}*", newest))
    await eventually(lambda: hears(pricing, quote_subject("USD/JPY"), {"USD/JPY": newest["USD/JPY"]}))
    await pricing.close()


async def test_no_instrument_goes_back(mesh: Servers, market: Market) -> None:
    """Under a running feed, twenty listeners hear each instrument from its last value on, and never an older quote."""
    instance = await Publishing(mesh, market).start()
    await eventually(lambda: instance.board.head > 50)
    pricing = await Events.open(mesh.runtime("pricing"))
    listeners = [Listener() for _ in range(20)]
    for listener in listeners:
        await subscribe_latest(pricing, STREAM, f"{SUBJECT}*", listener)
    await eventually(lambda: all(set(listener.heard) == set(PAIRS) for listener in listeners))
    head = instance.board.head
    await eventually(lambda: instance.board.head > head + 50)
    for listener in listeners:
        for quotes in listener.heard.values():
            numbers = [quote.sequence for quote in quotes]
            assert numbers == sorted(numbers)
    await pricing.close()
    await instance.stop()


async def test_last_values_come_back_after_nats_was_killed(mesh: Servers, market: Market) -> None:
    """They are in memory only; the next term tells all of them again, also of a pair that is not quoted any more."""
    instance = await Publishing(mesh, market).start()
    await eventually(lambda: instance.board.head > 50)
    halted = reference_pb.Instrument(name="EUR/USD", base="EUR", counter="USD", version=2, direct=True)
    halted.status = reference_pb.INSTRUMENT_STATUS_HALTED
    instance.catalogue.take([halted])
    await eventually(lambda: instance.board.newest()["EUR/USD"].quote.health == pb.QUOTE_HEALTH_CLOSED)
    closed = instance.board.newest()["EUR/USD"].quote
    mesh.kill("nats")
    await mesh.start_nats()
    await mesh.nats.provision(mesh.topology)
    head = instance.board.head
    await eventually(lambda: instance.board.head > head + 50)
    pricing = await Events.open(mesh.runtime("pricing"))

    async def all_are_back() -> bool:
        listener = Listener()
        subscription = await subscribe_latest(pricing, STREAM, f"{SUBJECT}*", listener)
        await subscription.unsubscribe()
        return set(listener.heard) == set(PAIRS) and listener.heard["EUR/USD"] == [closed]

    await eventually(all_are_back)
    await pricing.close()
    await instance.stop()


async def test_only_consumers_are_told(mesh: Servers) -> None:
    """A service whose topology does not name the stream may neither read it nor listen."""
    risk = await Events.open(mesh.runtime("risk"))
    with pytest.raises(EventsUnavailable):
        await subscribe_latest(risk, STREAM, f"{SUBJECT}*", Listener())
    await risk.close()
