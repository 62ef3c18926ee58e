"""Pricing in Python and in Go behind one mesh: the program, the stand, and requests that both are asked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1 import mesh_pb2
from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2 as products
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from crossrate.basics.instrument import CONVENTIONS
from crossrate.rpc.errors import failure_of
from crossrate.runtime.topology import DEFAULT_PATH
from tests.integration.conftest import Servers
from tests.integration.envoys import SmallMesh, until

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "services" / "pricing-go"
PYTHON, GO = "pricing-1", "pricing-go-1"
SPIFFE = "spiffe://crossrate"
AT_ONCE = 64
BUILD_S_MAX = 500
VARIANT = '\n[services.pricing.variants.go]\ncommand = ["services/pricing-go/serve"]\n'
GOOD = pb.PriceRequest(
    product=products.Product(instrument="EUR/USD", spot=products.Spot(notional=1e6, rate=1.0)),
    flat_market=market_pb2.FlatMarket(spot=1.1),
)
"""Spot at a given rate."""


def go_program() -> Path:
    """The program in Go, built anew if its sources changed; skips where there is no Go, or it was never built here."""
    if shutil.which("go") is None:
        pytest.skip("there is no `go` on the PATH")
    if not any((ROOT / ".crossrate" / "go").glob("*/pricing")):
        # Modules and generators take five minutes the first time.
        pytest.skip("the pricer in Go was never built here: `scripts/build_go`, once, has its tests run")
    fetching = ["go", "mod", "download"]
    fetched = subprocess.run(fetching, cwd=MODULE, capture_output=True, text=True, check=False, timeout=BUILD_S_MAX)
    if fetched.returncode:
        # A checksum that does not fit is no network that is away.
        assert "checksum mismatch" not in fetched.stderr, fetched.stderr
        assert "missing go.sum entry" not in fetched.stderr, fetched.stderr
        pytest.skip(f"Go's modules cannot be fetched: {fetched.stderr.strip().splitlines()[-1]}")
    command = [sys.executable, str(ROOT / "scripts" / "build_go")]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_S_MAX)
    assert built.returncode == 0, built.stderr
    return Path(built.stdout.strip())


class Stand:
    """A small mesh with the real pricing twice: as the service, and as its variant in Go."""

    def __init__(self, mesh: SmallMesh, servers: Servers, program: Path) -> None:
        self.mesh, self.servers, self._program = mesh, servers, program

    async def start(self, instance: str, *command: str, **settings: str) -> None:
        """Starts an instance and waits until control has seen it serve."""
        place = self.mesh.place
        environment = (
            os.environ
            | settings
            | {
                "CROSSRATE_SERVICE": "pricing",
                "CROSSRATE_INSTANCE": instance,
                "CROSSRATE_BACKEND": instance.rpartition("-")[0],
                "CROSSRATE_STATE": str(place.state),
                "CROSSRATE_RUN": str(place.run),
                "CROSSRATE_TOPOLOGY": str(self.mesh.topology_path),
                "CROSSRATE_ACCESS_LOG": "1",
                "PYTHONPATH": f"{ROOT / 'libs'}{os.pathsep}{ROOT}",
            }
        )
        with place.log(instance).open("ab") as log:
            self.mesh.processes[instance] = await asyncio.create_subprocess_exec(
                *command, stdout=log, stderr=log, env=environment, cwd=ROOT
            )
        await until(lambda: self.serves(instance))

    async def start_both(self) -> None:
        """The service and its variant."""
        await self.start(PYTHON, sys.executable, "-m", "services.pricing")
        await self.start_go()

    async def start_go(self, **settings: str) -> None:
        """The variant alone."""
        await self.start(GO, str(self._program), CROSSRATE_DENIALS_S="0.2", **settings)

    async def serves(self, instance: str) -> bool:
        """Whether the proxies send calls to an instance."""
        process = self.mesh.processes[instance]
        assert process.returncode is None, self.mesh.log(instance)
        status = await self.mesh.status()
        known = {i.name: i for i in status.instances} if status is not None else {}
        if instance not in known or known[instance].health != mesh_pb2.INSTANCE_HEALTH_SERVING:
            return False
        line = f"local|{instance.rpartition('-')[0]}::{self.mesh.place.service_socket(instance)}::health_flags::healthy"
        return line in await self.mesh.admin("node", "/clusters")

    async def weigh(self, go: int) -> None:
        """Gives the variant so many percent of the calls; returns when every proxy has the route."""
        backends = [{"name": "pricing", "weight": 100 - go}, {"name": "pricing-go", "weight": go}]
        document = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GRPCRoute",
            "metadata": {"name": "pricing"},
            "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": "pricing"}]},
        }
        document["spec"]["rules"] = [{"matches": [{}], "backendRefs": backends}]
        request = control.ApplyRouteRequest(request_id=str(uuid.uuid4()), grpc_route=ParseDict(document, Struct()))
        async with self.mesh.operator() as stub:
            await stub.ApplyRoute(request, timeout=30)

    def channel(self, instance: str) -> grpc.aio.Channel:
        """An instance's own socket, as the local operator."""
        return grpc.aio.insecure_channel(f"unix:{self.mesh.place.service_socket(instance)}")


@contextlib.asynccontextmanager
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """Both versions behind a small mesh, with a PostgreSQL for the one that keeps snapshots; gone afterwards."""
    program = await asyncio.to_thread(go_program)
    topology = folder / "topology.toml"
    topology.write_text(DEFAULT_PATH.read_text() + VARIANT)
    mesh = SmallMesh(topology)
    servers = Servers(mesh.folder, mesh.topology)
    try:
        servers.issue()
        await servers.start_postgres()
        await servers.postgres.provision(mesh.topology)
        await mesh.start()
        made = Stand(mesh, servers, program)
        await made.start_both()
        yield made
    finally:
        await asyncio.to_thread(servers.remove)
        await mesh.stop()


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


