"""Pricing in Go beside pricing in Python, behind real proxies: the same contract, the same answers to the last bit."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.instance.v1.instance_service_pb2_grpc import InstanceServiceStub
from crossrate.api.pricing.v1 import batch_pb2, curve_quotes_pb2, market_pb2, snapshot_list_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2 as products
from crossrate.api.pricing.v1 import snapshot_service_pb2 as snapshots_pb2
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
from crossrate.rpc.errors import ErrorReason, failure_of
from tests.ending import within
from tests.integration import go_stand
from tests.integration.envoys import until
from tests.integration.go_stand import GO, GOOD, MODULE, PYTHON, SPIFFE, Requests, Stand, outcome, outcomes, told
from tests.integration.go_tokens import every_kind, payload, refusals_told, said_to
from tests.integration.guarded import tell_fact

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PRICES = 3000
LISTS, PRODUCTS = 5, 200
CALLS = 400
REFUSALS = (ErrorReason.INVALID_REQUEST, ErrorReason.NOT_FOUND, ErrorReason.OUTSIDE_CALENDAR)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """One mesh for all of it."""
    async with go_stand.stand(tmp_path_factory.mktemp("go")) as made:
        yield made


async def test_prices_are_equal_to_the_last_bit(both: Stand) -> None:
    """Thousands of generated requests have the same bytes as answers, or the same reason, words and fields."""
    requests = Requests(seed=20260304)
    asked = [requests.price() for _ in range(PRICES)]
    python, go = [await outcomes(both, name, asked, "Price") for name in (PYTHON, GO)]
    different = [(a, p, g) for a, p, g in zip(asked, python, go, strict=True) if p != g]
    assert not different, f"{len(different)} of {PRICES}:\n" + "\n".join(map(str, different[:3]))
    kinds = Counter(o[1] if isinstance(o, tuple) else "price" for o in go)
    assert kinds["price"] > PRICES // 3
    assert (
        min(kinds[r] for r in (ErrorReason.INVALID_REQUEST, ErrorReason.OUTSIDE_CALENDAR, ErrorReason.NOT_FOUND)) > 20
    )


async def test_lists_are_equal_product_by_product(both: Stand) -> None:
    """Each product of a list has the same price or the same error, with its place in the request."""
    requests = Requests(seed=7)
    asked = [requests.several(PRODUCTS) for _ in range(LISTS)]
    python, go = [await outcomes(both, name, asked, "PriceProducts") for name in (PYTHON, GO)]
    assert python == go


def metrics(both: Stand, instance: str) -> dict[str, float]:
    """What an instance counts, by name with labels in order."""
    port = json.loads(both.mesh.place.registration(instance).read_text())["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        name, _, value = line.rpartition(" ")
        family, brace, labels = name.rstrip("}").partition("{")
        found[family + brace + ",".join(sorted(labels.split(",")))] = float(value)
    return found


def arrived(both: Stand) -> tuple[int, int]:
    """How many calls of Price have come to the instance in Python and to the one in Go."""
    name = 'crossrate_rpc_started_total{method="crossrate.api.pricing.v1.PricingService/Price"'
    return int(metrics(both, PYTHON).get(name, 0)), int(metrics(both, GO).get(name, 0))


SPOTS = {"EUR/USD": 1.08, "GBP/USD": 1.27, "USD/JPY": 150.3, "EUR/GBP": 0.85, "NZD/USD": 0.61, "USD/CHF": 0.88}


async def kept_snapshot(both: Stand) -> str:
    """The id of a snapshot that the instance in Python has kept: curves of several pillars, one that is no pillars."""
    dice, pillars = Requests(seed=3).random, [0.01, 0.25, 1.0, 5.0, 30.0]
    curves = [
        market_pb2.Curve(currency=code, time=pillars, rate=[dice.uniform(-0.01, 0.08) for _ in pillars])
        for code in ("EUR", "USD", "GBP", "JPY", "NZD")
    ]
    cubic = curve_quotes_pb2.CURVE_INTERPOLATION_MONOTONE_CUBIC
    curves.append(market_pb2.Curve(currency="CHF", time=[1.0, 2.0], rate=[0.01, 0.012], interpolation=cubic))
    spots = [market_pb2.SpotRate(instrument=k, bid=v * 0.9999, ask=v * 1.0001) for k, v in SPOTS.items()]
    take = snapshots_pb2.TakeSnapshotRequest(request_id=str(uuid.uuid4()), market="house", spots=spots)
    take.as_of.FromSeconds(1_772_632_800)
    async with both.channel(PYTHON) as channel:
        stub = SnapshotServiceStub(channel)
        put = snapshots_pb2.PutMarketRequest(
            request_id=str(uuid.uuid4()), name="house", curves=curves, comment="a test"
        )
        await stub.PutMarket(put, timeout=10)
        return (await stub.TakeSnapshot(take, timeout=10)).snapshot.id


async def test_prices_on_a_snapshot_are_equal_to_the_last_bit(both: Stand) -> None:
    """It reads what the service has kept: pillars, crosses through another currency, what is missing. A curve of
    another form is not offered."""
    snapshot_id, requests = await kept_snapshot(both), Requests(seed=4)
    asked = [requests.on_snapshot(snapshot_id, SPOTS) for _ in range(PRICES // 2)]
    asked += [requests.on_snapshot(str(uuid.uuid4()), SPOTS), requests.on_snapshot(snapshot_id.upper(), SPOTS)]
    python, go = [await outcomes(both, name, asked, "Price") for name in (PYTHON, GO)]
    offered = [i for i, each in enumerate(go) if each[1] is not ErrorReason.UNIMPLEMENTED]
    assert [python[i] for i in offered] == [go[i] for i in offered]
    assert sum(isinstance(go[i], bytes) for i in offered) > PRICES // 5
    for i in set(range(len(asked))) - set(offered):
        assert "the market's curve of CHF is a monotone cubic" in go[i][2]
        assert "CHF" in asked[i].product.instrument + asked[i].reporting_currency
    several = pb.PriceProductsRequest(snapshot_id=snapshot_id, reporting_currency="GBP")
    several.products.extend(pb.ProductOnMarket(product=asked[i].product) for i in offered[:200])
    found = [await outcomes(both, name, [several], "PriceProducts") for name in (PYTHON, GO)]
    assert found[0] == found[1]


async def test_without_the_database_what_it_holds_is_priced(both: Stand) -> None:
    """A snapshot in memory and a flat market still have prices; another snapshot is unavailable with the same words."""
    snapshot_id = await kept_snapshot(both)
    held = pb.PriceRequest(product=GOOD.product, snapshot_id=snapshot_id)
    other = pb.PriceRequest(product=GOOD.product, snapshot_id=str(uuid.uuid4()))
    before = [await outcomes(both, name, [held], "Price") for name in (PYTHON, GO)]
    both.servers.kill("postgres")
    try:
        for name in (PYTHON, GO):
            again, flat, missing = await outcomes(both, name, [held, GOOD, other], "Price")
            assert ([again], type(flat)) == (before[0], bytes)
            assert missing[1] is ErrorReason.DEPENDENCY_UNAVAILABLE
            assert missing[3] == {"dependency": "postgres"}
    finally:
        await both.servers.start_postgres()
    assert (await outcomes(both, GO, [other], "Price"))[0][1] is ErrorReason.NOT_FOUND


@pytest.mark.parametrize("weight", [0, 100, 50])
async def test_a_route_gives_the_variant_its_share(both: Stand, weight: int) -> None:
    """It gets none, all, or about half of the calls through the edge, and whoever answers, the answer is the same."""
    requests = Requests(seed=weight)
    asked = [requests.price() for _ in range(CALLS)]
    expected = await outcomes(both, PYTHON, asked, "Price")
    await both.weigh(weight)
    before = arrived(both)
    async with both.mesh.edge_channel() as channel:
        stub = PricingServiceStub(channel)
        found = [await outcome(stub.Price(request, timeout=30)) for request in asked]
    assert found == expected
    python, go = (after - then for after, then in zip(arrived(both), before, strict=True))
    assert python + go == CALLS
    # Nine deviations of a fair coin: never by chance.
    assert abs(go - CALLS * weight / 100) <= (4.5 * CALLS**0.5 if weight == 50 else 0)


async def test_what_it_does_not_offer_is_unimplemented(both: Stand) -> None:
    """Options, snapshots and every other method: with our reason, and only for who may call the method."""
    vanilla = products.Vanilla(put_or_call=2, expiry="1M", cut=1, strike=1.1, notional=1e6)
    option = Requests(seed=1).price()
    option.product.CopyFrom(products.Product(instrument="EUR/USD", vanilla=vanilla))
    option.flat_market.volatility = 0.1
    option.flat_market.spot = 1.1
    option.flat_market.domestic_rate = option.flat_market.foreign_rate = 0.0
    option.reporting_currency = ""
    option.flat_market.as_of.FromSeconds(1_700_000_000)
    market = batch_pb2.BatchMarket(spot=[1.1], volatility=[0.1], domestic_rate=[0], foreign_rate=[0])
    batch = pb.PriceBatchRequest(put_or_call=[1], strike=[1.1], time=[1], given=market)
    async with both.channel(GO) as channel:
        prices, snapshots = PricingServiceStub(channel), SnapshotServiceStub(channel)
        calls = {
            "PricingService/Price": prices.Price(option),
            "PricingService/PriceBatch": prices.PriceBatch(batch),
            "SnapshotService/ListSnapshots": snapshots.ListSnapshots(snapshot_list_pb2.ListSnapshotsRequest()),
        }
        for name, call in calls.items():
            code, reason, message, metadata, *_ = await outcome(call)
            assert (code, reason) == (grpc.StatusCode.UNIMPLEMENTED, ErrorReason.UNIMPLEMENTED)
            assert metadata == {"method": f"crossrate.api.pricing.v1.{name}"}
            assert message.startswith(f"crossrate.api.pricing.v1.{name} is not implemented here")
        denied = snapshots.ListSnapshots(
            snapshot_list_pb2.ListSnapshotsRequest(), metadata=[("x-forwarded-client-cert", f"URI={SPIFFE}/audit")]
        )
        assert (await outcome(denied))[1] is ErrorReason.CALLER_NOT_ALLOWED
        unknown = channel.unary_unary("/crossrate.api.pricing.v1.PricingService/Guess")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unknown(b"")
        assert failure_of(caught.value).reason is ErrorReason.UNIMPLEMENTED


IDENTITIES = (
    (),
    (f"URI={SPIFFE}/trading",),
    (f"URI={SPIFFE}/reference",),
    (f'By={SPIFFE}/pricing;Hash=ab;URI="{SPIFFE}/trading"',),
    (f"URI={SPIFFE}/trading,URI={SPIFFE}/audit",),
    (f"URI={SPIFFE}/trading;URI={SPIFFE}/risk",),
    (f"URI={SPIFFE}/local",),
    ("URI=spiffe://elsewhere/trading",),
    (f'URI="{SPIFFE}/trading',),
    ("",),
    (f"URI={SPIFFE}/edge",),
    (f"URI={SPIFFE}/edge", f"{SPIFFE}/client/viewer"),
    (f"URI={SPIFFE}/edge", f"{SPIFFE}/client/nobody"),
)
"""Values of the header that a proxy writes, and of the edge's word on its client."""


