"""Margin calls and close-outs: the real risk on a real PostgreSQL; trading and the market as a test turns them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.ledger.v1 import balance_pb2
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.risk.v1 import kill_switch_service_pb2 as kill_pb
from crossrate.api.risk.v1 import margin_call_pb2
from crossrate.api.risk.v1 import margin_call_service_pb2 as pb
from crossrate.api.risk.v1.margin_call_service_pb2_grpc import MarginCallServiceStub
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc.errors import ErrorReason
from tests.integration.envoys import until
from tests.integration.pretrade_mesh import PreTradeMesh, account, pretrade_mesh
from tests.integration.stand_in_trading import order
from tests.integration.test_pretrade import failed, new_id, switch_of
from tests.integration.test_pretrade_failures import resume

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

OK, CALL, CLOSE_OUT = (
    balance_pb2.MARGIN_STATE_OK,
    balance_pb2.MARGIN_STATE_CALL,
    balance_pb2.MARGIN_STATE_CLOSE_OUT,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[PreTradeMesh]:
    """One mesh for all of it, that looks often and decides soon."""
    async with pretrade_mesh(
        flatten_slice=200_000, margin_interval_s=0.05, margin_dwell_s=0.2, statuses_interval_s=0.2
    ) as made:
        yield made


@pytest.fixture(autouse=True)
def calm(mesh: PreTradeMesh) -> None:
    """Prices are as in the beginning, and trading fills what it is given at the quote."""
    for name, sides in (("EUR/USD", (1.17, 1.1701)), ("GBP/USD", (1.3, 1.3001))):
        mesh.market.put(name, *sides)

    def price(terms: order_pb2.NewOrder) -> str:
        bid, ask, _ = mesh.market.quotes[terms.instrument]
        return str(ask if terms.side == order_pb2.SIDE_BUY else bid)

    mesh.trading.fill_price = price


def calls_of(mesh: PreTradeMesh) -> MarginCallServiceStub:
    """The calls, on the instance's own socket."""
    return MarginCallServiceStub(mesh.local("risk-1"))


async def standing(mesh: PreTradeMesh, name: str) -> margin_call_pb2.MarginStanding:
    """How an account stands."""
    return (await calls_of(mesh).GetMarginStanding(pb.GetMarginStandingRequest(account=name), timeout=5)).standing


async def stands(mesh: PreTradeMesh, name: str, state: int) -> margin_call_pb2.MarginStanding:
    """Waits for a state."""

    async def there() -> margin_call_pb2.MarginStanding | None:
        with contextlib.suppress(grpc.aio.AioRpcError):
            found = await standing(mesh, name)
            return found if found.state == state else None
        return None

    return await until(there)


async def close_outs(mesh: PreTradeMesh, name: str) -> list[margin_call_pb2.CloseOut]:
    """Close-outs of an account, newest first, whole."""
    stub = calls_of(mesh)
    listed = (await stub.ListCloseOuts(pb.ListCloseOutsRequest(account=name), timeout=5)).close_outs
    ids = [each.close_out_id for each in listed]
    return [(await stub.GetCloseOut(pb.GetCloseOutRequest(close_out_id=each), timeout=5)).close_out for each in ids]


async def buys(mesh: PreTradeMesh, name: str, *positions: tuple[str, str], funds: str = "100000") -> None:
    """A new account with funds that buys; 1,000,000 EUR/USD at 1.1701 take 58,505 of margin."""
    mesh.ledger.accounts[name] = account(name)
    mesh.ledger.own_funds[name] = funds
    mesh.ledger.last_entry += 1

    async def funded() -> bool:
        entered = order("buy", "1000", account=name)
        return (await mesh.trading.authorise([entered], validate_only=True)).authorisations[0].authorised

    await until(funded)
    for instrument, quantity in positions:
        bought = order("buy", quantity, instrument=instrument, account=name)
        answer = await mesh.trading.place([bought])
        assert answer.authorisations[0].authorised, answer
        assert mesh.trading.fill_price is not None
        mesh.trading.fill(bought, quantity, mesh.trading.fill_price(bought.terms))
    await mesh.trading.tell()


