"""Price parity of two languages: the pricer in Go shadows the one in Python on a whole mesh."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message

from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from crossrate.runtime.topology import DEFAULT_PATH
from tests.integration.go_stand import ROOT, Requests, go_program
from tests.mesh import Mesh
from tests.system.release_steps import become, command
from tests.system.test_shadow import methods, report

pytestmark = [pytest.mark.system, pytest.mark.long]

SPECIFICATION = f"""
service = "pricing"
strategy = "shadow"
[candidate]
version = "go"
command = ["{ROOT / "services" / "pricing-go" / "serve"}"]
[shadow]
duration = "6s"
calls = 300
calls_per_s_max = 200
methods = ["Price"]
"""


async def _ask(mesh: Mesh, done: asyncio.Event) -> None:
    """Random prices of exchanges, one after the other; some are refused."""
    requests = Requests(seed=20260305)
    async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket('pricing-1')}") as channel:
        stub = PricingServiceStub(channel)
        while not done.is_set():
            asked: Message = requests.price()
            await stub.Price(asked, timeout=20).code()


async def test_the_pricer_in_go_has_the_prices_of_the_one_in_python(tmp_path: Path) -> None:
    """Hundreds of generated prices, and refusals, do not differ in any field, and the contract of the version in Go
    fits."""
    await asyncio.to_thread(go_program)
    (tmp_path / "topology.toml").write_text(DEFAULT_PATH.read_text())
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "parity.toml").write_text(SPECIFICATION)
    done = asyncio.Event()
    with Mesh(tmp_path / "topology.toml") as mesh:
        await asyncio.to_thread(mesh.up)
        asking = asyncio.create_task(_ask(mesh, done))
        try:
            await command(mesh, "start", "parity")
            release = await become(mesh, "parity", "completed", "aborted")
        finally:
            done.set()
            await asking
        assert release["phase"] == "RELEASE_PHASE_COMPLETED", release["cause"]
        told = await report(mesh, "parity")
        assert told["outcome"] == "RELEASE_OUTCOME_PASS", told
        assert int(methods(told)["Price"]["calls"]) >= 300