@pytest.mark.parametrize("identity", IDENTITIES, ids=range(len(IDENTITIES)))
async def test_the_policy_is_the_same(both: Stand, identity: tuple[str, ...]) -> None:
    """Whoever a proxy says that the caller is, both let it in or refuse it with the same reason and words."""
    names = ("x-forwarded-client-cert", "x-crossrate-client")
    headers = list(zip(names, identity, strict=False))
    request = Requests(seed=5).price()
    said = []
    for instance in (PYTHON, GO):
        async with both.channel(instance) as channel:
            said.append(await outcome(PricingServiceStub(channel).Price(request, metadata=headers, timeout=10)))
    assert said[0] == said[1]


async def test_requests_out_of_bounds_are_refused_alike(both: Stand) -> None:
    """What is too large, and what is no request at all."""
    large = pb.PriceRequest(reporting_currency="USD" * 400_000).SerializeToString()
    for raw in (large, b"\xff\xff", b""):
        said = []
        for instance in (PYTHON, GO):
            async with both.channel(instance) as channel:
                call = channel.unary_unary("/crossrate.api.pricing.v1.PricingService/Price")
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call(raw, timeout=30)
                said.append(told(caught.value))
        assert said[0] == said[1]
        assert said[0][1] is ErrorReason.INVALID_REQUEST