async def test_an_account_is_called_and_let_go(mesh: PreTradeMesh) -> None:
    """Below its level it is called, once and with its figures, in the list and the stream; above it by the hysteresis
    it is not any more; nothing is closed."""
    await buys(mesh, "called", ("EUR/USD", "1000000"))
    stub = calls_of(mesh)
    stream = stub.StreamMarginCalls(pb.StreamMarginCallsRequest())
    first = await stream.read()
    assert "called" not in [each.account for each in first.standings.standings]
    mesh.market.put("EUR/USD", 1.12, 1.12)
    found = await stands(mesh, "called", CALL)
    assert (found.equity, found.margin_used, found.margin_free, found.level) == ("49900", "56000", "-6100", "0.8910")
    assert (found.call_level, found.close_out_level) == ("1", "0.5000")
    listed = await stub.ListMarginStandings(pb.ListMarginStandingsRequest(called=True), timeout=5)
    assert [each.account for each in listed.standings] == ["called"]
    mesh.market.put("EUR/USD", 1.1285, 1.1285)  # a level of 1.03: above the call, not by enough

    async def recovered() -> bool:
        return (await standing(mesh, "called")).level == "1.0350"

    await until(recovered)
    assert (await standing(mesh, "called")).state == CALL
    mesh.market.put("EUR/USD", 1.14, 1.14)
    await stands(mesh, "called", OK)
    told = []
    while len(told) < 2:
        message = await stream.read()
        told += [each.state for each in message.standings.standings if each.account == "called"]
    stream.cancel()
    assert told == [CALL, OK]
    assert await close_outs(mesh, "called") == []


async def test_positions_are_closed_until_the_level_is_passed(mesh: PreTradeMesh) -> None:
    """The account is stopped for what adds, what works against the slices is cancelled, the position that uses most
    margin goes first, in slices within a bound, no more of it than is needed; then the account is let go on."""
    await buys(mesh, "closed", ("EUR/USD", "800000"), ("GBP/USD", "100000"))
    profit = order("sell", "800000", "1.3000", account="closed")
    await mesh.trading.place([profit])
    mesh.market.put("EUR/USD", 1.065, 1.065)
    await stands(mesh, "closed", CALL)
    (found,) = await close_outs(mesh, "closed")
    assert (found.begun.level, found.end_text) == (
        "0.3240",
        f"the level is {_level(found)}, above the close-out level 0.5000",
    )
    steps = [step for step in found.steps if step.client_order_id]
    assert {step.instrument for step in steps} == {"EUR/USD"}
    assert [step.quantity for step in steps[:1]] == ["-187793"]  # 200,000 dollars' worth
    assert {step.price_bound for step in steps} == {"1.06233"}
    assert 352_900 < sum(-int(step.quantity) for step in steps) < 353_100
    orders = {each.terms.client_order_id: each for each in mesh.trading.kept("closed").orders.values()}
    assert orders[profit.terms.client_order_id].status == order_pb2.ORDER_STATUS_CANCELLED
    sent = orders[steps[0].client_order_id].terms
    assert sent.reduce_only
    assert sent.text == (f"margin close-out {found.close_out_id}: the level was 0.3240, the close-out level is 0.5000")

    async def let_go() -> bool:
        state = (await switch_of(mesh).GetState(kill_pb.GetStateRequest(), timeout=5)).state
        return found.close_out_id not in [kill.kill_id for kill in state.kills]

    await until(let_go)
    wanted = kill_pb.GetCertificateRequest(certificate_id=found.close_out_id)
    certificate = (await switch_of(mesh).GetCertificate(wanted, timeout=5)).certificate
    assert certificate.kill.mode == gate_pb2.KILL_MODE_REDUCE_ONLY
    assert certificate.kill.engaged_by == f"margin:{found.close_out_id}"


def _level(close_out: margin_call_pb2.CloseOut) -> str:
    return close_out.end_text.removeprefix("the level is ").partition(",")[0]


