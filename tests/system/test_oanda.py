"""An existing program trades over the v20 API through the edge; and the platform with itself as a venue of that API."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import v20

from crossrate.api.trading.v1 import order_pb2
from crossrate.client import Client, OrderRejected
from tests.mesh import Mesh
from tests.ports import free_port

pytestmark = pytest.mark.system
TOKEN, VENUE_TOKEN = "desk-" + "t" * 40, "venue-" + "t" * 40
CLIENTS = """
[clients.desk]
accounts = ["alpha"]
[clients.house]
accounts = ["house"]
"""
VENUES = """
[venues.sim]
kind = "simulated"
tiers = [{{ offset = 0, quantity = "2000000" }}, {{ offset = 2, quantity = "5000000" }}]
[venues.v20]
kind = "oanda"
environment = "other"
url = "https://localhost:{port}"
ca_file = "{roots}"
token_file = "v20.token"
account_id = "house"
unknown_s_max = 5
reconnect = {{ first_s = 0.05, cap_s = 0.5 }}
[[routes]]
accounts = ["gamma"]
venues = ["v20"]
[[routes]]
venues = ["sim"]
"""


def private(path: Path, text: str) -> None:
    """A file that its owner alone may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """A mesh with two clients of the API, of which one is the platform itself."""
    folder, port = tmp_path_factory.mktemp("oanda"), free_port()
    settings = {
        "CROSSRATE_EDGE_PORT": str(port),
        "CROSSRATE_BROKER_OANDA_CLIENTS": str(folder / "clients.toml"),
        "CROSSRATE_BROKER_VENUES": str(folder / "venues.toml"),
    }
    with Mesh(settings=settings) as own:
        own.place.state.mkdir(mode=0o700, parents=True)
        (folder / "clients.toml").write_text(CLIENTS)
        (folder / "venues.toml").write_text(VENUES.format(port=port, roots=own.place.ca_bundle))
        private(folder / "v20.token", VENUE_TOKEN)
        for client, token in (("desk", TOKEN), ("house", VENUE_TOKEN)):
            private(own.place.state / "oanda" / f"{client}.token", hashlib.sha256(token.encode()).hexdigest() + "\n")
        own.up()
        for name in ("alpha", "house", "gamma"):
            own.command("accounts", "open", name, "--currency", "USD")
            own.command("accounts", "deposit", name, "1000000", "USD", "-m", "opening")
        yield own


