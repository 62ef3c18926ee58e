"""Candidates that hang, and those that only do not serve."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.control.registry import Registered
from services.control.releases.pulse import hanging
from tests.ending import ended, within

WITHIN_S = 0.4


class Health(health_pb2_grpc.HealthServicer):
    """Says that it does not serve, or says nothing at all."""

    def __init__(self) -> None:
        self.silent = asyncio.Event()
        self.asked = asyncio.Event()

    async def Check(self, request, context):
        """Answers, until it is silent; then it waits until the caller gives up."""
        self.asked.set()
        if self.silent.is_set():
            await asyncio.Event().wait()
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.NOT_SERVING)


async def test_an_instance_that_answers_does_not_hang_whatever_it_says_and_a_silent_one_does(tmp_path: Path) -> None:
    """NOT_SERVING is an answer, and so is a socket that nobody listens on; silence over two checks is none."""
    health, server = Health(), grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    server.add_insecure_port(f"unix:{tmp_path}/a")
    await server.start()
    now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    names = ("a", "gone")
    instances = [Registered("reference", n, "reference-candidate", str(tmp_path / n), 1, "2", now) for n in names]
    # Who answers does so in time, also on a machine that stands still for a while.
    looking = asyncio.create_task(hanging(lambda: instances, 300.0))
    try:
        for _ in range(3):
            health.asked.clear()
            await within(health.asked.wait(), "the next question")
        assert not looking.done()
        health.silent.set()
        assert await within(hanging(lambda: instances, WITHIN_S), "who hangs") == "a"
    finally:
        await ended([looking], "who looks")
        await server.stop(None)


async def test_nobody_hangs_where_nobody_is() -> None:
    """Without candidates it goes on looking."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.6):
            await hanging(list, WITHIN_S)
