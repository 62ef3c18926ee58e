"""`risk` before a trade: the real service behind real proxies, on a real PostgreSQL, without NATS."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Iterable

import grpc
import pytest
import pytest_asyncio

from crossrate.api.common.v1 import check_pb2, gate_pb2
from crossrate.api.ledger.v1 import book_pb2
from crossrate.api.risk.v1 import break_gate_pb2, limit_pb2
from crossrate.api.risk.v1 import kill_switch_service_pb2 as kill_pb
from crossrate.api.risk.v1 import limit_service_pb2 as limit_pb
from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import KillSwitchServiceStub
from crossrate.api.risk.v1.limit_service_pb2_grpc import LimitServiceStub
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc.errors import ErrorReason, Failure, failure_of
from services.risk.service.deciding import ON_BEHALF
from tests.integration.envoys import until
from tests.integration.pretrade_mesh import PreTradeMesh, pretrade_mesh
from tests.integration.stand_in_trading import order

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[PreTradeMesh]:
    """One mesh for all of it."""
    async with pretrade_mesh() as made:
        yield made


async def failed(call: Awaitable[object]) -> Failure:
    """The failure that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = failure_of(caught.value)
    assert found is not None, caught.value
    return found


async def test_an_order_is_authorised_with_every_check(mesh: PreTradeMesh) -> None:
    """The answer tells limit, value and headroom of each check, the quote that was seen, and the margin."""
    answer = await mesh.trading.place([order("buy", "1000000", "1.1700")])
    (found,) = answer.authorisations
    assert found.authorised
    kinds = {check.kind for check in found.checks}
    assert {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19} <= kinds
    assert (found.quote_seen.bid, found.quote_seen.ask) == ("1.17", "1.1701")
    assert found.margin_currency == "USD"
    assert answer.gate_version == mesh.trading.gate.version > 0


BOSS, SECOND = "ada", "grace"


def as_(name: str) -> dict[str, object]:
    """Who makes a call on the socket of an instance, as another instance would say."""
    return {"metadata": ((ON_BEHALF, name),), "timeout": 10}


def limits_of(mesh: PreTradeMesh, instance: str = "risk-1") -> LimitServiceStub:
    """The limits, on an instance's own socket."""
    return LimitServiceStub(mesh.local(instance))


def switch_of(mesh: PreTradeMesh, instance: str = "risk-1") -> KillSwitchServiceStub:
    """The kill switch, likewise."""
    return KillSwitchServiceStub(mesh.local(instance))


def new_id() -> str:
    """A UUID."""
    return str(uuid.uuid4())


async def change(mesh: PreTradeMesh, *put: limit_pb2.Limit, remove: Iterable[limit_pb2.LimitKey] = ()) -> int:
    """Proposes and approves limits; their version."""
    stub = limits_of(mesh)
    request = limit_pb.ProposeLimitsRequest(request_id=new_id(), put=put, remove=remove, comment="a test")
    proposal = (await stub.ProposeLimits(request, **as_(BOSS))).proposal
    approval = limit_pb.ApproveLimitsRequest(request_id=new_id(), proposal_id=proposal.proposal_id)
    return (await stub.ApproveLimits(approval, **as_(SECOND))).limits.version


def notional(value: str, scope: str = "account:alpha") -> limit_pb2.Limit:
    """A limit of one order."""
    return limit_pb2.Limit(scope=scope, kind=check_pb2.CHECK_KIND_ORDER_NOTIONAL, value=value, unit="USD")