def patiently(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What a function returns once that is something."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def trader(mesh: Mesh) -> Iterator[Client]:
    """The platform's own way, to compare with; all accounts have their money."""
    with Client(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=mesh.place.client_certificate("local")) as client:

        def funded(account: str) -> bool:
            try:
                client.place(account, "EUR/USD", "buy", 100_000, validate_only=True)
            except OrderRejected:
                return False
            return True

        for account in ("alpha", "house", "gamma"):
            patiently(lambda name=account: funded(name))
        yield client


@pytest.fixture
def api(mesh: Mesh, trader: Client, monkeypatch: pytest.MonkeyPatch) -> v20.Context:
    """The public package, told host and token."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(mesh.place.ca_bundle))
    context = v20.Context("localhost", mesh.edge_port, token=TOKEN, poll_timeout=20)
    patiently(lambda: context.account.summary("alpha").status == 200)
    return context


def body(answer: Any, status: int) -> dict[str, Any]:
    """An answer's JSON."""
    assert answer.status == status, answer.raw_body
    return json.loads(answer.raw_body)


def test_a_day_of_a_program(api: v20.Context, trader: Client) -> None:
    """Prices, entries, protections, a replacement, a cancel, closes: accounts, trades and ledger agree at the end."""
    price = api.pricing.get("alpha", instruments="EUR_USD,USD_JPY").get("prices", 200)[0]
    assert price.tradeable
    first = api.order.market("alpha", instrument="EUR_USD", units=100_000, clientExtensions={"id": "day-1"})
    opened = first.get("orderFillTransaction", 201).tradeOpened.tradeID
    guarded = api.order.market(
        "alpha",
        instrument="EUR_USD",
        units=50_000,
        takeProfitOnFill={"price": f"{price.closeoutAsk * 1.05:.5f}"},
        stopLossOnFill={"price": f"{price.closeoutBid * 0.95:.5f}"},
    )
    second = guarded.get("orderFillTransaction", 201).tradeOpened.tradeID
    trade = patiently(lambda: (t := api.trade.get("alpha", second).get("trade", 200)).stopLossOrder and t)
    assert trade.takeProfitOrder.state == trade.stopLossOrder.state == "PENDING"

    limit = api.order.limit("alpha", instrument="EUR_USD", units=20_000, price=f"{price.closeoutBid * 0.98:.5f}")
    old = limit.get("orderCreateTransaction", 201).id
    replaced = api.order.limit_replace(
        "alpha", old, instrument="EUR_USD", units=30_000, price=f"{price.closeoutBid * 0.985:.5f}"
    )
    new = replaced.get("orderCreateTransaction", 201)
    assert (new.replacesOrderID, new.units) == (old, 30_000)
    assert api.order.cancel("alpha", new.id).get("orderCancelTransaction", 200).reason == "CLIENT_REQUEST"
    assert body(api.order.cancel("alpha", new.id), 404)["errorCode"] == "ORDER_DOESNT_EXIST"
    again = api.order.market("alpha", instrument="EUR_USD", units=100_000, clientExtensions={"id": "day-1"})
    assert body(again, 400)["orderRejectTransaction"]["rejectReason"] == "CLIENT_ORDER_ID_ALREADY_EXISTS"

    api.trade.close("alpha", opened, units="40000").get("orderFillTransaction", 200)
    assert api.trade.get("alpha", opened).get("trade", 200).currentUnits == 60_000
    assert trader.trading.ListOrders(account="alpha", working=True).orders, "what protects the second trade works"
    api.position.close("alpha", "EUR_USD", longUnits="ALL").get("longOrderFillTransaction", 200)
    patiently(lambda: not api.order.list_pending("alpha").get("orders", 200))

    account = patiently(
        lambda: (a := api.account.get("alpha").get("account", 200)).openTradeCount == 0 and a.marginUsed == 0 and a
    )
    news = api.transaction.since("alpha", id="1").get("transactions", 200)
    earned = sum(Decimal(str(each.pl)) for each in news if each.type == "ORDER_FILL")
    assert Decimal(str(account.pl)) == earned == Decimal(str(account.balance)) - 1_000_000
    assert [int(each.id) for each in news] == list(range(2, 2 + len(news)))
    changes = api.account.changes("alpha", sinceTransactionID="1").get("changes", 200)
    assert len(changes.transactions) == len(news)
    assert {each.id for each in changes.tradesClosed} == {opened, second}


def test_prices_and_transactions_stream(api: v20.Context) -> None:
    """Prices come as they change; an order's transactions come on the stream that was opened before it."""
    told = []
    for kind, message in api.pricing.stream("alpha", instruments="EUR_USD,GBP_USD").parts():
        told.append(message.type)
        if kind == "pricing.PricingHeartbeat":
            break
    assert told.count("PRICE") > 2
    stream = api.transaction.stream("alpha").parts()
    assert next(stream)[1].type == "HEARTBEAT"
    created = api.order.market("alpha", instrument="GBP_USD", units=-10_000).get("orderCreateTransaction", 201).id
    kinds = []
    for _, message in stream:
        if message.type != "HEARTBEAT":
            kinds.append((message.type, getattr(message, "orderID", message.id)))
        if len(kinds) == 2:
            break
    assert kinds == [("MARKET_ORDER", created), ("ORDER_FILL", created)]


def test_candles_are_of_the_history(api: v20.Context) -> None:
    """Candles have the last quotes within their bounds, oldest first."""

    def found() -> Any:
        candles = api.instrument.candles("EUR_USD", granularity="S5", count=3, price="BA").get("candles", 200)
        return candles if len(candles) == 3 else None

    candles = patiently(found)
    assert [each.time for each in candles] == sorted(each.time for each in candles)
    assert all(each.bid.l <= each.bid.c <= each.bid.h < each.ask.h for each in candles)
    assert body(api.instrument.candles("EUR_USD", granularity="H3"), 400)["errorMessage"]


def test_who_has_no_token_sees_nothing(mesh: Mesh, api: v20.Context) -> None:
    """Without the token nothing is told, and another client's account is not this one's."""
    assert body(api.account.summary("house"), 403)
    stranger = v20.Context("localhost", mesh.edge_port, token="x" * 45, poll_timeout=20)
    assert body(stranger.account.list(), 401)


def test_the_platform_trades_at_a_venue_that_speaks_the_api(mesh: Mesh, trader: Client) -> None:
    """An order goes out over the API and comes back filled, cancelled or amended, also when broker is replaced."""
    patiently(lambda: [v for v in trader.broker.ListVenues().venues if v.name == "v20" and v.takes_orders])
    placed = [trader.place("gamma", "EUR/USD", "buy", 100_000 + 1000 * n).order for n in range(3)]
    quote = trader.marketdata.GetQuote(base="EUR", counter="USD").quote
    resting = trader.place("gamma", "EUR/USD", "buy", 50_000, limit_price=f"{quote.bid * 0.98:.5f}").order

    def order(of: order_pb2.Order) -> order_pb2.Order:
        return trader.trading.GetOrder(account="gamma", order=of.order_id).order

    for each in placed:
        patiently(lambda one=each: order(one).status == order_pb2.ORDER_STATUS_FILLED)
    patiently(lambda: order(resting).status == order_pb2.ORDER_STATUS_NEW and order(resting).confirmed)
    mesh.command("restart", "broker")
    trader.amend("gamma", resting.terms.client_order_id, limit_price=f"{quote.bid * 0.985:.5f}")
    patiently(lambda: order(resting).version == 2 and order(resting).status == order_pb2.ORDER_STATUS_NEW)
    trader.cancel("gamma", resting.terms.client_order_id)
    patiently(lambda: order(resting).status == order_pb2.ORDER_STATUS_CANCELLED)
    trader.place("gamma", "EUR/USD", "sell", 303_000)

    def flat(account: str) -> bool:
        return not [p for p in trader.ledger.ListPositions(account=account).positions if Decimal(p.quantity)]

    patiently(lambda: flat("gamma") and flat("house"))

    def dealt(account: str) -> list[Decimal]:
        reports = trader.trading.ListExecutions(account=account, page_size=1000).reports
        return [Decimal(each.fill.quantity) for each in reports if each.HasField("fill")]

    assert sum(dealt("gamma")) == sum(dealt("house")) == 2 * 303_000
