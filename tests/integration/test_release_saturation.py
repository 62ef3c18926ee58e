"""What control learns of saturation from a real instance: messages of its streams, and how late its event loop is."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.runtime.place import Place
from services.control.instances import Instances
from services.control.registry import read_registration
from services.control.releases.saturation import asked
from tests.integration.test_rpc_server import EUR_USD, WAIT_S, Running

pytestmark = pytest.mark.integration

MESSAGES = 7
STALL_S = 0.3


@pytest.fixture
def folder() -> Iterator[Place]:
    """Folders of a mesh of one's own; short, because they hold sockets."""
    path = Path(tempfile.mkdtemp(prefix="xr-"))
    yield Place(path / "state", path / "run")
    shutil.rmtree(path)


async def test_an_instance_tells_what_its_streams_sent_and_how_late_its_loop_is(folder: Place) -> None:
    """Messages of streams under way and of those that ended, without unary calls and words of ending; the delay from
    the second question on. Instances of other services are not asked."""
    running = Running(folder)
    await running.start()
    registered = read_registration(folder.registration("reference-1").read_text())
    registered.health = "SERVING"
    registry: Any = SimpleNamespace(instances={registered.name: registered})
    instances = Instances(registry, SimpleNamespace(info=print))
    world: Any = SimpleNamespace(instances=instances)
    try:
        request = marketdata.StreamQuotesRequest(instruments=["EUR/USD"], max_messages=MESSAGES)
        async for _ in running.marketdata.StreamQuotes(request):
            pass
        await running.reference.GetInstrument(EUR_USD)
        stream = running.marketdata.StreamQuotes(marketdata.StreamQuotesRequest(instruments=["STI/LLX"]))
        await stream.read()
        async with asyncio.timeout(WAIT_S):
            while True:
                # The loop of this test is the instance's.
                time.sleep(STALL_S)  # noqa: ASYNC251 - what is measured
                told = (await asked(world, "reference")).get("reference-1")
                if told is not None and told.loop_lag_ms is not None and told.loop_lag_ms > 0.5 * STALL_S * 1000:
                    break
                await asyncio.sleep(0.05)
        assert told.sent == MESSAGES + 1
        assert await asked(world, "pricing") == {}
        stream.cancel()
    finally:
        await instances.close()
        await running.stop()
