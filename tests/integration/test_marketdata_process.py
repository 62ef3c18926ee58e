"""Marketdata as processes, beside the real reference: start, halt, live configuration, surge restart.

The way out to reference is a link to its socket; what the proxies add on it has tests of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.marketdata.v1 import quote_pb2 as quotes
from crossrate.api.reference.v1 import instrument_pb2, reference_service_pb2_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.events import Events
from crossrate.runtime import topology
from crossrate.runtime.live_config import ConfigStore
from services.marketdata import ecb
from tests.ending import ended, within
from tests.integration.conftest import Servers, eventually

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
EURUSD = marketdata.GetQuoteRequest(base="EUR", counter="USD")


class Processes:
    """Instances of services as processes of their own."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.place = servers.place
        self._running: dict[str, subprocess.Popen] = {}

    async def start(self, instance: str, **settings: str) -> None:
        """Starts an instance and waits until it is registered."""
        process = self._running[instance] = self._spawn(instance, settings)
        await eventually(lambda: self.place.registration(instance).exists() or process.poll() is not None)
        assert process.poll() is None, self.place.log(instance).read_text()[-3000:]

    def _spawn(self, instance: str, settings: dict[str, str]) -> subprocess.Popen:
        service = instance.partition("-")[0]
        environment = os.environ | settings
        environment |= {"CROSSRATE_SERVICE": service, "CROSSRATE_INSTANCE": instance}
        environment |= {"CROSSRATE_STATE": str(self.place.state), "CROSSRATE_RUN": str(self.place.run)}
        environment["PYTHONPATH"] = f"{ROOT / 'libs'}{os.pathsep}{ROOT}"
        program = [sys.executable, "-m", f"services.{service}"]
        with self.place.log(instance).open("ab") as log:
            return subprocess.Popen(program, cwd=ROOT, env=environment, stdout=log, stderr=log)

    async def stop(self, instance: str) -> None:
        """SIGTERM, and the exit must be a clean one."""
        process = self._running.pop(instance)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0

    def kill(self, instance: str) -> None:
        """SIGKILL."""
        process = self._running.pop(instance)
        process.kill()
        process.wait(60)

    def log(self, instance: str) -> list[dict[str, object]]:
        """What an instance has logged."""
        lines = self.place.log(instance).read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def remove(self) -> None:
        """Kills what is left."""
        for process in self._running.values():
            process.kill()
            process.wait(60)

    @contextlib.asynccontextmanager
    async def stub(self, instance: str) -> AsyncIterator[marketdata_grpc.MarketDataServiceStub]:
        """A stub to an instance of marketdata, as the local operator."""
        async with grpc.aio.insecure_channel(f"unix:{self.place.service_socket(instance)}") as channel:
            yield marketdata_grpc.MarketDataServiceStub(channel)


@pytest.fixture
async def processes(folder: Path) -> AsyncIterator[Processes]:
    """NATS, PostgreSQL and reference, with the platform's own topology."""
    servers = Servers(folder, topology.load())
    started = Processes(servers)
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        await servers.start_postgres()
        await servers.postgres.provision(servers.topology)
        servers.place.outbound_socket("marketdata").symlink_to(servers.place.service_socket("reference-1"))
        await started.start("reference-1")
        yield started
    finally:
        try:
            await asyncio.to_thread(started.remove)
        finally:
            await asyncio.to_thread(servers.remove)


