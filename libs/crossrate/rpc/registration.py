"""How an instance makes itself known: a file in the run folder, there from ready to drain, for the control plane."""

from __future__ import annotations

import json
import os
import socket as sockets
from datetime import datetime
from pathlib import Path

from crossrate.runtime.process import Runtime


class AlreadyServedError(RuntimeError):
    """Another process serves this instance's socket."""


def clear_socket(path: Path) -> None:
    """Removes what a process that died left at a socket's path.

    Raises:
        AlreadyServedError: a living process accepts connections there.
        OSError: what is there is not a socket, or the path is too long for one.
    """
    if not path.exists():
        return
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise AlreadyServedError(f"another process serves {path}: stop it, or give this one another CROSSRATE_INSTANCE")


def register(runtime: Runtime, socket: Path, metrics_port: int, ready_time: datetime) -> None:
    """Writes the registration in one step: a reader sees all of it or none."""
    path = runtime.place.registration(runtime.instance)
    entry = {
        "service": runtime.service,
        "backend": runtime.settings.backend or runtime.service,
        "instance": runtime.instance,
        "pid": os.getpid(),
        "socket": str(socket),
        "metrics_port": metrics_port,
        "version": runtime.version,
        "start_time": ready_time.isoformat().replace("+00:00", "Z"),
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(entry) + "\n")
    draft.chmod(0o600)
    draft.replace(path)


def withdraw(runtime: Runtime) -> None:
    """Removes the registration, unless another process has taken the name since."""
    path = runtime.place.registration(runtime.instance)
    try:
        mine = json.loads(path.read_text()).get("pid") == os.getpid()
    except (FileNotFoundError, ValueError):
        return
    if mine:
        path.unlink(missing_ok=True)