async def test_tokens_are_judged_alike_and_what_is_revoked_ends(both: Stand) -> None:
    """Before the revocations are known no token is believed. With them, good and bad tokens have the same answers and
    words as in Python, and those of an ended session, or of before a change of grants, are refused at once."""
    good = payload(both)
    for instance in (PYTHON, GO):
        assert (await said_to(both, instance, good))[1] is ErrorReason.DEPENDENCY_UNAVAILABLE
    await both.servers.start_nats()
    await both.servers.nats.provision(both.mesh.topology)
    for instance in (PYTHON, GO):

        async def believed(instance: str = instance) -> bool:
            return isinstance(await said_to(both, instance, good), bytes)

        await until(believed)
    for headers in every_kind(both, int(time.time())):
        python, go = [await said_to(both, instance, headers) for instance in (PYTHON, GO)]
        assert python == go, headers
    bound = payload(both, cnf={"x5t#S256": "A" * 43})
    for print_, answers in (("00" * 32, bytes), ("11" * 32, tuple)):
        for instance in (PYTHON, GO):
            said = await said_to(both, instance, [*bound, ("x-crossrate-fingerprint", print_)])
            assert isinstance(said, answers), (instance, print_, said)
    place, topology = both.servers.place, both.mesh.topology
    for fact, name, changes in (("session_revoked", "s-9", {"sid": "s-9"}), ("grants_changed", "u-9", {"sub": "u-9"})):
        headers = payload(both, **changes)
        assert isinstance(await said_to(both, GO, headers), bytes)
        await tell_fact(place, topology, fact, name)

        async def refused(headers: list[tuple[str, str]] = headers) -> bool:
            said = await said_to(both, GO, headers)
            return said[1] is ErrorReason.SESSION_REVOKED if isinstance(said, tuple) else False

        await until(refused)
        assert isinstance(await said_to(both, GO, good), bytes), "nobody else's"
    after = payload(both, sub="u-9", iat=int(time.time()) + 2)
    assert isinstance(await said_to(both, GO, after), bytes), "a token with the new grants"


