"""A service of several processes: calls are shared among its instances, and each gives the same bits."""

import asyncio
import json
import re
import urllib.request
import uuid
from pathlib import Path

import pytest

from crossrate.api.pricing.v1 import pricing_service_pb2 as pricing
from crossrate.api.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from crossrate.api.risk.v1 import book_pb2, covariance_pb2, measure_pb2, scenario_pb2, simulation_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.api.risk.v1 import risk_service_pb2_grpc as risk_grpc
from crossrate.runtime.topology import DEFAULT_PATH
from tests.integration.envoys import until
from tests.mesh import Mesh

pytestmark = pytest.mark.system

CALLS = 24


@pytest.fixture
def topology_of_two(tmp_path: Path) -> Path:
    """The topology with two instances of pricing and of risk."""
    text = DEFAULT_PATH.read_text()
    for table in ("[services.pricing]\n", "[services.risk]\n"):
        assert text.count(table) == 1
        text = text.replace(table, f"{table}instances = 2\n")
    path = tmp_path / "topology.toml"
    path.write_text(text)
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


def served(mesh: Mesh, instance: str, method: str) -> int:
    """How many calls of a method an instance has ended well, from its metrics."""
    port = json.loads(mesh.place.registration(instance).read_text())["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    finished = rf'^crossrate_rpc_finished_total\{{code="OK",method="[^"]*/{method}"\}} ([0-9.e+]+)$'
    counts = re.findall(finished, text, re.MULTILINE)
    return int(sum(float(each) for each in counts))


def kept_snapshot(mesh: Mesh) -> str:
    """A snapshot of a quoted market that the first instance of pricing took."""
    spots = [{"instrument": "EUR/USD", "bid": 1.1, "ask": 1.1002}]
    quotes = [
        {"expiry": "1M", "atm": 0.07, "risk_reversal_25": -0.005, "butterfly_25": 0.002},
        {"expiry": "1Y", "atm": 0.08},
    ]
    market = {
        "request_id": str(uuid.uuid4()),
        "name": "shared",
        "comment": "for both instances",
        "curves": [{"currency": "USD", "time": [1], "rate": [0.04]}, {"currency": "EUR", "time": [1], "rate": [0.02]}],
        "surfaces": [{"instrument": "EUR/USD", "quotes": {"quotes": quotes}}],
        "spots": spots,
    }
    take = {"request_id": str(uuid.uuid4()), "market": "shared", "spots": spots}
    mesh.command("call", "PutMarket", json.dumps(market), "--local", "pricing-1")
    return json.loads(mesh.command("call", "TakeSnapshot", json.dumps(take), "--local", "pricing-1"))["snapshot"]["id"]


def products(snapshot_id: str) -> pricing.PriceProductsRequest:
    """Options of several kinds on a snapshot."""
    option = {"put_or_call": 2, "expiry": "3M", "cut": 1, "strike": 1.12, "notional": 1e6}
    terms = [
        {"vanilla": option},
        {"american": option},
        {"barrier": {**option, "knock": 1, "upper_barrier": 1.2}},
        {"asian": {**option, "next_fixing": "1W", "fixings": 5}},
        {"forward": {"value_date": "6M", "notional": 1e6, "rate": 1.1}},
    ]
    every = [{"product": {"instrument": "EUR/USD", **each}} for each in terms]
    return pricing.PriceProductsRequest(snapshot_id=snapshot_id, products=every)


async def test_two_instances_share_calls_and_agree_to_the_bit(topology_of_two: Path) -> None:
    """Of calls that come together through the edge both instances serve some, and all results are one."""
    with Mesh(topology_of_two) as mesh:
        mesh.up()
        wanted = products(kept_snapshot(mesh))
        async with mesh.edge_channel() as channel:
            risk = risk_grpc.RiskServiceStub(channel)
            prices = pricing_grpc.PricingServiceStub(channel)

            async def measured() -> bytes:
                found = [each async for each in risk.CalculateVar(request(), timeout=60)]
                return found[-2].result.SerializeToString(deterministic=True)

            async def priced() -> bytes:
                answer = await prices.PriceProducts(wanted, timeout=60)
                assert all(each.HasField("price") for each in answer.results)
                return answer.SerializeToString(deterministic=True)

            for once, service, method in ((measured, "risk", "CalculateVar"), (priced, "pricing", "PriceProducts")):
                assert len(set(await asyncio.gather(*(once() for _ in range(CALLS))))) == 1

                async def shares(service: str = service, method: str = method) -> list[int] | None:
                    # A call is counted when its answer has gone out.
                    counts = [served(mesh, f"{service}-{number}", method) for number in (1, 2)]
                    return counts if sum(counts) >= CALLS else None

                counts = await until(shares)
                assert sum(counts) == CALLS
                assert min(counts) > 0, counts
