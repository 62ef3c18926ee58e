"""Candidates in the whole mesh: those whose calls succeed and whose business is wrong, found by orders' facts and by
prices; and streams, which move by drain."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from crossrate.api.ledger.v1 import account_pb2
from crossrate.client import AsyncClient, CallError, OrderRejected, OutcomeUnknown
from crossrate.runtime.topology import DEFAULT_PATH
from tests.integration.envoys import until
from tests.load import Load
from tests.mesh import Mesh
from tests.releasing import releasing
from tests.system.release_steps import aborted_cause, become

pytestmark = [pytest.mark.system, pytest.mark.long]

ACCOUNTS = [f"desk-{number}" for number in range(16)]
PAIRS = ("EUR/USD", "USD/JPY", "GBP/USD")
STEPS = '[[steps]]\nweight_percent = 50\nduration = "1h"\n[analysis]\nlatency_relative = 20\nerrors_absolute = 0.3\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where specifications are written."""
    return tmp_path_factory.mktemp("business")


@pytest.fixture(scope="module")
def mesh(folder: Path) -> Iterator[Mesh]:
    """The whole mesh, for these tests alone."""
    with releasing(folder, DEFAULT_PATH.read_text()) as own:
        yield own


@contextlib.asynccontextmanager
async def connected(mesh: Mesh) -> AsyncIterator[AsyncClient]:
    """The operator of this machine, as a client."""
    proof = mesh.place.client_certificate("local")
    async with AsyncClient(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=proof) as client:
        yield client


def specify(folder: Path, name: str, service: str, module: str, rule: str) -> str:
    """Writes a specification; its version is its name."""
    candidate = f'[candidate]\nversion = "{name}"\ncommand = ["python", "-m", "{module}"]\n'
    text = f'service = "{service}"\n{candidate}{STEPS}[[business]]\n{rule}'
    (folder / "releases" / f"{name}.toml").write_text(text)
    return name


