"""What a durable order costs through the whole platform, over the same call to a handler that does nothing.

Two meshes run side by side: one with every real service, whose orders pass risk, are committed with fsync, and rest at
the simulated exchange; one whose `trading` answers at once. Rounds of both are interleaved and medians are told.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.client import AsyncClient, CallError, OrderRejected, new_order
from crossrate.rpc.call import new_request_id
from tests.bench.figures import median, percentile
from tests.bench.orders_progress import Progress
from tests.integration.envoys import SmallMesh
from tests.integration.test_trading_mesh import Stand, topology
from tests.mesh import Mesh

ROOT = Path(__file__).resolve().parents[2]
NOTHING = [sys.executable, str(ROOT / "tests/bench/noop_orders.py")]
ACCOUNTS = [f"bench-{number}" for number in range(8)]
LONE_CALLS = 200
SPACED_CALLS, SPACED_S = 60, 0.05
"""A pause in which what follows the order before is done, but for what ledger and audit gather."""
CALLS_IN_FLIGHT = 32
LIST = 200
LISTS_IN_FLIGHT = 4
FUNDED_S_MAX = 30.0

Call = Callable[[], Awaitable[Any]]
Measured = tuple[dict[str, float], list[str]]
"""Medians by name, and what failed."""
Measure = Callable[..., Awaitable[Measured]]


class Side:
    """One of the two meshes, as a trader sees it; its orders are bids that rest, no two alike in a second."""

    def __init__(self, client: AsyncClient, price: str) -> None:
        self.client, self._price = client, price
        self._numbers, self._sessions = itertools.count(), itertools.count()
        self.failures: list[str] = []
        """What went wrong; a machine that is too busy for the deadlines shows here, not as a figure."""

    def order(self, account: str) -> Any:
        """A new order."""
        quantity = 1000 + next(self._numbers) % 5000
        return new_order(account, "EUR/USD", "buy", quantity, limit_price=self._price)

    async def place(self) -> None:
        """One order by one call."""
        order = self.order(ACCOUNTS[next(self._numbers) % len(ACCOUNTS)])
        answer = await self.client.trading.PlaceOrder(request_id=new_request_id(), order=order)
        assert not answer.order.reason, answer.order.reason_text

    async def place_list(self) -> None:
        """LIST orders of an account by one call."""
        account = ACCOUNTS[next(self._numbers) % len(ACCOUNTS)]
        request = entry.PlaceOrdersRequest(request_id=new_request_id(), account=account)
        request.orders.extend(self.order(account) for _ in range(LIST))
        answer = await self.client.trading.PlaceOrders(request)
        refused = [each.order.reason_text for each in answer.results if each.order.reason]
        assert not refused, refused[0]

    async def on_session(self, messages: int) -> float:
        """Orders a second that a session acknowledges, in messages of LIST."""
        begun = time.perf_counter()
        acknowledged = await self.session_acks(messages)
        return acknowledged / (time.perf_counter() - begun)

    async def session_acks(self, messages: int) -> int:
        """Orders that a session of its own acknowledges, in messages of LIST."""
        # One after the other: an account has a limit of open orders, and all of these stay open.
        account = ACCOUNTS[next(self._sessions) % len(ACCOUNTS)]
        async with self.client.session(account, "bench") as session:
            lists = [[self.order(account) for _ in range(LIST)] for _ in range(messages)]
            waiting = iter(lists)
            acknowledged = 0

            async def work() -> None:
                nonlocal acknowledged
                for orders in waiting:
                    try:
                        results = await session.place(orders)
                        acknowledged += len(results)
                    except CallError as error:
                        self.failures.append(str(error))

            await asyncio.gather(*(work() for _ in range(LISTS_IN_FLIGHT)))
            return acknowledged

    async def tried(self, call: Call) -> bool:
        """Whether a call succeeded; a failure is kept."""
        try:
            await call()
        except CallError as error:
            self.failures.append(str(error))
            return False
        return True


async def rate(side: Side, call: Call, count: int, in_flight: int) -> float:
    """Calls a second that succeeded."""
    left, done = iter(range(count)), 0

    async def work() -> None:
        nonlocal done
        for _ in left:
            succeeded = await side.tried(call)
            done += succeeded

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return done / (time.perf_counter() - begun)


async def alone(side: Side, count: int) -> list[float]:
    """Milliseconds of orders that were entered one after another."""
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        if await side.tried(side.place):
            taken.append((time.perf_counter() - begun) * 1e3)
    return taken


async def spaced(side: Side, count: int, pause_s: float = SPACED_S) -> list[float]:
    """Milliseconds of orders with a pause before each."""
    taken: list[float] = []
    for _ in range(count):
        await asyncio.sleep(pause_s)
        taken += await alone(side, 1)
    return taken


def prepare(mesh: Mesh) -> None:
    """Accounts with more money than the orders need."""
    for account in ACCOUNTS:
        mesh.command("accounts", "open", account)
        mesh.command("accounts", "deposit", account, "1000000000", "USD")


async def priced(client: AsyncClient) -> str:
    """A price below the market, once risk knows the accounts' money."""
    quote = (await client.marketdata.GetQuote(base="EUR", counter="USD")).quote
    end_s = time.monotonic() + FUNDED_S_MAX
    for account in ACCOUNTS:
        while True:
            try:
                await client.place(account, "EUR/USD", "buy", 1000, validate_only=True)
                break
            except OrderRejected:
                if time.monotonic() > end_s:
                    raise
                await asyncio.sleep(0.05)
    return f"{quote.bid * 0.98:.5f}"


