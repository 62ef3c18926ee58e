"""A helper process that asks the control plane how the mesh does, and reports every change.

It is forked from the zygote while somebody waits for an answer (at the start and during restarts) and ended afterwards,
so that the supervisor needs no gRPC.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time

import grpc

from crossrate.api.control.v1 import control_service_pb2, control_service_pb2_grpc, mesh_pb2
from crossrate.node.handover import CONTROL
from crossrate.runtime.place import place

INTERVAL_S = 0.03
LIFETIME_S_MAX = 300.0
"""It ends by itself after this, should its supervisor forget it."""

_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.enable_http_proxy", 0),
]


def describe(status: control_service_pb2.GetMeshStatusResponse) -> dict[str, object]:
    """What the supervisor needs of an answer."""
    return {
        "instances": {
            i.name: {"pid": i.pid, "health": mesh_pb2.InstanceHealth.Name(i.health).removeprefix("INSTANCE_HEALTH_")}
            for i in status.instances
        },
        "proxies": {
            p.name: {
                "connected": p.connected,
                "refused": [a.refusal for a in p.acknowledgements if a.refused_version > a.acknowledged_version],
            }
            for p in status.proxies
        },
    }


async def _observe(output: int) -> None:
    socket = place().service_socket(CONTROL)
    last: dict[str, object] | None = None
    end = time.monotonic() + LIFETIME_S_MAX
    while not socket.exists() and time.monotonic() < end:  # noqa: ASYNC110 (another process makes it)
        await asyncio.sleep(INTERVAL_S)
    async with grpc.aio.insecure_channel(f"unix:{socket}", options=_OPTIONS) as channel:
        stub = control_service_pb2_grpc.ControlServiceStub(channel)
        while time.monotonic() < end:
            seen: dict[str, object] = {"instances": {}, "proxies": {}}
            with contextlib.suppress(grpc.aio.AioRpcError):
                seen = describe(await stub.GetMeshStatus(control_service_pb2.GetMeshStatusRequest(), timeout=2.0))
            if seen != last:
                last = seen
                os.write(output, json.dumps({"from": "observer", "status": seen}).encode() + b"\n")
            await asyncio.sleep(INTERVAL_S)


def main(output: int) -> None:
    """Reports changes as JSON lines to the descriptor `output` until it is ended."""
    asyncio.run(_observe(output))
