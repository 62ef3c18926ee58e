"""What it costs to know who calls, and what is left of the service when ten times as many call.

    uv run python tests/bench/identity.py            about three minutes
    uv run python tests/bench/identity.py --quick    under a minute, the same ids

`auth_added_p50_ms`: two small meshes side by side, the same services behind the same proxies. One knows callers by
their tokens (signature, roles at the edge, roles, grants and revocation in the service, rate limit); the other lets
everybody in. One call at a time, rounds interleaved, the difference of the medians. `overload_…`: orders to the whole
platform by a process of its own (`flood.py`), first as many at once as bring the peak, then ten times the peak's rate,
whatever is answered; beside them cancels, one after another. Sender and platform share the processors: what the sender
takes is told (`overload_sender_cores`). It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import functools
import logging
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import structlog
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.reference.v1 import reference_service_pb2 as reference  # noqa: E402
from crossrate.api.trading.v1 import order_entry_pb2 as entry  # noqa: E402
from crossrate.client import AsyncClient, new_order  # noqa: E402
from crossrate.rpc.call import new_request_id  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.bench.flood import Flood  # noqa: E402
from tests.bench.load_channel import LoadChannel  # noqa: E402
from tests.bench.orders_entry import ACCOUNTS, prepare, priced  # noqa: E402
from tests.integration.guarded import GuardedMesh, guarded_mesh, topology_text  # noqa: E402
from tests.mesh import Mesh  # noqa: E402

GET_INSTRUMENT = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"
PLACE = "/crossrate.api.trading.v1.TradingService/PlaceOrder"
CANCEL = "/crossrate.api.trading.v1.TradingService/CancelOrder"
READ = reference.GetInstrumentRequest(base="EUR", counter="USD").SerializeToString()
PEAK_IN_FLIGHT = 64
OVERLOAD = 10
CONNECTIONS = 16
ORDERS_A_SECOND_MAX = 3000
CANCEL_PAUSE_S = 0.02
RESOURCE_EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]


class OpenMesh(GuardedMesh):
    """The same services for whoever comes: no tokens, and every role for everybody."""

    async def _has_keys(self) -> bool:
        status, _, _ = await self.rest("GET", "/v1/currencies", client=None)
        return status == 200


@contextlib.asynccontextmanager
async def open_mesh(folder: Path) -> AsyncIterator[OpenMesh]:
    """A mesh that knows nobody."""
    path = folder / "topology.toml"
    text = topology_text().replace("anonymous_roles = []", 'anonymous_roles = ["viewer"]')
    path.write_text(text)
    mesh = OpenMesh(path)
    try:
        yield await mesh.start()
    finally:
        await mesh.stop()


async def lone(channel: LoadChannel, metadata: list[tuple[str, str]], calls: int) -> list[float]:
    """Milliseconds of calls one after another."""
    call, taken = channel.unary_unary(GET_INSTRUMENT), []
    for _ in range(calls):
        begun = time.perf_counter()
        await call(READ, metadata=metadata, timeout=10)
        taken.append((time.perf_counter() - begun) * 1e3)
    return taken


async def authentication(rounds: int, calls: int) -> dict[str, float]:
    """What a token adds to a call."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        async with guarded_mesh(Path(one)) as guarded, open_mesh(Path(other)) as opened:
            with_token = LoadChannel(guarded.ports["edge"], guarded.place.ca_bundle.read_bytes())
            without = LoadChannel(opened.ports["edge"], opened.place.ca_bundle.read_bytes())
            token = list(guarded.bearer(guarded.issuer.token(("trader", "viewer"))).items())
            arms = {"token": (with_token, token), "open": (without, [])}
            found: dict[str, list[float]] = {name: [] for name in arms}
            for channel, metadata in arms.values():
                await lone(channel, metadata, 300)
            for turn in range(rounds):
                for name in sorted(arms, reverse=turn % 2 == 1):
                    found[name].append(percentile(await lone(*arms[name], calls), 0.5))
            await with_token.close()
            await without.close()
    p50 = {name: median(values) for name, values in found.items()}
    added = median([a - b for a, b in zip(found["token"], found["open"], strict=True)])
    return {"auth_added_p50_ms": added, "token_p50_ms": p50["token"], "open_p50_ms": p50["open"]}


