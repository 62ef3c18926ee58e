"""Callers of the ledger by account, which the contract keeps on one version each."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable

import grpc

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as account_pb
from crossrate.api.ledger.v1 import account_service_pb2_grpc as account_grpc
from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger_pb
from tests.bench.load_channel import LoadChannel
from tests.candidates.faults import VERSION
from tests.mesh import Mesh

GET_BALANCES = "/crossrate.api.ledger.v1.LedgerService/GetBalances"
ACCOUNTS = [f"canary-{number}" for number in range(100)]
CALLERS = 4


async def open_accounts(mesh: Mesh) -> None:
    """Opens all accounts at the ledger's own socket."""
    async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket('ledger-1')}") as channel:
        stub = account_grpc.AccountServiceStub(channel)
        for name in ACCOUNTS:
            account = account_pb2.Account(
                account=name,
                desk="spot",
                currency="USD",
                position_mode=account_pb2.POSITION_MODE_NETTING,
                cost_method=account_pb2.COST_METHOD_FIFO,
                status=account_pb2.ACCOUNT_STATUS_ACTIVE,
                margin_rate="0.05",
            )
            request = account_pb.OpenAccountRequest(request_id=str(uuid.uuid4()), account=account)
            await stub.OpenAccount(request, timeout=20)


class AccountCallers:
    """Calls for the balances of each account in turn, so many a second, until they are left."""

    def __init__(self, channel: Callable[[], LoadChannel], rate: float) -> None:
        self._channel, self._pause = channel, CALLERS / rate
        self._leaving = False
        self.candidate = "none"
        """Version of the candidate, by which its answers are told."""
        self.side: dict[str, bool] = {}
        """Whether the candidate gave an account's newest answer."""
        self._sweeps = [0] * CALLERS
        self.answers = 0
        self.failures = collections.Counter[str]()

    @property
    def calls(self) -> int:
        """Calls that ended."""
        return self.answers + self.failures.total()

    async def _call(self, number: int) -> None:
        due = time.monotonic()
        async with self._channel() as channel:
            ask = channel.unary_unary(GET_BALANCES)
            while not self._leaving:
                for name in ACCOUNTS[number::CALLERS]:
                    call = ask(ledger_pb.GetBalancesRequest(account=name).SerializeToString(), timeout=10)
                    try:
                        await call
                    except grpc.aio.AioRpcError as error:
                        self.failures[f"{error.code().name}: {error.details()}"[:160]] += 1
                    else:
                        self.answers += 1
                        self.side[name] = (await call.trailing_metadata()).get(VERSION) == self.candidate
                    due = max(due + self._pause, time.monotonic() - 1)
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    if self._leaving:
                        return
                self._sweeps[number] += 1

    async def sweep(self) -> None:
        """Returns when every account has been called for since now."""
        wanted = min(self._sweeps) + 3
        end = time.monotonic() + 60
        while min(self._sweeps) < wanted:
            if time.monotonic() > end:
                raise TimeoutError(f"callers do not go on: {self.failures}")
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Calls until the block is left."""
        tasks = [asyncio.create_task(self._call(n)) for n in range(CALLERS)]
        try:
            yield
        finally:
            self._leaving = True
            await asyncio.gather(*tasks)