async def test_nothing_is_decided_by_a_price_that_is_not_live(mesh: PreTradeMesh) -> None:
    """However low a stale price is: the standing says why it cannot be told, and the state stays."""
    await buys(mesh, "stale", ("EUR/USD", "1000000"))
    mesh.market.put("EUR/USD", 0.5, 0.5, quote_pb2.QUOTE_HEALTH_STALE)

    async def untold() -> margin_call_pb2.MarginStanding | None:
        found = await standing(mesh, "stale")
        return found if found.unknown else None

    found = await until(untold)
    assert found.unknown == "EUR/USD: the quote is STALE"
    assert (found.state, found.equity, found.level) == (OK, "", "")
    mesh.market.put("EUR/USD", 1.12, 1.12)
    await stands(mesh, "stale", CALL)
    assert await close_outs(mesh, "stale") == []


async def test_a_restart_in_the_middle_goes_on_where_it_stopped(mesh: PreTradeMesh) -> None:
    """A slice that is under way when the process is killed is not sent again, and the close-out is the same one."""
    await buys(mesh, "restarted", ("EUR/USD", "1000000"))
    mesh.trading.fill_price = None
    mesh.market.put("EUR/USD", 1.08, 1.08)

    async def sent() -> list[order_pb2.Order]:
        orders = mesh.trading.kept("restarted").orders.values()
        return [each for each in orders if each.terms.client_order_id.startswith("closeout-")]

    (slice_,) = await until(sent)
    (begun,) = await close_outs(mesh, "restarted")
    assert not begun.HasField("end_time")
    await mesh.kill_risk("risk-1")
    await mesh.start_risk("risk-1")
    await until(mesh.authorises)
    await stands(mesh, "restarted", CLOSE_OUT)
    assert await sent() == [slice_]
    mesh.trading.fill(slice_, slice_.terms.quantity, "1.08")
    await mesh.trading.tell()
    mesh.trading.fill_price = lambda terms: "1.08"
    await stands(mesh, "restarted", CALL)
    (ended,) = await close_outs(mesh, "restarted")
    assert (ended.close_out_id, ended.begun) == (begun.close_out_id, begun.begun)
    ids = [step.client_order_id for step in ended.steps if step.client_order_id]
    assert len(ids) == len(set(ids)) == len(await sent())


async def test_two_persons_may_let_an_account_go_on(mesh: PreTradeMesh) -> None:
    """Then nothing more is closed, though the level is as low as before, until it has recovered and falls again."""
    await buys(mesh, "spared", ("EUR/USD", "1000000"))
    mesh.trading.fill_price = None
    mesh.market.put("EUR/USD", 1.08, 1.08)
    found = await stands(mesh, "spared", CLOSE_OUT)

    async def stopped() -> bool:
        state = (await switch_of(mesh).GetState(kill_pb.GetStateRequest(), timeout=5)).state
        return found.close_out_id in [kill.kill_id for kill in state.kills]

    await until(stopped)
    entered = order("buy", "1000", account="spared")
    (refused,) = (await mesh.trading.authorise([entered], validate_only=True)).authorisations
    assert "REDUCE_ONLY for account:spared" in refused.checks[0].text
    await resume(mesh, found.close_out_id)

    async def over() -> bool:
        return (await close_outs(mesh, "spared"))[0].HasField("end_time")

    await until(over)
    (ended,) = await close_outs(mesh, "spared")
    assert ended.end_text == "two persons ended its kill"
    now = await standing(mesh, "spared")
    assert (now.state, now.close_out_id) == (CLOSE_OUT, "")
    mesh.market.put("EUR/USD", 1.16, 1.16)
    await stands(mesh, "spared", OK)
    mesh.market.put("EUR/USD", 1.08, 1.08)
    again = await stands(mesh, "spared", CLOSE_OUT)
    assert again.close_out_id not in ("", ended.close_out_id)


async def test_what_is_not_there_is_said(mesh: PreTradeMesh) -> None:
    """An account and a close-out that nobody knows."""
    stub = calls_of(mesh)
    nobody = await failed(stub.GetMarginStanding(pb.GetMarginStandingRequest(account="nobody"), timeout=5))
    nothing = await failed(stub.GetCloseOut(pb.GetCloseOutRequest(close_out_id=new_id()), timeout=5))
    assert {nobody.reason, nothing.reason} == {ErrorReason.NOT_FOUND}
