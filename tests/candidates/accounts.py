"""Callers of the ledger by account, which the contract keeps on one version each."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import grpc

from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger_pb
from tests.accounts import open_account
from tests.bench.load_channel import LoadChannel
from tests.candidates.faults import VERSION
from tests.mesh import Mesh

GET_BALANCES = "/crossrate.api.ledger.v1.LedgerService/GetBalances"
ACCOUNTS = [f"canary-{number}" for number in range(100)]
CALLERS = 4


async def open_accounts(mesh: Mesh) -> None:
    """Opens all accounts at the ledger's own socket."""
    async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket('ledger-1')}") as channel:
        for name in ACCOUNTS:
            await open_account(channel, name)


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