async def test_limits_are_proposed_by_one_and_approved_by_another(mesh: PreTradeMesh) -> None:
    """Who proposed cannot approve; from the approval on the next order is checked by the new version; once decided,
    never
    again; the same request has the same answer."""
    stub = limits_of(mesh)
    before = (await stub.GetLimits(limit_pb.GetLimitsRequest(), timeout=5)).limits
    assert before.approved_by == "crossrate" or before.version > 1
    asked = limit_pb.ProposeLimitsRequest(request_id=new_id(), put=[notional("1000000")], comment="less")
    looked_at = limit_pb.ProposeLimitsRequest()
    looked_at.CopyFrom(asked)
    looked_at.validate_only = True
    assert not (await stub.ProposeLimits(looked_at, **as_(BOSS))).proposal.proposal_id
    proposal = (await stub.ProposeLimits(asked, **as_(BOSS))).proposal
    assert (await stub.ProposeLimits(asked, **as_(BOSS))).proposal == proposal
    approval = limit_pb.ApproveLimitsRequest(request_id=new_id(), proposal_id=proposal.proposal_id)
    failure = await failed(stub.ApproveLimits(approval, **as_(BOSS)))
    assert (failure.reason, failure.metadata["state"]) == (ErrorReason.WRONG_STATE, "SAME_PERSON")
    big = order("buy", "2000000", "1.1700")
    assert (await mesh.trading.authorise([big], validate_only=True)).authorisations[0].authorised
    made = (await stub.ApproveLimits(approval, **as_(SECOND))).limits
    assert (made.version, made.proposed_by, made.approved_by) == (before.version + 1, BOSS, SECOND)
    (refused,) = (await mesh.trading.authorise([big], validate_only=True)).authorisations
    assert not refused.authorised
    first = refused.checks[0]
    assert (first.scope, first.limit, first.unit, first.passed) == ("account:alpha", "1000000", "USD", False)
    assert (first.value, first.headroom) == ("2340100", "-1340100")
    assert first.limits_version == made.version
    assert "enter less" in first.text
    assert (await stub.ApproveLimits(approval, **as_(SECOND))).limits == made
    again = limit_pb.ApproveLimitsRequest(request_id=new_id(), proposal_id=proposal.proposal_id)
    assert (await failed(stub.ApproveLimits(again, **as_(SECOND)))).metadata["state"] == "APPROVED"
    history = (await stub.ListLimitVersions(limit_pb.ListLimitVersionsRequest(), timeout=5)).versions
    assert [each.version for each in history][:2] == [made.version, before.version]
    key = limit_pb2.LimitKey(scope="account:alpha", kind=check_pb2.CHECK_KIND_ORDER_NOTIONAL)
    await change(mesh, remove=[key])
    assert (await mesh.trading.authorise([big], validate_only=True)).authorisations[0].authorised


async def test_a_proposal_is_for_the_limits_that_it_saw(mesh: PreTradeMesh) -> None:
    """Of two proposals for the same version the second one is outdated when the first was approved; one that is
    withdrawn
    cannot be approved."""
    stub = limits_of(mesh)
    made = []
    for _ in range(3):
        request = limit_pb.ProposeLimitsRequest(request_id=new_id(), put=[notional("9000000")], comment="x")
        made.append((await stub.ProposeLimits(request, **as_(BOSS))).proposal.proposal_id)
    withdrawal = limit_pb.WithdrawLimitsRequest(request_id=new_id(), proposal_id=made[2])
    assert (await stub.WithdrawLimits(withdrawal, **as_(BOSS))).proposal.decided_by == BOSS
    requests = [limit_pb.ApproveLimitsRequest(request_id=new_id(), proposal_id=each) for each in made]
    await stub.ApproveLimits(requests[0], **as_(SECOND))
    assert (await failed(stub.ApproveLimits(requests[1], **as_(SECOND)))).metadata["state"] == "OUTDATED"
    assert (await failed(stub.ApproveLimits(requests[2], **as_(SECOND)))).metadata["state"] == "WITHDRAWN"


