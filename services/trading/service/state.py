"""What risk needs of trading: accounts as they are committed, and the gate."""

from __future__ import annotations

from typing import Any

from crossrate.api.trading.v1 import trading_state_service_pb2 as pb
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import TradingStateServiceServicer
from services.trading import messages
from services.trading.engine.accounts import Accounts
from services.trading.engine.gate import GateKeeper
from services.trading.service.failures import failures
from services.trading.store import Reading

PAGE_DEFAULT = 100


class TradingStateService(TradingStateServiceServicer):
    """States, fills and gate are from the database alone, so that any instance answers for all; an account is taken by
    the instance that its name leads to."""

    def __init__(self, reading: Reading, gate: GateKeeper, accounts: Accounts) -> None:
        self._reading = reading
        self._gate = gate
        self._accounts = accounts

    async def ListFills(self, request: pb.ListFillsRequest, context: Any) -> pb.ListFillsResponse:
        """See the contract."""
        with failures():
            rows = await self._reading.fills(request.venue, request.venue_exec_ids)
        answer = pb.ListFillsResponse()
        for exec_id, account, order_id, content, withdrawn in rows:
            fill = answer.fills.add(venue_exec_id=exec_id, account=account, order_id=order_id, withdrawn=withdrawn)
            fill.fill.MergeFromString(content)
        return answer

    async def TakeAccount(self, request: pb.TakeAccountRequest, context: Any) -> pb.TakeAccountResponse:
        """See the contract."""
        with failures(request.request_id):
            await self._accounts.ensure([request.account])
        held = self._accounts.held.get(request.account)
        return pb.TakeAccountResponse(venue_sequence=held.venue_sequence if held is not None else 0)

    async def ListAccountStates(
        self, request: pb.ListAccountStatesRequest, context: Any
    ) -> pb.ListAccountStatesResponse:
        """See the contract."""
        size = request.page_size or PAGE_DEFAULT
        with failures():
            names = await self._reading.account_names(request.page_token, size + 1)
            accounts = await self._reading.accounts(names[:size])
            version = await self._gate.version()
        answer = pb.ListAccountStatesResponse(states=map(messages.state_of, accounts), gate_version=version)
        if len(names) > size:
            answer.next_page_token = names[size - 1]
        return answer

    async def ApplyGate(self, request: pb.ApplyGateRequest, context: Any) -> pb.ApplyGateResponse:
        """See the contract."""
        with failures(request.request_id):
            version, working = await self._gate.apply(request.gate)
        return pb.ApplyGateResponse(version=version, working=working)