class Orders:
    """Orders that rest, and cancels of them."""

    def __init__(self, mesh: Mesh, price: str) -> None:
        self._mesh = mesh
        self._proof = mesh.place.client_certificate("local")
        self._channel = LoadChannel(mesh.edge_port, mesh.roots, self._proof)
        self._price = price
        self._number = 0

    def order(self, account: str) -> bytes:
        """A bid that rests, and its client's id."""
        self._number += 1
        new = new_order(account, "EUR/USD", "buy", 1000 + self._number % 5000, limit_price=self._price)
        self.name = new.client_order_id
        return entry.PlaceOrderRequest(request_id=str(uuid.uuid4()), order=new).SerializeToString()

    async def load(self, count: int, beside: Callable[[], Awaitable[None]] | None = None, **how: float) -> Told:
        """What became of a load of so many orders at most, sent by a process of its own.

        Args:
            beside: runs meanwhile.
            how: `seconds`, and `rate` a second that no answer slows down or `in_flight` at once.
        """
        accounts = ACCOUNTS[:-1]
        requests = [base64.b64encode(self.order(accounts[i % len(accounts)])).decode() for i in range(count)]
        flood = Flood(
            port=self._mesh.edge_port,
            roots=str(self._mesh.place.ca_bundle),
            client=str(self._proof),
            path=PLACE,
            metadata={"grpc-timeout": "5S"},
            requests=requests,
            connections=CONNECTIONS,
            **how,
        )
        async with flood:
            meanwhile = asyncio.create_task(beside()) if beside else None
            found = await flood.go()
            if meanwhile:
                await meanwhile
        return Told(found)

    async def cancels(self, names: list[str], seconds: float, taken: list[float]) -> None:
        """Adds the milliseconds of cancels, one after another with a pause."""
        call, end = self._channel.unary_unary(CANCEL), time.monotonic() + seconds
        for name in names:
            if time.monotonic() > end:
                break
            request = entry.CancelOrderRequest(
                request_id=new_request_id(), account=ACCOUNTS[-1], client_order_id=name
            ).SerializeToString()
            begun = time.perf_counter()
            await call(request, timeout=10)
            taken.append((time.perf_counter() - begun) * 1e3)
            await asyncio.sleep(CANCEL_PAUSE_S)

    async def resting(self, count: int) -> list[str]:
        """Enters orders to be cancelled, and returns their clients' ids."""
        names, place = [], self._channel.unary_unary(PLACE)
        for _ in range(count):
            await place(self.order(ACCOUNTS[-1]), timeout=10)
            names.append(self.name)
        return names

    async def close(self) -> None:
        """Closes the connection."""
        await self._channel.close()


class Told:
    """What a load tells of itself, a second."""

    def __init__(self, found: dict[str, Any]) -> None:
        outcomes = {int(status): count for status, count in found["outcomes"].items()}
        took = found["seconds"]
        self.done = outcomes.pop(0, 0) / took
        self.refused = outcomes.pop(RESOURCE_EXHAUSTED, 0) / took
        self.failed = sum(outcomes.values()) / took
        self.failures = outcomes
        self.sent = found["sent"] / took
        self.kept_back = found["kept_back"] / took
        self.p99_ms = found["done_p99_ms"]
        self.refused_p99_ms = found["refused_p99_ms"]
        self.own_core = found["own_core"]


async def overload(mesh: Mesh, *, rounds: int, seconds: float) -> dict[str, float]:
    """Goodput at ten times the peak's rate, over the peak, and how long cancels take meanwhile."""
    proof = mesh.place.client_certificate("local")
    async with AsyncClient(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=proof) as client:
        orders = Orders(mesh, await priced(client))
    taken: list[float] = []
    pairs: list[tuple[Told, Told]] = []
    await orders.load(ORDERS_A_SECOND_MAX, in_flight=PEAK_IN_FLIGHT, seconds=seconds / 2)
    for _ in range(rounds):
        peak = await orders.load(int(ORDERS_A_SECOND_MAX * seconds), in_flight=PEAK_IN_FLIGHT, seconds=seconds)
        rate = OVERLOAD * peak.done
        names = await orders.resting(int(seconds / CANCEL_PAUSE_S))
        cancels = functools.partial(orders.cancels, names, seconds, taken)
        over = await orders.load(int(rate * seconds) + 1, cancels, rate=rate, seconds=seconds)
        pairs.append((peak, over))
    await orders.close()
    peaks, overs = zip(*pairs, strict=True)
    return {
        "overload_goodput": median([over.done / peak.done for peak, over in pairs]),
        "overload_cancel_p99_ms": percentile(taken, 0.99),
        "overload_cancel_p50_ms": percentile(taken, 0.5),
        "overload_sent_per_s": median([over.sent for over in overs]),
        "overload_kept_back_per_s": median([over.kept_back for over in overs]),
        "overload_refused_per_s": median([over.refused for over in overs]),
        "overload_failed_per_s": median([over.failed for over in overs]),
        "overload_order_p99_ms": median([over.p99_ms for over in overs]),
        "overload_refusal_p99_ms": median([over.refused_p99_ms for over in overs]),
        "overload_sender_cores": median([over.own_core for over in overs]),
        "peak_orders_per_s": median([peak.done for peak in peaks]),
        "peak_order_p99_ms": median([peak.p99_ms for peak in peaks]),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="What authentication costs, and what is left under overload.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=("auth", "overload"))
    given = parser.parse_args()
    quick = given.quick
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    results, notes = {}, {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if given.only != "overload":
            results |= runner.run(authentication(*((8, 400) if quick else (30, 1000))))
        if given.only != "auth":
            with Mesh() as mesh:
                mesh.up()
                prepare(mesh)
                results |= runner.run(overload(mesh, rounds=1 if quick else 5, seconds=4.0 if quick else 8.0))
    notes["auth_added_p50_ms"] = "aim ≤ 0.15"
    notes["overload_goodput"] = "aim ≥ 0.8"
    notes["overload_cancel_p99_ms"] = "aim ≤ 100"
    report("identity", results, notes)


if __name__ == "__main__":
    main()