async def test_a_proposal_that_makes_no_sense_names_the_field(mesh: PreTradeMesh) -> None:
    """Kind, unit, window, scope and instrument are checked with the field's path."""
    stub = limits_of(mesh)
    wrong = {
        "put[0].unit": limit_pb2.Limit(scope="platform", kind=check_pb2.CHECK_KIND_DAILY_LOSS, value="1"),
        "put[0].window": limit_pb2.Limit(scope="platform", kind=check_pb2.CHECK_KIND_ORDER_RATE, value="1"),
        "put[0].scope": limit_pb2.Limit(scope="venue:sim", kind=check_pb2.CHECK_KIND_POSITION, value="1"),
        "put[0].kind": limit_pb2.Limit(scope="platform", kind=check_pb2.CHECK_KIND_KILL_SWITCH, value="1"),
        "put[0]": limit_pb2.Limit(scope="instrument:EUR/EUR", kind=check_pb2.CHECK_KIND_POSITION, value="1"),
    }
    for field, limit in wrong.items():
        request = limit_pb.ProposeLimitsRequest(request_id=new_id(), put=[limit], comment="x")
        failure = await failed(stub.ProposeLimits(request, **as_(BOSS)))
        assert [each.field for each in failure.violations] == [field]


async def test_a_kill_refuses_at_once_and_certifies_what_it_ended(mesh: PreTradeMesh) -> None:
    """After Engage nothing that could add is authorised or committed; what worked is on the certificate with its end;
    two
    persons let go on."""
    resting = order("buy", "500000", "1.1600")
    await mesh.trading.place([resting])
    switch = switch_of(mesh)
    request = kill_pb.EngageRequest(
        request_id=new_id(),
        scope=gate_pb2.KillScope(kind="account", name="alpha"),
        mode=gate_pb2.KILL_MODE_HALT,
        comment="a test",
    )
    engaged = await switch.Engage(request, **as_(BOSS))
    assert engaged.applied
    assert mesh.trading.gate.version == engaged.kill.gate_version
    assert (await switch.Engage(request, **as_(BOSS))).kill == engaged.kill
    (refused,) = (await mesh.trading.place([order("buy", "1000", "1.1600")])).authorisations
    assert refused.checks[0].kind == check_pb2.CHECK_KIND_KILL_SWITCH
    (other,) = (await mesh.trading.place([order("buy", "1000", "1.1600", account="beta")])).authorisations
    assert other.authorised
    await mesh.trading.tell()
    wanted = kill_pb.GetCertificateRequest(certificate_id=engaged.kill.certificate_id)

    async def complete() -> bool:
        return (await switch.GetCertificate(wanted, timeout=5)).certificate.HasField("complete_time")

    await until(complete)
    certificate = (await switch.GetCertificate(wanted, timeout=5)).certificate
    mine = next(each for each in certificate.orders if each.order_id == resting.order_id)
    assert (mine.must_end, mine.final_status) == (True, order_pb2.ORDER_STATUS_CANCELLED)
    assert certificate.unconfirmed_count == 0
    propose = kill_pb.ProposeResumeRequest(request_id=new_id(), kill_id=engaged.kill.kill_id, comment="fine")
    proposal = (await switch.ProposeResume(propose, **as_(BOSS))).proposal
    approve = kill_pb.ApproveResumeRequest(request_id=new_id(), proposal_id=proposal.proposal_id)
    assert (await failed(switch.ApproveResume(approve, **as_(BOSS)))).metadata["state"] == "SAME_PERSON"
    state = (await switch.ApproveResume(approve, **as_(SECOND))).state
    assert not state.kills
    await until(lambda: mesh.trading.gate.version == state.gate_version)
    (taken,) = (await mesh.trading.place([order("buy", "1000", "1.1600")])).authorisations
    assert taken.authorised


