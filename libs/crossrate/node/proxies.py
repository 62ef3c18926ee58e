"""The Envoys of a mesh: which there are, how each is started, whether it has its configuration."""

from __future__ import annotations

import asyncio
import contextlib

from crossrate.node import bootstrap
from crossrate.node.command import Command
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology

EDGE = "edge"
ANSWER_S_MAX = 1.0


def names(topology: Topology) -> list[str]:
    """Node ids of the proxies that the layout asks for, the edge first."""
    if topology.layout == "sidecar":
        return [EDGE, *(f"sidecar-{service}" for service in topology.services)]
    return [EDGE, "node"]


def command(place: Place, topology: Topology, name: str) -> Command:
    """How a proxy is started; its bootstrap is written anew."""
    argv = bootstrap.arguments(bootstrap.write_bootstrap(name, place, topology))
    return Command(tuple(argv), place.run, {"TZ": "UTC"})


async def is_ready(place: Place, name: str) -> bool:
    """Whether a proxy has taken its first configuration and serves it: its admin interface says LIVE."""
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            reader, writer = await asyncio.open_unix_connection(bootstrap.admin_socket(place, name))
            try:
                writer.write(b"GET /ready HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")
                return (await reader.readline()).split()[1:2] == [b"200"]
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


async def accepts(address: str, port: int) -> bool:
    """Whether a TCP port takes connections."""
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            _, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
