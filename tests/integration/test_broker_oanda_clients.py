"""Programs over the v20 API at broker's own socket: who they are, what they may, and what a kill leaves."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from crossrate.node import credentials
from tests.integration.broker_stand import Floor, floor
from tests.integration.conftest import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
TOKEN = "desk-token-0123456789abcdef0123456789"
CLIENTS = """
[clients.desk]
accounts = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "ghost", "hedge"]
streams_max = 2
[clients.slow]
accounts = ["a5"]
requests_per_s_max = 2
"""
MARKET = {"order": {"type": "MARKET", "instrument": "EUR_USD", "units": "100000"}}
LIMIT = {"order": {"type": "LIMIT", "instrument": "EUR_USD", "units": "-500", "price": "1.1000"}}


def program(made: Floor, token: str = TOKEN, name: str = "broker-1", account: str = "a1") -> httpx.AsyncClient:
    """A program of a client."""
    transport = httpx.AsyncHTTPTransport(uds=str(made.servers.place.http_socket(name)))
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(
        transport=transport, base_url=f"http://broker/v3/accounts/{account}", headers=headers, timeout=30
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made() -> AsyncIterator[Floor]:
    """Broker with clients; market orders are filled at 1.085. Each test has an account of its own."""
    async with floor(oanda_clients=CLIENTS, tokens={"desk": TOKEN, "slow": "slow" + TOKEN}) as running:
        running.trading.fills_at = "1.08500"
        await running.market.say("EUR/USD", 1.0849, 1.0851)
        yield running


@contextlib.asynccontextmanager
async def serving(made: Floor, account: str) -> AsyncIterator[httpx.AsyncClient]:
    """A program, once its account is read."""
    async with program(made, account=account) as desk:
        await until_read(desk)
        yield desk


async def until_read(desk: httpx.AsyncClient) -> None:
    """Waits until the account is read, and the client may come in."""

    for _ in range(600):
        with contextlib.suppress(httpx.HTTPError):
            if (await desk.get("/transactions/1")).status_code == 200:
                return
        await asyncio.sleep(0.1)
    raise AssertionError("the account is not read")


def entered(made: Floor, account: str) -> list[str]:
    """The orders of an account, by their ids at trading."""
    return [name for owner, name in made.trading.orders if owner == account]


async def said(answer: httpx.Response, status: int) -> dict[str, Any]:
    """An answer's JSON."""
    assert answer.status_code == status, answer.text
    assert answer.headers["requestid"]
    return answer.json()


async def log(desk: httpx.AsyncClient) -> list[dict[str, Any]]:
    """All transactions; their ids have no gap."""
    found = (await said(await desk.get("/transactions/sinceid?id=0"), 200))["transactions"]
    assert [int(each["id"]) for each in found] == list(range(1, len(found) + 1))
    return found


async def test_answers_are_of_what_is_committed_and_have_the_api_s_shapes(made: Floor) -> None:
    """Decimals are strings, ids are those of transactions, times come as they are asked for."""
    async with serving(made, "a1") as desk:
        placed = await said(await desk.post("/orders", json=MARKET), 201)
        created, filled = placed["orderCreateTransaction"], placed["orderFillTransaction"]
        assert placed["relatedTransactionIDs"] == [created["id"], filled["id"]] == ["2", "3"]
        assert (filled["units"], filled["price"], filled["orderID"]) == ("100000", "1.08500", "2")
        assert created["time"].endswith("Z")
        assert (await said(await desk.get("/orders/2"), 200))["order"]["state"] == "FILLED"
        trade = (await said(await desk.get("/trades/3"), 200))["trade"]
        assert (trade["currentUnits"], trade["unrealizedPL"]) == ("100000", "-10.0000")
        unix = await desk.get("/transactions/2", headers={"accept-datetime-format": "UNIX"})
        assert float(unix.json()["transaction"]["time"]) > 1e9
        prices = await said(await desk.get("/pricing?instruments=EUR_USD"), 200)
        assert prices["prices"][0]["bids"] == [{"price": "1.08490", "liquidity": 0}]
        positions = (await said(await desk.get("/openPositions"), 200))["positions"]
        assert positions[0]["long"]["tradeIDs"] == ["3"]
        closed = await said(await desk.put("/trades/3/close", json={"units": "40000"}), 200)
        assert closed["orderFillTransaction"]["tradeReduced"]["tradeID"] == "3"
        pages = await said(await desk.get("/transactions?pageSize=2"), 200)
        assert pages["count"] == 5
        assert len(pages["pages"]) == 3
        assert not [line for line in json.dumps(await log(desk)).split('"') if line.startswith("_")]