async def test_a_break_gates_its_market_until_broker_lets_it_go(mesh: PreTradeMesh) -> None:
    """Orders that name the venue in the instrument are refused, orders that name none where that is said; all others
    pass. What is said later under an older number changes nothing."""
    switch = switch_of(mesh)

    async def said(number: int, *markets: str) -> break_gate_pb2.SetBreakGatesResponse:
        gates = [
            break_gate_pb2.BreakGate(
                scope=gate_pb2.KillScope(kind="market", name=name),
                mode=gate_pb2.KILL_MODE_REDUCE_ONLY,
                break_ids=[new_id()],
            )
            for name in markets
        ]
        request = break_gate_pb2.SetBreakGatesRequest(request_id=new_id(), venue="prime", number=number, gates=gates)
        return await switch.SetBreakGates(request, **as_("broker"))

    async def passes(instrument: str, venue: str) -> bool:
        asked = order("buy", "1000", "1.1600" if instrument == "EUR/USD" else "1.2900")
        asked.terms.instrument, asked.terms.venue = instrument, venue
        (answer,) = (await mesh.trading.place([asked])).authorisations
        if not answer.authorised:
            assert answer.checks[0].kind == check_pb2.CHECK_KIND_KILL_SWITCH
            assert "ListBreaks" in answer.checks[0].text
        return answer.authorised

    answer = await said(7, "EUR/USD@prime")
    assert answer.applied
    assert [rule.scope.name for rule in mesh.trading.gate.rules] == ["EUR/USD@prime"]
    state = (await switch.GetState(kill_pb.GetStateRequest(), timeout=5)).state
    assert [each.scope.name for each in state.break_gates] == ["EUR/USD@prime"]
    assert not await passes("EUR/USD", "prime")
    assert await passes("EUR/USD", "")
    assert await passes("EUR/USD", "sim")
    assert await passes("GBP/USD", "prime")
    await said(8, "EUR/USD@prime", "EUR/USD@")
    assert not await passes("EUR/USD", "")
    assert await passes("EUR/USD", "sim")
    assert (await said(7)).number == 8
    assert not await passes("EUR/USD", "prime")
    wrong = await failed(said(9, "EURUSD"))
    assert wrong.violations[0].field == "scope.name"
    await said(9)
    assert await passes("EUR/USD", "prime")
    assert not mesh.trading.gate.rules


async def test_funds_are_the_ledgers(mesh: PreTradeMesh) -> None:
    """Fewer of them refuse by margin what more of them let pass; the equity is told."""
    big = order("buy", "20000000", "1.1700", instrument="EUR/USD", account="beta")
    passes = (await mesh.trading.authorise([big], validate_only=True)).authorisations[0]
    assert passes.authorised
    assert passes.equity == "10000000"
    mesh.ledger.funds = "1000000"

    async def refused() -> bool:
        (found,) = (await mesh.trading.authorise([big], validate_only=True)).authorisations
        return [check.kind for check in found.checks if not check.passed] == [check_pb2.CHECK_KIND_MARGIN]

    await until(refused)
    mesh.ledger.funds = "10000000"
    await until(mesh.authorises)


async def test_a_share_of_a_block_counts_before_the_next_order(mesh: PreTradeMesh) -> None:
    """What the ledger moves without a fill is a position of the account and of the platform, and can be closed."""
    stub = limits_of(mesh)

    async def used() -> dict[str, str]:
        answer = await stub.ListLimitUsage(limit_pb.ListLimitUsageRequest(scope="account:gamma"), timeout=5)
        return {each.name: each.value for each in answer.usages if each.limit.kind == check_pb2.CHECK_KIND_POSITION}

    try:
        assert "GBP/USD" not in await used()
        moved = book_pb2.PositionMovement(instrument="GBP/USD", quantity="7000", counter_amount="-9100")
        mesh.ledger.moved["gamma"] = [moved]
        mesh.ledger.last_entry += 1

        async def counted() -> bool:
            return (await used()).get("GBP/USD") == "7000"

        await until(counted)
        sale = order("sell", "7000", instrument="GBP/USD", account="gamma")
        (outcome,) = (await mesh.trading.authorise([sale], validate_only=True)).authorisations
        assert outcome.authorised
        assert outcome.margin_after == outcome.margin_before
    finally:
        mesh.ledger.moved.clear()
        mesh.ledger.last_entry += 1
