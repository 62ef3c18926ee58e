"""A break at a venue, with every real service: it gates its market, two persons correct it, the books follow."""

import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crossrate.api.trading.v1 import execution_pb2, order_pb2
from crossrate.client import Client, OrderRejected
from tests.mesh import Mesh

pytestmark = pytest.mark.system

VENUES = """
[venues.sim]
kind = "simulated"
tiers = [{ offset = 0, quantity = "5000000" }]
[venues.drill]
kind = "simulated"
tiers = [{ offset = 0, quantity = "5000000" }]
reconciliation = { interval_s = 0.5, grace_s = 1.0 }
faults = { lose_report = 1.0 }
[venues.hands]
kind = "simulated"
tiers = [{ offset = 0, quantity = "5000000" }]
adopted_account = "house"
reconciliation = { interval_s = 0.5, grace_s = 1.0 }
faults = { by_hand = 1.0 }
[[routes]]
venues = ["sim"]
"""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """A mesh with two venues that do something wrong."""
    path: Path = tmp_path_factory.mktemp("venues") / "venues.toml"
    path.write_text(VENUES)
    with Mesh(settings={"CROSSRATE_BROKER_VENUES": str(path)}) as mesh:
        mesh.up()
        for name in ("alpha", "house"):
            mesh.command("accounts", "open", name, "--currency", "USD")
            mesh.command("accounts", "deposit", name, "1000000", "USD", "-m", "opening")
        yield mesh


@pytest.fixture(scope="module")
def trader(broken: Mesh) -> Iterator[Client]:
    """A trader, once risk knows the money of alpha."""
    proof = broken.place.client_certificate("local")
    with Client(f"localhost:{broken.edge_port}", ca=broken.roots, client=proof) as client:
        for _ in patiently("risk does not know of the money"):
            try:
                client.place("alpha", "EUR/USD", "buy", 100_000, validate_only=True)
            except OrderRejected:
                continue
            break
        yield client


def patiently(words: str, seconds: float = 60.0) -> Iterator[None]:
    """Tries, a little apart, and fails with some words when so much time has passed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
    raise AssertionError(words)


def only_break(mesh: Mesh, venue: str, **which: Any) -> dict[str, Any]:
    """The break of a venue, once it is there."""
    found: list[dict[str, Any]] = []
    for _ in patiently("there is no break"):
        found = mesh.json("breaks", "list", "--venue", venue, *(["--closed"] if which.get("closed") else []))["breaks"]
        if found and (not which.get("closed") or found[0]["state"] == "BREAK_STATE_CLOSED"):
            break
    assert len(found) == 1, found
    return found[0]


def test_a_lost_fill_gates_its_market_and_is_booked_by_two(broken: Mesh, trader: Client) -> None:
    """Orders to that venue in that pair are refused, others go on; the fill is in the order, the stream, the books."""
    placed = trader.place("alpha", "EUR/USD", "buy", 100_000, venue="drill").order
    found = only_break(broken, "drill")
    assert (found["type"], found["orderId"]) == ("BREAK_TYPE_MISSING_FILL", placed.order_id)
    for _ in patiently("the market is not gated"):
        refused = trader.trading.PlaceOrder(
            request_id=str(uuid.uuid4()), order=order("alpha", "EUR/USD", 50_000, venue="drill"), validate_only=True
        )
        if refused.order.status == order_pb2.ORDER_STATUS_REJECTED:
            break
    assert "EUR/USD@drill" in refused.order.reason_text
    assert "ListBreaks" in refused.order.reason_text
    for instrument, venue in (("EUR/USD", ""), ("EUR/USD", "sim"), ("GBP/USD", "drill")):
        free = trader.trading.PlaceOrder(
            request_id=str(uuid.uuid4()), order=order("alpha", instrument, 50_000, venue=venue), validate_only=True
        )
        assert free.order.status != order_pb2.ORDER_STATUS_REJECTED, free.order.reason_text
    broken.command("breaks", "propose", found["breakId"], "-m", "told by the desk")
    assert "another person" in broken.refused("breaks", "approve", found["breakId"])
    assert "done" in broken.command("breaks", "approve", found["breakId"], "--client", "second")
    closed = only_break(broken, "drill", closed=True)
    assert closed["resolution"] == "corrected"
    fill = next(each for each in trader.stream_executions("alpha") if each.exec_type == execution_pb2.EXEC_TYPE_TRADE)
    assert (fill.order.order_id, fill.fill.quantity) == (placed.order_id, "100000")
    for _ in patiently("the fill is not booked"):
        positions = trader.ledger.ListPositions(account="alpha").positions
        if positions:
            break
    assert [(each.instrument, each.quantity) for each in positions] == [("EUR/USD", "100000")]
    for _ in patiently("the gate stays"):
        if not trader.risk.GetState().state.break_gates:
            break
    trader.place("alpha", "EUR/USD", "buy", 50_000, venue="drill", validate_only=True)
    explained = trader.trading.ExplainOrder(account="alpha", order=placed.order_id)
    assert list(explained.missing) == []
    services = [each.service for each in explained.causes]
    assert {"marketdata", "risk", "trading", "broker", "venue:drill", "ledger"} <= set(services)
    assert services[-1] == "ledger"
    assert "100000 EUR" in explained.causes[-1].text
    assert list(trader.ledger.VerifyBooks().differences) == []


def test_an_order_by_hand_is_an_order_of_the_platform(broken: Mesh, trader: Client) -> None:
    """It is in the house's account, can be cancelled there, and ends at the venue."""
    quote = trader.marketdata.GetQuote(base="EUR", counter="USD").quote
    price = f"{quote.bid * 0.98:.5f}"
    trader.place("alpha", "EUR/USD", "buy", 100_000, limit_price=price, time_in_force="gtc", venue="hands")
    for _ in patiently("the order is not adopted"):
        orders = trader.trading.ListOrders(account="house", working=True).orders
        if orders:
            break
    (adopted,) = orders
    assert adopted.adopted
    assert (adopted.terms.quantity, adopted.entered_by) == ("100000", "venue:hands")
    assert Decimal(adopted.terms.limit_price) < Decimal(price)
    trader.cancel("house", adopted.terms.client_order_id)
    for _ in patiently("it is not cancelled"):
        ended = trader.trading.GetOrder(account="house", order=adopted.order_id).order
        if ended.status == order_pb2.ORDER_STATUS_CANCELLED:
            break
    answer = broken.json("breaks", "run", "hands", "--whole")
    assert (answer["breaks"], answer["run"]["missing"]) == ([], [])


def order(account: str, instrument: str, quantity: int, venue: str) -> order_pb2.NewOrder:
    """A market order to buy."""
    return order_pb2.NewOrder(
        client_order_id=uuid.uuid4().hex,
        account=account,
        instrument=instrument,
        side=order_pb2.SIDE_BUY,
        quantity=str(quantity),
        order_type=order_pb2.ORDER_TYPE_MARKET,
        time_in_force=order_pb2.TIME_IN_FORCE_IOC,
        venue=venue,
    )
