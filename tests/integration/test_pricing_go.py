"""Pricing in Go beside pricing in Python, behind real proxies: the same contract, the same answers to the last bit."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.instance.v1.instance_service_pb2_grpc import InstanceServiceStub
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2 as products
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from crossrate.rpc.errors import ErrorReason, Failure, failure_of
from tests.integration.envoys import until
from tests.integration.go_stand import GO, MODULE, PYTHON, Requests, Stand, stand

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PRICES, AT_ONCE = 3000, 64
LISTS, PRODUCTS = 5, 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """One mesh for all of it."""
    async with stand(tmp_path_factory.mktemp("go")) as made:
        yield made


def told(error: grpc.aio.AioRpcError) -> tuple:
    """A failure as a caller sees it, without the id of the call."""
    failure = failure_of(error)
    assert failure is not None, error
    return error.code(), failure.reason, failure.message, failure.metadata, failure.violations, failure.retry_after_s


async def outcome(call) -> tuple | bytes:
    """What a call came to: the bytes of its answer, or its failure."""
    try:
        return (await call).SerializeToString(deterministic=True)
    except grpc.aio.AioRpcError as error:
        return told(error)


async def outcomes(both: Stand, instance: str, asked: list, method: str) -> list[tuple | bytes]:
    """What an instance makes of requests."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with both.channel(instance) as channel:
        call = getattr(PricingServiceStub(channel), method)

        async def one(request) -> tuple | bytes:
            async with gate:
                return await outcome(call(request, timeout=60))

        return await asyncio.gather(*map(one, asked))


async def test_prices_are_equal_to_the_last_bit(both: Stand) -> None:
    """Thousands of generated requests have the same bytes as answers, or the same reason, words, fields and metadata."""
    requests = Requests(seed=20260304)
    asked = [requests.price() for _ in range(PRICES)]
    python, go = [await outcomes(both, name, asked, "Price") for name in (PYTHON, GO)]
    different = [(a, p, g) for a, p, g in zip(asked, python, go, strict=True) if p != g]
    assert not different, f"{len(different)} of {PRICES}:\n" + "\n".join(map(str, different[:3]))
    kinds = Counter(o[1] if isinstance(o, tuple) else "price" for o in go)
    assert kinds["price"] > PRICES // 3
    assert min(kinds[r] for r in (ErrorReason.INVALID_REQUEST, ErrorReason.OUTSIDE_CALENDAR, ErrorReason.NOT_FOUND)) > 20


async def test_lists_are_equal_product_by_product(both: Stand) -> None:
    """Each product of a list has the same price or the same error, with its place in the request."""
    requests = Requests(seed=7)
    asked = [requests.several(PRODUCTS) for _ in range(LISTS)]
    python, go = [await outcomes(both, name, asked, "PriceProducts") for name in (PYTHON, GO)]
    assert python == go


async def weighed(both: Stand, go: int, calls: int) -> Counter[str]:
    """Which instances answer calls through the edge while the variant has so many percent."""
    await both.weigh(go)
    before = {name: served(both, name) for name in (PYTHON, GO)}
    requests = Requests(seed=go)
    asked = [r for r in (requests.price() for _ in range(20 * calls)) if r.product.WhichOneof("terms") == "spot"][:calls]
    async with both.mesh.edge_channel() as channel:
        stub = PricingServiceStub(channel)
        found = [await outcome(stub.Price(request, timeout=30)) for request in asked]
    direct = await outcomes(both, PYTHON, asked, "Price")
    assert found == direct
    return Counter({name: served(both, name) - before[name] for name in before}) - Counter({PYTHON: calls})


def served(both: Stand, instance: str) -> int:
    """How many calls of Price an instance has ended, by its metrics."""
    name = 'crossrate_rpc_finished_total{code="OK",method="crossrate.api.pricing.v1.PricingService/Price"}'
    return int(metrics(both, instance).get(name, 0.0))


def metrics(both: Stand, instance: str) -> dict[str, float]:
    """What an instance counts, by name with labels in order."""
    port = json.loads(both.mesh.place.registration(instance).read_text())["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        name, _, value = line.rpartition(" ")
        family, brace, labels = name.rstrip("}").partition("{")
        found[family + brace + ",".join(sorted(labels.split(","))) + ("}" if brace else "")] = float(value)
    return found
