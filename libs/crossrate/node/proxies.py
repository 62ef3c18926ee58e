"""The Envoys of a mesh: which there are, how each is started, whether it has its configuration."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from crossrate.node import bootstrap
from crossrate.node.command import Command
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology

EDGE = "edge"
ANSWER_S_MAX = 1.0
DRAIN_S = 4
HANDOVER_S = 8
"""How long a proxy that is replaced goes on with what it has; streams that last longer are cut, and resume."""
SHARED_MEMORY = Path("/dev/shm")
"""Where POSIX shared memory is on Linux."""


def names(topology: Topology) -> list[str]:
    """Node ids of the proxies that the layout asks for, the edge first."""
    if topology.layout == "sidecar":
        return [EDGE, *(f"sidecar-{service}" for service in topology.services)]
    return [EDGE, "node"]


def _base_path(place: Place, name: str) -> Path:
    """Where a proxy writes the id that it shares with its successor."""
    return place.run / f"envoy-{name}.base"


def command(place: Place, topology: Topology, name: str, epoch: int = 0) -> Command:
    """How a proxy is started; its bootstrap is written anew.

    With an epoch of 1 or more it is the successor of the running one (Envoy's hot restart): it takes over the listening
    sockets, has the old one send its clients away for DRAIN_S and ends it after HANDOVER_S.
    """
    path = _base_path(place, name)
    generation: tuple[str, ...] = bootstrap.ALONE
    if epoch:
        generation = ("--base-id", path.read_text().strip(), "--restart-epoch", str(epoch))
    elif os.access(SHARED_MEMORY, os.W_OK):
        forget(place, name)
        generation = ("--use-dynamic-base-id", "--base-id-path", str(path))
    if generation != bootstrap.ALONE:
        generation += ("--drain-time-s", str(DRAIN_S), "--parent-shutdown-time-s", str(HANDOVER_S))
    config = bootstrap.write_bootstrap(name, place, topology)
    return Command(tuple(bootstrap.arguments(config, generation=generation)), place.run, {"TZ": "UTC"})


def can_hand_over(place: Place, name: str) -> bool:
    """Whether the running proxy can be succeeded without closing its listeners."""
    return _base_path(place, name).exists()


def forget(place: Place, name: str) -> None:
    """Removes what a proxy that is gone shared with its successors."""
    path = _base_path(place, name)
    with contextlib.suppress(OSError, ValueError):
        (SHARED_MEMORY / f"envoy_shared_memory_{int(path.read_text())}0").unlink()
    path.unlink(missing_ok=True)


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
