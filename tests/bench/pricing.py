"""What pricing through the mesh costs: a batch of 10,000 options with all sensitivities against its floor, and the
historical value at risk of as many options in 1,000 scenarios; Monte Carlo in 10,000.

    uv run python tests/bench/pricing.py            about two minutes
    uv run python tests/bench/pricing.py --quick    under a minute, the same ids

The floor is the kernel on the same options plus one call of plain grpc.aio on loopback TCP with bodies of the same
size. Rounds of all kinds are interleaved in one run and medians are reported, because machines differ and are shared.
It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.pricing.v1 import pricing_service_pb2 as pb  # noqa: E402
from crossrate.api.pricing.v1 import product_pb2  # noqa: E402
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub  # noqa: E402
from crossrate.api.risk.v1 import book_pb2, covariance_pb2, measure_pb2, scenario_pb2  # noqa: E402
from crossrate.api.risk.v1 import risk_service_pb2 as risk  # noqa: E402
from crossrate.api.risk.v1.risk_service_pb2_grpc import RiskServiceStub  # noqa: E402
from crossrate.kernel import path, vanilla  # noqa: E402
from crossrate.rpc import arrays  # noqa: E402
from tests.bench.figures import median, report  # noqa: E402
from tests.mesh import Mesh  # noqa: E402
from tests.ports import free_ports  # noqa: E402

COUNT = 10_000
LARGEST = 100_000
IN_FLIGHT = 32
SCENARIOS = 1_000
SIMULATED = 10_000
PAIRS = ("EUR/USD", "USD/JPY", "GBP/USD", "USD/CHF", "AUD/USD")

Call = Callable[[], Awaitable[object]]


def columns(count: int) -> list[np.ndarray]:
    """The kernel's arguments for options of all kinds."""
    rng = np.random.default_rng(count)
    ranges = ((1.0, 1.2), (0.9, 1.3), (0.01, 3.0), (0.05, 0.3), (-0.01, 0.06), (-0.01, 0.06))
    return [rng.integers(0, 2, count).astype(np.int8), *(rng.uniform(*each, count) for each in ranges)]


def request_of(columns: list[np.ndarray]) -> pb.PriceBatchRequest:
    """The same as a request, every array in full."""
    sides, spot, strike, time_, volatility, domestic, foreign = columns
    request = arrays.put(pb.PriceBatchRequest(), put_or_call=sides.astype(np.int32), strike=strike, time=time_)
    arrays.put(request.given, spot=spot, volatility=volatility, domestic_rate=domestic, foreign_rate=foreign)
    return request


def single() -> pb.PriceRequest:
    """One option and the market to price it with."""
    terms = product_pb2.Vanilla(
        put_or_call=product_pb2.PUT_OR_CALL_CALL,
        expiry="3M",
        cut=product_pb2.EXPIRY_CUT_NEW_YORK,
        strike=1.1,
        notional=1e6,
    )
    request = pb.PriceRequest(product=product_pb2.Product(instrument="EUR/USD", vanilla=terms))
    market = request.flat_market
    market.spot, market.domestic_rate, market.foreign_rate, market.volatility = 1.08, 0.04, 0.02, 0.1
    return request


def value_at_risk(columns: list[np.ndarray]) -> risk.CalculateVarRequest:
    """The same options spread over several pairs, in scenarios of the reference rates."""
    sides, _, strike, time_, volatility, domestic, foreign = columns
    markets = [book_pb2.BookMarket(instrument=each) for each in PAIRS]
    book = book_pb2.Book(markets=markets, reporting_currency="EUR")
    level = np.array([1.1, 150.0, 1.3, 0.9, 0.65])
    market = np.arange(len(strike), dtype=np.uint32) % len(PAIRS)
    shapes = {"strike": strike * level[market], "time": time_, "volatility": volatility}
    rates = {"domestic_rate": domestic, "foreign_rate": foreign}
    arrays.put(book, kind=sides.astype(np.int32), market=market, notional=np.full(len(strike), 1e6), **shapes, **rates)
    return risk.CalculateVarRequest(
        book=book,
        historical=scenario_pb2.HistoricalWindow(days=SCENARIOS),
        method=measure_pb2.VAR_METHOD_PLAIN,
        confidence=[0.95, 0.99],
    )


def simulated(book: risk.CalculateVarRequest) -> risk.CalculateVarRequest:
    """The same book in scenarios that are drawn, with the covariance of two years."""
    request = risk.CalculateVarRequest()
    request.CopyFrom(book)
    drawn = request.simulated
    drawn.count, drawn.seed = SIMULATED, 1
    drawn.covariance.estimated.model = covariance_pb2.COVARIANCE_MODEL_EXPONENTIALLY_WEIGHTED
    drawn.covariance.estimated.window.days = 500
    return request


