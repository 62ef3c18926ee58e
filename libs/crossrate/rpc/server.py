"""The one server builder: a service gives it servicers, it does the rest.

    async def serve(runtime: Runtime) -> None:
        server = Server(runtime)
        server.add(add_ReferenceServiceServicer_to_server, ReferenceServicer(...))
        server.health.depends_on("postgres", database.check)
        await server.serve()

Start and end of an instance, in order:

    listens on its Unix socket -> dependencies answer -> SERVING -> registered -> ... serves ... -> SIGTERM
    -> NOT_SERVING, registration withdrawn -> settles, still serving -> streams told to end
    -> calls in flight finish -> stops listening -> exits
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY, CollectorRegistry

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.instance.v1 import instance_service_pb2_grpc as instance_grpc
from crossrate.rpc import reflection
from crossrate.rpc.admission import Admission
from crossrate.rpc.chain import Chain
from crossrate.rpc.contract import REQUEST_BYTES_MAX, Idempotency, MethodContract, contracts, holds_arrays
from crossrate.rpc.denials import Denials
from crossrate.rpc.denials_teller import DenialsTeller
from crossrate.rpc.health import Health
from crossrate.rpc.instance import Config, InstanceServicer
from crossrate.rpc.lean import LeanTransport
from crossrate.rpc.measures import Measures
from crossrate.rpc.metrics import RpcCounts
from crossrate.rpc.metrics_listener import MetricsListener
from crossrate.rpc.mirror import Mirror
from crossrate.rpc.redaction import Redaction
from crossrate.rpc.registration import clear_socket, register, withdraw
from crossrate.rpc.revocation_follower import RevocationFollower
from crossrate.rpc.revocations import Revocations
from crossrate.rpc.tap import Tap
from crossrate.rpc.transport import Transport, Wrapped
from crossrate.rpc.transport_aio import AioTransport
from crossrate.runtime.allocator import keep_freed_memory
from crossrate.runtime.process import Runtime

STREAMS_MAX = 1024
"""Streams of answers open at once, unless the service says otherwise."""
NOT_READY_LOG_S = 5.0
"""How often a server that waits for its dependencies says so."""
GC_THRESHOLDS = (20_000, 10, 50)
"""What is made for one batch dies with it; looking through all orders that work, again and again, finds nothing and
takes long where there are many."""
LAST_GRACE_S = 0.5
"""What calls get that came in while the last ones finished."""

TRANSPORTS: Mapping[str, Callable[[], Transport]] = {"lean": LeanTransport, "grpcio": AioTransport}
"""By the words of the setting."""

Register = Callable[[Any, Any], None]
Handlers = Mapping[str, grpc.RpcMethodHandler]


class _Collector:
    """Stands in for a gRPC server while generated code registers a servicer; keeps the handlers by wire path."""

    def __init__(self) -> None:
        self.handlers: dict[str, grpc.RpcMethodHandler] = {}

    def add_generic_rpc_handlers(self, _handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Nothing: the same handlers come by name."""

    def add_registered_method_handlers(self, service: str, handlers: Handlers) -> None:
        """Keeps a service's handlers."""
        self.handlers.update((f"/{service}/{name}", handler) for name, handler in handlers.items())


def _housekeeping(method: MethodDescriptor, path: str) -> MethodContract:
    """The contract of a method that is not the platform's own: health and reflection."""
    return MethodContract(
        path=path,
        service=path[1:].partition("/")[0],
        name=method.name,
        workload="",
        descriptor=method,
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        roles=frozenset(),
        services=frozenset(),
        deadline_s=float("inf"),
        stream_idle_timeout_s=None,
        idempotency=Idempotency.NO_SIDE_EFFECTS,
        cost=1,
        sticky_field="",
        side_effects="NONE",
        reserved_lane=True,
        request_bytes_max=REQUEST_BYTES_MAX,
        no_rest_reason="",
        rest=(),
    )