@contextlib.asynccontextmanager
async def clients(mesh: Mesh, nothing: Stand) -> AsyncIterator[tuple[AsyncClient, AsyncClient]]:
    """Clients of a mesh, and of the handler that does nothing."""
    other = nothing.mesh
    async with (
        AsyncClient(
            f"localhost:{mesh.edge_port}", ca=mesh.roots, client=mesh.place.client_certificate("local")
        ) as client,
        AsyncClient(
            f"localhost:{other.ports['edge']}",
            ca=other.place.ca_bundle.read_bytes(),
            client=other.place.client_certificate("local"),
        ) as idle,
    ):
        yield client, idle


async def measure(mesh: Mesh, nothing: Stand, *, quick: bool) -> Measured:
    """All rounds: medians, and what failed."""
    rounds, calls, messages = (2, 600, 8) if quick else (5, 2000, 20)
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    async with (
        clients(mesh, nothing) as (client, idle),
        Progress(mesh) as progress,
    ):
        price = await priced(client)
        sides = {"order": Side(client, price), "noop": Side(idle, price)}
        for side in sides.values():
            await alone(side, 50)
        for _ in range(rounds):
            for name, side in sides.items():
                await progress.settled()
                lone = await alone(side, LONE_CALLS)
                note(f"{name}_p50_ms", median(lone))
                note(f"{name}_p99_ms", percentile(lone, 0.99))
                await progress.settled()
                apart = await spaced(side, SPACED_CALLS)
                note(f"{name}_spaced_p50_ms", median(apart))
                note(f"{name}_spaced_p99_ms", percentile(apart, 0.99))
                note(f"{name}_rate", await rate(side, side.place, calls, CALLS_IN_FLIGHT))
            order = sides["order"]
            await progress.settled()
            note("batch", LIST * await rate(order, order.place_list, messages, LISTS_IN_FLIGHT))
            await progress.settled()
            note("stream", await order.on_session(messages))
    middle = {name: median(values) for name, values in found.items()}
    failures = [words for side in sides.values() for words in side.failures]
    return middle, failures


async def beside_nothing(mesh: Mesh, measuring: Measure, *, quick: bool) -> Measured:
    """Measures a mesh beside one whose trading does nothing, which runs meanwhile."""
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        path = topology(Path(folder))
        nothing = Stand(SmallMesh(path), path)
        try:
            await nothing.start(NOTHING)
            return await measuring(mesh, nothing, quick=quick)
        finally:
            await asyncio.to_thread(nothing.remove)
            await nothing.mesh.stop()


def enter_orders(quick: bool) -> tuple[dict[str, float], dict[str, str]]:
    """A group of `tests/bench/orders.py`."""
    with Mesh() as mesh:
        mesh.up()
        prepare(mesh)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            middle, failures = runner.run(beside_nothing(mesh, measure, quick=quick))
    figures = {
        "unary_rate_vs_noop": middle["order_rate"] / middle["noop_rate"],
        "unary_p50_over_noop": middle["order_p50_ms"] / middle["noop_p50_ms"],
        "batch_acks_per_s": middle["batch"],
        "stream_acks_per_s": middle["stream"],
        "lone_p99_ms": middle["order_p99_ms"],
        "spaced_p50_over_noop": middle["order_spaced_p50_ms"] / middle["noop_spaced_p50_ms"],
        "spaced_p99_ms": middle["order_spaced_p99_ms"],
        "unary_orders_per_s": middle["order_rate"],
        "unary_noops_per_s": middle["noop_rate"],
        "lone_p50_ms": middle["order_p50_ms"],
        "spaced_p50_ms": middle["order_spaced_p50_ms"],
        "failed_calls": len(failures),
    }
    notes = {
        "unary_rate_vs_noop": f"{CALLS_IN_FLIGHT} calls in flight, {len(ACCOUNTS)} accounts",
        "unary_p50_over_noop": "one call after another, without a pause",
        "spaced_p50_over_noop": f"one call after another, {SPACED_S * 1e3:g} ms between them",
        "batch_acks_per_s": f"durable orders, {LIST} a call, {LISTS_IN_FLIGHT} calls in flight",
        "stream_acks_per_s": f"durable orders on one session, {LIST} a message, {LISTS_IN_FLIGHT} under way",
        "failed_calls": failures[0] if failures else "",
    }
    return figures, notes
