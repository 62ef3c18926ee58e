"""TCP ports for tests, which no other test process and no mesh takes in the meantime.

A port that is looked for, found free and let go may be somebody else's by the time that a server binds it. So each test
process has a hundred ports of its own, below those that a mesh takes for itself (`crossrate.node.ports`), and holds
them by a name that the kernel forgets with the process: no file is left of it.
"""

from __future__ import annotations

import contextlib
import os
import socket

FIRST, EACH, SLICES = 10_000, 100, 100
"""Process n has the ports from FIRST + EACH × n on."""

_ours: list[Slice] = []


class Slice:
    """The ports of this process. A fork has to take its own, because its parent goes on with this one."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._next = 0
        self._lock = socket.socket(socket.AF_UNIX)
        for number in range(SLICES):
            self._ports = range(FIRST + EACH * number, FIRST + EACH * (number + 1))
            with contextlib.suppress(OSError):
                self._lock.bind(f"\0crossrate-test-ports-{number}")
                return
        raise OSError(f"{SLICES} test processes have all ports from {FIRST} on")

    def take(self) -> int:
        """The next port that nobody listens on; those that were given out last come last."""
        for _ in self._ports:
            port = self._ports[self._next]
            self._next = (self._next + 1) % EACH
            with socket.socket() as probe, contextlib.suppress(OSError):
                # As servers bind: what is in TIME-WAIT is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                probe.listen(1)
                return port
        raise OSError(f"none of the ports {self._ports.start} to {self._ports.stop - 1} is free")


def free_port() -> int:
    """A TCP port below 32768 that nobody listens on, and that nobody else is given for a while."""
    if not _ours or _ours[0].process != os.getpid():
        _ours[:] = [Slice()]
    return _ours[0].take()


def free_ports(count: int) -> list[int]:
    """Several of them."""
    return [free_port() for _ in range(count)]
