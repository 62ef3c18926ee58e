"""What is done to a mesh while it must not lose a call: rotations, restarts, route changes, a killed control plane."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid

import grpc
from google.protobuf import json_format, struct_pb2

from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc

from .mesh import Mesh

RECOVERY_S_MAX = 60.0


async def rotate_certificates(mesh: Mesh, times: int) -> None:
    """Gives every workload a new certificate, some times in a row."""
    async with mesh.control_channel() as channel:
        stub = control_grpc.ControlServiceStub(channel)
        for _ in range(times):
            request = control.RotateCertificatesRequest(
                request_id=str(uuid.uuid4()), scope=control.ROTATION_SCOPE_WORKLOADS
            )
            await stub.RotateCertificates(request, timeout=60)


async def restart_services(mesh: Mesh, times: int, services: tuple[str, ...] = ("reference", "marketdata")) -> None:
    """Restarts each service in turn, some times over."""
    for _ in range(times):
        for service in services:
            await asyncio.to_thread(mesh.command, "restart", service)


async def change_routes(mesh: Mesh, times: int) -> None:
    """Applies changed routes of the reference service, some times in a row, then puts the rendered one back."""
    async with mesh.control_channel() as channel:
        stub = control_grpc.ControlServiceStub(channel)
        routes = await stub.ListRoutes(control.ListRoutesRequest(), timeout=60)
        rendered = next(r for r in routes.routes if r.service == "reference").grpc_route
        for i in range(times):
            route = json_format.MessageToDict(rendered)
            for rule in route["spec"]["rules"]:
                for backend in rule["backendRefs"]:
                    backend["weight"] = 1 + i % 100
            changed = json_format.ParseDict(route, struct_pb2.Struct())
            await stub.ApplyRoute(
                control.ApplyRouteRequest(request_id=str(uuid.uuid4()), grpc_route=changed), timeout=60
            )
        await stub.ApplyRoute(control.ApplyRouteRequest(request_id=str(uuid.uuid4()), service="reference"), timeout=60)


async def kill_control(mesh: Mesh) -> float:
    """Kills the control plane with SIGKILL and returns the seconds until a new one answered."""
    processes = await asyncio.to_thread(mesh.processes)
    victim = next(p for name, p in processes.items() if name.startswith("control"))
    os.kill(victim["pid"], signal.SIGKILL)
    start = time.monotonic()
    while time.monotonic() < start + RECOVERY_S_MAX:
        await asyncio.sleep(0.2)
        async with mesh.control_channel() as channel:
            stub = control_grpc.ControlServiceStub(channel)
            try:
                status = await stub.GetMeshStatus(control.GetMeshStatusRequest(), timeout=10)
            except grpc.aio.AioRpcError:
                continue
            if status.proxies and all(p.connected for p in status.proxies):
                return time.monotonic() - start
    raise TimeoutError(f"control did not answer within {RECOVERY_S_MAX:.0f} s of being killed")
