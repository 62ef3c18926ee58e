"""What it costs to know who calls, and what is left of the service when ten times as many call.

    uv run python tests/bench/identity.py            about three minutes
    uv run python tests/bench/identity.py --quick    under a minute, the same ids

`auth_added_p50_ms`: two small meshes side by side, the same services behind the same proxies. One knows callers by
their tokens (signature, roles at the edge, roles, grants and revocation in the service, rate limit); the other lets
everybody in. One call at a time, rounds interleaved, the difference of the medians. `overload_…`: orders to the whole
platform, first as many at once as bring the peak, then ten times as many, who come again when they are told to; beside
them cancels, one after another. It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import structlog
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.reference.v1 import reference_service_pb2 as reference  # noqa: E402
from crossrate.api.trading.v1 import order_entry_pb2 as entry  # noqa: E402
from crossrate.client import AsyncClient, new_order  # noqa: E402
from crossrate.rpc.call import new_request_id  # noqa: E402
from crossrate.rpc.errors import failure_of  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.bench.load_channel import LoadChannel  # noqa: E402
from tests.bench.orders_entry import ACCOUNTS, prepare, priced  # noqa: E402
from tests.integration.guarded import GuardedMesh, guarded_mesh, topology_text  # noqa: E402
from tests.mesh import Mesh  # noqa: E402

GET_INSTRUMENT = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"
PLACE = "/crossrate.api.trading.v1.TradingService/PlaceOrder"
CANCEL = "/crossrate.api.trading.v1.TradingService/CancelOrder"
READ = reference.GetInstrumentRequest(base="EUR", counter="USD").SerializeToString()
PEAK_IN_FLIGHT = 32
OVERLOAD = 10
CHANNELS = 8
CANCEL_PAUSE_S = 0.02
RETRY_S = 0.1
"""When a caller comes again whom nobody told when."""


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
    """Orders that rest, on several connections, and what became of them."""

    def __init__(self, mesh: Mesh, price: str) -> None:
        proof = mesh.place.client_certificate("local")
        self._channels = [LoadChannel(mesh.edge_port, mesh.roots, proof) for _ in range(CHANNELS)]
        self._place = [channel.unary_unary(PLACE) for channel in self._channels]
        self.cancel = LoadChannel(mesh.edge_port, mesh.roots, proof)
        self._price = price
        self._number = 0

    def order(self, account: str) -> bytes:
        """A bid that rests, and its client's id."""
        self._number += 1
        new = new_order(account, "EUR/USD", "buy", 1000 + self._number % 5000, limit_price=self._price)
        self.name = new.client_order_id
        return entry.PlaceOrderRequest(request_id=str(uuid.uuid4()), order=new).SerializeToString()

    async def load(self, in_flight: int, seconds: float) -> dict[str, float]:
        """Orders that were entered and refused a second, with so many callers who never wait but when they are told."""
        end, done, refused, failed = time.monotonic() + seconds, 0, 0, 0

        async def caller(index: int) -> None:
            nonlocal done, refused, failed
            place, account = self._place[index % CHANNELS], ACCOUNTS[index % (len(ACCOUNTS) - 1)]
            while time.monotonic() < end:
                try:
                    await place(self.order(account), timeout=10)
                    done += 1
                except grpc.aio.AioRpcError as error:
                    failure = failure_of(error)
                    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                        refused += 1
                    else:
                        failed += 1
                    await asyncio.sleep(failure.retry_after_s or RETRY_S if failure else RETRY_S)

        begun = time.perf_counter()
        await asyncio.gather(*(caller(i) for i in range(in_flight)))
        took = time.perf_counter() - begun
        return {"rate": done / took, "refused": refused / took, "failed": failed / took}

    async def cancels(self, names: list[str], stop: asyncio.Event) -> list[float]:
        """Milliseconds of cancels, one after another with a pause, until they are told to stop."""
        call, taken = self.cancel.unary_unary(CANCEL), []
        for name in names:
            if stop.is_set():
                break
            request = entry.CancelOrderRequest(
                request_id=new_request_id(), account=ACCOUNTS[-1], client_order_id=name
            ).SerializeToString()
            begun = time.perf_counter()
            await call(request, timeout=10)
            taken.append((time.perf_counter() - begun) * 1e3)
            await asyncio.sleep(CANCEL_PAUSE_S)
        return taken

    async def resting(self, count: int) -> list[str]:
        """Enters orders to be cancelled, and returns their clients' ids."""
        names = []
        for _ in range(count):
            await self._place[0](self.order(ACCOUNTS[-1]), timeout=10)
            names.append(self.name)
        return names

    async def close(self) -> None:
        """Closes every connection."""
        for channel in (*self._channels, self.cancel):
            await channel.close()


async def overload(mesh: Mesh, *, rounds: int, seconds: float) -> dict[str, float]:
    """Goodput at ten times what brings the peak, over the peak, and how long cancels take meanwhile."""
    proof = mesh.place.client_certificate("local")
    async with AsyncClient(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=proof) as client:
        orders = Orders(mesh, await priced(client))
    shares, peaks, refused, failed, taken = [], [], [], [], []
    await orders.load(PEAK_IN_FLIGHT, seconds / 2)
    for _ in range(rounds):
        peak = (await orders.load(PEAK_IN_FLIGHT, seconds))["rate"]
        names, stop = await orders.resting(int(seconds / CANCEL_PAUSE_S)), asyncio.Event()
        cancelling = asyncio.create_task(orders.cancels(names, stop))
        over = await orders.load(OVERLOAD * PEAK_IN_FLIGHT, seconds)
        stop.set()
        taken += await cancelling
        peaks.append(peak)
        shares.append(over["rate"] / peak)
        refused.append(over["refused"])
        failed.append(over["failed"])
    await orders.close()
    return {
        "overload_goodput": median(shares),
        "overload_cancel_p99_ms": percentile(taken, 0.99),
        "overload_cancel_p50_ms": percentile(taken, 0.5),
        "overload_refused_per_s": median(refused),
        "overload_failed_per_s": median(failed),
        "peak_orders_per_s": median(peaks),
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
