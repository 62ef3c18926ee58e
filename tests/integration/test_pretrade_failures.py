"""`risk` before a trade when things break: quotes, trading, its process; what the kill switch does by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from crossrate.api.common.v1 import check_pb2, gate_pb2
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.risk.v1 import dead_man_lease_pb2 as leases
from crossrate.api.risk.v1 import kill_switch_pb2, limit_pb2
from crossrate.api.risk.v1 import kill_switch_service_pb2 as kill_pb
from crossrate.api.risk.v1 import limit_service_pb2 as limit_pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc.errors import ErrorReason
from tests.integration.envoys import until
from tests.integration.pretrade_mesh import PreTradeMesh, pretrade_mesh
from tests.integration.stand_in_trading import StaleGate, order
from tests.integration.test_pretrade import BOSS, SECOND, as_, change, failed, limits_of, new_id, switch_of

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[PreTradeMesh]:
    """One mesh for all of it; slices of a million, so that a position takes several."""
    async with pretrade_mesh(lease_s=1.0, flatten_slice=1_000_000, flatten_interval_s=0.05) as made:
        yield made


@pytest.fixture(autouse=True)
def whole(mesh: PreTradeMesh) -> None:
    """Everything is there when a test begins."""
    mesh.trading.away, mesh.trading.fill_price = False, None
    mesh.market.silent = False
    mesh.market.put("EUR/USD", 1.17, 1.1701)


async def engage(
    mesh: PreTradeMesh, kind: str, name: str, mode: int, instance: str = "risk-1"
) -> kill_pb.EngageResponse:
    """Engages a kill."""
    request = kill_pb.EngageRequest(
        request_id=new_id(), scope=gate_pb2.KillScope(kind=kind, name=name), mode=mode, comment="a test"
    )
    return await switch_of(mesh, instance).Engage(request, **as_(BOSS))


async def resume(mesh: PreTradeMesh, kill_id: str, instance: str = "risk-1") -> None:
    """Two persons let go on."""
    switch = switch_of(mesh, instance)
    propose = kill_pb.ProposeResumeRequest(request_id=new_id(), kill_id=kill_id, comment="fine")
    proposal = (await switch.ProposeResume(propose, **as_(BOSS))).proposal
    approve = kill_pb.ApproveResumeRequest(request_id=new_id(), proposal_id=proposal.proposal_id)
    state = (await switch.ApproveResume(approve, **as_(SECOND))).state
    await until(lambda: mesh.trading.gate.version >= state.gate_version)


async def state_of(mesh: PreTradeMesh, instance: str = "risk-1") -> kill_switch_pb2.KillSwitchState:
    """What is stopped."""
    return (await switch_of(mesh, instance).GetState(kill_pb.GetStateRequest(), timeout=5)).state


async def looks(mesh: PreTradeMesh, **other: object) -> set[int]:
    """Kinds of the checks that an order would fail."""
    answer = await mesh.trading.authorise([order("buy", "1000", "1.1600", **other)], validate_only=True)
    return {check.kind for check in answer.authorisations[0].checks if not check.passed}


async def test_a_stale_quote_and_a_silent_feed_refuse(mesh: PreTradeMesh) -> None:
    """Until they are LIVE again."""
    assert await looks(mesh) == set()
    mesh.market.put("EUR/USD", 1.17, 1.1701, quote_pb2.QUOTE_HEALTH_STALE)

    async def refused() -> bool:
        return await looks(mesh) == {check_pb2.CHECK_KIND_REFERENCE_QUOTE}

    await until(refused)
    mesh.market.put("EUR/USD", 1.17, 1.1701)
    await until(mesh.authorises)
    mesh.market.silent = True
    await until(refused)
    mesh.market.silent = False
    await until(mesh.authorises)


async def test_a_kill_holds_while_trading_is_away(mesh: PreTradeMesh) -> None:
    """It is committed here and refuses; trading learns of it when it is back."""
    mesh.trading.away = True
    before = mesh.trading.gate.version
    engaged = await engage(mesh, "desk", "spot", gate_pb2.KILL_MODE_CANCEL_ONLY)
    assert not engaged.applied
    assert mesh.trading.gate.version == before
    assert await looks(mesh) == {check_pb2.CHECK_KIND_KILL_SWITCH}
    assert await looks(mesh, account="gamma") == set()
    mesh.trading.away = False
    await until(lambda: mesh.trading.gate.version == engaged.kill.gate_version)
    assert list(mesh.trading.gate.rules[0].accounts) == ["alpha", "beta"]
    await resume(mesh, engaged.kill.kill_id)
    assert await looks(mesh) == set()


async def test_silence_engages(mesh: PreTradeMesh) -> None:
    """A lease that is renewed holds; one that is released does nothing; one whose holder is silent engages its mode,
    once, by
    its name."""
    switch = switch_of(mesh)

    async def register(strategy: str) -> leases.DeadManLease:
        request = leases.RegisterLeaseRequest(
            request_id=new_id(),
            scope=gate_pb2.KillScope(kind="strategy", name=strategy),
            mode=gate_pb2.KILL_MODE_CANCEL_ONLY,
            silence_max=Duration(seconds=1),
        )
        return (await switch.RegisterLease(request, **as_("bot"))).lease

    loud, gone, silent = await register("loud"), await register("gone"), await register("silent")
    await switch.ReleaseLease(leases.ReleaseLeaseRequest(request_id=new_id(), lease_id=gone.lease_id), **as_("bot"))

    async def engaged() -> list[str]:
        renewal = leases.RenewLeaseRequest(request_id=new_id(), lease_id=loud.lease_id)
        await switch.RenewLease(renewal, **as_("bot"))
        return [kill.scope.name for kill in (await state_of(mesh)).kills]

    assert await until(engaged) == ["silent"]
    (kill,) = (await state_of(mesh)).kills
    assert kill.engaged_by == f"lease:{silent.lease_id}"
    assert await looks(mesh, strategy="silent") == {check_pb2.CHECK_KIND_KILL_SWITCH}
    assert await looks(mesh, strategy="loud") == set()
    await switch.ReleaseLease(leases.ReleaseLeaseRequest(request_id=new_id(), lease_id=loud.lease_id), **as_("bot"))
    renewal = leases.RenewLeaseRequest(request_id=new_id(), lease_id=silent.lease_id)
    assert (await failed(switch.RenewLease(renewal, **as_("bot")))).reason is ErrorReason.NOT_FOUND
    await resume(mesh, kill.kill_id)


async def test_positions_are_closed_in_slices(mesh: PreTradeMesh) -> None:
    """Two and a half million take three orders that only reduce, each with a bound near the quote; then the certificate
    is
    complete, and until it is it names what is open."""
    mesh.trading.fill_price = lambda terms: "1.1701" if terms.side == order_pb2.SIDE_BUY else "1.17"
    bought = order("buy", "2500000", account="beta")
    await mesh.trading.place([bought])
    mesh.trading.fill(bought, "2500000", "1.1701")
    await mesh.trading.tell()
    engaged = await engage(mesh, "account", "beta", gate_pb2.KILL_MODE_FLATTEN)
    switch = switch_of(mesh)
    wanted = kill_pb.GetCertificateRequest(certificate_id=engaged.kill.certificate_id)

    async def complete() -> kill_switch_pb2.KillCertificate | None:
        found = (await switch.GetCertificate(wanted, timeout=5)).certificate
        return found if found.HasField("complete_time") else None

    certificate = await until(complete)
    steps = [step for step in certificate.steps if step.client_order_id]
    assert sum(Decimal(step.quantity) for step in steps) == -2_500_000
    assert len(steps) == 3
    assert not certificate.open_positions
    orders = mesh.trading.kept("beta").orders.values()
    sold = [each for each in orders if each.terms.client_order_id.startswith("flatten-")]
    assert all(each.terms.reduce_only and each.terms.time_in_force == order_pb2.TIME_IN_FORCE_IOC for each in sold)
    assert {each.terms.price_bound for each in sold} == {"1.16707"}
    assert not any(mesh.trading.kept("beta").state().positions[0].quantity.strip("0.") for _ in (1,))
    await resume(mesh, engaged.kill.kill_id)


async def test_a_restart_knows_everything_and_fences_what_was_authorised_before(mesh: PreTradeMesh) -> None:
    """After SIGKILL the next process has limits, kills and reservations again; an order that the one before authorised
    and
    nobody had committed is refused by trading's own gate."""
    resting = order("buy", "3000000", "1.1600")
    await mesh.trading.place([resting])
    engaged = await engage(mesh, "strategy", "carry", gate_pb2.KILL_MODE_CANCEL_ONLY)
    limit = limit_pb2.Limit(scope="account:alpha", kind=check_pb2.CHECK_KIND_POSITION, value="4000000")
    version = await change(mesh, limit)
    late = order("buy", "1000000", "1.1600")
    answer = await mesh.trading.authorise([late])
    assert answer.authorisations[0].authorised
    await mesh.kill_risk("risk-1")
    await mesh.start_risk("risk-1")
    await until(mesh.authorises)
    with pytest.raises(StaleGate):
        mesh.trading.commit([late], answer)
    assert await looks(mesh, strategy="carry") == {check_pb2.CHECK_KIND_KILL_SWITCH}
    assert (await limits_of(mesh).GetLimits(limit_pb.GetLimitsRequest(), timeout=5)).limits.version == version
    (edge, beyond) = (
        await mesh.trading.authorise(
            [order("buy", "1000000", "1.1600"), order("buy", "1000", "1.1600")], validate_only=True
        )
    ).authorisations
    assert edge.authorised
    assert not beyond.authorised
    await resume(mesh, engaged.kill.kill_id)
    key = limit_pb2.LimitKey(scope="account:alpha", kind=check_pb2.CHECK_KIND_POSITION)
    await change(mesh, remove=[key])


async def test_a_second_instance_stands_by_and_takes_over(mesh: PreTradeMesh) -> None:
    """It hands calls on with the caller's name; killed, the first is replaced within its lease, with everything."""
    await mesh.start_risk("risk-2")
    await until(mesh.is_whole)
    first, second = await state_of(mesh), await state_of(mesh, "risk-2")
    assert first.gate_version == second.gate_version
    engaged = await engage(mesh, "strategy", "carry", gate_pb2.KILL_MODE_CANCEL_ONLY, "risk-2")
    assert engaged.kill.engaged_by == BOSS
    await asyncio.gather(*(mesh.authorises() for _ in range(8)))
    await mesh.kill_risk("risk-1")
    await until(mesh.authorises)
    after = await state_of(mesh, "risk-2")
    assert after.gate_version > engaged.kill.gate_version
    assert [kill.kill_id for kill in after.kills] == [engaged.kill.kill_id]
    assert await looks(mesh, strategy="carry") == {check_pb2.CHECK_KIND_KILL_SWITCH}
    await resume(mesh, engaged.kill.kill_id, "risk-2")
