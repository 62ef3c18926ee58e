"""A mesh in this process, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib

from crossrate.node.leftovers import Lock, clear_run_folder, end_leftovers
from crossrate.node.process import adopt_orphans
from crossrate.node.progress import OnProgress, Progress
from crossrate.node.server import serving
from crossrate.node.supervisor import Node
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology


async def run_mesh(topology: Topology, place: Place, *, on_progress: OnProgress, stop: asyncio.Event) -> None:
    """Runs a mesh in this process from its start until `stop` is set, then takes it down.

    `topology` is the one that the processes will read themselves: the default, or the file in CROSSRATE_TOPOLOGY.

    Raises:
        AlreadyRunning: another node has this place.
        UpFailed: the mesh does not come up; what was started has been ended again.
    """
    place.make()
    lock = Lock(place)
    lock.take()
    try:
        adopt_orphans()
        for name in await asyncio.to_thread(end_leftovers, place):
            on_progress(Progress(name, "left by a crash, ended", 0.0))
        clear_run_folder(place)
        node = Node(topology, place, on_progress)
        async with serving(node):
            house = asyncio.create_task(node.table.keep_house())
            try:
                await _up_unless_stopped(node, stop)
                await _first(stop.wait(), node.stopping.wait())
            finally:
                house.cancel()
                await node.down()
    finally:
        lock.release()


async def _up_unless_stopped(node: Node, stop: asyncio.Event) -> None:
    coming = asyncio.create_task(node.up())
    waiting = asyncio.create_task(_first(stop.wait(), node.stopping.wait()))
    await asyncio.wait({coming, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not coming.done():
        coming.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await coming


async def _first(*waits) -> None:
    tasks = [asyncio.ensure_future(w) for w in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