class Requests:
    """Random requests for prices of exchanges, good ones and bad ones, from a seed."""

    PAIRS = tuple(str(pair) for pair in CONVENTIONS)
    COMMON = (
        "EUR/USD",
        "USD/JPY",
        "GBP/USD",
        "NZD/USD",
        "AUD/NZD",
        "USD/CAD",
        "USD/TRY",
        "USD/MXN",
        "EUR/GBP",
        "USD/CNY",
    )
    TENORS = ("ON", "TN", "SP", "SN", "1D", "1W", "2W", "1M", "3M", "6M", "11M", "1Y", "18M", "2Y", "10Y", "30Y", "99Y")

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def date(self) -> str:
        """A tenor, or a date that may be none."""
        if self.random.random() < 0.85:
            return self.random.choice(self.TENORS[:13] if self.random.random() < 0.8 else self.TENORS)
        year, month, day = self.random.randint(2018, 2052), self.random.randint(1, 13), self.random.randint(1, 31)
        return f"{year}-{month:02}-{day:02}"

    def notional(self) -> float:
        """An amount, seldom one that is refused."""
        wild = self.random.random() < 0.02
        return self.random.choice((0.0, 2e15, float("nan"), -1e16)) if wild else self.random.uniform(-1e9, 1e9)

    def rate(self, spot: float) -> dict[str, float]:
        """A price dealt, or none."""
        kind = self.random.random()
        return {} if kind < 0.3 else {"rate": 0.0 if kind < 0.32 else spot * self.random.uniform(0.8, 1.2)}

    def product(self, spot: float) -> products.Product:
        """Spot, a forward, an NDF or a swap."""
        name = self.random.choice(self.COMMON if self.random.random() < 0.6 else self.PAIRS)
        if self.random.random() < 0.02:
            name = self.random.choice(("USD/EUR", "XXX/USD", "EURUSD", "eur/usd", ""))
        made = products.Product(instrument=name)
        kind, rate = self.random.choice(("spot", "forward", "forward", "swap", "ndf")), self.rate(spot)
        if kind == "spot":
            made.spot.CopyFrom(products.Spot(notional=self.notional(), **rate))
        elif kind == "swap":
            rates = {f"near_{k}": v for k, v in rate.items()} | {f"far_{k}": v for k, v in self.rate(spot).items()}
            swap = products.Swap(notional=self.notional(), near_date=self.date(), far_date=self.date(), **rates)
            made.swap.CopyFrom(swap)
        else:
            kinds = {"forward": products.Forward, "ndf": products.Ndf}
            terms = kinds[kind](value_date=self.date(), notional=self.notional(), **rate)
            getattr(made, kind).CopyFrom(terms)
        return made

    def market(self, spot: float) -> market_pb2.FlatMarket:
        """A flat market of a moment, some of it out of bounds."""
        given = market_pb2.FlatMarket(
            spot=spot,
            domestic_rate=self.random.choice((0.0, self.random.uniform(-0.02, 0.12), self.random.uniform(-1.02, 1.02))),
            foreign_rate=self.random.choice((0.0, self.random.uniform(-0.02, 0.12), self.random.uniform(-1.0, 1.0))),
            volatility=self.random.choice((0.0, 0.1)),
        )
        first, last = (
            (1_500_000_000, 1_790_000_000) if self.random.random() < 0.95 else (-70_000_000_000, 5_000_000_000)
        )
        seconds, nanos = self.random.randint(first, last), self.random.randint(0, 999_999_999)
        given.as_of.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
        return given

    def spot(self) -> float:
        """A spot rate; seldom one that is refused."""
        wild = self.random.random() < 0.02
        return self.random.choice(
            (1e-10, 1e10) if wild else (1.0, self.random.uniform(0.5, 2.0), self.random.uniform(20, 200))
        )

    def currency(self, instrument: str) -> str:
        """A reporting currency: mostly none or one of the pair's; seldom one that nothing leads to, or no currency."""
        if self.random.random() < 0.1:
            return self.random.choice(("USD", "JPY", "usd"))
        return self.random.choice(("", instrument[:3].upper(), instrument[4:].upper()))

    def price(self) -> pb.PriceRequest:
        """One request."""
        spot = self.spot()
        product = self.product(spot)
        currency = self.currency(product.instrument)
        return pb.PriceRequest(product=product, flat_market=self.market(spot), reporting_currency=currency)

    def on_snapshot(self, snapshot_id: str, spots: dict[str, float]) -> pb.PriceRequest:
        """A request for a price on a snapshot; seldom of a pair that it does not have."""
        product = self.product(1.0)
        if self.random.random() < 0.95:
            product.instrument = self.random.choice(tuple(spots))
        currency = self.random.choice(("", "USD", "EUR", "GBP", "JPY", "CHF", "SEK"))
        return pb.PriceRequest(product=product, snapshot_id=snapshot_id, reporting_currency=currency)

    def several(self, count: int) -> pb.PriceProductsRequest:
        """Many products in one request, none of which breaks the rules of a field."""
        asked: list[pb.ProductOnMarket] = []
        while len(asked) < count:
            spot = self.random.uniform(0.5, 200)
            product, market = self.product(spot), self.market(spot)
            asked.append(pb.ProductOnMarket(product=product, flat_market=market))
        return pb.PriceProductsRequest(products=asked, reporting_currency=self.random.choice(("", "USD", "JPY")))
