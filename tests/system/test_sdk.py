"""The SDK against the whole mesh: every service, streams over restarts, numbers, history, tokens of a login."""

import asyncio
import datetime as dt
import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from crossrate.client import (
    AsyncClient,
    Client,
    Frame,
    Gap,
    InvalidArgument,
    PermissionDenied,
    Reason,
    StepUpRequired,
    Unauthenticated,
)
from crossrate.client.aio import public_services
from crossrate.kernel import vanilla
from tests.ending import joined
from tests.mesh import Mesh

pytestmark = pytest.mark.system

READS: dict[str, tuple[str, dict[str, Any]]] = {
    "audit": ("GetAuditStatus", {}),
    "broker": ("ListVenues", {}),
    "control": ("GetMeshStatus", {}),
    "identity": ("ListUsers", {}),
    "ledger": ("ListAccounts", {}),
    "marketdata": ("ListFeeds", {}),
    "pipeline": ("ListDatasets", {}),
    "pricing": ("ListMarkets", {}),
    "reference": ("ListCurrencies", {}),
    "risk": ("GetLimits", {}),
    "trading": ("ListOrders", {"account": "nobody"}),
}
"""A read of each service."""


def at(mesh: Mesh, client: str = "local") -> dict[str, Any]:
    """Where a client of the topology finds the mesh."""
    return {
        "target": f"localhost:{mesh.edge_port}",
        "ca": mesh.roots,
        "client": mesh.place.client_certificate(client) if client else "",
    }


@pytest.fixture(scope="module")
def client(mesh: Mesh) -> Iterator[Client]:
    """A program of this machine."""
    with Client(**at(mesh)) as made:
        yield made


def account(client: Client) -> str:
    """An account of a test's own."""
    name = f"sdk-{uuid.uuid4().hex[:8]}"
    terms = {"position_mode": "netting", "cost_method": "average", "status": "active", "margin_rate": Decimal("0.05")}
    client.ledger.OpenAccount(account={"account": name, "desk": "spot", "currency": "USD", **terms})
    return name


async def test_every_service_is_reached(mesh: Mesh, client: Client) -> None:
    """A read of each answers, with asyncio and without, and no service is without one here."""
    assert set(READS) == set(public_services())
    async with AsyncClient(**at(mesh)) as swift:
        for word, (name, fields) in READS.items():
            answer = await getattr(getattr(swift, word), name)(**fields)
            again = await asyncio.to_thread(getattr(getattr(client, word), name), **fields)
            assert type(answer) is type(again), word


def test_a_stream_outlives_the_instances_that_serve_it(mesh: Mesh, client: Client) -> None:
    """While marketdata is restarted, each quote of the log comes once and in order, without a gap."""
    restarted = threading.Event()

    def restart() -> None:
        try:
            mesh.command("restart", "marketdata")
        finally:
            restarted.set()

    numbers: list[int] = []
    gaps: list[Gap] = []
    after = 0
    thread = threading.Thread(target=restart)
    for message in client.marketdata.StreamQuotes.follow(instruments=["EUR/USD"], on_gap=gaps.append):
        numbers += [quote.sequence for quote in message.quotes.quotes]
        if not after and len(numbers) > 3:
            thread.start()
            after = 1
        if restarted.is_set():
            after += 1
            if after > 20:
                break
    joined(thread, "the restart")
    assert not gaps
    distinct = list(dict.fromkeys(numbers))
    assert distinct == sorted(distinct)
    assert distinct == list(range(distinct[0], distinct[-1] + 1))


