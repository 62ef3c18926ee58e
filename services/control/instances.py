"""What instances tell about themselves, asked on their own sockets."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.instance.v1 import instance_service_pb2_grpc as instance_grpc
from crossrate.runtime import ending
from services.control.following import follow_instances
from services.control.registry import CHANNEL_OPTIONS, Registered, Registry

A = TypeVar("A")
ASK_S_MAX = 1.0
FRESH_S = 0.5
"""A description younger than this is not asked for again."""
TAPPED_MAX = 1024
"""Messages of all instances that wait for the reader of a tap; then the slow reader slows the instances' streams, which
leave out and count."""


class Instances:
    """Asks the instances that are registered."""

    def __init__(self, registry: Registry, log: Any) -> None:
        self._registry = registry
        self._log = log
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._described: dict[str, tuple[float, int, instance_pb2.DescribeInstanceResponse]] = {}

    def _stub(self, instance: Registered) -> instance_grpc.InstanceServiceStub:
        channel = self._channels.get(instance.socket)
        if channel is None:
            channel = grpc.aio.insecure_channel(f"unix:{instance.socket}", CHANNEL_OPTIONS)
            self._channels[instance.socket] = channel
        return instance_grpc.InstanceServiceStub(channel)

    async def describe(self) -> dict[str, instance_pb2.DescribeInstanceResponse]:
        """The descriptions of all instances that answer, by name."""
        present = dict(self._registry.instances)
        await self._forget(present)
        await asyncio.gather(*(self._describe(i) for i in present.values() if i.health in ("SERVING", "NOT_SERVING")))
        return {name: described[2] for name, described in self._described.items() if name in present}

    async def _forget(self, present: dict[str, Registered]) -> None:
        for name in self._described.keys() - present.keys():
            del self._described[name]
        sockets = {i.socket for i in present.values()}
        for socket in self._channels.keys() - sockets:
            await self._channels.pop(socket).close()

    async def _describe(self, instance: Registered) -> None:
        known = self._described.get(instance.name)
        now = time.monotonic()
        if known is not None and known[1] == instance.pid and now - known[0] < FRESH_S:
            return
        with contextlib.suppress(grpc.aio.AioRpcError):
            request = instance_pb2.DescribeInstanceRequest()
            answer = await self._stub(instance).DescribeInstance(request, timeout=ASK_S_MAX)
            self._described[instance.name] = (now, instance.pid, answer)

    async def check_config(self, service: str, values: Any) -> instance_pb2.CheckConfigResponse | None:
        """What a running instance of a service says to a configuration; None if none answers."""
        for instance in sorted(self._registry.instances.values(), key=lambda i: i.name):
            # A candidate or a variant may know other values than those that are in force for the service.
            if instance.backend != service or not instance.health:
                continue
            if (verdict := await self.check_config_of(instance, values)) is not None:
                return verdict
        return None

    async def check_config_of(self, instance: Registered, values: Any) -> instance_pb2.CheckConfigResponse | None:
        """What one instance says to a configuration; None if it does not answer."""
        with contextlib.suppress(grpc.aio.AioRpcError):
            request = instance_pb2.CheckConfigRequest(config=values)
            return await self._stub(instance).CheckConfig(request, timeout=ASK_S_MAX)
        return None

    async def ask(
        self, question: Callable[[Any, float], Awaitable[A]], service: str = ""
    ) -> tuple[dict[str, A], dict[str, str]]:
        """Asks every instance one thing at once: the answers by name, and why those failed that did not answer.

        Args:
            question: of a stub and a timeout in seconds.
            service: whose instances, its candidates among them; "" for all.
        """
        present = dict(self._registry.instances)
        await self._forget(present)
        answers: dict[str, A] = {}
        failed: dict[str, str] = {}

        async def one(instance: Registered) -> None:
            try:
                answers[instance.name] = await question(self._stub(instance), ASK_S_MAX)
            except grpc.aio.AioRpcError as error:
                failed[instance.name] = f"{error.code().name}: {error.details()}"

        await asyncio.gather(*(one(i) for i in present.values() if service in ("", i.service)))
        return answers, failed

    async def tap(
        self, wanted: instance_pb2.TapMessagesRequest, service: str, end: float
    ) -> AsyncIterator[instance_pb2.TapMessagesResponse]:
        """Messages that are wanted as they pass through every instance, those that come later included.

        Args:
            service: whose instances; "" for all.
            end: when it is over, on the clock of `time.monotonic`.
        """
        queue: asyncio.Queue[instance_pb2.TapMessagesResponse] = asyncio.Queue(TAPPED_MAX)

        def of_service(instance: Registered) -> bool:
            return service in ("", instance.service)

        async def read(instance: Registered, _: int) -> None:
            await self._read(instance, wanted, queue)

        following = follow_instances(self._registry, of_service, read)
        follower = asyncio.create_task(following, name="tap")
        try:
            while (left_s := end - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(left_s):
                        message = await queue.get()
                except TimeoutError:
                    return
                yield message
        finally:
            await ending.end({follower})

    async def _read(self, instance: Registered, wanted: instance_pb2.TapMessagesRequest, queue: asyncio.Queue) -> None:
        try:
            async for message in self._stub(instance).TapMessages(wanted):
                await queue.put(message)
        except grpc.aio.AioRpcError as error:
            self._log.info("a tap ended", instance=instance.name, code=error.code().name, reason=error.details())

    async def close(self) -> None:
        """Closes every channel."""
        for channel in self._channels.values():
            await channel.close()
