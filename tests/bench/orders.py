"""What a durable order costs: PlaceOrder through edge, mesh, trading, risk's call and an fsynced commit.

    uv run python tests/bench/orders.py            under two minutes
    uv run python tests/bench/orders.py --quick    under a minute, the same ids

The floor is the same call on the same way to a handler that does nothing. Rounds of both are interleaved and medians
are reported. Risk, broker and ledger are stand-ins in the process of the clients: what they cost is in the figures,
what the real ones cost is not. It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from crossrate.api.trading.v1 import order_entry_pb2 as pb  # noqa: E402
from crossrate.api.trading.v1 import session_pb2 as session  # noqa: E402
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.integration import trading_stand as stand  # noqa: E402
from tests.integration.envoys import SmallMesh  # noqa: E402
from tests.integration.test_trading_mesh import Stand, topology  # noqa: E402
from tests.integration.trading_stand import new, place  # noqa: E402

ACCOUNTS = 8
IN_FLIGHT = 32
LIST = 200
LISTS_IN_FLIGHT = 8


async def rate(call: Callable[[int], Awaitable[object]], count: int, in_flight: int) -> float:
    """Calls a second."""
    numbers = iter(range(count))

    async def client() -> None:
        for number in numbers:
            await call(number)

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(in_flight)))
    return count / (time.perf_counter() - begun)


async def alone(call: Callable[[int], Awaitable[object]], count: int) -> list[float]:
    """Milliseconds of calls one after another."""
    taken = []
    for number in range(count):
        begun = time.perf_counter()
        await call(number)
        taken.append((time.perf_counter() - begun) * 1e3)
    return taken


async def on_session(stub: TradingServiceStub, account: str, messages: int) -> float:
    """Orders a second that a session has acknowledged, in messages of LIST."""
    call = stub.TradeSession()
    logon = session.SessionLogon(account=account, session="bench")
    await call.write(session.TradeSessionRequest(number=1, logon=logon))
    while not (await call.read()).HasField("opened"):
        pass
    begun = time.perf_counter()

    async def write() -> None:
        for number in range(messages):
            orders = session.SessionOrders(orders=[new(account) for _ in range(LIST)])
            await call.write(session.TradeSessionRequest(number=number + 2, orders=orders))

    writing = asyncio.create_task(write())
    answers = 0
    while answers < messages:
        answers += (await call.read()).HasField("answer")
    seconds = time.perf_counter() - begun
    await writing
    call.cancel()
    return messages * LIST / seconds


async def measure(quick: bool) -> None:
    """All of it."""
    results: dict[str, list[float]] = {}
    rounds, calls = (2, 1000) if quick else (5, 2000)
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        path = topology(Path(folder))
        real, nothing = Stand(SmallMesh(path), path), Stand(SmallMesh(path), path)
        try:
            for made, program in ((real, None), (nothing, [sys.executable, str(ROOT / "tests/bench/noop_orders.py")])):
                await made.start(program)
            real.broker.answer = stand.silent
            async with real.client("local") as one, nothing.client("local") as other:
                stubs = {"order": TradingServiceStub(one), "noop": TradingServiceStub(other)}
                for _ in range(rounds):
                    for name, stub in stubs.items():

                        def call(number: int, stub: TradingServiceStub = stub) -> Awaitable[object]:
                            return stub.PlaceOrder(place(new(f"account-{number % ACCOUNTS}")))

                        lone = await alone(call, 200)
                        results.setdefault(f"{name}_p50_ms", []).append(median(lone))
                        results.setdefault(f"{name}_p99_ms", []).append(percentile(lone, 0.99))
                        results.setdefault(f"{name}_rate", []).append(await rate(call, calls, IN_FLIGHT))

                    def place_list(number: int) -> Awaitable[object]:
                        account = f"account-{number % ACCOUNTS}"
                        request = pb.PlaceOrdersRequest(request_id=str(uuid.uuid4()), account=account)
                        request.orders.extend(new(account) for _ in range(LIST))
                        return stubs["order"].PlaceOrders(request)

                    lists = await rate(place_list, calls // 100, LISTS_IN_FLIGHT)
                    results.setdefault("batch", []).append(lists * LIST)
                    results.setdefault("stream", []).append(await on_session(stubs["order"], "account-0", calls // 100))
        finally:
            for made in (real, nothing):
                await asyncio.to_thread(made.remove)
                await made.mesh.stop()
    middle = {name: median(values) for name, values in results.items()}
    figures = {
        "unary_rate_vs_noop": middle["order_rate"] / middle["noop_rate"],
        "unary_p50_over_noop": middle["order_p50_ms"] / middle["noop_p50_ms"],
        "batch_acks_per_s": middle["batch"],
        "stream_acks_per_s": middle["stream"],
        "lone_p99_ms": middle["order_p99_ms"],
    }
    report("orders", figures | {k: v for k, v in middle.items() if k.endswith(("rate", "p50_ms"))})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(chosen.quick))


if __name__ == "__main__":
    main()
