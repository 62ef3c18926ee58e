"""Writes under a release, with a proxy for each service: none is done twice and none is lost while calls move."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import grpc
import pytest

from crossrate.api.control.v1 import release_service_pb2 as release_pb
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from crossrate.api.ledger.v1 import account_pb2, ledger_service_pb2, movement_service_pb2
from crossrate.api.ledger.v1.account_service_pb2 import OpenAccountRequest
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.api.ledger.v1.movement_service_pb2_grpc import MovementServiceStub
from tests.integration.envoys import until
from tests.mesh import Mesh
from tests.releasing import LEDGER, MARKETDATA, RELEASING, releasing
from tests.system.release_steps import become, command, gone

pytestmark = [pytest.mark.system, pytest.mark.long]

ACCOUNTS = [f"writes-{number}" for number in range(24)]
DESKS = ("spot", "options")
AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED)
"""Codes after which a write is sent again under its id, as the contract says."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where specifications are written."""
    return tmp_path_factory.mktemp("writes")


@pytest.fixture(scope="module")
def mesh(folder: Path) -> Iterator[Mesh]:
    """Ledger and what it needs, each behind a proxy of its own; control reads its facts."""
    topology = (RELEASING + MARKETDATA + LEDGER).replace('layout = "node"', 'layout = "sidecar"')
    topology = topology.replace(
        "[services.control]\ncalls = []", '[services.control]\ncalls = []\nconsumes = ["ledger"]'
    )
    with releasing(folder, topology) as own:
        yield own


class Depositors:
    """One client an account deposits one dollar after the other through the edge, each until it has an answer."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh, self._leaving = mesh, False
        self.acknowledged: collections.Counter[str] = collections.Counter()
        self.again: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []

    async def _deposit(self, stub: MovementServiceStub, account: str) -> None:
        wanted = movement_service_pb2.DepositRequest(
            request_id=str(uuid.uuid4()), account=account, currency="USD", amount="1", text="one"
        )
        while True:
            try:
                await stub.Deposit(wanted, timeout=20)
            except grpc.aio.AioRpcError as error:
                if error.code() not in AGAIN:
                    self.failures.append(f"{error.code().name} {error.details()}")
                    return
                self.again[error.code().name] += 1
            else:
                self.acknowledged[account] += 1
                return

    async def _client(self, account: str) -> None:
        async with self._mesh.edge_channel("local") as channel:
            stub = MovementServiceStub(channel)
            while not self._leaving:
                await self._deposit(stub, account)

    @contextlib.asynccontextmanager
    async def depositing(self) -> AsyncIterator[None]:
        """Deposits until the block is left; then every deposit has been answered."""
        tasks = [asyncio.create_task(self._client(account)) for account in ACCOUNTS]
        try:
            yield
        finally:
            self._leaving = True
            await asyncio.gather(*tasks)

    async def more(self, count: int) -> None:
        """Returns when so many more have been acknowledged."""
        goal = self.acknowledged.total() + count
        await until(lambda: self.acknowledged.total() >= goal or self.failures, 120)


async def open_accounts(mesh: Mesh) -> None:
    """Accounts of two desks."""
    async with mesh.edge_channel("local") as channel:
        for number, name in enumerate(ACCOUNTS):
            account = account_pb2.Account(
                account=name,
                desk=DESKS[number % len(DESKS)],
                currency="USD",
                position_mode=account_pb2.POSITION_MODE_NETTING,
                cost_method=account_pb2.COST_METHOD_FIFO,
                status=account_pb2.ACCOUNT_STATUS_ACTIVE,
                margin_rate="0.05",
            )
            request = OpenAccountRequest(request_id=str(uuid.uuid4()), account=account)
            await AccountServiceStub(channel).OpenAccount(request, timeout=30)


async def balances(mesh: Mesh) -> dict[str, Decimal]:
    """What each account has in dollars."""
    found = {}
    async with mesh.edge_channel("local") as channel:
        for account in ACCOUNTS:
            asked = ledger_service_pb2.GetBalancesRequest(account=account)
            answer = await LedgerServiceStub(channel).GetBalances(asked, timeout=30)
            found[account] = sum((Decimal(b.amount) for b in answer.balances.cash if b.currency == "USD"), Decimal(0))
    return found


def specify(folder: Path, name: str) -> str:
    """A canary of the checkout's own ledger that goes on by words alone."""
    steps = "".join(
        f'[[steps]]\nweight_percent = {weight}\nduration = "1h"\ngate = "manual"\n' for weight in (10, 50, 100)
    )
    tests = "[analysis]\nerrors_absolute = 0.3\nlatency_relative = 50\n"
    (folder / "releases" / f"{name}.toml").write_text(
        f'service = "ledger"\n[candidate]\nversion = "{name}"\n{steps}{tests}'
    )
    return name


async def test_every_deposit_is_booked_once_while_its_account_moves(mesh: Mesh, folder: Path) -> None:
    """Through weights up to all calls and back at once, accounts are answered by one version after the other; each
    acknowledged deposit is booked once, and no other. The tests of the release name the desks of the accounts."""
    await open_accounts(mesh)
    name, depositors = specify(folder, "ledger-2"), Depositors(mesh)
    async with depositors.depositing():
        await depositors.more(50)
        await command(mesh, "start", name)
        await become(mesh, name, "stepping")
        for _ in range(2):
            await depositors.more(150)
            await command(mesh, "promote", name, "-m", "on")
        await depositors.more(150)
        release = await become(mesh, name, "stepping")
        await command(mesh, "abort", name, "-m", "back")
        await depositors.more(150)
    assert depositors.failures == []
    assert await balances(mesh) == {account: Decimal(depositors.acknowledged[account]) for account in ACCOUNTS}
    assert [d.get("weightBp", 0) for d in release["decisions"]] == [0, 1000, 5000, 10_000]
    written = {c["candidate"]: int(c["calls"]) for c in release["calls"] if c["method"].endswith("/Deposit")}
    assert min(written[True], written[False]) > 20
    assert {v["segment"] for v in release["verdicts"] if v["metric"] == "errors"} >= {f"desk {d}" for d in DESKS}
    await become(mesh, name, "aborted")
    await until(lambda: gone(mesh))
    print(f"deposits: {depositors.acknowledged.total()}, sent again: {dict(depositors.again)}")


async def test_a_promotion_loses_no_deposit(mesh: Mesh, folder: Path) -> None:
    """Each instance is replaced while the candidate has all calls; a promotion that is under way cannot be aborted, and
    says what to do."""
    before = await balances(mesh)
    name, depositors = specify(folder, "ledger-3"), Depositors(mesh)
    async with depositors.depositing():
        await command(mesh, "start", name)
        await become(mesh, name, "stepping")
        for _ in range(3):
            await depositors.more(20)
            await command(mesh, "promote", name, "-m", "on")
        with contextlib.suppress(grpc.aio.AioRpcError):
            # It may be over by now.
            async with mesh.control_channel() as channel:
                wanted = release_pb.AbortReleaseRequest(request_id=str(uuid.uuid4()), release=name)
                await release_grpc.ReleaseServiceStub(channel).AbortRelease(wanted, timeout=20)
                pytest.fail("a promotion was aborted")
        await become(mesh, name, "promoted")
        await depositors.more(50)
    assert depositors.failures == []
    expected = {account: before[account] + depositors.acknowledged[account] for account in ACCOUNTS}
    assert await balances(mesh) == expected
    await until(lambda: gone(mesh))
