"""Orders as users enter them: the SDK and the command line, through the edge, with every real service behind it."""

import asyncio
import contextlib
import datetime
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import grpc
import pytest
import pytest_asyncio

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept_pb
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from crossrate.client import AsyncClient, CallError, Client, OrderRejected, SessionEnded, new_order
from tests.mesh import Mesh

pytestmark = pytest.mark.system


def account(mesh: Mesh, name: str) -> str:
    """An account of a test's own, with a million dollars."""
    name = f"{name}-{uuid.uuid4().hex[:8]}"
    mesh.command("accounts", "open", name, "--currency", "USD")
    mesh.command("accounts", "deposit", name, "1000000", "USD", "-m", "opening")
    return name


@pytest.fixture(scope="module")
def trader(mesh: Mesh) -> Iterator[Client]:
    """A trader who waits."""
    with Client(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=mesh.place.client_certificate("local")) as client:
        yield client


@pytest_asyncio.fixture
async def swift(mesh: Mesh) -> AsyncIterator[AsyncClient]:
    """A trader with asyncio."""
    proof = mesh.place.client_certificate("local")
    async with AsyncClient(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=proof) as client:
        yield client


def patiently(seconds: float = 60.0) -> Iterator[None]:
    """Tries, a little apart, until so much time has passed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)


def funded(client: Client, name: str) -> str:
    """The account once risk knows its money: an order that is only looked at passes."""
    for _ in patiently():
        try:
            client.place(name, "EUR/USD", "buy", 100_000, validate_only=True)
        except OrderRejected as error:
            refused = error
        else:
            return name
    raise AssertionError(f"risk does not know of {name}'s money: {refused}")


@pytest.fixture(scope="module")
def alpha(mesh: Mesh, trader: Client) -> str:
    """An account that may trade."""
    return funded(trader, account(mesh, "alpha"))


def bid(client: Client) -> str:
    """A bid that rests: two percent below the market, within the collar."""
    quote = client.marketdata.GetQuote(base="EUR", counter="USD").quote
    return f"{quote.bid * 0.98:.5f}"


def test_an_order_at_the_market_is_filled_and_booked(trader: Client, alpha: str) -> None:
    """The fill is in the stream of reports, and its position in the ledger."""
    before = trader.trading.ListExecutions(account=alpha, page_size=1).last_sequence
    placed = trader.place(alpha, "EUR/USD", "buy", 100_000).order
    for report in trader.stream_executions(alpha, after=before):
        if report.exec_type == execution_pb2.EXEC_TYPE_TRADE:
            break
    assert (report.order.order_id, report.fill.quantity) == (placed.order_id, "100000")
    for _ in patiently():
        found = trader.ledger.ListPositions(account=alpha)
        if found.execution_sequence >= report.sequence:
            break
    (position,) = found.positions
    assert (position.instrument, position.quantity) == ("EUR/USD", "100000")
    assert Decimal(position.average_price) == Decimal(report.fill.price)


def test_a_refusal_has_the_limit_the_value_and_what_to_do(trader: Client, alpha: str) -> None:
    """It is an exception with the checks that failed; nothing works afterwards."""
    with pytest.raises(OrderRejected) as caught:
        trader.place(alpha, "EUR/USD", "buy", 90_000_000, client_order_id="too-large")
    assert caught.value.reason == "RISK"
    assert all(Decimal(check.headroom) < 0 for check in caught.value.checks if check.headroom)
    assert "enter less" in str(caught.value)
    assert trader.trading.GetOrder(account=alpha, order="too-large").order.status == order_pb2.ORDER_STATUS_REJECTED


def test_the_same_id_enters_an_order_once(trader: Client, alpha: str) -> None:
    """Repeated, the answer is that of the first time; with other terms it is refused."""
    price, identity = bid(trader), uuid.uuid4().hex
    terms: dict[str, Any] = {"limit_price": price, "time_in_force": "gtc", "client_order_id": identity}
    one = trader.place(alpha, "EUR/USD", "buy", 100_000, **terms)
    assert trader.place(alpha, "EUR/USD", "buy", 100_000, **terms).order.order_id == one.order.order_id
    with pytest.raises(CallError) as caught:
        trader.place(alpha, "EUR/USD", "buy", 200_000, **terms)
    assert caught.value.reason == "REQUEST_ID_REUSED"
    trader.cancel(alpha, identity)


def test_a_list_is_all_or_nothing_if_it_is_to_be(trader: Client, alpha: str) -> None:
    """One order that is refused keeps the others out."""
    orders = [new_order(alpha, "EUR/USD", "buy", each, limit_price=bid(trader)) for each in (100_000, 90_000_000)]
    answer = trader.place_all(orders, atomic=True)
    assert {each.order.status for each in answer.results} == {order_pb2.ORDER_STATUS_REJECTED}
    assert [each.order.reason for each in answer.results] == ["CONTINGENCY", "RISK"]
    with pytest.raises(ValueError, match="there are no orders"):
        trader.place_all([])


async def test_a_session_outlives_the_instance_that_serves_it(mesh: Mesh, trader: Client, swift: AsyncClient) -> None:
    """Orders go on while trading is restarted, and its reader gets each report once, without a gap."""
    name = await asyncio.to_thread(lambda: funded(trader, account(mesh, "session")))
    price = await asyncio.to_thread(bid, trader)
    seen: list[int] = []
    async with swift.session(name, "desk", after=0) as session:

        async def read() -> None:
            async for report in session.executions():
                seen.append(report.sequence)

        reading = asyncio.create_task(read())
        restarting = asyncio.create_task(asyncio.to_thread(mesh.command, "restart", "trading"))
        results = []
        async with asyncio.timeout(120):
            while not restarting.done() or len(results) < 50:
                # No two alike: the limit of duplicates would refuse them.
                sizes = [1000 + len(results) + place for place in range(5)]
                orders = [new_order(name, "EUR/USD", "buy", size, limit_price=price) for size in sizes]
                results += await session.place(orders)
        await restarting
        assert session.connections > 1
        refused = [each for each in results if each.status == order_pb2.ORDER_STATUS_REJECTED]
        assert not refused, (await swift.trading.GetOrder(account=name, order=refused[0].order_id)).order.reason_text
        cancelled = await session.cancel_all()
        assert len(cancelled) == len(results)
    await reading
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= len(results)


async def test_a_program_that_dies_leaves_no_order_behind(
    mesh: Mesh, trader: Client, swift: AsyncClient, alpha: str
) -> None:
    """Left by an error, a session that cancels on disconnect has its orders cancelled, and no others.

    Left in order, and whoever did not ask for it, keeps them.
    """
    price = await asyncio.to_thread(bid, trader)

    async def entered(name: str, size: int, cancels: bool, error: Exception | None) -> str:
        with contextlib.suppress(type(error) if error else ()):
            async with swift.session(alpha, name, cancel_on_disconnect=cancels, heartbeat_s=1.0) as session:
                order = new_order(alpha, "EUR/USD", "buy", size, limit_price=price)
                result = (await session.place(order))[0]
                if error:
                    raise error
        return result.order_id

    died = ZeroDivisionError("the strategy has a mistake")
    lost = await entered("dies", 1001, True, died)
    kept = [await entered("leaves", 1002, True, None), await entered("asks-nothing", 1003, False, died)]

    async def state(order: str) -> int:
        return (await swift.trading.GetOrder(account=alpha, order=order)).order.status

    async with asyncio.timeout(60):
        async for report in swift.stream_executions(alpha, after=0):
            if report.order.order_id == lost and report.order.status == order_pb2.ORDER_STATUS_CANCELLED:
                break
    assert [await state(order) for order in kept] == [order_pb2.ORDER_STATUS_NEW] * 2
    async with swift.session(alpha, "tidies") as session:
        await session.cancel_all()


async def test_a_newer_session_takes_the_name_over(mesh: Mesh, trader: Client, swift: AsyncClient, alpha: str) -> None:
    """The older one ends with the reason, and does not take it back."""
    async with swift.session(alpha, "mine") as older, swift.session(alpha, "mine"):
        with pytest.raises(SessionEnded, match="newer connection"):
            async for _ in older.executions():
                pass
        with pytest.raises(SessionEnded):
            await older.place(new_order(alpha, "EUR/USD", "buy", 1000, limit_price="1"))


def test_the_commands_of_a_desk(mesh: Mesh, trader: Client) -> None:
    """Placed, amended, shown, explained, watched and cancelled, with what is wrong said on standard error."""
    name = funded(trader, account(mesh, "beta"))
    price = bid(trader)
    placed = mesh.json("orders", "place", name, "buy", "100_000", "EUR/USD", "--limit", price, "--id", "one")
    assert placed["order"]["status"] == "ORDER_STATUS_NEW"
    amended = mesh.json("orders", "amend", name, "one", "--quantity", "200000")
    assert amended["status"] == "ORDER_STATUS_PENDING_REPLACE"
    assert "one" in mesh.command("orders", "list", name, "--working")
    assert "client_order_id" in mesh.command("orders", "show", name, "one")
    assert "all passed" in mesh.command("orders", "explain", name, "one")
    lines = mesh.command("orders", "watch", name, "--after", "0", "-n", "2", "--json").splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == ["1", "2"]
    (cancelled,) = mesh.json("orders", "cancel", name, "--all")
    assert cancelled["terms"]["clientOrderId"] == "one"
    checked = mesh.command("orders", "place", name, "sell", "100000", "EUR/USD", "--dry-run")
    assert "nothing was entered" in checked
    filled = mesh.json("orders", "place", name, "sell", "100000", "EUR/USD")
    assert filled["order"]["status"] == "ORDER_STATUS_FILLED"


def test_the_commands_say_what_a_desk_must_not_miss(mesh: Mesh, trader: Client) -> None:
    """A venue's refusal is a failure; a refused check shows what it checked; a wrong account is not one without orders;
    money is told as it was booked."""
    name = funded(trader, account(mesh, "delta"))
    place = ("orders", "place", name, "buy")
    assert "there is no venue 'nowhere'" in mesh.refused(*place, "100000", "EUR/USD", "--venue", "nowhere")
    said = mesh.refused(*place, "90000000", "EUR/USD", "--dry-run")
    assert "it would be refused" in said
    assert "orders explain" not in said
    assert "FAILED" in mesh.command(*place, "90000000", "EUR/USD", "--dry-run", check=False)
    for command in (("cancel", "nobody", "--all"), ("list", "nobody")):
        assert "no account 'nobody'" in mesh.refused("orders", *command)
    assert mesh.command("accounts", "deposit", name, "2.5e3", "USD").startswith("2,500 USD in")


def test_the_commands_of_an_operator(mesh: Mesh, trader: Client) -> None:
    """Accounts, money, the kill switch with its certificate, and letting go by two persons."""
    name = funded(trader, account(mesh, "gamma"))
    assert any(each["account"] == name for each in mesh.json("accounts", "list"))
    mesh.command("orders", "place", name, "buy", "100000", "EUR/USD", "--limit", bid(trader), "--id", "rests")
    kill = mesh.json("kill", "engage", "halt", "--scope", f"account:{name}", "-m", "a test")["kill"]
    try:
        with pytest.raises(OrderRejected, match="kill switch"):
            trader.place(name, "EUR/USD", "buy", 100_000)
        for _ in patiently():
            (certificate,) = mesh.json("kill", "certificates", kill["killId"])
            if certificate.get("completeTime"):
                break
        assert [each["clientOrderId"] for each in certificate["orders"]] == ["rests"]
        assert certificate["orders"][0]["finalStatus"] == "ORDER_STATUS_CANCELLED"
        assert kill["killId"] in mesh.command("kill", "status")
    finally:
        proposal = mesh.json("kill", "resume", kill["killId"], "-m", "over")["proposalId"]
        assert "somebody else" in mesh.refused("kill", "approve", proposal)
        mesh.command("kill", "approve", proposal, "--client", "second")
    entry = mesh.json("accounts", "withdraw", name, "1000", "USD")
    assert entry["account"] == name
    assert "999,000" in mesh.command("accounts", "show", name)
    assert "no scope" in mesh.refused("kill", "engage", "halt", "--scope", "alpha", "-m", "x")
    assert "give an order, or --all" in mesh.refused("orders", "cancel", name)


@pytest.fixture
def priced(mesh: Mesh) -> Iterator[None]:
    """The house has curves, and quotes at any time of the week."""
    curves = [market_pb2.Curve(currency=c, time=[2.0], rate=[r]) for c, r in (("EUR", 0.02), ("USD", 0.04))]
    request = kept_pb.PutMarketRequest(
        request_id=str(uuid.uuid4()), name="dated-orders", curves=curves, comment="a test"
    )
    sockets = [each for i in range(1, 10) if (each := mesh.place.service_socket(f"pricing-{i}")).exists()]
    with grpc.insecure_channel(f"unix:{sockets[-1]}") as channel:
        SnapshotServiceStub(channel).PutMarket(request, timeout=60)
    values = ('market="dated-orders"', "outside_sessions=true", "age_max_s=30")
    mesh.command("config", "set", "pricing", *values, "-m", "a test")
    yield
    mesh.command("config", "set", "pricing", "quoting=true", "-m", "the test is over")


def day_of(message: Any) -> datetime.date:
    """A date of the contract."""
    return datetime.date(message.year, message.month, message.day)


def filled(mesh: Mesh, *place: str, status: str = "FILLED") -> dict[str, Any]:
    """An order that is entered until it is dealt, or works: pricing learns its rules a moment after they were set."""
    for _ in patiently(120):
        order = mesh.json("orders", "place", *place, "--wait", "60")["order"]
        if order["status"] == f"ORDER_STATUS_{status}":
            return order
    raise AssertionError(order)


def test_a_forward_and_a_swap_settle_on_their_dates(mesh: Mesh, trader: Client, priced: None) -> None:
    """Dealt by the exchange on the house's curves, euros at more the later they settle; the ledger has what is
    exchanged on each date, its books balance, and no book of the venue differs."""
    name = funded(trader, account(mesh, "dated"))
    forward = filled(mesh, name, "buy", "100000", "EUR/USD", "--tenor", "1M")
    swap = filled(mesh, name, "sell", "50000", "EUR/USD", "--far", "1W")
    limited = ("buy", "100000", "EUR/USD", "--tenor", "1M", "--limit", bid(trader), "--tif", "gtc", "--id", "rests")
    assert mesh.json("orders", "place", name, *limited, "--wait", "60")["order"]["status"] == "ORDER_STATUS_NEW"
    (cancelled,) = mesh.json("orders", "cancel", name, "--all")
    assert cancelled["terms"]["clientOrderId"] == "rests"
    for _ in patiently():
        found = trader.ledger.ListPositions(account=name)
        reports = trader.trading.ListExecutions(account=name, page_size=100)
        if found.execution_sequence >= reports.last_sequence:
            break
    fills = {
        each.order.order_id: each.fill for each in reports.reports if each.exec_type == execution_pb2.EXEC_TYPE_TRADE
    }
    outright, legs = fills[forward["orderId"]], fills[swap["orderId"]]
    assert 0 < Decimal(outright.price) - Decimal(outright.market_ask) < Decimal("0.01")
    assert 0 < Decimal(legs.far_price) - Decimal(legs.price) < Decimal("0.001")
    month, spot, week = map(day_of, (outright.settl_date, legs.settl_date, legs.far_settl_date))
    assert spot < week < month
    assert (week - spot).days >= 6
    (position,) = found.positions
    assert position.quantity == "100000"
    flows = {day_of(each.value_date): each.base_amount for each in position.flows}
    assert flows == {spot: "50000", week: "-50000", month: "100000"}
    verified = trader.ledger.VerifyBooks()
    assert not verified.differences
    compared = trader.broker.RunReconciliation(venue="sim", whole=True)
    assert [each for each in compared.breaks if each.account == name] == []


def test_a_swap_works_until_its_limit_on_points_is_met(mesh: Mesh, trader: Client, priced: None) -> None:
    """Below zero it rests, past risk's collar on rates; amended it is dealt at points within the limit, and booked."""
    name = funded(trader, account(mesh, "points"))
    limited = ("buy", "50000", "EUR/USD", "--far", "1W", "--limit", "-0.0025", "--tif", "gtc")
    resting = filled(mesh, name, *limited, status="NEW")["terms"]
    assert resting["limitPrice"] == "-0.0025"
    mesh.json("orders", "amend", name, resting["clientOrderId"], "--limit", "0.01")
    for _ in patiently():
        order = trader.trading.GetOrder(account=name, order=resting["clientOrderId"]).order
        found = trader.ledger.ListPositions(account=name)
        reports = trader.trading.ListExecutions(account=name, page_size=100)
        booked = found.execution_sequence >= reports.last_sequence
        if order.status == order_pb2.ORDER_STATUS_FILLED and booked:
            break
    (fill,) = [each.fill for each in reports.reports if each.exec_type == execution_pb2.EXEC_TYPE_TRADE]
    assert Decimal("-0.0025") < Decimal(fill.far_price) - Decimal(fill.price) <= Decimal("0.01")
    flows = {day_of(each.value_date): each.base_amount for each in found.positions[0].flows}
    assert flows == {day_of(fill.settl_date): "-50000", day_of(fill.far_settl_date): "50000"}
    compared = trader.broker.RunReconciliation(venue="sim", whole=True)
    assert [each for each in compared.breaks if each.account == name] == []


def test_an_account_is_opened_once(mesh: Mesh, trader: Client) -> None:
    """The same terms again change nothing, others are refused."""
    name = f"delta-{uuid.uuid4().hex[:8]}"
    mesh.command("accounts", "open", name)
    mesh.command("accounts", "open", name)
    assert trader.ledger.GetAccount(account=name).account.status == account_pb2.ACCOUNT_STATUS_ACTIVE
    assert "ALREADY_EXISTS" in mesh.refused("accounts", "open", name, "--currency", "EUR")