def test_a_write_is_done_once(client: Client) -> None:
    """A request that is sent again by hand is answered as before, and moves no money twice."""
    name = account(client)
    deposit = client.ledger.Deposit.request(account=name, currency="USD", amount=Decimal("100.10"))
    answers = [client.ledger.Deposit(deposit) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    deposit.amount = "7"
    with pytest.raises(Exception, match="REQUEST_ID_REUSED"):
        client.ledger.Deposit(deposit)
    assert len(list(client.ledger.ListPostings.items(account=name, page_size=1))) == 1


def test_who_may_not_is_told_by_a_class(mesh: Mesh) -> None:
    """A viewer's write is refused with the reason and what to do; who proves nothing is nobody."""
    with Client(**at(mesh, "viewer")) as viewer:
        with pytest.raises(PermissionDenied) as caught:
            viewer.reference.SetInstrumentStatus(base="EUR", counter="USD", status="halted", comment="no")
        assert "crossrate authz SetInstrumentStatus" in caught.value.remedy
        assert not isinstance(caught.value, StepUpRequired)
    with Client(**at(mesh, "")) as nobody, pytest.raises((Unauthenticated, PermissionDenied)):
        nobody.reference.ListCurrencies()
    with Client(**at(mesh, ""), token="no.such.token") as liar:
        with pytest.raises(Unauthenticated) as refused:
            liar.reference.ListCurrencies()
        assert "crossrate login" in refused.value.remedy


def test_options_are_the_kernels(client: Client) -> None:
    """What comes over the wire is what the kernel computes, for more options than one call holds."""
    count = 120_000
    draws = np.random.default_rng(7)
    strike, time = draws.uniform(0.9, 1.3, count), draws.uniform(0.01, 2, count)
    calls = draws.integers(0, 2, count).astype(np.int32)
    market = {"spot": 1.1, "volatility": 0.1, "domestic_rate": 0.04, "foreign_rate": 0.02}
    greeks = client.price_options(calls, strike, time, **market)
    here = vanilla.greeks(calls, 1.1, strike, time, 0.1, 0.04, 0.02)
    for name in greeks._fields:
        np.testing.assert_allclose(getattr(greeks, name), getattr(here, name), rtol=1e-12, atol=1e-14, err_msg=name)
    with pytest.raises(InvalidArgument) as caught:
        client.price_options("put", [1.1, -1.0], 0.5, **market)
    assert caught.value.violations[0].field == "strike[1]"
    implied = client.imply_volatility("call", [[1.0], [1.1]], [0.5, 1.0], 1e-9, skip_unsolved=True, **_without(market))
    assert implied.shape == (2, 2)
    assert np.isnan(implied[0]).all()


def _without(market: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in market.items() if name != "volatility"}


def test_value_at_risk_of_a_book(client: Client) -> None:
    """Progress reaches its end, and the result is the calculation's."""
    from crossrate.client import risk_book

    book = risk_book(
        np.array(["EUR/USD", "USD/JPY"]),
        ["forward", "put"],
        strike=[1.17, 146.0],
        time=0.5,
        notional=[1e6, -5e5],
        volatility=0.08,
        domestic_rate=[0.04, 0.005],
        foreign_rate=[0.02, 0.04],
        reporting_currency="USD",
        spot={"EUR/USD": 1.17, "USD/JPY": 148.0},
        conversion={"USD/JPY": 1 / 148.0},
    )
    shares: list[float] = []
    window = {"days": 500, "end_date": dt.date(2026, 9, 30)}
    result = client.value_at_risk(book, confidence=[0.95, 0.99], historical=window, on_progress=shares.append)
    assert [measure.confidence for measure in result.measures] == [0.95, 0.99]
    assert round(result.measures[1].value_at_risk) == 10941
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_history_is_columns(client: Client) -> None:
    """Ticks are those that pages tell, of the columns that were asked for, and bars are built of them."""
    quote = client.marketdata.GetQuote(base="EUR", counter="USD").quote
    end = quote.venue_time.ToDatetime(dt.UTC) + dt.timedelta(milliseconds=1)
    start = end - dt.timedelta(seconds=20)
    ticks = client.ticks("EUR/USD", start, end, source=quote.source)
    assert len(ticks) > 5
    assert ticks.columns == (
        "venue_time",
        "bid",
        "ask",
        "bid_quantity",
        "ask_quantity",
        "receive_time",
        "sequence",
        "flags",
    )
    assert (np.diff(ticks["sequence"].astype(np.int64)) == 1).all()
    assert ticks["sequence"][-1] == quote.sequence
    pages = client.marketdata.QueryTicks.pages(
        base="EUR", counter="USD", start_time=start, end_time=end, source=quote.source, page_size=7
    )
    assert [number for page in pages for number in page.ticks.sequence] == ticks["sequence"].tolist()
    parts = list(client.stream_ticks("EUR/USD", start, end, source=quote.source, columns=["bid"], batch_rows=3))
    assert parts[0].columns == ("venue_time", "bid")
    assert (Frame.joined(parts)["bid"] == ticks["bid"]).all()
    assert len(client.ticks("EUR/USD", "2001-01-01T00:00Z", "2001-01-02T00:00Z", source=quote.source)) == 0
    bars = client.bars("EUR/USD", "1s", start, end, source=quote.source, sides=["mid"])
    middle = slice(1, -1)
    mids = (ticks["bid"] + ticks["ask"]) / 2
    seconds = ticks["venue_time"].astype("datetime64[s]").astype("datetime64[ns]")
    for when, high, count in zip(*(bars[n][middle] for n in ("open_time", "mid.high", "tick_count")), strict=True):
        assert count == (seconds == when).sum()
        assert high == pytest.approx(mids[seconds == when].max(), abs=1e-12)


def test_any_list_is_a_frame(client: Client) -> None:
    """What a method lists becomes columns, in the order in which it is listed."""
    names = [each.name for each in client.reference.ListInstruments.items(currency="NOK")]
    frame = Frame.of(client.reference.ListInstruments.items(currency="NOK", page_size=7), index="name")
    assert frame["name"].tolist() == names
    assert frame["pip"].dtype in (np.float64, np.dtype(object))


def test_reasons_and_ids_are_those_of_the_logs(mesh: Mesh, client: Client) -> None:
    """`call_id` finds the call in the logs of the mesh."""
    with pytest.raises(InvalidArgument) as caught:
        client.marketdata.GetQuote(base="EUR", counter="usd", metadata=[("x-request-id", f"sdk-{uuid.uuid4()}")])
    assert caught.value.reason is Reason.INVALID_REQUEST
    assert caught.value.call_id