async def test_revocations_of_before_its_start_are_known(both: Stand) -> None:
    """An instance that starts anew reads what a token could still be older than, before it believes any."""
    await tell_fact(both.servers.place, both.mesh.topology, "session_revoked", "s-8")
    process = both.mesh.processes.pop(GO)
    process.terminate()
    await process.wait()
    await both.start_go()
    headers = payload(both, sid="s-8")

    async def known() -> bool:
        said = await said_to(both, GO, headers)
        assert isinstance(said, tuple), "a revoked session was believed"
        return said[1] is ErrorReason.SESSION_REVOKED

    await until(known)


async def test_it_tells_whom_it_refused(both: Stand) -> None:
    """Tokens that it did not believe come into the stream for the log of audit, each counted once."""
    started_ns = time.time_ns()
    for _ in range(3):
        assert (await said_to(both, GO, payload(both, iss="https://x")))[1] is ErrorReason.TOKEN_REFUSED
    await until(lambda: refusals_told(both, started_ns, 3))


async def test_it_tells_of_itself_as_every_instance_does(both: Stand) -> None:
    """Registration, description, reflection, health by service, and the families of its metrics."""
    entry, other = (json.loads(both.mesh.place.registration(name).read_text()) for name in (GO, PYTHON))
    assert entry.keys() == other.keys()
    assert (entry["service"], entry["backend"]) == ("pricing", "pricing-go")
    async with both.channel(GO) as channel:
        described = await InstanceServiceStub(channel).DescribeInstance(instance_pb2.DescribeInstanceRequest())
        assert (described.service, described.instance, described.version) == ("pricing", GO, entry["version"])
        assert described.ready_time.ToJsonString() == entry["start_time"]
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "crossrate.api.pricing.v1.PricingService"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert (await outcome(health.Check(health_pb2.HealthCheckRequest(service="x"))))[1] is ErrorReason.NOT_FOUND
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([ask]))
        listed = {each.name async for answer in call for each in answer.list_services_response.service}
        assert {"crossrate.api.pricing.v1.PricingService", "grpc.health.v1.Health"} <= listed
    families = [
        {name.partition("{")[0] for name in metrics(both, each) if name.startswith("crossrate_rpc_")}
        for each in (GO, PYTHON)
    ]
    created = {name for name in families[1] if name.endswith("_created")}
    assert families[1] - created == families[0]