@contextlib.asynccontextmanager
async def going_on(work: list[Any]) -> AsyncIterator[None]:
    """What is done until the block is left."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert not [t for t in tasks if not t.cancelled() and t.exception()]


async def ask_for_quotes(client: AsyncClient) -> None:
    """Asks for the same quotes over and over."""
    for pair in itertools.cycle(PAIRS):
        base, counter = pair.split("/")
        await client.marketdata.GetQuote(base=base, counter=counter)


async def test_a_price_that_is_a_fifth_of_a_pip_off_is_found_in_its_pair(mesh: Mesh, folder: Path) -> None:
    """No answer is beyond what the contract tolerates; their mean is, in one pair, and the release says in which."""
    rule = 'metric = "price_drift"\ntolerance = 0.05\nmethod = "MarketDataService/GetQuote"\nfield = "quote.bid"\n'
    rule += 'same = "quote.sequence"\nbound = 2\n'
    name = specify(folder, "off", "marketdata", "tests.candidate_prices", rule)
    async with connected(mesh) as client, going_on([ask_for_quotes(client) for _ in range(2)]):
        await asyncio.to_thread(mesh.json, "release", "start", name)
        release = await become(mesh, name, "aborted", "promoted")
    cause = aborted_cause(release)
    assert "price_drift of EUR/USD fails" in cause
    told = {v["segment"]: v["outcome"] for v in release["verdicts"] if v["metric"] == "price_drift"}
    assert {pair for pair, outcome in told.items() if outcome == "RELEASE_OUTCOME_FAIL"} == {"EUR/USD"}


async def ready(client: AsyncClient, account: str) -> None:
    """Opens an account with a million dollars; returns when risk knows of it."""
    made = account_pb2.Account(
        account=account,
        desk="fx",
        currency="USD",
        margin_rate="0.02",
        position_mode=account_pb2.POSITION_MODE_NETTING,
        cost_method=account_pb2.COST_METHOD_FIFO,
        status=account_pb2.ACCOUNT_STATUS_ACTIVE,
    )
    money = {"amount": "1000000", "currency": "USD", "text": "opening"}
    first, second = str(uuid.uuid4()), str(uuid.uuid4())

    async def deals() -> bool:
        # Repeated as a whole: each call is done once under its id.
        try:
            await client.ledger.OpenAccount(request_id=first, account=made)
            await client.ledger.Deposit(request_id=second, account=account, **money)
            await client.place(account, "EUR/USD", "buy", 1_000, validate_only=True)
        except (OrderRejected, CallError):
            return False
        return True

    await until(deals, 60)


async def trade(client: AsyncClient, account: str, accepted: list[str]) -> None:
    """Deals small amounts to and fro."""
    for side in itertools.cycle(("buy", "sell")):
        for pair in PAIRS:
            with contextlib.suppress(OrderRejected):
                await client.place(account, pair, side, 1_000)
                accepted.append(pair)


async def test_orders_that_are_refused_are_found_though_no_call_fails(mesh: Mesh, folder: Path) -> None:
    """The candidate's orders of one pair are refused by risk: the share is told by the facts of trading, told apart by
    the account that was asked for, and the pair is named."""
    rule = 'metric = "reject_share"\ntolerance = 0.05\nreasons = ["RISK"]\n'
    name = specify(folder, "refuses", "trading", "tests.candidate_orders", rule)
    accepted: list[str] = []
    async with connected(mesh) as client:
        await asyncio.gather(*(ready(client, account) for account in ACCOUNTS))
        async with going_on([trade(client, account, accepted) for account in ACCOUNTS]):
            await until(lambda: len(accepted) > 2 * len(ACCOUNTS), 60)
            await asyncio.to_thread(mesh.json, "release", "start", name)
            release = await become(mesh, name, "aborted", "promoted")
    cause = aborted_cause(release)
    assert "reject_share" in cause
    failed = {v["segment"] for v in release["verdicts"] if v["outcome"] == "RELEASE_OUTCOME_FAIL"}
    # All accounts are of one desk, which has refused orders as a whole.
    assert failed <= {"", "USD/JPY", "desk fx"}
    assert not [c for c in release["calls"] if c.get("candidate") and int(c.get("failures", 0))]


class Dealer:
    """Deals for one account, order by order, each under an id of its own until it has an answer."""

    def __init__(self, client: AsyncClient, account: str) -> None:
        self._client, self._account = client, account
        self.answered: list[str] = []
        self.again = 0
        self.leaving = False

    async def deal(self) -> None:
        """Deals until it is to leave; an order without an answer is placed again under its id."""
        for side in itertools.cycle(("buy", "sell")):
            if self.leaving:
                return
            name = f"moved-{uuid.uuid4()}"
            for _ in range(100):
                try:
                    await self._client.place(self._account, "EUR/USD", side, 1_000, client_order_id=name)
                except OrderRejected:
                    pass
                except (CallError, OutcomeUnknown):
                    self.again += 1
                    continue
                self.answered.append(name)
                break
            else:
                raise AssertionError(f"order {name} of {self._account} has no answer")

    async def listed(self) -> list[str]:
        """Ids of its orders as trading has them."""
        orders = self._client.trading.ListOrders.items(account=self._account, page_size=1000)
        return [o.terms.client_order_id async for o in orders if o.terms.client_order_id.startswith("moved-")]


async def test_orders_follow_their_account_and_none_is_doubled_or_lost(mesh: Mesh, folder: Path) -> None:
    """Trading is released side by side: each version takes the lease of an account with its first order, which fences
    the other one off. Through weights up to all calls and back at once each order that was answered is there once."""
    steps = "".join(f'[[steps]]\nweight_percent = {w}\nduration = "1h"\ngate = "manual"\n' for w in (10, 50, 100))
    (folder / "releases" / "moves.toml").write_text(f'service = "trading"\n[candidate]\nversion = "moves"\n{steps}')
    async with connected(mesh) as client:
        await asyncio.gather(*(ready(client, account) for account in ACCOUNTS))
        dealers = [Dealer(client, account) for account in ACCOUNTS]
        tasks = [asyncio.create_task(dealer.deal()) for dealer in dealers]

        async def more(count: int) -> None:
            goal = sum(len(d.answered) for d in dealers) + count
            await until(lambda: sum(len(d.answered) for d in dealers) >= goal or any(t.done() for t in tasks), 120)

        try:
            await more(50)
            await asyncio.to_thread(mesh.json, "release", "start", "moves")
            await become(mesh, "moves", "stepping")
            for word in ("promote", "promote", "abort"):
                await more(150)
                release = await become(mesh, "moves", "stepping")
                await asyncio.to_thread(mesh.command, "release", word, "moves", "-m", "on")
            await more(150)
        finally:
            for dealer in dealers:
                dealer.leaving = True
            await asyncio.gather(*tasks)
        for dealer in dealers:
            assert sorted(await dealer.listed()) == sorted(dealer.answered)
    await become(mesh, "moves", "aborted")
    placed = {c["candidate"]: int(c["calls"]) for c in release["calls"] if c["method"].endswith("/PlaceOrder")}
    assert min(placed[True], placed[False]) > 20
    print(f"orders: {sum(len(d.answered) for d in dealers)}, placed again: {sum(d.again for d in dealers)}")


async def test_streams_move_by_drain_and_go_on_where_they_were(mesh: Mesh, folder: Path) -> None:
    """Streams that were opened on a candidate end as the contract says when it is taken back, and go on at the stable
    version from their cursors; they fail as little as calls do."""
    candidate = '[candidate]\nversion = "streams"\n[[steps]]\nweight_percent = 100\nduration = "1h"\n'
    (folder / "releases" / "streams.toml").write_text(f'service = "marketdata"\n{candidate}')
    await asyncio.to_thread(mesh.json, "release", "start", "streams")
    await become(mesh, "streams", "stepping")
    async with Load(mesh) as load:
        await until(lambda: load.calls > 50 and load.messages > 20, 60)
        await asyncio.to_thread(mesh.command, "release", "abort", "streams", "-m", "back")
        await become(mesh, "streams", "aborted")
        await until(lambda: load.resumed >= 2, 60)
        calls, messages = load.calls, load.messages
        await until(lambda: load.calls > calls + 50 and load.messages > messages + 20, 60)
    assert load.failed == 0, dict(load.failures)
    seen = {
        c["method"].rpartition("/")[2] for c in (await become(mesh, "streams", "aborted"))["calls"] if c["candidate"]
    }
    assert "GetQuote" in seen
