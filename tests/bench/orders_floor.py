"""What the way of an order costs with nothing in it: the floor under which no service's own work can bring an order.

The mesh is the real one, its trading, risk and broker are `floor_orders.py`: the same calls, the same commits with
fsync, batches of the same size, and not a line of what makes them a platform. Beside it runs the handler that does
nothing, as for real orders; rounds are interleaved and medians are told.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from pathlib import Path

import uvloop

from tests.bench import orders_entry as entry
from tests.bench.figures import median
from tests.bench.orders_cost import Watched
from tests.integration.test_trading_mesh import Stand
from tests.mesh import Mesh
from tests.releasing import RELEASING

PRICE = "1.00000"
AFTER_S = 0.5
"""What follows an answer is done by then."""
PROGRAM = ["python", "tests/bench/floor_orders.py"]
TOPOLOGY = f"""
[services.trading]
command = {PROGRAM}
calls = ["broker", "risk"]
concurrency_max = 128
waiting_max = 2048
publishes = ["crossrate.trading.v1.>"]
database = true

[services.risk]
command = {PROGRAM}
calls = []
database = true

[services.broker]
command = {PROGRAM}
calls = []
database = true

[streams.trading]
owner = "trading"
subjects = ["crossrate.trading.v1.>"]
max_age_s = 3600
max_mib = 256
"""


async def measure(mesh: Mesh, nothing: Stand, *, quick: bool) -> entry.Measured:
    """All rounds: medians, and what failed."""
    rounds, calls, lists = (2, 600, 8) if quick else (5, 2000, 40)
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    async with entry.clients(mesh, nothing) as (client, idle):
        sides = {"floor": entry.Side(client, PRICE), "noop": entry.Side(idle, PRICE)}
        watched = Watched(mesh)

        async def used_us(name: str, load: Awaitable[float], count: int) -> float:
            """Does a load, and notes the processor time of each of so many orders."""
            before = watched.read()
            result = await load
            await asyncio.sleep(AFTER_S)
            note(name, sum(watched.read().since(before).values()) / count)
            return result

        for side in sides.values():
            await entry.alone(side, 50)
        for _ in range(rounds):
            for name, side in sides.items():
                note(f"{name}_p50_ms", median(await entry.alone(side, entry.LONE_CALLS)))
                note(f"{name}_rate", await entry.rate(side, side.place, calls, entry.CALLS_IN_FLIGHT))
            floor = sides["floor"]
            singles = entry.rate(floor, floor.place, calls, entry.CALLS_IN_FLIGHT)
            await used_us("unary_cpu_us", singles, calls)
            many = entry.rate(floor, floor.place_list, lists, entry.LISTS_IN_FLIGHT)
            note("batch", entry.LIST * await used_us("batch_cpu_us", many, lists * entry.LIST))
    middle = {name: median(values) for name, values in found.items()}
    return middle, [words for side in sides.values() for words in side.failures]


def floor_of_orders(quick: bool) -> tuple[dict[str, float], dict[str, str]]:
    """A group of `tests/bench/orders.py`."""
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        path = Path(folder) / "topology.toml"
        path.write_text(RELEASING + TOPOLOGY)
        with Mesh(path) as mesh:
            mesh.up()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                middle, failures = runner.run(entry.beside_nothing(mesh, measure, quick=quick))
    figures = {
        "floor_unary_rate_vs_noop": middle["floor_rate"] / middle["noop_rate"],
        "floor_unary_p50_over_noop": middle["floor_p50_ms"] / middle["noop_p50_ms"],
        "floor_batch_acks_per_s": middle["batch"],
        "floor_unary_per_s": middle["floor_rate"],
        "floor_unary_cpu_us": middle["unary_cpu_us"],
        "floor_batch_cpu_us": middle["batch_cpu_us"],
        "floor_p50_ms": middle["floor_p50_ms"],
        "floor_failed_calls": len(failures),
    }
    notes = {
        "floor_unary_rate_vs_noop": "the way of an order with nothing in it",
        "floor_batch_acks_per_s": f"{entry.LIST} a call, {entry.LISTS_IN_FLIGHT} calls in flight",
        "floor_unary_cpu_us": "processor time of all processes, beside cost_of_orders' unary_cpu_us",
        "floor_failed_calls": failures[0] if failures else "",
    }
    return figures, notes
