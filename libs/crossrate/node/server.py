"""The node's own door: JSON lines on a Unix socket that only the mesh's owner can open.

    {"verb": "status"}                          → {"ok": true, "state": …, "processes": […], "ports": {…}, …}
    {"verb": "restart", "service": "reference"} → {"progress": {…}} …, {"ok": true, "names": […]}
    {"verb": "logs", "name": "reference-1"}     → {"ok": true, "paths": […]}
    {"verb": "candidate", "service": "reference", "instances": 1, "program": {…}} → {"ok": true, "candidates": […]}
    {"verb": "candidates_of", "service": "reference"}                            → {"ok": true, "candidates": […]}
    {"verb": "end_candidate", "service": "reference", "keep": 0}                 → {"progress": {…}} …, {"ok": true}
    {"verb": "scale", "service": "reference", "instances": 2}                    → {"ok": true, "names": […]}
    {"verb": "promote", "service": "reference", "program": {…}}                  → {"ok": true, "names": […]}
    {"verb": "take_back", "service": "reference", "program": {…}}                → {"ok": true, "names": […]}
    {"verb": "stop"}                            → {"progress": {…}} …, {"ok": true}

What fails is answered with {"ok": false, "error": "…"}.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crossrate.node.candidates import Candidates
from crossrate.node.keeper import ProcessFailed
from crossrate.node.nursery import ForkError
from crossrate.node.programs import read_program
from crossrate.node.progress import MESH, Progress
from crossrate.node.restarts import RestartFailed, Restarts
from crossrate.node.supervisor import Node
from crossrate.node.table import SUPERVISOR
from crossrate.runtime.place import Place

VERBS = (
    "status",
    "restart",
    "logs",
    "candidate",
    "candidates_of",
    "end_candidate",
    "promote",
    "take_back",
    "scale",
    "stop",
)
REQUEST_BYTES_MAX = 64 << 10


def socket_path(place: Place) -> Path:
    """Where the node of a place answers."""
    return place.run / "node.sock"


def _tell(send: Callable[[dict[str, Any]], None], began: float, progress: Progress) -> None:
    """Passes progress on, timed from the request that it belongs to."""
    send({"progress": asdict(progress) | {"elapsed_s": round(time.monotonic() - began, 3)}})


class _Door:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._restarts = Restarts(node)
        self._candidates = Candidates(node, self._restarts)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection: any number of requests, one after the other."""

        def send(message: dict[str, Any]) -> None:
            if not writer.is_closing():
                writer.write(json.dumps(message).encode() + b"\n")

        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                try:
                    request = json.loads(line)
                    verb = getattr(self, f"_{request['verb']}", None) if isinstance(request, dict) else None
                    if verb is None:
                        raise ValueError(f"the verbs are {', '.join(VERBS)}")
                    began = time.monotonic()
                    tell = functools.partial(_tell, send, began)
                    with self._node.listening(tell):
                        answer = {"ok": True} | await verb(request)
                except (ValueError, KeyError, RestartFailed, ForkError, ProcessFailed) as error:
                    answer = {"ok": False, "error": str(error)}
                send(answer)
                await writer.drain()
        writer.close()

    async def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        node = self._node
        processes = await node.table.describe()
        return {
            "state": node.state,
            "missing": node.missing(),
            "layout": node.topology.layout,
            "edge": f"{node.topology.edge.address}:{node.taken_ports.get('edge', 0)}",
            "ports": node.taken_ports,
            "state_folder": str(node.place.state),
            "run_folder": str(node.place.run),
            "pss_kib": sum(row["pss_kib"] for row in processes),
            "processes": processes,
        }

    async def _restart(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"names": await self._restarts.restart(str(request["service"]))}

    async def _candidate(self, request: dict[str, Any]) -> dict[str, Any]:
        program = read_program(request["program"])
        return await self._candidates.ensure(str(request["service"]), int(request["instances"]), program)

    async def _candidates_of(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._candidates.state(str(request["service"]))

    async def _end_candidate(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._candidates.end(str(request["service"]), int(request.get("keep", 0)))
        return {}

    async def _scale(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"names": await self._candidates.scale(str(request["service"]), int(request["instances"]))}

    async def _promote(self, request: dict[str, Any]) -> dict[str, Any]:
        program = read_program(request["program"])
        return {"names": await self._candidates.promote(str(request["service"]), program)}

    async def _take_back(self, request: dict[str, Any]) -> dict[str, Any]:
        program = read_program(request["program"])
        return {"names": await self._candidates.take_back(str(request["service"]), program)}

    async def _logs(self, request: dict[str, Any]) -> dict[str, Any]:
        name = str(request.get("name") or "")
        known = [SUPERVISOR, *(keeper.name for keeper in self._node.table)]
        chosen = [n for n in known if not name or n == name or n.rsplit("-", 1)[0] == name]
        if not chosen:
            raise ValueError(f"nothing is called {name!r}: there are {', '.join(known)}")
        return {"paths": [str(self._node.place.log(n)) for n in chosen]}

    async def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        stopped = asyncio.Event()

        def watch(progress: Progress) -> None:
            if progress.name == MESH and progress.state == "stopped":
                stopped.set()

        with self._node.listening(watch):
            self._node.stopping.set()
            await stopped.wait()
        return {"pid": os.getpid()}


@contextlib.asynccontextmanager
async def serving(node: Node) -> AsyncIterator[None]:
    """Serves the node's socket."""
    door = _Door(node)
    path = socket_path(node.place)
    path.unlink(missing_ok=True)
    mask = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(door.answer, path, limit=REQUEST_BYTES_MAX)
    finally:
        os.umask(mask)
    try:
        yield
    finally:
        # Give the answers to `stop` a moment to leave; the connections end with this process.
        await asyncio.sleep(0)
        server.close()
        path.unlink(missing_ok=True)
