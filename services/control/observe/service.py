"""ObservabilityService: edges, processes, and the way of one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crossrate.api.control.v1 import observability_pb2 as pb
from crossrate.api.control.v1 import observability_service_pb2 as service_pb2
from crossrate.api.control.v1.observability_service_pb2_grpc import ObservabilityServiceServicer
from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.rpc import errors
from services.control.instances import Instances
from services.control.observe import figures, way
from services.control.observe.figures import Measured
from services.control.observe.proxies import ProxyAnswers
from services.control.observe.sampler import Pair, Sampler
from services.control.registry import Registry
from services.control.releases.nodes import Node, NodeError

WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Counted:
    """What all instances counted at one time, and why some could not be asked."""

    by_instance: Mapping[str, Measured]
    failed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Whole:
    """The same with what the node says of its processes; empty with its error if it could not be asked."""

    counted: Counted
    processes: Mapping[str, Mapping[str, Any]]
    node_error: str


class ObservabilityServicer(ObservabilityServiceServicer):
    """Asks the instances, the node and the proxies' log when somebody wants to know.

    Args:
        name_of: the name of a release by its id; the id if it is not known any more.
        services: their words, for a filter that names one.
    """

    def __init__(
        self,
        registry: Registry,
        instances: Instances,
        node: Node,
        answers: ProxyAnswers,
        name_of: Callable[[str], str],
        services: frozenset[str],
    ) -> None:
        self._name_of, self._services = name_of, services
        self._registry, self._instances, self._node, self._answers = registry, instances, node, answers
        self._counted: Sampler[Counted] = Sampler(self._count)
        self._whole: Sampler[Whole] = Sampler(self._look)

    async def _count(self) -> Counted:
        present = dict(self._registry.instances)
        answers, failed = await self._instances.ask(
            lambda stub, timeout: stub.MeasureInstance(instance_pb2.MeasureInstanceRequest(), timeout=timeout)
        )
        measured = {
            name: Measured(i.service, i.pid, i.backend != i.service, answers[name])
            for name, i in present.items()
            if name in answers
        }
        return Counted(measured, failed)

    async def _look(self) -> Whole:
        counted = await self._count()
        try:
            processes = {str(each["name"]): each for each in await self._node.processes()}
        except NodeError as error:
            return Whole(counted, {}, str(error))
        return Whole(counted, processes, "")

    async def ListEdges(self, request: service_pb2.ListEdgesRequest, context: Any) -> service_pb2.ListEdgesResponse:
        """See the contract."""
        if request.service and request.service not in self._services:
            raise errors.invalid(("service", f"must be one of {', '.join(sorted(self._services))}"))
        pair = await self._counted.over(_window_s(request))
        sums = {
            key: each
            for key, each in figures.between(pair.before.by_instance, pair.now.by_instance).items()
            if request.caller in ("", key[0]) and request.service in ("", key[1])
        }
        bounds = figures.bounds_of(pair.now.by_instance.values())
        answer = service_pb2.ListEdgesResponse(
            edges=figures.edges(sums, bounds, include_idle=request.include_idle),
            unmeasured=_unmeasured(pair.now.failed),
        )
        _say_when(answer, pair)
        return answer

    async def ListProcesses(
        self, request: service_pb2.ListProcessesRequest, context: Any
    ) -> service_pb2.ListProcessesResponse:
        """See the contract."""
        pair = await self._whole.over(_window_s(request))
        now = pair.now
        loads = [_process(name, pair) for name in now.processes]
        loads += [_instance(name, pair) for name in now.counted.by_instance if name not in now.processes]
        loads.sort(key=lambda load: (-load.processor_share, load.process))
        answer = service_pb2.ListProcessesResponse(
            processes=loads,
            unmeasured=_unmeasured(now.counted.failed),
            node_error=now.node_error,
            core_count=os.cpu_count() or 0,
        )
        _say_when(answer, pair)
        return answer

    async def ExplainCall(
        self, request: service_pb2.ExplainCallRequest, context: Any
    ) -> service_pb2.ExplainCallResponse:
        """See the contract."""
        wanted = request.call_request_id
        asked = instance_pb2.FindCallsRequest(call_request_id=wanted)
        found, failed = await self._instances.ask(lambda stub, timeout: stub.FindCalls(asked, timeout=timeout))
        hops = way.hops(call for answer in found.values() for call in answer.calls)
        for decision, release in ((d, h.call.release) for h in hops for d in h.call.decisions):
            if decision.check == "release":
                decision.explanation = f"release {self._name_of(release)}: {decision.explanation}"
        proxies = self._answers.find(wanted)
        if not hops and not proxies:
            raise _not_kept(wanted, found, failed)
        return service_pb2.ExplainCallResponse(
            hops=hops,
            proxy_answers=proxies,
            conclusion=way.conclusion(hops, proxies),
            unmeasured=_unmeasured(failed),
        )


def _not_kept(wanted: str, found: Mapping[str, Any], failed: Mapping[str, str]) -> errors.Failure:
    """Nobody knows the call. How far back they can tell, so that "never came" and "not kept any more" are apart."""
    whole = max((a.all_since.ToDatetime() for a in found.values() if a.HasField("all_since")), default=None)
    notable = max((a.notable_since.ToDatetime() for a in found.values() if a.HasField("notable_since")), default=None)
    failure = errors.not_found("call", wanted)
    sentences = ["no instance keeps anything of this call"]
    if whole is None:
        sentences.append("none has forgotten a call since it began, so none that runs now has seen it")
        sentences.append("what a proxy alone has answered is known about a second later")
    else:
        sentences.append(f"every instance has every call since {whole:%H:%M:%S} UTC")
        since = "since it began" if notable is None else f"since {notable:%H:%M:%S} UTC"
        sentences.append(f"every failed or slow one {since}, and of the others a sample: it may not be kept any more")
    if failed:
        sentences.append(f"{', '.join(sorted(failed))} could not be asked")
    failure.message = "; ".join(sentences)
    return failure


def _process(name: str, pair: Pair[Whole]) -> pb.ProcessLoad:
    """A process of the node."""
    before, now = pair.before.processes.get(name), pair.now.processes[name]
    load = pb.ProcessLoad(
        process=name,
        kind=str(now["kind"]),
        pid=int(now["pid"]),
        state=str(now["state"]),
        restart_count=int(now["restarts"]),
        memory_bytes=int(now["pss_kib"]) << 10,
    )
    if before is not None and before["pid"] == now["pid"] and pair.window_s > 0:
        load.processor_share = max(0.0, now["processor_s"] - before["processor_s"]) / pair.window_s
    if name in pair.now.counted.by_instance:
        _add_calls(load, name, pair)
    return load


def _instance(name: str, pair: Pair[Whole]) -> pb.ProcessLoad:
    """An instance that the node does not keep, by its own words."""
    measured = pair.now.counted.by_instance[name]
    load = pb.ProcessLoad(
        process=name,
        kind="service",
        pid=measured.pid,
        state="running",
        memory_bytes=measured.counts.resident_bytes,
        memory_is_resident=True,
    )
    share = figures.processor_share(pair.before.counted.by_instance.get(name), measured)
    if share is not None:
        load.processor_share = share
    _add_calls(load, name, pair)
    return load


def _add_calls(load: pb.ProcessLoad, name: str, pair: Pair[Whole]) -> None:
    before, now = pair.before.counted.by_instance, pair.now.counted.by_instance
    did = figures.load_of(name, before, now)
    load.version = now[name].counts.version
    load.calls_per_s, load.failures_per_s, load.in_flight_count = did.rate, did.failure_rate, did.in_flight
    if (seconds := figures.quantile_s(figures.bounds_of(now.values()), did.buckets, 0.99)) is not None:
        load.latency_p99.FromNanoseconds(round(seconds * 1e9))
    if now[name].counts.HasField("loop_lag_max"):
        load.loop_lag_max.CopyFrom(now[name].counts.loop_lag_max)


def _window_s(request: Any) -> float:
    return request.window.ToTimedelta().total_seconds() if request.HasField("window") else WINDOW_S


def _say_when(answer: Any, pair: Pair[Any]) -> None:
    answer.window.FromNanoseconds(round(pair.window_s * 1e9))
    answer.time.GetCurrentTime()


def _unmeasured(failed: Mapping[str, str]) -> list[pb.Unmeasured]:
    return [pb.Unmeasured(instance=name, why=why) for name, why in sorted(failed.items())]