class Server:
    """Serves one instance. Create it in the running event loop.

    Args:
        concurrency_max: calls served at once; None for the topology's number. What comes on top is refused at once.
        streams_max: streams of answers open at once.
        transport: carries the calls; None for the one in the settings.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        concurrency_max: int | None = None,
        streams_max: int = STREAMS_MAX,
        transport: Transport | None = None,
    ) -> None:
        known = runtime.topology.services.get(runtime.service)
        self._runtime = runtime
        self._counts = RpcCounts()
        self._registry = CollectorRegistry()
        self._registry.register(self._counts)
        self.revocations = Revocations()
        """Sessions that were ended and grants that have changed."""
        self._admission = Admission(
            runtime.topology,
            self._counts,
            concurrency_max=concurrency_max or (known.concurrency_max if known else 256),
            streams_max=streams_max,
            revocations=self.revocations,
            issuer=runtime.topology.issuer(runtime.place.edge_port()),
        )
        self._follower = RevocationFollower(runtime, self.revocations, self._admission)
        self._tap = Tap(runtime.instance, Redaction.from_environment(), self._counts)
        self.denials = Denials()
        """Calls that were refused for who made them, told to the log of audit."""
        self._teller = DenialsTeller(runtime, self.denials, runtime.settings.denials_s)
        mirror = Mirror()
        self._chain = Chain(runtime, self._admission, self._counts, self._tap, self.denials, mirror)
        self._transport = transport or TRANSPORTS[runtime.settings.transport]()
        self._registry.register(self._transport)
        self._methods: dict[str, Wrapped] = {}
        self._services: list[str] = []
        self._fronted: list[str] = []
        self._request_bytes_max = REQUEST_BYTES_MAX
        self._ready_time: datetime | None = None
        self.health = Health(runtime.log, self._counts)
        """What the instance's health depends on; see `Health.depends_on`."""
        self.config: Config | None = None
        """The live configuration, set before `serve`; shown and checked by InstanceService."""
        self.socket = runtime.place.service_socket(runtime.instance)
        """Where the instance listens."""
        self.metrics_port = 0
        """Where its metrics are, once it serves."""
        self._measures = Measures(self._admission, self._counts, runtime.version)
        servicer = InstanceServicer(
            runtime,
            self._admission,
            self._tap,
            mirror,
            lambda: self.config,
            lambda: self._ready_time,
            self._measures,
        )
        self.add(instance_grpc.add_InstanceServiceServicer_to_server, servicer)

    def add(self, register: Register, servicer: object) -> None:
        """Adds a servicer.

        Args:
            register: the generated `add_…Servicer_to_server`.
            servicer: its methods are coroutine functions, or async generator functions where the answer is a stream.

        Raises:
            LookupError: a method is not in the contracts.
            TypeError: a handler is of the wrong kind.
            protovalidate.CompilationError: a validation rule is not one.
        """
        collector = _Collector()
        register(servicer, collector)
        for path, handler in collector.handlers.items():
            contract = contracts().get(path)
            if contract is None:
                raise LookupError(f"{path} is not in the contracts")
            self._methods[path] = self._chain.wrap(contract, handler)
            self._request_bytes_max = max(self._request_bytes_max, contract.request_bytes_max)
            if holds_arrays(contract.input) or holds_arrays(contract.output):
                keep_freed_memory()
            if contract.service not in self._services:
                self._services.append(contract.service)

    def fronts(self, service: str, check: Callable[[], Awaitable[Any]]) -> None:
        """Answers health and reflection also for a service, by its full name, that other instances serve.

        Args:
            check: raises, or returns False, while nobody serves it.
        """
        self._fronted.append(service)
        self.health.fronts(service, check)

    def _add_housekeeping(self) -> None:
        collector = _Collector()
        health_pb2_grpc.add_HealthServicer_to_server(self.health, collector)
        health = health_pb2.DESCRIPTOR.services_by_name["Health"]
        for path, handler in collector.handlers.items():
            contract = _housekeeping(health.methods_by_name[path.rpartition("/")[2]], path)
            self._methods[path] = self._chain.wrap(contract, handler, housekeeping=True)
        named = [*self._services, *self._fronted, health.full_name]
        named += [p[1:].partition("/")[0] for p in reflection.PATHS]
        handler = reflection.handler(named)
        for path in reflection.PATHS:
            contract = _housekeeping(reflection.method(), path)
            self._methods[path] = self._chain.wrap(contract, handler, housekeeping=True)

    async def serve(self) -> None:
        """Serves until the runtime is stopping, then drains.

        Raises:
            AlreadyServedError: another process serves this instance.
            OSError, RuntimeError: the socket or the metrics' port cannot be had.
        """
        runtime = self._runtime
        self._add_housekeeping()
        clear_socket(self.socket)
        metrics = MetricsListener(self._registry, REGISTRY)
        self.metrics_port = await metrics.start()
        try:
            # Room beyond the largest request, so that it is our own check that refuses, with a reason.
            bytes_max = self._request_bytes_max * 2
            await self._transport.start(self.socket, self._methods, self._chain.unknown(), bytes_max)
            self._follower.start()
            self._teller.start()
            self.health.start(self._services)
            if await self._become_ready():
                await runtime.stopping.wait()
            await self._drain()
        finally:
            withdraw(runtime)
            self._measures.lag.stop()
            await self._follower.stop()
            await self._teller.stop()
            await self.health.stop()
            await self._transport.stop(0.0)
            self.socket.unlink(missing_ok=True)
            await metrics.stop()

    async def _become_ready(self) -> bool:
        """Waits until everything serves and registers; False if the process was told to stop before."""
        runtime = self._runtime
        began = time.monotonic()
        stopping = asyncio.create_task(runtime.stopping.wait())
        serving = asyncio.create_task(self.health.wait_serving())
        try:
            while not serving.done() and not stopping.done():
                waited = (serving, stopping)
                done, _ = await asyncio.wait(waited, timeout=NOT_READY_LOG_S, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    runtime.log.warning("waits for its dependencies", dependencies=self.health.failures())
            if stopping.done():
                return False
        finally:
            for task in (stopping, serving):
                task.cancel()
        self._ready_time = datetime.now(UTC)
        register(runtime, self.socket, self.metrics_port, self._ready_time)
        # What lives now lives on; the collector need not look at it again.
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        waited_s = round(time.monotonic() - began, 3)
        transport = type(self._transport).__name__
        runtime.log.info(
            "ready", socket=str(self.socket), metrics_port=self.metrics_port, transport=transport, waited_s=waited_s
        )
        return True

    async def _drain(self) -> None:
        runtime, admission = self._runtime, self._admission
        settings = runtime.settings
        began = time.monotonic()
        was_ready = self._ready_time is not None
        self.health.close()
        withdraw(runtime)
        runtime.log.info("draining", in_flight=len(admission.calls))
        if was_ready:
            await asyncio.sleep(settings.settle_s)
        admission.end_streams(stream_pb2.STREAM_END_REASON_DRAINING)
        cut_off = await admission.drained(settings.grace_s)
        await self.health.stop()
        # Calls that were stopped, or came in during the last of them, still get their answer written.
        await self._transport.stop(LAST_GRACE_S)
        drained_s = round(time.monotonic() - began, 3)
        (runtime.log.warning if cut_off else runtime.log.info)("drained", cut_off=cut_off, drained_s=drained_s)
