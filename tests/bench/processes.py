"""What benchmarks need of the machine: free ports, and the processor time of processes."""

from __future__ import annotations

import contextlib
import os
import socket


def free_ports(count: int) -> list[int]:
    """Free TCP ports on loopback below those that outgoing sockets take.

    Raises:
        OSError: there are not so many.
    """
    found: list[int] = []
    for port in range(21_000 + os.getpid() % 5_000, 32_000):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"no {count} free ports between 21000 and 32000")
