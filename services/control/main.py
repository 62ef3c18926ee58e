"""The assembly of the control plane, top to bottom."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from crossrate.api.control.v1.fault_service_pb2_grpc import add_FaultServiceServicer_to_server
from crossrate.api.control.v1.observability_service_pb2_grpc import add_ObservabilityServiceServicer_to_server
from crossrate.rpc.contract import contracts
from crossrate.rpc.server import Server
from crossrate.runtime.ending import end
from crossrate.runtime.process import Runtime
from crossrate.runtime.topology import DEFAULT_PATH, Topology
from services.control.access import methods_of
from services.control.bus import Bus
from services.control.configuration import Configuration
from services.control.denials import ProxyDenials
from services.control.envoy_api import ResourceError
from services.control.fault_service import FaultServicer
from services.control.instances import Instances
from services.control.mesh import CONTROL_FOLDER, Mesh, utc_now
from services.control.observe.drills import Drills
from services.control.observe.proxies import ProxyAnswers
from services.control.observe.service import ObservabilityServicer
from services.control.observe.taps import Taps
from services.control.proxy_logs import ProxyLogs
from services.control.registry import Registry, known_candidates
from services.control.releases.calls import CallLog, by_bounds
from services.control.releases.kept_evidence import KeptEvidence
from services.control.releases.nodes import Node
from services.control.releases.records import Records
from services.control.releases.report import Reports
from services.control.releases.runner import Releases
from services.control.releases.service import ReleaseServicer
from services.control.releases.world import World
from services.control.service import ControlServicer
from services.control.settings import Settings


async def serve(runtime: Runtime) -> None:
    """Serves the proxies and the operators until the process is told to stop. The proxies go on without it."""
    settings = Settings()
    topology, place, log = runtime.topology, runtime.place, runtime.log
    ports = json.loads(place.ports.read_text())

    mesh = Mesh(topology, contracts(), place, ports, log, limits=settings.limits)
    registry: Registry

    def endpoints_changed(cause: str) -> int:
        try:
            return mesh.set_endpoints(registry.endpoints, cause).version
        except ResourceError:
            # The proxies keep the snapshot before, and the registry goes on watching.
            log.exception("endpoints cannot be compiled", cause=cause)
            return mesh.snapshots.current.version

    registry = Registry(place.registrations, endpoints_changed, log)
    instances = Instances(registry, log)
    bus = Bus(runtime, mesh)
    configuration = Configuration(bus, instances, topology)

    calls = CallLog(known_candidates(registry))
    node = Node(place.run / "node.sock")
    kept = KeptEvidence(place.state / CONTROL_FOLDER / "evidence", log)
    world = World(registry, instances, mesh.ads, bus, node, calls, by_bounds, kept, log)
    records = Records(place.state / CONTROL_FOLDER / "releases.json", log)
    releases = Releases(mesh, records, world, utc_now)
    reports = Reports(place.state / CONTROL_FOLDER, topology.trust_domain)

    server = Server(runtime)
    denials = ProxyDenials(server.denials, contracts(), topology)
    answers = ProxyAnswers(denials.method_of, denials.actor_of, drills := Drills())
    observed = ObservabilityServicer(registry, instances, node, answers, records.name_of, frozenset(topology.services))
    server.add(add_ObservabilityServiceServicer_to_server, observed)
    taps = Taps(instances, bus, frozenset(topology.services), log)
    controlled = ControlServicer(mesh, registry, instances, bus, configuration, taps)
    server.add(control_grpc.add_ControlServiceServicer_to_server, controlled)
    sticky = {m.workload for m in contracts().values() if m.sticky_field}
    instances_of = {name: service.instances for name, service in topology.services.items()}
    folder, calls_of = specifications(runtime), callees(topology)
    released = ReleaseServicer(releases, folder, calls_of, sticky, instances_of, utc_now, reports)
    server.add(release_grpc.add_ReleaseServiceServicer_to_server, released)
    faults = FaultServicer(mesh, bus, log, drills)
    server.add(add_FaultServiceServicer_to_server, faults)
    for service in topology.services:
        for name in sorted({m.service for m in methods_of(service, contracts())}):
            if service != runtime.service:
                server.fronts(name, is_served(registry, service))
    logs = ProxyLogs((denials.take, answers.take), calls.take)
    # Whoever serves is known before the first proxy hears of it: a restart must not look like an outage.
    await registry.known(settings.instances_known_s)
    mesh.set_endpoints(registry.endpoints, "start")
    await mesh.ads.start(place.xds_socket, logs.handler())
    tasks = [
        asyncio.create_task(registry.run(), name="registry"),
        asyncio.create_task(mesh.keep_certificates_fresh(), name="certificates"),
        asyncio.create_task(bus.run(), name="bus"),
        asyncio.create_task(releases.run(), name="releases"),
        asyncio.create_task(faults.run(), name="faults"),
    ]
    try:
        await server.serve()
    finally:
        await end(tasks)
        await mesh.ads.stop()
        await instances.close()
        await bus.close()


def specifications(runtime: Runtime) -> Path:
    """The folder of the releases' specifications: beside the topology."""
    return (runtime.settings.topology or DEFAULT_PATH).parent / "releases"


def callees(topology: Topology) -> dict[str, tuple[str, ...]]:
    """Whom each service may call."""
    return {name: service.calls for name, service in topology.services.items()}


def is_served(registry: Registry, service: str):
    """A check of whether some instance serves a service."""

    async def check() -> bool:
        return registry.serves(service)

    return check
