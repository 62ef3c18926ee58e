"""A service of several processes: calls are shared among its instances, and each gives the same bits."""

import asyncio
import json
import re
import urllib.request
from pathlib import Path

import pytest

from crossrate.api.risk.v1 import book_pb2, covariance_pb2, measure_pb2, scenario_pb2, simulation_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.api.risk.v1 import risk_service_pb2_grpc as risk_grpc
from crossrate.runtime.topology import DEFAULT_PATH
from tests.mesh import Mesh

pytestmark = pytest.mark.system

CALLS = 24


@pytest.fixture
def topology_of_two(tmp_path: Path) -> Path:
    """The topology with two instances of risk."""
    text = DEFAULT_PATH.read_text()
    assert text.count("[services.risk]\n") == 1
    path = tmp_path / "topology.toml"
    path.write_text(text.replace("[services.risk]\n", "[services.risk]\ninstances = 2\n"))
    return path


def request() -> pb.CalculateVarRequest:
    """A simulation of options on two pairs, with all that is told of it."""
    book = book_pb2.Book(
        markets=[book_pb2.BookMarket(instrument=name) for name in ("EUR/USD", "USD/JPY")],
        reporting_currency="EUR",
        kind=[0, 1, 2, 1],
        market=[0, 1, 0, 1],
        strike=[1.1, 150.0, 1.2, 140.0],
        time=[0.5],
        volatility=[0.1],
        domestic_rate=[0.01],
        foreign_rate=[0.02],
        notional=[1e6, -1e6, 5e5, 2e6],
    )
    estimated = covariance_pb2.EstimatedCovariance(
        window=scenario_pb2.HistoricalWindow(days=500), model=covariance_pb2.COVARIANCE_MODEL_GARCH
    )
    covariance = covariance_pb2.Covariance(estimated=estimated)
    return pb.CalculateVarRequest(
        book=book,
        simulated=simulation_pb2.SimulatedScenarios(covariance=covariance, count=20_000, seed=9),
        method=measure_pb2.VAR_METHOD_PLAIN,
        confidence=[0.975, 0.99],
        include_components=True,
        include_profits=True,
    )


def served(mesh: Mesh, instance: str) -> int:
    """How many calculations an instance has ended, from its metrics."""
    port = json.loads(mesh.place.registration(instance).read_text())["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    finished = r'^crossrate_rpc_finished_total\{code="OK",method="[^"]*RiskService/CalculateVar"\} ([0-9.e+]+)$'
    counts = re.findall(finished, text, re.MULTILINE)
    return int(sum(float(each) for each in counts))


async def test_two_instances_share_calls_and_agree_to_the_bit(topology_of_two: Path) -> None:
    """Of calculations that come together through the edge both instances serve some, and all results are one."""
    with Mesh(topology_of_two) as mesh:
        mesh.up()
        async with mesh.edge_channel() as channel:
            risk = risk_grpc.RiskServiceStub(channel)

            async def once() -> bytes:
                found = [each async for each in risk.CalculateVar(request(), timeout=60)]
                return found[-2].result.SerializeToString(deterministic=True)

            results = set(await asyncio.gather(*(once() for _ in range(CALLS))))
        assert len(results) == 1
        shares = [served(mesh, f"risk-{number}") for number in (1, 2)]
        assert sum(shares) == CALLS
        assert min(shares) > 0, shares