async def test_an_id_of_a_client_enters_one_order_for_ever(made: Floor) -> None:
    """The same id with the same body, another body, or after broker's end is refused; a body that never came through is
    entered when it is sent again."""
    async with serving(made, "a2") as desk:
        order = {"order": LIMIT["order"] | {"clientExtensions": {"id": "mine", "comment": "☂"}}}
        first = await said(await desk.post("/orders", json=order), 201)
        again = await said(await desk.post("/orders", json=order), 400)
        assert again["errorCode"] == again["orderRejectTransaction"]["rejectReason"] == "CLIENT_ORDER_ID_ALREADY_EXISTS"
        made.kill()
        await made.start()
        await until_read(desk)
        assert (await desk.post("/orders", json=order)).status_code == 400
        found = await said(await desk.get("/orders/@mine"), 200)
        assert found["order"]["id"] == first["orderCreateTransaction"]["id"]
        assert len(entered(made, "a2")) == 1


async def test_a_kill_in_the_midst_loses_and_doubles_nothing(made: Floor) -> None:
    """Orders are sent while broker is killed again and again; each that has an id is entered once, and told once."""
    async with serving(made, "a3") as desk:
        names = [f"k{number}" for number in range(40)]

        async def enter(name: str) -> None:
            order = {"order": MARKET["order"] | {"clientExtensions": {"id": name}, "units": "1000"}}
            for _ in range(600):
                with contextlib.suppress(httpx.HTTPError):
                    asked = await desk.get(f"/orders/@{name}")
                    if asked.status_code == 200:
                        return
                    if asked.status_code == 404:
                        sent = await desk.post("/orders", json=order)
                        if sent.status_code == 201:
                            return
                await asyncio.sleep(0.1)
            raise AssertionError(f"{name} does not come through")

        async def nemesis() -> None:
            for _ in range(3):
                placed = len(made.trading.placed)
                await eventually(lambda before=placed: len(made.trading.placed) >= min(before + 5, len(names)), 60)
                made.kill()
                await made.start()

        async def all_of(mine: list[str]) -> None:
            for name in mine:
                await enter(name)

        await asyncio.gather(nemesis(), *(all_of(names[i::4]) for i in range(4)))
        fills = [each for each in await log(desk) if each["type"] == "ORDER_FILL"]
        assert sorted(each["clientOrderID"] for each in fills) == sorted(names)
        assert len(entered(made, "a3")) == len(names)
        trades = (await said(await desk.get("/openTrades"), 200))["trades"]
        assert sum(int(each["currentUnits"]) for each in trades) == 40_000


async def test_two_instances_tell_the_same(made: Floor) -> None:
    """Both fold the same reports; numbers stay without a gap, and either answers for what the other one took."""
    async with serving(made, "a4") as desk:
        await made.start("broker-2")
        async with program(made, name="broker-2", account="a4") as other:
            await until_read(other)
            sides = [desk, other] * 10
            answers = await asyncio.gather(*(each.post("/orders", json=MARKET) for each in sides))
            assert {each.status_code for each in answers} == {201}
            assert await log(desk) == await log(other)
            assert len([e for e in await log(desk) if e["type"] == "ORDER_FILL"]) == 20


async def test_who_comes_in_and_how_fast(made: Floor) -> None:
    """Without a token nothing; no account of others; a rate that is kept; an account that is not there says so."""
    async with serving(made, "a5") as desk:
        for headers in ({}, {"authorization": "Basic x"}, {"authorization": "Bearer " + "x" * 40}):
            async with program(made) as nobody:
                nobody.headers.pop("authorization")
                answer = await nobody.get("/summary", headers=headers)
                assert (answer.status_code, "errorMessage" in answer.json()) == (401, True)
        async with program(made, account="beta") as stranger:
            assert (await stranger.get("/summary")).status_code == 403
        for account in ("ghost", "hedge"):
            async with program(made, account=account) as early:
                assert (await early.get("/summary")).status_code == 503
        async with program(made, token="slow" + TOKEN, account="a5") as slow:
            codes = [(await slow.get("/transactions/1")).status_code for _ in range(10)]
            assert 429 in codes
        answer = await desk.get("/nothing")
        assert (answer.status_code, answer.json()["errorMessage"][:4]) == (404, "GET ")


