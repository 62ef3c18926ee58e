"""Calls of a service's stable instances, as they hand on a sample of them: a reader at each while it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.instance.v1 import instance_service_pb2_grpc as instance_grpc
from crossrate.rpc.mirror import Mirrored
from services.control.following import follow_instances
from services.control.registry import Registered, Registry
from services.control.shadow.asking import Asking

AGAIN_S = 0.5
"""After a pause like this a stable instance that does not hand on calls is asked again."""


def read_call(answer: instance_pb2.MirrorCallsResponse) -> Mirrored:
    """A call as an instance hands it on."""
    outcome = answer.WhichOneof("outcome")
    return Mirrored(
        time_ns=answer.time.ToNanoseconds(),
        path=f"/{answer.method}",
        request_id=answer.request_id,
        headers=dict(answer.headers),
        request=answer.request,
        answer=answer.answer if outcome == "answer" else None,
        failure=answer.failure if outcome == "failure" else None,
        dropped=answer.dropped_count,
    )


class Reading:
    """Reads until it is cancelled.

    Args:
        asking: channels to instances.
        paths: wire paths of the methods whose calls are read.
        percent: share of the calls.
        per_s_max: most calls a second, of all instances together.
        take: is given each call and the name of the instance that answered it.
    """

    def __init__(
        self,
        registry: Registry,
        service: str,
        asking: Asking,
        paths: Sequence[str],
        percent: float,
        per_s_max: int,
        take: Callable[[Mirrored, str], None],
        log: Any,
    ) -> None:
        self._registry, self._service, self._asking, self._log = registry, service, asking, log
        self._paths, self._percent, self._per_s_max, self._take = paths, percent, per_s_max, take
        self.trouble: dict[str, str] = {}
        """Why calls of an instance cannot be read, by its name."""

    async def run(self) -> None:
        """Keeps a reader at each stable instance."""
        await follow_instances(
            self._registry, lambda i: i.backend == self._service, self._read, shared=True, changed=self._changed
        )

    async def _changed(self, stable: Mapping[str, Registered]) -> None:
        self.trouble = {name: why for name, why in self.trouble.items() if name in stable}
        await self._asking.forget(i.socket for i in self._registry.instances.values())

    async def _read(self, instance: Registered, count: int) -> None:
        request = instance_pb2.MirrorCallsRequest(
            methods=[path[1:] for path in self._paths],
            share_bp=max(1, round(self._percent * 100)),
            calls_per_second_max=max(1, self._per_s_max // count),
        )
        if not self._paths:
            self.trouble[instance.name] = f"{self._service} has no method whose calls may be repeated"
            await asyncio.Event().wait()
        stub = instance_grpc.InstanceServiceStub(self._asking.channel(instance.socket))
        try:
            async for answer in stub.MirrorCalls(request):
                self.trouble.pop(instance.name, None)
                self._take(read_call(answer), instance.name)
        except grpc.aio.AioRpcError as error:
            self.trouble[instance.name] = (
                f"{instance.name} does not hand on its calls ({error.code().name}: {error.details()})"
            )
            self._log.info("calls cannot be read", instance=instance.name, code=error.code().name)
            await asyncio.sleep(AGAIN_S)