@contextlib.contextmanager
def bare_server(count: int) -> Iterator[int]:
    """Plain grpc.aio in a process of its own; yields its port."""
    (port,) = free_ports(1)
    program = [sys.executable, str(ROOT / "tests" / "bench" / "bare_prices.py"), str(port), str(count)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield port
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


async def timed(call: Call, count: int) -> list[float]:
    """Seconds that calls took, one after the other."""
    found = []
    for _ in range(count):
        start = time.perf_counter()
        await call()
        found.append(time.perf_counter() - start)
    return found


async def rate(call: Call, seconds: float) -> float:
    """Calls per second with IN_FLIGHT calls under way."""
    done = 0
    end = time.perf_counter() + seconds

    async def worker() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await call()
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return done / (time.perf_counter() - start)


async def measured(mesh: Mesh, port: int, *, rounds: int, calls: int, seconds: float) -> dict[str, float]:
    """All figures, their rounds interleaved."""
    own, request, one = columns(COUNT), request_of(columns(COUNT)), single()
    largest = request_of(columns(LARGEST))
    options = [("grpc.max_receive_message_length", 16 << 20)]
    proof = mesh.place.client_certificate("viewer").read_bytes()
    credentials = grpc.ssl_channel_credentials(mesh.roots, proof, proof)
    target = f"localhost:{mesh.edge_port}"
    async with (
        grpc.aio.secure_channel(target, credentials, options=options) as edge,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket('pricing-1')}") as socket,
    ):
        through_mesh, bare, direct = (PricingServiceStub(each) for each in (edge, channel, socket))
        risks, book = RiskServiceStub(edge), value_at_risk(own)
        drawn = simulated(book)

        async def var(request: risk.CalculateVarRequest, scenarios: int) -> None:
            found = [each async for each in risks.CalculateVar(request, timeout=60)]
            assert found[-2].result.scenarios == scenarios, "the calculation gave no result"

        async def kernel() -> None:
            vanilla.greeks(*own)

        kinds: dict[str, Call] = {
            "kernel": kernel,
            "bare": lambda: bare.PriceBatch(request, timeout=10),
            "direct": lambda: direct.PriceBatch(request, timeout=10),
            "mesh": lambda: through_mesh.PriceBatch(request, timeout=10),
            "price": lambda: through_mesh.Price(one, timeout=10),
            "largest": lambda: through_mesh.PriceBatch(largest, timeout=10),
            "var": lambda: var(book, SCENARIOS),
            "montecarlo": lambda: var(drawn, SIMULATED),
        }
        answer = await through_mesh.PriceBatch(request, timeout=10)
        assert np.array_equal(arrays.get(answer, "vega"), vanilla.greeks(*own).vega), "the mesh prices otherwise"
        found: dict[str, list[float]] = {kind: [] for kind in kinds}
        rates = []
        for kind, call in kinds.items():
            await timed(call, 2 if kind in ("var", "montecarlo") else 20)
        for _ in range(rounds):
            for kind, call in kinds.items():
                count = {"largest": max(calls // 10, 3), "var": 1, "montecarlo": 1}.get(kind, calls)
                found[kind].append(median(await timed(call, count)))
            rates.append(await rate(kinds["price"], seconds))
    middle = {kind: median(values) for kind, values in found.items()}
    return {
        "batch10k_over_floor": middle["mesh"] / (middle["kernel"] + middle["bare"]),
        "batch10k_ms": middle["mesh"] * 1e3,
        "direct10k_ms": middle["direct"] * 1e3,
        "bare10k_ms": middle["bare"] * 1e3,
        "kernel10k_ms": middle["kernel"] * 1e3,
        "batch100k_ms": middle["largest"] * 1e3,
        "var_10kx1000_s": middle["var"],
        "montecarlo_var_10kx10000_s": middle["montecarlo"],
        "price_p50_us": middle["price"] * 1e6,
        "price_rate": median(rates),
    }


async def measure(quick: bool) -> None:
    """Runs everything and prints it."""
    sizes = {"rounds": 5, "calls": 40, "seconds": 1.0} if quick else {"rounds": 15, "calls": 100, "seconds": 2.0}
    with Mesh() as mesh, bare_server(COUNT) as port:
        mesh.up()
        await asyncio.sleep(2)
        results = await measured(mesh, port, **sizes)
    notes = {
        "direct10k_ms": "the service's own socket: no proxy, no TLS",
        "kernel10k_ms": f"build: {path.current()}",
        "price_rate": f"{IN_FLIGHT} calls in flight",
    }
    report("pricing", results, notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; ends within a minute")
    uvloop.run(measure(parser.parse_args().quick))