async def test_a_token_that_is_taken_away_ends_what_it_opened(made: Floor) -> None:
    """The file is read again: streams end, and nobody comes in by the old token; the new one is taken."""
    async with serving(made, "a6") as desk:
        path = made.servers.place.state / "oanda" / "desk.token"
        async with desk.stream("GET", "/transactions/stream") as stream:
            lines = stream.aiter_lines()
            assert json.loads(await anext(lines))["type"] == "HEARTBEAT"
            credentials.write_private(path, hashlib.sha256(b"another" + TOKEN.encode()).hexdigest())
            async with asyncio.timeout(20):
                async for _ in lines:
                    pass
        assert (await desk.get("/summary")).status_code == 401
        async with program(made, token="another" + TOKEN, account="a6") as renewed:
            assert (await renewed.get("/summary")).status_code == 200
        credentials.write_private(path, hashlib.sha256(TOKEN.encode()).hexdigest())
        await until_read(desk)


async def test_streams_tell_and_beat_and_are_bounded(made: Floor) -> None:
    """Prices and transactions come as they happen; a third stream of a client with two is refused."""
    async with (
        serving(made, "a1") as desk,
        desk.stream("GET", "/pricing/stream?instruments=EUR_USD") as prices,
        desk.stream("GET", "/transactions/stream") as news,
    ):
        told = prices.aiter_lines()
        assert json.loads(await anext(told))["closeoutBid"] == "1.08490"
        assert (await desk.get("/transactions/stream")).status_code == 429
        await made.market.say("EUR/USD", 1.0900, 1.0902)
        assert json.loads(await anext(told))["closeoutBid"] == "1.09000"
        lines = news.aiter_lines()
        assert json.loads(await anext(lines))["type"] == "HEARTBEAT"
        await said(await desk.post("/orders", json=MARKET), 201)
        kinds = [json.loads(await anext(lines))["type"] for _ in range(2)]
        assert kinds == ["MARKET_ORDER", "ORDER_FILL"]


WRONG = [
    (b"", "order"),
    (b"[]", "no JSON object"),
    (b"{", "no JSON object"),
    (b'{"order": NaN}', "no JSON object"),
    (b"\xff\xfe", "no JSON object"),
    (b"[" * 60_000, "no JSON object"),
    (b'{"a":' * 20 + b"1" + b"}" * 20, "deeper"),
    (b'{"order": {"type": "MARKET"}}', "order.instrument"),
    (b'{"order": {"type": "MARKT"}}', "order.type"),
    (b'{"order": {"type": "MARKET", "instrument": "EUR_USD", "units": "1e5"}}', "order.units"),
    (b'{"order": {"type": "MARKET", "instrument": "EUR_USD", "units": true}}', "order.units"),
    (b'{"order": {"type": "MARKET", "instrument": "EUR_USD", "units": "1", "stopLos": 1}}', "order.stopLos"),
    (b'{"order": {"type": "LIMIT", "instrument": "EUR_USD", "units": "1"}}', "order.price"),
    (b'{"order": {"type": "LIMIT", "instrument": "EUR_USD", "units": "1", "price": "-1"}}', "order.price"),
    (b'{"order": {"type": "MARKET", "instrument": "EUR_USD", "units": "1", "timeInForce": "GTC"}}', "timeInForce"),
    (b'{"order": {}, "more": 1}', "order"),
]


async def test_bodies_that_are_wrong_are_refused_in_words(made: Floor) -> None:
    """Each wrong body is a 400 that names the field; one that is too large a 413; nothing reaches trading."""
    async with serving(made, "a7") as desk:
        for body, words in WRONG:
            answer = await desk.post("/orders", content=body)
            told = await said(answer, 400)
            assert words in told["errorMessage"], (body[:80], told)
        assert (await desk.post("/orders", content=b" " * 70_000)).status_code == 413
        for path in ("/orders/x", f"/orders/{'9' * 20}", "/trades/@none", "/positions/EUR_ABC", "/transactions/0"):
            assert (await desk.get(path)).status_code in (400, 404)
        for query in ("/sinceid", "/sinceid?id=-1", "/idrange?from=5&to=1", "/idrange?from=1&to=999999", "?pageSize=0"):
            assert (await desk.get(f"/transactions{query}")).status_code == 400
        assert not entered(made, "a7")
        assert [each["type"] for each in await log(desk)] == ["CREATE"]