async def test_an_instance_serves_halts_and_follows_its_configuration(processes: Processes) -> None:
    """Ready means a live quote of every direct pair that has a current rate; halts and configuration apply live."""
    await processes.start("marketdata-1")
    socket = processes.place.service_socket("reference-1")
    async with processes.stub("marketdata-1") as stub, grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        instruments = reference_service_pb2_grpc.ReferenceServiceStub(channel)
        direct = await instruments.ListInstruments(reference.ListInstrumentsRequest(direct_only=True, page_size=1000))
        assert len(direct.instruments) > 20
        current = ecb.load().current()
        for instrument in direct.instruments:
            request = marketdata.GetQuoteRequest(base=instrument.base, counter=instrument.counter)
            if instrument.base in current and instrument.counter in current:
                assert (await stub.GetQuote(request)).quote.health == quotes.QUOTE_HEALTH_LIVE
            else:
                with pytest.raises(grpc.aio.AioRpcError, match="there is no fresh price"):
                    await stub.GetQuote(request)

        async def halt(status: int) -> None:
            request = reference.SetInstrumentStatusRequest(
                request_id=str(uuid.uuid4()), base="EUR", counter="USD", status=status, comment="test"
            )
            await instruments.SetInstrumentStatus(request)

        async def health(expected: int) -> bool:
            return (await stub.GetQuote(EURUSD)).quote.health == expected

        await halt(instrument_pb2.INSTRUMENT_STATUS_HALTED)
        await eventually(lambda: health(quotes.QUOTE_HEALTH_CLOSED))
        await halt(instrument_pb2.INSTRUMENT_STATUS_TRADING)
        await eventually(lambda: health(quotes.QUOTE_HEALTH_LIVE))

        async def spread() -> float:
            quote = (await stub.GetQuote(EURUSD)).quote
            return quote.ask - quote.bid

        narrow = await spread()
        control = await Events.open(processes.servers.runtime("control"))
        values = {"spread_multiplier": 20.0, "quotes_per_s": 200.0}
        await ConfigStore(control).set("marketdata", values, author="test", now=dt.datetime.now(dt.UTC))

        async def wider() -> bool:
            return await spread() > 10 * narrow

        await eventually(wider)
        await control.close()
    await processes.stop("marketdata-1")


async def test_a_surge_restart_loses_no_quote_of_a_stream(processes: Processes) -> None:
    """Three restarts under a stream: it ends with DRAINING, goes on at the successor, misses and repeats nothing."""
    # Nobody takes over because of a silence here: each handover is one in good order.
    patient = {"CROSSRATE_MARKETDATA_TAKEOVER_MS": "60000"}
    await processes.start("marketdata-1", **patient)
    wanted = marketdata.StreamQuotesRequest(instruments=["EUR/USD", "USD/JPY"])
    wanted.heartbeat_interval.seconds = 1
    last: dict[str, int] = {}
    seen = asyncio.Event()

    async def follow(instance: str) -> None:
        seen.clear()
        async with processes.stub(instance) as stub:
            async for message in stub.StreamQuotes(wanted):
                wanted.resume_cursor = message.position.cursor
                assert message.quotes.conflated_count == 0
                for quote in message.quotes.quotes:
                    if quote.health == quotes.QUOTE_HEALTH_STALE and quote.sequence == last.get(quote.instrument):
                        continue  # On a machine that stands still a quote grows too old, and is told again as such.
                    assert quote.sequence == last.get(quote.instrument, quote.sequence - 1) + 1
                    last[quote.instrument] = quote.sequence
                    seen.set()
        assert message.end.reason == stream_pb2.STREAM_END_REASON_DRAINING

    following = asyncio.create_task(follow("marketdata-1"))
    for number in (2, 3, 4):
        await asyncio.wait_for(seen.wait(), 60)
        await processes.start(f"marketdata-{number}", **patient)
        await processes.stop(f"marketdata-{number - 1}")
        await within(following, "the end of the stream")
        following = asyncio.create_task(follow(f"marketdata-{number}"))
    await asyncio.wait_for(seen.wait(), 60)
    leaders = [
        line["instance"]
        for n in (1, 2, 3, 4)
        for line in processes.log(f"marketdata-{n}")
        if line["event"] == "leading the feed"
    ]
    assert leaders == ["marketdata-1", "marketdata-2", "marketdata-3", "marketdata-4"]
    await ended([following], "the reader")
    await processes.stop("marketdata-4")


async def test_outside_of_its_session_an_instrument_is_closed(processes: Processes) -> None:
    """Without `always_open`, a quote is live exactly while reference says that the session is open."""
    await processes.start("marketdata-1", CROSSRATE_MARKETDATA_ALWAYS_OPEN="false")
    socket = processes.place.service_socket("reference-1")
    async with processes.stub("marketdata-1") as stub, grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        instruments = reference_service_pb2_grpc.ReferenceServiceStub(channel)
        request = reference.GetTradingSessionRequest(base="EUR", counter="USD")
        is_open = (await instruments.GetTradingSession(request)).session.open

        async def right() -> bool:
            try:
                quote = (await stub.GetQuote(EURUSD)).quote
            except grpc.aio.AioRpcError as error:
                return error.code() is grpc.StatusCode.UNAVAILABLE and not is_open
            return (quote.health == quotes.QUOTE_HEALTH_LIVE) == is_open

        await eventually(right)
    await processes.stop("marketdata-1")
