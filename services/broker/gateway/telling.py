"""Trading's reports on their way to a client: each is sent with the position that it moves, in one transaction."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.fix.application import Disconnected
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.faults import NotLoggedOn
from crossrate.rpc.call_error import CallError
from crossrate.store.errors import StoreError
from services.broker.gateway.kept import Kept
from services.broker.gateway.words_out import Chain, message_of, trade_of

SILENCE_S_MAX = 30.0
PAUSE_S_MAX = 2.0


class Telling:
    """See the module. What happens while the client is away is read from trading when he is back."""

    def __init__(self, kept: Kept, trading: TradingServiceStub, everything: bool, note: Any) -> None:
        self._kept = kept
        self._trading = trading
        self._everything = everything
        self._note = note
        self.endpoint: Endpoint | None = None
        self._standing = asyncio.Event()

    def stand(self) -> None:
        """The client is logged on."""
        self._standing.set()

    def fall(self) -> None:
        """He is gone."""
        self._standing.clear()

    async def run(self, account: str) -> None:
        """Tells the reports of an account, until it is cancelled."""
        failures = 0
        while True:
            await self._standing.wait()
            try:
                await self._follow(account)
                failures = 0
            except (CallError, StoreError, NotLoggedOn, Disconnected, TimeoutError, StopAsyncIteration) as error:
                failures += 1
                if failures == 3:
                    self._note.warning("reports do not reach a client", session=self._kept.session, why=str(error))
            await asyncio.sleep(min(PAUSE_S_MAX, 0.02 * 2 ** min(failures, 8)) * random.uniform(0.5, 1))

    async def _follow(self, account: str) -> None:
        after = await self._kept.told(account) or 0
        call = self._trading.StreamExecutions(history.StreamExecutionsRequest(account=account, after_sequence=after))
        try:
            stream = aiter(call)
            while self._standing.is_set():
                async with asyncio.timeout(SILENCE_S_MAX):
                    message = await anext(stream)
                if message.HasField("reports"):
                    await self._tell(account, message.reports.reports)
                elif message.HasField("error") or message.HasField("end"):
                    return
        finally:
            call.cancel()

    async def begin(self, account: str) -> None:
        """A session that is new begins with what comes now: what was before is not its own.

        To be done before the client can enter an order.

        Raises:
            CallError: trading cannot say where it stands.
        """
        if await self._kept.told(account) is not None:
            return
        page = await self._trading.ListExecutions(
            history.ListExecutionsRequest(account=account, after_sequence=1 << 62, page_size=1)
        )
        async with self._kept.transaction() as connection:
            await self._kept.tell(connection, account, page.last_sequence)

    async def _tell(self, account: str, reports: Sequence[ex.ExecutionReport]) -> None:
        assert self.endpoint is not None
        async with self.endpoint.unit() as unit:
            trades = any(each.HasField("fill") for each in reports) and await self._kept.subscribed(unit.transaction)
            for report in reports:
                root = report.order.terms.client_order_id
                chain = await self._kept.chain(unit.transaction, account, root)
                own = chain is not None
                if not own and not self._everything:
                    continue
                if chain is None:
                    chain = Chain(root)
                before = (chain.newest, chain.pending)
                unit.send(message_of(report, chain, copy=not own))
                if trades and report.HasField("fill"):
                    unit.send(trade_of(report, chain))
                if own and (chain.newest, chain.pending) != before:
                    await self._kept.set_chain(unit.transaction, account, root, chain)
            await self._kept.tell(unit.transaction, account, reports[-1].sequence)
