"""Whether candidates answer: one that hangs keeps its health stream open and says nothing any more.

Each is asked in turn of a unary health check. An instance that is not there, or says that it does not serve, has
answered; only silence counts. Two checks in a row have to remain without an answer, so that a control plane which did
not run itself for a while accuses nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.control.registry import CHANNEL_OPTIONS, Registered

ASK_AGAIN_S = 0.25
CHECKS = 2
"""Checks without an answer, one after the other, until an instance is taken to hang."""


async def _answers(instance: Registered, timeout_s: float) -> bool:
    async with grpc.aio.insecure_channel(f"unix:{instance.socket}", CHANNEL_OPTIONS) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            await stub.Check(health_pb2.HealthCheckRequest(service=""), timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            return error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED
    return True


async def hanging(candidates: Callable[[], Iterable[Registered]], within_s: float) -> str:
    """Asks the candidates that are registered, again and again; returns when one of them is silent, with its name.

    Args:
        within_s: how long an instance may be silent, in seconds.
    """
    silent: dict[str, int] = {}
    while True:
        asked = list(candidates())
        answers = await asyncio.gather(*(_answers(i, within_s / CHECKS) for i in asked))
        for instance, answered in zip(asked, answers, strict=True):
            silent[instance.name] = 0 if answered else silent.get(instance.name, 0) + 1
            if silent[instance.name] >= CHECKS:
                return instance.name
        await asyncio.sleep(ASK_AGAIN_S)
