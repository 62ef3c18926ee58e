"""`python -m crossrate.node`: the mesh of this place, in the foreground until SIGTERM or Ctrl-C.

`crossrate up` starts it in a session of its own and follows the progress that it tells to a descriptor.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from crossrate.node.client import PROGRESS_FD
from crossrate.node.leftovers import AlreadyRunning
from crossrate.node.mesh import run_mesh
from crossrate.node.ports import PortError
from crossrate.node.progress import MESH, Progress
from crossrate.node.supervisor import UpFailed
from crossrate.runtime import topology as topologies
from crossrate.runtime.place import place


def _teller() -> Callable[[Progress], None]:
    """Tells progress to whoever started us, until the mesh is up or they are gone, and to the log for ever."""
    descriptor = int(os.environ.pop(PROGRESS_FD, "-1"))

    def tell(progress: Progress) -> None:
        nonlocal descriptor
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        print(json.dumps({"time": now} | asdict(progress)), flush=True)
        if descriptor < 0:
            return
        ended = progress.name == MESH and progress.state in ("healthy", "failed")
        try:
            os.write(descriptor, json.dumps(asdict(progress)).encode() + b"\n")
        except OSError:
            ended = True
        if ended:
            os.close(descriptor)
            descriptor = -1

    return tell


async def _main(tell: Callable[[Progress], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    path = os.environ.get("CROSSRATE_TOPOLOGY")
    topology = topologies.load(Path(path)) if path else topologies.load()
    await run_mesh(topology, place(), on_progress=tell, stop=stop)


def main() -> None:
    """Runs until told to stop; exit code 1 if the mesh did not come up."""
    sys.dont_write_bytecode = False
    tell = _teller()
    try:
        asyncio.run(_main(tell))
    except (AlreadyRunning, UpFailed, PortError, ValueError, OSError) as error:
        tell(Progress(MESH, "failed", 0.0, str(error)))
        sys.exit(1)


if __name__ == "__main__":
    main()
