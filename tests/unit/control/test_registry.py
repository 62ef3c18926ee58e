"""Endpoints by registration and health, with real servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.control.registry import Registry, read_registration

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Watched:
    """A registry over a folder of its own, with the causes that it told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.causes: list[str] = []
        self.registry = Registry(folder, self._changed, structlog.get_logger())

    def _changed(self, cause: str) -> int:
        self.causes.append(cause)
        return len(self.causes)

    @contextlib.asynccontextmanager
    async def instance(self, name: str) -> AsyncIterator[health.aio.HealthServicer]:
        """A server that is registered, for the length of the block."""
        server, servicer = grpc.aio.server(), health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        server.add_insecure_port(f"unix:{self.folder / name}.sock")
        await server.start()
        await servicer.set("", SERVING)
        self.register(name)
        try:
            yield servicer
        finally:
            await server.stop(0)

    def register(self, name: str, **changes) -> None:
        """Writes a registration."""
        entry = {
            "service": name.partition("-")[0],
            "instance": name,
            "pid": 1,
            "socket": f"{self.folder / name}.sock",
            "metrics_port": 0,
            "version": "1",
            "start_time": "2026-01-31T12:00:00Z",
        }
        (self.folder / f"{name}.json").write_text(json.dumps(entry | changes))

    async def until(self, condition) -> None:
        """Waits for a condition."""
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, self.causes
            await asyncio.sleep(0.01)

    def sockets(self, backend: str = "alpha") -> list[str]:
        """Names of the endpoints."""
        return [Path(s).stem for s in self.registry.endpoints.get(backend, ())]


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    """A registry that runs."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    watched = Watched(folder)
    task = asyncio.create_task(watched.registry.run())
    yield watched
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    shutil.rmtree(folder)


async def test_only_who_serves_is_an_endpoint(watched: Watched) -> None:
    """An instance is an endpoint from SERVING to NOT_SERVING, and again; each change is told once, with its cause."""
    async with watched.instance("alpha-1") as one:
        await watched.until(lambda: watched.sockets() == ["alpha-1"])
        assert watched.registry.serves("alpha")
        await one.set("", NOT_SERVING)
        await watched.until(lambda: watched.sockets() == [])
        assert not watched.registry.serves("alpha")
        assert watched.registry.instances["alpha-1"].offered_version == 0
        await one.set("", SERVING)
        await watched.until(lambda: watched.sockets() == ["alpha-1"])
        assert watched.causes == ["alpha-1 is serving", "alpha-1 is not serving", "alpha-1 is serving"]
        assert watched.registry.instances["alpha-1"].offered_version == 3


async def test_who_withdraws_or_dies_is_gone_at_once(watched: Watched) -> None:
    """A registration that is removed, or a server that no longer answers, is no endpoint any more."""
    async with watched.instance("alpha-2"):
        async with watched.instance("alpha-1"):
            await watched.until(lambda: watched.sockets() == ["alpha-1", "alpha-2"])
        await watched.until(lambda: watched.sockets() == ["alpha-2"])
        assert watched.registry.instances["alpha-1"].health == "UNREACHABLE"
        (watched.folder / "alpha-2.json").unlink()
        await watched.until(lambda: watched.sockets() == [])
        assert "alpha-2" not in watched.registry.instances


async def test_a_variant_is_a_backend_of_its_own(watched: Watched) -> None:
    """An instance that registers for another backend of its service is an endpoint there."""
    async with watched.instance("alpha-1"):
        watched.register("alpha-1", backend="alpha-canary", version="2")
        await watched.until(lambda: watched.sockets("alpha-canary") == ["alpha-1"])
        assert watched.sockets("alpha") == []


async def test_a_starting_control_plane_knows_who_serves(watched: Watched) -> None:
    """`known` returns when all have answered, and does not wait for ever for one that is dead."""
    async with watched.instance("alpha-1"):
        watched.register("alpha-9")
        await watched.registry.known(5.0)
        assert watched.sockets() == ["alpha-1"]
        assert watched.registry.instances["alpha-9"].health == "UNREACHABLE"


async def test_what_is_no_registration_harms_nobody(watched: Watched) -> None:
    """Half a file, another shape or a foreign name are left out."""
    for text in ("", "{", "[]", '{"service": "alpha"}', "null"):
        with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
            read_registration(text)
    (watched.folder / "alpha-1.json").write_text("{")
    watched.register("alpha-2", instance="alpha-7")
    async with watched.instance("alpha-3"):
        await watched.until(lambda: watched.sockets() == ["alpha-3"])
    assert set(watched.registry.instances) == {"alpha-3"}
