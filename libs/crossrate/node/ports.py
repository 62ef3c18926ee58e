"""The TCP ports of one start: free ones below those that the kernel gives to outgoing connections.

A port from the kernel's own range (32768 and up) may belong to a connection in TIME-WAIT when a proxy wants to listen.
Between the choice of a port and the moment when a proxy listens there, nobody else may take it: another start on this
machine sees that it is reserved, and the listeners for metrics have a range of their own.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology

FIRST, LAST = 20_000, 27_999
"""The ports of proxies and NATS. Those from 28,000 on are for metrics, see `crossrate.rpc.metrics_listener`."""
HIGHEST = 32_767
"""The highest port that the edge may be given."""
LOOPBACK = "127.0.0.1"


class PortError(Exception):
    """A port cannot be had; the message says who has it and what to do."""


def is_free(address: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            # Bound is not enough: with SO_REUSEADDR a bind passes beside a socket that does not listen yet.
            probe.listen(1)
        except OSError:
            return False
    return True


def reserve(port: int) -> socket.socket | None:
    """Holds a port against the other starts on this machine until what is returned is closed; None if one has it.

    The name is in the kernel alone: it is gone with the process that holds it, and no file is left.
    """
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0crossrate-port-{port}")
    except OSError:
        name.close()
        return None
    return name


class Ports:
    """Gives out free ports, each once; those of the last start first, so that they seldom change.

    What it gives out is reserved until `close`, or until the process ends.
    """

    def __init__(self, last: Mapping[str, Any] | None = None, seed: int | None = None) -> None:
        self._last = dict(last or {})
        self._taken: dict[int, socket.socket | None] = {}
        self._random = random.Random(seed)

    def take(self, *name: str, address: str = LOOPBACK) -> int:
        """A free port for what `name` says, a path into the last start's ports.

        Raises:
            PortError: none is free.
        """
        wanted: Any = self._last
        for word in name:
            wanted = wanted.get(word) if isinstance(wanted, dict) else None
        candidates: list[int] = [wanted] if isinstance(wanted, int) and FIRST <= wanted <= LAST else []
        candidates += self._random.sample(range(FIRST, LAST + 1), 1000)
        for port in candidates:
            if port in self._taken or (name := reserve(port)) is None:
                continue
            if is_free(address, port):
                self._taken[port] = name
                return port
            name.close()
        raise PortError(f"no port between {FIRST} and {LAST} is free on {address}")

    def claim(self, port: int, address: str, purpose: str, remedy: str) -> int:
        """That very port.

        Raises:
            PortError: it is busy or not ours to take; the message names who has it, as far as that can be seen.
        """
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    why = f"is taken by {listener(port) or 'another process'}"
                else:
                    why = f"cannot be opened: {error.strerror}"
                raise PortError(f"port {port} on {address}, wanted for {purpose}, {why}: {remedy}") from error
        # Whoever wants this very port is told by the kernel that it is busy; no other start chooses it from now on.
        self._taken[port] = reserve(port)
        return port

    def close(self) -> None:
        """Lets others choose what was given out."""
        for name in self._taken.values():
            if name is not None:
                name.close()


def listener(port: int) -> str:
    """Who listens on a TCP port, as "name (process id)"; empty if that cannot be seen."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return ""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for descriptor in (entry / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) in inodes:
                        return f"{(entry / 'comm').read_text().strip()} (process {entry.name})"
    return ""


def read(place: Place) -> dict[str, Any]:
    """The ports of the last start; empty if there was none."""
    try:
        return json.loads(place.ports.read_text())
    except (OSError, ValueError):
        return {}


def assign(place: Place, topology: Topology, ports: Ports) -> dict[str, Any]:
    """Takes every port that this mesh needs, writes them to `place.ports` and returns them.

    They are reserved for as long as `ports` is open. The edge has the topology's port, or the one in
    CROSSRATE_EDGE_PORT, where 0 stands for any free one.

    Raises:
        PortError: the edge's port is taken, or none is left.
    """
    wanted = os.environ.get("CROSSRATE_EDGE_PORT", "").strip() or str(topology.edge.port)
    if not wanted.isdigit() or int(wanted) > HIGHEST:
        raise PortError(f"CROSSRATE_EDGE_PORT is {wanted!r}: give a number from 0 (any free port) to {HIGHEST}")
    address = topology.edge.address
    if int(wanted):
        remedy = "end it, or choose another port with CROSSRATE_EDGE_PORT (0 takes any free one)"
        edge = ports.claim(int(wanted), address, "the edge", remedy)
    else:
        edge = ports.take("edge", address=address)
    taken = {
        "edge": edge,
        "nats": ports.take("nats"),
        "inbound": {backend: ports.take("inbound", backend) for backend in topology.backends()},
    }
    draft = place.ports.with_suffix(".new")
    draft.write_text(json.dumps(taken, indent=1) + "\n")
    draft.rename(place.ports)
    return taken
