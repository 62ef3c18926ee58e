"""A helper process that prepares NATS and PostgreSQL and, when they answer, provisions them.

It is forked from the zygote and ends when it is done, so that the supervisor, which stays, imports no client of either.
It reports the commands to start (the supervisor starts them), then what is ready, or what failed and why.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crossrate.node import credentials, ports
from crossrate.node.command import Command
from crossrate.node.handover import ONLY, encode_command
from crossrate.node.nats import NatsServer
from crossrate.node.postgres import PostgresServer
from crossrate.runtime import topology as topologies
from crossrate.runtime.place import Place, place
from crossrate.runtime.topology import Topology

Report = Callable[[dict[str, Any]], None]


async def _provide(name: str, server: Any, prepare: Callable[[], Command], topology: Topology | None, report: Report):
    try:
        # The first start of PostgreSQL makes its data folder, which blocks.
        command = await asyncio.to_thread(prepare)
        report({"command": name, "value": encode_command(command)})
        await server.ready()
        if topology is not None:
            await server.provision(topology)
        report({"ready": name})
    except Exception as error:
        report({"failed": name, "message": f"{type(error).__name__}: {error}"})


async def _main(where: Place, topology: Topology, only: str, report: Report) -> None:
    nats, postgres = NatsServer(where, ports.read(where)["nats"]), PostgresServer(where)
    credentials.issue(where, topology, nats.url, postgres.socket_folder)
    jobs = []
    if only in ("", "nats"):
        # Streams in memory are gone with the server that was.
        jobs.append(_provide("nats", nats, lambda: nats.prepare(topology), topology, report))
    if only in ("", "postgres"):
        jobs.append(_provide("postgres", postgres, postgres.prepare, None if only else topology, report))
    await asyncio.gather(*jobs)


def main(output: int) -> None:
    """Prepares and provisions, reporting as JSON lines to the descriptor `output`."""

    def report(message: dict[str, Any]) -> None:
        os.write(output, json.dumps({"from": "provision"} | message).encode() + b"\n")

    try:
        path = os.environ.get("CROSSRATE_TOPOLOGY")
        topology = topologies.load(Path(path)) if path else topologies.load()
        asyncio.run(_main(place(), topology, os.environ.get(ONLY, ""), report))
    except Exception as error:
        for name in ("nats", "postgres"):
            report({"failed": name, "message": f"{type(error).__name__}: {error}"})