async def test_it_drains_and_comes_back(both: Stand) -> None:
    """Told to end it finishes what it has, withdraws and exits with 0; killed it leaves a socket, which the next one
    takes; meanwhile the service answers every call."""
    await both.weigh(50)
    place, process = both.mesh.place, both.mesh.processes[GO]
    requests, ending = Requests(seed=11), asyncio.Event()
    failed: list[tuple] = []

    async def calls() -> int:
        done = 0
        async with both.mesh.edge_channel() as channel:
            stub = PricingServiceStub(channel)
            while not ending.is_set() and done < 20_000:
                said = await outcome(stub.Price(requests.price(), timeout=30))
                failed.extend([said] if isinstance(said, tuple) and said[1] not in REFUSALS else [])
                done += 1
        return done

    callers = [asyncio.create_task(calls()) for _ in range(4)]
    before = arrived(both)[1]
    await until(lambda: arrived(both)[1] > before + 20)
    # The route goes first, as a release's does; then the instance.
    await both.weigh(0)
    process.terminate()
    assert await within(process.wait(), "the end of the program in Go") == 0
    assert not place.registration(GO).exists()
    assert not place.service_socket(GO).exists()
    await both.start_go()
    await both.mesh.kill(GO)
    assert place.service_socket(GO).exists()
    place.registration(GO).unlink()
    await both.start_go()
    ending.set()
    assert sum(await asyncio.gather(*callers)) > 20
    assert not failed, failed[:3]


async def test_its_log_has_the_form_of_all_logs(both: Stand) -> None:
    """Each line is JSON with the names that every service uses; a call's line has its ids."""
    headers = [("x-request-id", "a-request"), ("traceparent", f"00-{'a' * 32}-{'b' * 16}-01")]
    lines = []
    for instance in (PYTHON, GO):
        async with both.channel(instance) as channel:
            await PricingServiceStub(channel).Price(GOOD, metadata=headers, timeout=10)
        written = [json.loads(line) for line in both.mesh.place.log(instance).read_text().splitlines()]
        lines.append(next(line for line in reversed(written) if line.get("request_id") == "a-request"))
    python, go = lines
    assert python.keys() == go.keys()
    same = ("level", "event", "service", "caller", "method", "trace_id", "code", "message", "received", "sent")
    assert [python[name] for name in same] == [go[name] for name in same]


async def test_the_module_passes_its_own_tests(both: Stand) -> None:
    """`go test` finds nothing, nor do the checks of `go vet` that it makes."""
    environment = os.environ | {"CGO_ENABLED": "0"}
    command = ["go", "test", "./..."]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=MODULE, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
