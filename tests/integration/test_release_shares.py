"""Shares of a release on real Envoys: keys that stay where they are, pins, and counts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator

import grpc
import pytest

from crossrate.api.control.v1 import release_service_pb2 as releases
from crossrate.api.control.v1 import release_service_pb2_grpc as releases_grpc
from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger
from crossrate.api.ledger.v1 import ledger_service_pb2_grpc as ledger_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.rpc.release_mark import MARK_HEADER, OF_NOBODY, mark_of
from crossrate.runtime.topology import DEFAULT_PATH
from services.control.mesh import CONTROL_FOLDER
from services.control.releases.domain import Decision, Kind, Release, begun, evolve
from services.control.releases.records import Records
from services.control.releases.specification import read
from tests.integration.envoys import Reference, SmallMesh, until

pytestmark = pytest.mark.integration

ACCOUNTS = [f"account-{i}" for i in range(200)]
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


class Ledger(ledger_grpc.LedgerServiceServicer):
    """Says which side it is on."""

    def __init__(self, side: str) -> None:
        self.side = side

    async def GetBalances(self, request, context):
        """An answer that names the side in its trailers."""
        context.set_trailing_metadata((("side", self.side),))
        return ledger.GetBalancesResponse()


def stepping(service: str, weight_percent: float, *others: str, **more) -> Release:
    """A release that has been left at a step, paused, as a control plane that was killed leaves it."""
    services = [{"service": each, "candidate": {"version": "2"}} for each in (service, *others)]
    document = {"services": services, "steps": [{"weight_percent": weight_percent, "duration": "1h"}]} | more
    specification = read(document, ["ledger", "reference"], ["ledger"])
    release = begun(Release(f"of-{service}", f"{service}-2", specification, NOW), "local")
    weight = specification.plan[0].weight
    release = evolve(release, Decision(NOW, Kind.STEPPED, "planted", "test", 0, weight))
    return evolve(release, Decision(NOW, Kind.PAUSED, "planted", "test", 0, weight))


async def plant(mesh: SmallMesh, *planted: Release) -> None:
    """Has control start anew with releases as they are given, and returns when every proxy has their shares."""
    if "control-1" in mesh.processes:
        await mesh.kill("control-1")
    path = mesh.place.state / CONTROL_FOLDER / "releases.json"
    path.unlink(missing_ok=True)
    records = Records(path, None)
    for release in planted:
        records.keep(release)
    await mesh.start_control()

    async def told() -> bool:
        status = await mesh.status()
        serving = status is not None and all(i.health == 1 for i in status.instances)
        return serving and len(status.proxies) == 2 and all(p.connected for p in status.proxies)

    async def reachable() -> bool:
        clusters = await mesh.admin("node", "/clusters")
        services = ("ledger", "reference")
        places = [(s, f"{s}-1") for s in services] + [(f"{s}-candidate", f"{s}-901") for s in services]
        return all(f"local|{b}::{mesh.place.service_socket(i)}::health_flags::healthy" in clusters for b, i in places)

    await until(told)
    await until(reachable)


@pytest.fixture
async def mesh() -> AsyncIterator[SmallMesh]:
    """Two sides of ledger and of reference, and the proxies; control is started by `plant`."""
    mesh = SmallMesh(DEFAULT_PATH)
    try:
        add = ledger_grpc.add_LedgerServiceServicer_to_server
        await mesh.start_backend("ledger-1", add, Ledger("stable"))
        await mesh.start_backend("ledger-901", add, Ledger("candidate"), candidate=True)
        add = reference_grpc.add_ReferenceServiceServicer_to_server
        await mesh.start_backend("reference-1", add, Reference())
        await mesh.start_backend("reference-901", add, Reference("reference-901"), candidate=True)
        await mesh.start_control()
        await mesh.start_envoys()
        yield mesh
    finally:
        await mesh.stop()


async def sides(mesh: SmallMesh, accounts: list[str], probe: str = "none") -> dict[str, str]:
    """Which side answers each account, called with a header that a pin may name."""
    found = {}
    async with mesh.outbound_channel("broker") as channel:
        stub = ledger_grpc.LedgerServiceStub(channel)
        for account in accounts:
            request = ledger.GetBalancesRequest(account=account)
            call = stub.GetBalances(request, timeout=20, metadata=(("x-probe", probe),))
            await call
            found[account] = dict(await call.trailing_metadata())["side"]
    return found


async def in_force(mesh: SmallMesh, probe: str) -> bool:
    """Whether the worker of the proxy has the routes that pin a probe: it hears of them after the proxy itself."""
    return await sides(mesh, ["account-7"], probe) == {"account-7": "candidate"}


async def test_no_key_flips_or_leaves_the_candidate_while_its_share_grows(mesh: SmallMesh) -> None:
    """Each account is answered by one side alone; those of 10 % are among those of 50 %, those among all of 100 %; an
    account that is pinned stays where its pin says at any share."""
    pins = [{"to": "stable", "account": "account-7"}, {"to": "candidate", "account": "account-8"}]
    before: set[str] = set()
    for percent, fewest, most in ((0, 0, 0), (10, 6, 40), (50, 70, 130), (100, 198, 198)):
        probe = {"to": "candidate", "header": "x-probe", "value": str(percent)}
        await plant(mesh, stepping("ledger", percent, pins=[probe, *pins]))
        await until(lambda percent=percent: in_force(mesh, str(percent)))
        answered = await sides(mesh, ACCOUNTS)
        again = await sides(mesh, ACCOUNTS)
        assert answered == again
        assert (answered.pop("account-7"), answered.pop("account-8")) == ("stable", "candidate")
        candidates = {account for account, side in answered.items() if side == "candidate"}
        assert before <= candidates
        assert fewest <= len(candidates) <= most
        before = candidates


async def test_calls_without_a_key_are_shared_and_counted_by_version(mesh: SmallMesh) -> None:
    """At 25 % about a quarter of 400 calls reach the candidate; control tells counts, codes and times of both."""
    release = stepping("reference", 25)
    await plant(mesh, release)
    async with mesh.edge_channel() as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        request = reference.GetInstrumentRequest(base="EUR", counter="USD")
        for _ in range(400):
            await stub.GetInstrument(request, timeout=20)
    stable, candidate = (mesh.backends[n].servicer.calls for n in ("reference-1", "reference-901"))
    assert stable + candidate == 400
    # Five standard deviations of a binomial share.
    assert 57 <= candidate <= 143

    async def counted() -> bool:
        async with mesh._local(mesh.place.service_socket("control-1")) as channel:
            stub = releases_grpc.ReleaseServiceStub(channel)
            answer = await stub.GetRelease(releases.GetReleaseRequest(release=release.name), timeout=20)
        seen = {c.candidate: c for c in answer.release.calls}
        # The log is sent without acknowledgement: a part may be lost where control has just been started.
        if sum(c.calls for c in seen.values()) < 360:
            return False
        assert seen[False].calls <= stable
        assert seen[True].calls <= candidate
        assert all(c.failures == 0 for c in seen.values())
        assert all(0 < c.latency_p50.ToMicroseconds() <= c.latency_p99.ToMicroseconds() for c in seen.values())
        return True

    await until(counted)


async def test_what_is_kept_of_a_release_survives_a_kill(mesh: SmallMesh) -> None:
    """A control plane that was killed knows its releases, their decisions and their shares again, and goes on with who
    watched where they were: each decision is told once."""
    await plant(mesh, stepping("reference", 25))
    path = mesh.place.state / CONTROL_FOLDER / "releases.json"
    kept = json.loads(path.read_text())
    (first, *_) = await watched(mesh, "reference-2", "", 1)
    assert (len(first.decided), first.position.sequence) == (3, 1)
    await mesh.kill("control-1")
    await mesh.start_control()
    assert json.loads(path.read_text()) == kept
    assert [d["kind"] for d in kept[0]["decisions"]] == ["started", "stepped", "paused"]
    resumed, more = await watched(mesh, "reference-2", first.position.cursor, 2)
    assert (len(resumed.decided), resumed.position.cursor) == (0, first.position.cursor)
    assert resumed.release.decisions == first.release.decisions
    assert ([w.calls for w in resumed.windows], more.position.sequence) == ([0, 0], 2)
    (late, *_) = await watched(mesh, first.release.release_id, f"{first.release.release_id}:1", 1)
    assert list(late.decided) == list(first.decided[1:])
    for name, cursor in (
        ("reference-2", "of-nobody:1"),
        ("another", first.position.cursor),
        ("reference-2", f"{first.release.release_id}:4"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await watched(mesh, name, cursor, 1)
        assert refused.value.code() is grpc.StatusCode.OUT_OF_RANGE


async def watched(mesh: SmallMesh, name: str, cursor: str, count: int) -> list[releases.WatchReleaseResponse]:
    """The first messages of a watch."""
    async with mesh._local(mesh.place.service_socket("control-1")) as channel:
        asked = releases.WatchReleaseRequest(release=name, resume_cursor=cursor)
        call = releases_grpc.ReleaseServiceStub(channel).WatchRelease(asked, timeout=60)
        found: list[releases.WatchReleaseResponse] = []
        async for message in call:
            found.append(message)
            if len(found) == count:
                break
        return found


async def test_the_meshs_own_mark_is_followed_and_a_clients_is_not(mesh: SmallMesh) -> None:
    """Of a release of two services a call goes where the other one has sent it, whatever the share; what a service
    begins by itself goes to stable; what a client sends is taken away at the edge."""
    for percent, unmarked in ((0, "stable"), (100, "candidate")):
        probe = {"to": "candidate", "header": "x-probe", "value": str(percent)}
        release = stepping("ledger", percent, "reference", pins=[probe])
        await plant(mesh, release)
        await until(lambda percent=percent: in_force(mesh, str(percent)))
        assert await sides(mesh, ["account-9"]) == {"account-9": unmarked}
        for side in ("candidate", "stable"):
            assert await marked(mesh, mark_of(release.release_id, side)) == side
        assert await marked(mesh, OF_NOBODY) == "stable"
        assert await marked(mesh, mark_of("another", "candidate")) == unmarked
        if percent == 0:
            await from_outside(mesh, mark_of(release.release_id, "candidate"))
    assert mesh.backends["reference-901"].servicer.calls == 0


async def from_outside(mesh: SmallMesh, mark: str) -> None:
    """A client calls reference with a mark."""
    async with mesh.edge_channel() as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        request = reference.GetInstrumentRequest(base="EUR", counter="USD")
        for _ in range(20):
            await stub.GetInstrument(request, timeout=20, metadata=((MARK_HEADER, mark),))


async def marked(mesh: SmallMesh, mark: str) -> str:
    """The side that answers a service's call with a mark."""
    async with mesh.outbound_channel("broker") as channel:
        request = ledger.GetBalancesRequest(account="account-9")
        call = ledger_grpc.LedgerServiceStub(channel).GetBalances(request, timeout=20, metadata=((MARK_HEADER, mark),))
        await call
        return dict(await call.trailing_metadata())["side"]
