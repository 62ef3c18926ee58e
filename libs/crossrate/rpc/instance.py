"""InstanceService: what every instance tells the control plane about itself, on its own socket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.instance.v1 import instance_service_pb2_grpc as instance_grpc
from crossrate.rpc import errors
from crossrate.rpc import mirror as mirrors
from crossrate.rpc.admission import Admission
from crossrate.rpc.call import current
from crossrate.rpc.contract import contracts, find_method
from crossrate.rpc.measures import Measures
from crossrate.rpc.mirror import Mirror, manner_of
from crossrate.rpc.records import Records
from crossrate.rpc.tap import READERS_MAX, Tap, Wanted
from crossrate.rpc.values import from_struct, to_struct
from crossrate.runtime.process import Runtime


class Config(Protocol):
    """The live configuration, as far as it is shown; `crossrate.runtime.live_config.LiveConfig` is one."""

    current: BaseModel
    version: int
    error: str

    def check(self, values: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
        """What is wrong with some values, and the values as they would apply."""
        ...


class InstanceServicer(instance_grpc.InstanceServiceServicer):
    """Tells what the instance is and shows what passes.

    Args:
        config: returns the live configuration, or None if the service has none.
        ready_time: returns when the instance became ready, or None if it has not.
        measures: what it counts.
    """

    def __init__(
        self,
        runtime: Runtime,
        admission: Admission,
        tap: Tap,
        mirror: Mirror,
        config: Callable[[], Config | None],
        ready_time: Callable[[], datetime | None],
        measures: Measures,
    ) -> None:
        self._runtime = runtime
        self._admission = admission
        self._tap = tap
        self._mirror = mirror
        self._config = config
        self._ready_time = ready_time
        self._measures = measures
        self._records = Records(runtime)

    async def DescribeInstance(self, request, context) -> instance_pb2.DescribeInstanceResponse:
        """What this instance is and how it does. Calls of this service itself are not counted."""
        runtime = self._runtime
        described = instance_pb2.DescribeInstanceResponse(
            service=runtime.service,
            instance=runtime.instance,
            version=runtime.version,
            calls_in_flight=sum(c.method.workload != "instance" for c in self._admission.calls),
        )
        if (config := self._config()) is not None:
            described.config_version = config.version
            described.config_error = config.error
            described.config.CopyFrom(to_struct(config.current.model_dump(mode="json")))
        if (ready := self._ready_time()) is not None:
            described.ready_time.FromDatetime(ready)
        return described

    async def CheckConfig(self, request, context) -> instance_pb2.CheckConfigResponse:
        """Whether values would be accepted. A service without live configuration accepts none."""
        config = self._config()
        if config is None:
            return instance_pb2.CheckConfigResponse(errors=[f"{self._runtime.service} has no live configuration"])
        problems, values = config.check(from_struct(request.config))
        return instance_pb2.CheckConfigResponse(errors=problems, config=to_struct(values or {}))

    async def TapMessages(self, request, context) -> AsyncIterator[instance_pb2.TapMessagesResponse]:
        """What passes, until the reader leaves or has what it asked for. NOT_FOUND for a method that does not exist."""
        wanted = _wanted(request)
        if len(self._tap.readers) >= READERS_MAX:
            raise errors.too_many_requests(READERS_MAX, 1.0)
        reader = self._tap.open(wanted)
        ending = current().ending
        seen = 0
        try:
            # Headers at once: their reader then knows that whatever passes from now on is shown.
            await context.send_initial_metadata(())
            while not ending.is_set():
                yield self._tap.show(await reader.take())
                seen += 1
                if seen == request.max_messages:
                    return
        finally:
            self._tap.close(reader)

    def _mirrored(self, names: list[str]) -> list[str]:
        """Wire paths of methods that may be repeated."""
        if not names:
            return [path for path, contract in contracts().items() if manner_of(contract) is not None]
        found = []
        for place, name in enumerate(names):
            contract = contracts().get(f"/{name}")
            if contract is None or manner_of(contract) is None:
                why = "is no method" if contract is None else "has side effects that cannot be left out"
                raise errors.invalid((f"methods[{place}]", f"{name} {why}: take it out"))
            found.append(contract.path)
        return found

    async def MirrorCalls(self, request, context) -> AsyncIterator[instance_pb2.MirrorCallsResponse]:
        """A sample of the calls that may be repeated, until the reader leaves."""
        paths = self._mirrored(request.methods)
        if len(self._mirror.readers) >= mirrors.READERS_MAX:
            raise errors.too_many_requests(mirrors.READERS_MAX, 1.0)
        reader = self._mirror.open(paths, request.share_bp or mirrors.SHARE_MAX, request.calls_per_second_max)
        ending = current().ending
        try:
            # Headers at once: their reader then knows that calls are handed on from now on.
            await context.send_initial_metadata(())
            while not ending.is_set():
                yield (await reader.take()).message()
        finally:
            self._mirror.close(reader)

    async def MeasureInstance(self, request, context) -> instance_pb2.MeasureInstanceResponse:
        """Counts of calls, and what the process takes."""
        return self._measures.measure()

    async def FindCalls(self, request, context) -> instance_pb2.FindCallsResponse:
        """Calls under a request id, those under way included."""
        kept = self._admission.kept
        under_way = [c for c in self._admission.calls if c.method.workload != "instance"]
        found = kept.find(request.call_request_id, under_way)
        answer = instance_pb2.FindCallsResponse(calls=[self._records.record(call) for call in found])
        now, now_ns = time.monotonic(), time.time_ns()
        for since, told in ((kept.all_since, answer.all_since), (kept.notable_since, answer.notable_since)):
            if since is not None:
                told.FromNanoseconds(now_ns - round((now - since) * 1e9))
        return answer


def _wanted(request: instance_pb2.TapMessagesRequest) -> Wanted:
    path = None
    if request.method:
        try:
            path = find_method(request.method).path
        except LookupError:
            raise errors.not_found("method", request.method) from None
    return Wanted(
        path=path,
        callers=frozenset(request.callers),
        codes=frozenset(request.codes),
        account=request.account,
        request_id=request.call_request_id,
        sample_percent=request.sample_percent,
        headers_only=request.headers_only,
    )
